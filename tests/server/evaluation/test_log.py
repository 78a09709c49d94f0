"""From the store to the simulator."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from policies.expressions import ExpressionError
from policies.types import Action, RewardRange
from server.errors import Conflict, InvalidCampaign, InvalidRequest, NoSuchCampaign, NoSuchSnapshot
from server.evaluation.groups import groups_by
from server.evaluation.log import read_log
from server.evaluation.request import EvaluationRequest
from server.evaluation.snapshots import snapshot_candidate
from server.evaluation.stored import Stored
from server.explain import explain
from server.files.export import export_log
from server.files.exported import read_exported_log
from server.imports import import_log
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store import training as training_rows
from server.store.database import Database
from server.training.trainer import Trainer
from simulator import Round, evaluate
from simulator.logs.rounds import UNKNOWN
from simulator.sources.files import Source

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Make = Callable[..., Source]


@pytest.fixture
def store(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'elige.db'}")


@pytest.fixture
def make_source() -> Make:
    """A uniformly randomised log: `b` pays in ES, `a` elsewhere."""

    def make(n: int = 400, *, known: bool = True, timed: bool = True, **changes: object) -> Source:
        rng = np.random.default_rng(4)
        actions = (Action("a", {"kind": "kurz"}), Action("b", {"kind": "lang", "price": 9.0}))
        rounds = []
        for i in range(n):
            country, chosen = str(rng.choice(["ES", "PT"])), int(rng.integers(2))
            reward = float(rng.random() < (0.7 if (country == "ES") == (chosen == 1) else 0.2))
            rounds.append(
                Round(
                    context={"country": country, "orders": float(i % 5), "vip": bool(i % 2)},
                    actions=actions,
                    chosen="ab"[chosen],
                    propensity=0.5,
                    reward=reward,
                    time=NOW.timestamp() - n + i if timed else float(i),
                    probabilities=(0.5, 0.5) if known else None,
                    person=f"p{i // 2}",
                )
            )
        given = {"reward": "visit", "default": "a", "timed": timed, "slot": "subject_line", **changes}
        return Source(name="trial.csv", actions=actions, rounds=tuple(rounds), reward_range=RewardRange(), **given)  # type: ignore[arg-type]

    return make


def test_an_imported_log_is_read_back_as_it_was(store: Database, make_source: Make) -> None:
    source = make_source()
    done = import_log(store, source, campaign="trial", now=NOW)
    log, original = read_log(store, "trial"), source.log()
    assert (done.decisions, done.slot) == (400, "subject_line")
    assert done.outcomes == int(original.rewards.sum())
    assert log.actions == original.actions
    assert log.default == "a"
    for column in ("chosen", "propensities", "probabilities", "rewards", "times", "eligible", "persons"):
        np.testing.assert_array_equal(getattr(log, column), getattr(original, column), err_msg=column)
    assert list(log.contexts) == list(original.contexts)


def test_choices_whose_propensity_nobody_knows_are_left_out_and_counted(
    database: Database, put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, sql: Any, tmp_path: Path
) -> None:
    put(hero)
    log.visits(40)
    new_trainer().step(clock.move(minutes=31))
    unknown = "UPDATE choices SET kind = 'observed', propensity = NULL, probabilities = '[]' WHERE slot = 'headline'"
    sql(f"{unknown} AND decision_id IN (SELECT decision_id FROM rewards WHERE sequence <= 15)")
    left_out: list[int] = []
    export_log(database, tmp_path / "out")
    stored = read_log(database, "hero", left_out=left_out.append)
    filed = read_exported_log(tmp_path / "out", "hero", left_out=left_out.append)
    assert (len(stored), len(filed), left_out) == (25, 25, [15, 15])
    assert len(read_log(database, "hero", slot="cta", left_out=left_out.append)) == 40
    sql(unknown)
    with pytest.raises(InvalidRequest, match=r"all 40 decisions of campaign 'hero' .* told without their propensity"):
        read_log(database, "hero", left_out=left_out.append)
    assert left_out == [15, 15]


def test_propensities_that_nobody_told_are_estimated_if_asked_for(store: Database, make_source: Make) -> None:
    """A file without propensities, imported: observed, unknown, left out; or estimated and flagged."""
    source = make_source(known=False)
    unknown = replace(source, rounds=tuple(replace(one, propensity=UNKNOWN) for one in source.rounds), estimate=True)
    import_log(store, unknown, campaign="trial", now=NOW)
    with pytest.raises(InvalidRequest, match=r"told without their propensity.* \(--estimate-propensities\)"):
        read_log(store, "trial")
    request = EvaluationRequest("trial", estimate_propensities=True)
    assert EvaluationRequest.from_document(request.document()) == request
    log = Stored(store).read(request, progress=lambda done: None, left_out=lambda decisions: None).slots[0]
    assert log.propensities_estimated
    assert log.probabilities is None, "no exact support"
    np.testing.assert_allclose(log.propensities, 0.5, atol=0.15)


def test_a_log_of_which_only_propensities_are_known(store: Database, make_source: Make) -> None:
    import_log(store, make_source(known=False), campaign="trial", now=NOW)
    log = read_log(store, "trial")
    assert log.probabilities is None
    assert evaluate(log).row("uniform").refusal is None


def test_rows_without_times_get_one_second_each(store: Database, make_source: Make) -> None:
    import_log(store, make_source(timed=False), campaign="trial", now=NOW)
    times = read_log(store, "trial").times
    assert times[-1] == NOW.timestamp()
    assert set(np.diff(times)) == {1.0}


def test_imported_decisions_are_observed_not_learned_and_explained_as_such(store: Database, make_source: Make) -> None:
    import_log(store, make_source(), campaign="trial", now=NOW)
    later = NOW + timedelta(hours=1)
    Trainer(store, holder="t", grace=timedelta(0)).step(later)
    with store.reading() as connection:
        (snapshot,) = training_rows.list_snapshots(connection, "trial", before=None, limit=10)
        assert (snapshot.trained_through, snapshot.examples) == (400, 0)
        (decision,) = decision_rows.newest(connection, "trial", limit=1)
    assert decision.person is not None
    assert len(decision.person) == 32  # the keyed hash, not the name
    explained = explain(store, decision.id)
    assert [slot.logged.kind.value for slot in explained.slots] == ["observed"]


def test_a_campaign_that_exists_is_not_imported_over(store: Database, make_source: Make) -> None:
    import_log(store, make_source(20), campaign="trial", now=NOW)
    with pytest.raises(Conflict, match="import under another name"):
        import_log(store, make_source(20), campaign="trial", now=NOW)
    with pytest.raises(InvalidCampaign, match="Name With Spaces"):
        import_log(store, make_source(20), campaign="Name With Spaces", now=NOW)


def test_an_imported_campaign_is_a_campaign(store: Database, make_source: Make) -> None:
    import_log(store, make_source(20), campaign="trial", now=NOW)
    with store.reading() as connection:
        stored = campaign_rows.read_version(connection, "trial")
    assert stored.state == "active"
    assert stored.document["context"] == {"country": "text", "orders": "number", "vip": "flag"}
    assert stored.document["metrics"] == {"visit": "sum"}


def test_filters(store: Database, make_source: Make) -> None:
    source = make_source()
    import_log(store, source, campaign="trial", now=NOW)
    spanish = read_log(store, "trial", where="country == 'ES' && orders >= 2")
    assert len(spanish) == sum(r.context["country"] == "ES" and r.context["orders"] >= 2 for r in source.rounds)  # type: ignore[operator]
    half = NOW - timedelta(seconds=200)
    assert len(read_log(store, "trial", since=half)) == len(read_log(store, "trial", until=half)) == 200


def test_a_snapshot_that_sees_something_else_is_not_judged(
    database: Database, log: Any, put: Any, hero: str, clock: Any, new_trainer: Any
) -> None:
    put(hero)
    log.visits(20)
    new_trainer().step(clock.move(hours=1))
    assert snapshot_candidate(database, "hero", "headline", "snapshot:1").note.endswith(", as served")
    assert snapshot_candidate(database, "hero", "headline", "snapshot:1", lang="es").note.endswith(", como se sirvió")
    assert all("time.hours" in context for context in read_log(database, "hero").contexts)
    put(hero.replace("slots:", "clock: false\nslots:"))
    assert all(context.keys() == {"country"} for context in read_log(database, "hero").contexts)
    with pytest.raises(InvalidRequest, match=r"trained with wording: false, clock: true, and .* clock: false"):
        snapshot_candidate(database, "hero", "headline", "snapshot:1")


def test_mistakes_are_told(store: Database, make_source: Make) -> None:
    import_log(store, make_source(), campaign="trial", now=NOW)
    with pytest.raises(NoSuchCampaign, match="known: 'trial'"):
        read_log(store, "trail")
    with pytest.raises(InvalidRequest, match="it has: subject_line"):
        read_log(store, "trial", slot="headline")
    with pytest.raises(ExpressionError, match="did you mean 'country'"):
        read_log(store, "trial", where="contry == 'ES'")
    with pytest.raises(ExpressionError, match="known: 'country', 'group', 'import', 'orders', 'row', 'version', 'vip'"):
        read_log(store, "trial", where="send == 's1'")
    with pytest.raises(InvalidRequest, match="holds for none of the 400 decisions"):
        read_log(store, "trial", where="country == 'FR'")
    with pytest.raises(InvalidRequest, match="nothing to evaluate"):
        read_log(store, "trial", since=NOW + timedelta(days=1))
    with pytest.raises(NoSuchSnapshot):
        snapshot_candidate(store, "trial", "subject_line", "snapshot:7")
    with pytest.raises(InvalidRequest, match="expected snapshot:NUMBER"):
        snapshot_candidate(store, "trial", "subject_line", "snapshot:x")


def test_a_snapshot_is_judged_as_it_was_served_and_only_on_what_came_later(
    database: Database,
    log: Any,
    put: Callable[[str], object],
    hero: str,
    clock: Any,
    new_trainer: Callable[[], Trainer],
) -> None:
    put(hero)
    trainer = new_trainer()
    for _ in range(3):  # three sessions, each learned before the next
        log.visits(300)
        trainer.step(clock.move(hours=1))
    with database.reading() as connection:
        newest, _, first = training_rows.list_snapshots(connection, "hero", before=None, limit=10)
    seen = snapshot_candidate(database, "hero", "headline", f"snapshot:{first.id}")
    whole = read_log(database, "hero")
    assert seen.judged_after == whole.times[299]
    # as served: with the explore share, so that nothing is impossible
    actions = tuple(whole.actions)
    assert seen.policy.pmf({"country": "ES"}, actions).min() >= 0.02 / 3
    assert seen.policy.pmf({"country": "ES"}, actions).argmax() == [action.id for action in actions].index("price")

    late = snapshot_candidate(database, "hero", "headline", f"snapshot:{newest.id}")
    evaluation = evaluate(whole, [seen, late])
    assert evaluation.row(seen.name).refusal is None
    assert evaluation.period.n == 600  # everything is judged on the two sessions after it
    assert "0 of 900 rounds are later" in str(evaluation.row(late.name).refusal)
    # the second session was served from this very snapshot: what it says of itself is what was earned
    second = read_log(database, "hero", until=datetime.fromtimestamp(float(whole.times[600]), UTC))
    row = evaluate(second, [seen]).row(seen.name)
    assert row.estimates["ips"].value == pytest.approx(second.rewards[300:].mean(), rel=1e-9)


def test_a_snapshot_is_judged_inside_the_bounds_it_was_served_with(
    database: Database,
    log: Any,
    put: Callable[[str], object],
    hero: str,
    clock: Any,
    new_trainer: Callable[[], Trainer],
) -> None:
    put(
        hero.replace("{id: hours,", "{id: hours, share: {min: 0.3},").replace(
            "{id: price,", "{id: price, share: {max: 0.4},"
        )
    )
    trainer = new_trainer()
    for _ in range(2):
        log.visits(300)
        trainer.step(clock.move(hours=1))
    seen = snapshot_candidate(database, "hero", "headline", "snapshot:1")
    whole = read_log(database, "hero")
    by_id = {action.id: action for action in whole.actions}
    hours, price, trust = seen.policy.pmf({"country": "ES"}, [by_id[one] for one in ("hours", "price", "trust")])
    assert hours >= 0.3
    assert price == 0.4  # what people of ES click on
    assert hours + price + trust == pytest.approx(1.0, abs=1e-12)
    # the second session was served from it: what it says of itself is what was earned
    row = evaluate(whole, [seen]).row(seen.name)
    assert row.estimates["ips"].value == pytest.approx(whole.rewards[300:].mean(), rel=1e-9)


def test_rules_are_judged_against_a_log_that_others_kept(store: Database, make_source: Make) -> None:
    """`b` pays in ES, `a` elsewhere: whoever wrote that down earns more than either alone."""
    import_log(store, make_source(2_000), campaign="trial", now=NOW)
    rules = "rules:country == 'ES' -> b; -> a"
    evaluation = evaluate(read_log(store, "trial"), [rules])
    earned = {name: evaluation.row(name).estimates["dr"] for name in (rules, "fixed:a", "fixed:b")}
    assert earned[rules].low > max(earned["fixed:a"].high, earned["fixed:b"].high)
    assert earned[rules].value == pytest.approx(0.7, abs=0.06)


def test_a_snapshot_of_another_campaign_or_slot_is_refused(
    database: Database,
    log: Any,
    put: Callable[[str], object],
    hero: str,
    clock: Any,
    new_trainer: Callable[[], Trainer],
) -> None:
    put(hero)
    put(hero.replace("campaign: hero", "campaign: other"))
    log.visits(10)
    new_trainer().step(clock.move(hours=1))
    with pytest.raises(InvalidRequest, match="is of campaign 'hero', not 'other'"):
        snapshot_candidate(database, "other", "headline", "snapshot:1")
    with pytest.raises(InvalidRequest, match="has learned nothing for slot 'footer'"):
        snapshot_candidate(database, "hero", "footer", "snapshot:1")


def test_groups_by_a_key_of_the_contexts(store: Database, make_source: Make) -> None:
    import_log(store, make_source(600), campaign="trial", now=NOW)
    log = read_log(store, "trial")
    found = evaluate(log, by=groups_by(store, log, "country"))
    assert {group.name: group.n for group in found.groups} == {
        country: sum(context["country"] == country for context in log.contexts) for country in ("ES", "PT")
    }
    with pytest.raises(InvalidRequest, match="has a key 'county'; there are: country, orders, vip, and 'segment'"):
        groups_by(store, log, "county")
    with pytest.raises(InvalidRequest, match=r"is decided by '?\w+'?, which makes no segments"):
        groups_by(store, log, "segment")


def test_groups_by_the_segments_of_the_newest_snapshot(
    database: Database,
    log: Any,
    put: Callable[[str], object],
    hero: str,
    clock: Any,
    new_trainer: Callable[[], Trainer],
) -> None:
    put(hero.replace("slots:\n  headline:", "slots:\n  headline:\n    policy: {squarecb: {segments: 2}}"))
    trainer = new_trainer()
    log.visits(99)
    trainer.step(clock.move(hours=1))
    with pytest.raises(InvalidRequest, match="has no segments yet"):
        groups_by(database, read_log(database, "hero"), "segment")
    log.visits(500)
    trainer.step(clock.move(hours=1))
    whole = read_log(database, "hero")
    by = groups_by(database, whole, "segment")
    assert all(note.startswith("segmento ") for note in groups_by(database, whole, "segment", lang="es").notes.values())
    found = evaluate(whole, by=by)
    assert len({group.name for group in found.groups}) == 2
    for group in found.groups:
        (country,) = {context["country"] for context in whole.contexts if by.value(context) == group.name}
        assert group.n == sum(context["country"] == country for context in whole.contexts)
        assert group.note.startswith(
            f"segment {group.name}, 50% of decisions: country {country} for 100% (everybody 50%)"
        )
