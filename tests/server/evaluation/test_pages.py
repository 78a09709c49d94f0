"""Pages, metrics, labels and the control group, from what was decided to what is judged."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from policies.expressions import ExpressionError
from server.cli import app
from server.decide import SlotOptions
from server.errors import InvalidRequest
from server.evaluation.log import read_log, read_stored
from server.evaluation.reading import Reading, Wanted
from server.evaluation.request import EvaluationRequest
from server.evaluation.run import diagnose, run
from server.evaluation.stored import Stored
from server.files.export import export_log
from server.files.exported import Exported, read_exported
from server.records import Candidate, Decision, Outcome
from server.store import outcomes as outcome_rows
from server.store.database import Database
from simulator import EvaluationError, Page

UNIFORM = "slots:\n  headline:\n    policy: uniform"


@pytest.fixture
def page(put: Callable[[str], object], hero: str, log: Any, clock: Any, new_trainer: Any) -> Database:
    """400 visits on two days, drawn at random; `price` sells in ES; sends alternate."""
    put(hero.replace("slots:\n  headline:", UNIFORM).replace("  cta:", "  cta:\n    policy: uniform"))
    for day in range(2):
        made = log.decide([{"country": "ES" if i % 2 else "PT"} for i in range(200)], labels={"send": f"s{day}"})
        bought = [one for i, one in enumerate(made) if (one.choices[0].variant == "price") == (i % 2 == 1)]
        demos = [one for one in made if one.choices[1].variant == "demo"]
        happen(log, [(one, "click", 1.0) for one in bought] + [(one, "revenue", 20.0) for one in demos])
        clock.move(days=1)
    new_trainer().step(clock.move(hours=1))
    return log.database  # type: ignore[no-any-return]


def happen(log: Any, told: list[tuple[Decision, str, float]]) -> None:
    """Outcomes, all in one transaction."""
    with log.database.writing() as connection:
        outcomes = [Outcome(one.id, one.campaign, metric, value, one.at, one.at) for one, metric, value in told]
        outcome_rows.append(connection, outcomes)


def reading(database: Database, **wanted: Any) -> Reading:
    return read_stored(database, "hero", Wanted(**wanted))


def test_the_slots_of_a_page_are_the_same_decisions(page: Database) -> None:
    found = reading(page)
    assert [log.slot for log in found.slots] == ["headline", "cta"]
    assert isinstance(found.page, Page)
    for log in found.slots:
        alone = read_log(page, "hero", slot=log.slot)
        for column in ("chosen", "propensities", "probabilities", "rewards", "times", "persons"):
            np.testing.assert_array_equal(getattr(log, column), getattr(alone, column), err_msg=column)
    np.testing.assert_array_equal(found.rewards, found.slots[0].rewards)
    assert {context["slot.headline"] for context in found.slots[1].contexts} == {"hours", "price", "trust"}
    assert reading(page, slots=("cta",)).page is None
    with pytest.raises(InvalidRequest, match="campaign 'hero' has no slot 'footer'; it has: headline, cta"):
        reading(page, slots=("footer",))


def test_outcomes_of_one_slot_are_its_own_and_the_pages(
    put: Any, hero: str, log: Any, clock: Any, new_trainer: Any
) -> None:
    put(hero)
    one, other = log.decide([{}] * 2)
    log.happen(one, slot="cta")
    log.happen(other)
    new_trainer().step(clock.move(hours=1))
    found = read_stored(log.database, "hero", Wanted(metrics=("click",)))
    assert found.slots[0].rewards.tolist() == [1.0, 1.0]
    assert found.rewards.tolist() == [1.0, 1.0]
    (cta,) = read_stored(log.database, "hero", Wanted(slots=("cta",))).slots
    assert cta.rewards.tolist() == [1.0, 1.0]
    log.happen(log.decide([{}])[0], "revenue", 50.0, slot="headline")
    new_trainer().step(clock.move(hours=1))
    found = read_stored(log.database, "hero", Wanted(metrics=("revenue",)))
    assert [float(log.rewards[2]) for log in found.slots] == [0.5, 0.5]
    assert found.metrics["revenue"].tolist() == [0.0, 0.0, 50.0]


def test_a_page_needs_every_slot_drawn(put: Any, hero: str, log: Any, clock: Any, new_trainer: Any) -> None:
    put(hero)
    log.visits(4)
    nothing = {"cta": SlotOptions(exclude=frozenset({"try", "demo"}))}
    log.decide([{}] * 3, options=nothing)
    new_trainer().step(clock.move(hours=1))
    assert len(reading(log.database).slots[0]) == 4
    assert len(reading(log.database, slots=("headline",)).slots[0]) == 7


def test_only_fallbacks_are_no_page(put: Any, hero: str, log: Any, clock: Any, new_trainer: Any) -> None:
    put(hero)
    log.decide([{}] * 3, options={"cta": SlotOptions(exclude=frozenset({"try", "demo"}))})
    new_trainer().step(clock.move(hours=1))
    with pytest.raises(InvalidRequest, match=r"in which every slot was drawn and shown.*one slot alone may have some"):
        reading(log.database)


def test_decisions_by_label_group_and_version(page: Database, sql: Any, tmp_path: Path) -> None:
    sql('UPDATE decisions SET labels = \'{"send": "s1", "country": "FR", "version": 2}\' WHERE labels LIKE \'%s1%\'')
    export_log(page, tmp_path)
    for where, n in (
        ("send == 's0'", 200),
        ("send == 's1' && country == 'ES'", 100),  # a declared key of the context is never a label
        ("present(send) && group != 'control'", 400),
        ("version == 1", 200),
        ("version == 2", 200),  # a label of this name comes first
    ):
        found = reading(page, where=where)
        assert len(found.rewards) == n, where
        np.testing.assert_array_equal(read_exported(tmp_path, "hero", Wanted(where=where)).rewards, found.rewards)
    with pytest.raises(ExpressionError, match="no name 'sent', did you mean 'send'"):
        reading(page, where="sent == 's0'")
    sql("UPDATE decisions SET context = '{}' WHERE labels LIKE '%s1%'")
    with pytest.raises(InvalidRequest, match="holds for none of the 400 decisions"):
        reading(page, where="country == 'FR'")


def test_metrics_and_labels_of_every_round(page: Database, tmp_path: Path) -> None:
    wanted = Wanted(labels=("send", "nothing"), metrics=("click", "revenue"), where="country == 'ES'")
    found = read_stored(page, "hero", wanted)
    assert len(found.rewards) == 200
    np.testing.assert_allclose(found.metrics["click"] + 0.01 * found.metrics["revenue"], found.rewards)
    demo = found.slots[1].chosen == [action.id for action in found.slots[1].actions].index("demo")
    assert found.metrics["revenue"].tolist() == np.where(demo, 20.0, 0.0).tolist()
    assert found.labels == {"send": ("s0",) * 100 + ("s1",) * 100, "nothing": (None,) * 200}
    export_log(page, tmp_path)
    filed = read_exported(tmp_path, "hero", wanted)
    assert filed.labels == found.labels
    for name, values in found.metrics.items():
        np.testing.assert_array_equal(filed.metrics[name], values)
    np.testing.assert_array_equal(filed.rewards, found.rewards)
    with pytest.raises(InvalidRequest, match="no metric 'clicks' to judge by; it has: click, revenue"):
        reading(page, metrics=("clicks",))


def test_a_page_in_all_its_views(page: Database, tmp_path: Path) -> None:
    request = EvaluationRequest(
        campaign="hero",
        policies=("fixed:price", "headline=fixed:price + cta=fixed:demo"),
        by=("country", "send"),
        every=timedelta(days=1),
        metrics=("click",),
        estimators=("snips",),
    )
    found = run(Stored(page), request)
    assert found.slots == ("headline", "cta")
    assert [(view.kind, view.key) for view in found.views] == [
        ("slot", ""),
        ("group", "send"),
        ("time", "1d"),
        ("metric", ""),
    ]
    assert (found.by, [group.n for group in found.groups]) == ("country", [200, 200])
    assert [group.name for group in found.views[2].groups] == ["2026-03-01", "2026-03-02"]
    log = reading(page).slots[0]
    price = log.chosen == [action.id for action in log.actions].index("price")
    spanish = np.array([context["country"] == "ES" for context in log.contexts])
    clicks = found.views[3].groups[0]
    row = next(row for row in clicks.rows if row.name == "fixed:price")
    assert row.estimates["snips"].value == pytest.approx(spanish[price].mean()), "as it is in ES alone that it sells"
    assert row.note == ""
    assert found.row("fixed:price").note == "for headline; as logged: cta"
    export_log(page, tmp_path)
    assert run(Exported(tmp_path), request).to_dict() == found.to_dict()
    one_slot = run(Stored(page), EvaluationRequest(campaign="hero", slot="cta", metrics=("click",)))
    assert (one_slot.slots, [view.kind for view in one_slot.views]) == ((), ["metric"])
    assert {one.check for one in diagnose(Stored(page), request)} >= {"rewards"}


def test_what_is_asked_can_be_stored() -> None:
    asked = EvaluationRequest(
        campaign="hero", by=("country", "send"), every=timedelta(hours=36), metrics=("click",), policies=("a=uniform",)
    )
    document = json.loads(json.dumps(asked.document()))
    assert document["every"] == "P1DT12H"
    assert EvaluationRequest.from_document(document) == asked
    with pytest.raises(InvalidRequest, match="at least 1 minute"):
        EvaluationRequest(campaign="hero", every=timedelta(seconds=1))


def test_by_command(page: Database, url: str) -> None:
    ask = ["evaluate", "--campaign", "hero", "--db", url, "--estimator", "ips", "--policy", "cta=fixed:demo"]
    views = ["--by", "country", "--by", "send", "--every", "1d", "--metric", "revenue"]
    told = CliRunner().invoke(app, [*ask, *views, "--json"])
    assert told.exit_code == 0, told.output
    plain = json.loads(told.stdout)
    assert plain["slots"] == ["headline", "cta"]
    assert [view["kind"] for view in plain["views"]] == ["slot", "group", "time", "metric"]
    table = CliRunner().invoke(app, [*ask, *views, "--lang", "es"])
    assert table.exit_code == 0, table.output
    for said in ("headline", "revenue", "2026-03-02", "s1", "cta=fixed:demo"):
        assert said in table.output
    wrong = CliRunner().invoke(app, [*ask, "--every", "soon"])
    assert wrong.exit_code == 2
    assert "'soon' is not a duration" in wrong.output


def test_a_snapshot_decides_the_page_as_it_was_served(
    put: Any, hero: str, log: Any, clock: Any, new_trainer: Any
) -> None:
    put(hero.replace("campaign: hero", "campaign: hero\nexplore: 0.4"))
    trainer = new_trainer()
    log.visits(150)
    trainer.step(clock.move(hours=1))
    log.visits(150)
    trainer.step(clock.move(hours=1))
    found = run(Stored(log.database), EvaluationRequest(campaign="hero", policies=("snapshot:1",)))
    assert found.period.n == 150
    row = found.row("snapshot:1")
    assert row.note.endswith(", as served")
    assert row.diagnostics is not None
    assert row.slots.keys() == {"headline", "cta"}
    told = found.to_dict()["provenance"]["policies"]["snapshot:1"]  # type: ignore[index]
    assert {slot: one["policy"] for slot, one in told.items()} == {"headline": "auto", "cta": "auto"}
    assert told["cta"]["arguments"].startswith("auto --judging")


def test_a_slot_that_learns_nothing_is_served_as_the_campaign_says(
    put: Any, hero: str, log: Any, clock: Any, new_trainer: Any
) -> None:
    text = hero.replace("campaign: hero", "campaign: hero\nexplore: 0.4")
    put(text.replace("  cta:", "  cta:\n    policy: fixed:demo"))
    trainer = new_trainer()
    for _ in range(2):
        log.visits(150)
        trainer.step(clock.move(hours=1))
    found = run(Stored(log.database), EvaluationRequest(campaign="hero", policies=("snapshot:1",)))
    row = found.row("snapshot:1")
    # it was served: weights of 1, but for the last bits of a policy's probabilities that are computed once more
    assert {slot: one.ess for slot, one in row.slots.items()} == pytest.approx({"headline": 150.0, "cta": 150.0})
    assert {slot: one.max_weight for slot, one in row.slots.items()} == pytest.approx({"headline": 1.0, "cta": 1.0})
    assert row.estimates["ips"].value == pytest.approx(found.row("logged").estimates["mean"].value)


def test_the_control_group_is_no_evidence_and_counts_in_lift(
    page: Database, sql: Any, log: Any, clock: Any, new_trainer: Any
) -> None:
    everybody = reading(page).rewards
    assert reading(page).trial is None
    # a fallback was meant for a policy, and counts as treated
    log.decide([{"country": "ES"}] * 5, options={"cta": SlotOptions(exclude=frozenset({"try", "demo"}))})
    new_trainer().step(clock.move(hours=1))
    sql(
        "UPDATE decisions SET group_name = 'control' WHERE decision_id IN "
        "(SELECT decision_id FROM rewards WHERE sequence % 4 = 0 AND sequence <= 400)"
    )
    found = reading(page)
    assert len(found.rewards) == 300
    assert found.trial is not None
    assert (int(found.trial.control.sum()), found.trial.control.size) == (100, 405)
    assert found.trial.rewards[found.trial.control].mean() == pytest.approx(everybody[3::4].mean())
    told = run(Stored(page), EvaluationRequest(campaign="hero", lang="es"))
    assert told.row("control").estimates["mean"].value == pytest.approx(everybody[3::4].mean())
    assert told.lift is not None
    assert "el grupo de control" in told.lift.sentence
    one = run(Stored(page), EvaluationRequest(campaign="hero", slot="headline"))
    assert one.row("control").n == 100
    assert len(read_log(page, "hero")) == 305, "of the first slot, the fallbacks of the second are drawn"


def test_variants_of_one_call_alone(put: Any, hero: str, log: Any, clock: Any, new_trainer: Any) -> None:
    """Each send has texts of its own, and no default: what stands for all of it says so."""
    put(
        hero.replace("    default: try\n", "    candidates: true\n    policy: uniform\n")
        .replace(
            "    variants:\n      - {id: try, content: {text: Pruébalo}}\n"
            "      - {id: demo, content: {text: Pide una demo}}\n",
            "",
        )
        .replace("slots:\n  headline:", UNIFORM)
    )
    for send in range(2):
        texts = tuple(Candidate(f"t{send}{i}", {"text": f"Texto {send} {i}"}, {}) for i in range(2))
        made = log.decide([{}] * 120, options={"cta": SlotOptions(candidates=texts)})
        happen(log, [(one, "click", 1.0) for one in made[::3]])
    new_trainer().step(clock.move(hours=1))
    source = Stored(log.database)
    found = run(source, EvaluationRequest(campaign="hero", policies=("cta=fixed:t00",)))
    assert [row.name for row in found.rows] == ["logged", "uniform", "cta=fixed:t00"], "no default for every slot"
    (cta,) = [group for group in found.views[0].groups if group.name == "cta"]
    notes = {row.name: row.note for row in cta.rows}
    assert notes["fixed:t00"] == "eligible in 50% of the rounds; elsewhere all variants alike"
    with pytest.raises(EvaluationError, match="slot 'headline': policy 'fixed:t99': no variant 't99' in this log"):
        run(source, EvaluationRequest(campaign="hero", policies=("fixed:t99",)))
    with pytest.raises(EvaluationError, match="'fixed': this log names no default variant"):
        run(source, EvaluationRequest(campaign="hero", policies=("fixed",)))


def test_a_variant_that_came_later(put: Any, hero: str, log: Any, clock: Any, new_trainer: Any) -> None:
    text = hero.replace("slots:\n  headline:", UNIFORM)
    put(text.replace('      - {id: trust, content: {text: "Ya somos 12.000"}}\n', ""))
    for day in range(2):
        made = log.visits(220)
        assert made
        clock.move(days=1)
        if day == 0:
            put(text)
    new_trainer().step(clock.move(hours=1))
    asked = EvaluationRequest(campaign="hero", policies=("fixed:trust",), every=timedelta(days=1))
    found = run(Stored(log.database), asked)
    first, second = next(view for view in found.views if view.kind == "time").groups
    assert [row.refusal is None for row in second.rows if row.name == "fixed:trust"] == [True]
    (before,) = [row for row in first.rows if row.name == "fixed:trust"]
    defaults = run(Stored(log.database), replace(asked, policies=("headline=fixed:hours",)))
    (stretch, _) = next(view for view in defaults.views if view.kind == "time").groups
    assert before.estimates == stretch.rows[-1].estimates, "on the day before it came, the default stands for it"
    (headline, _) = found.views[0].groups
    assert {row.name: row.note for row in headline.rows}["fixed:trust"].startswith("eligible in 50% of the rounds")


def test_some_slots_are_a_page_and_the_others_are_as_they_were_logged(
    put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, tmp_path: Path
) -> None:
    """A click takes `price` above and `end` below; what stands between them changes nothing, and weighs nothing."""
    third = "  footer:\n    default: end\n    variants: [{id: end}, {id: more}]\n"
    put(hero.replace("slots:\n", "policy: uniform\nslots:\n") + third)
    made = log.decide([{}] * 300)
    both = [one for one in made if (one.choices[0].variant, one.choices[2].variant) == ("price", "end")]
    happen(log, [(one, "click", 1.0) for one in both])
    new_trainer().step(clock.move(hours=1))
    source = Stored(log.database)
    asked = EvaluationRequest(
        campaign="hero",
        slots=("footer", "headline"),
        policies=("headline=fixed:price + footer=fixed:end", "uniform"),
        estimators=("ips", "snips"),
        interval="normal",
    )
    found = run(source, asked)
    assert found.slots == ("headline", "footer"), "in the order in which they were decided"
    row = found.row("headline=fixed:price + footer=fixed:end")
    assert row.estimates["ips"].value == pytest.approx(6.0 * len(both) / 300), "1 of 3 variants, 1 of 2"
    assert row.estimates["snips"].value == 1.0
    assert row.diagnostics is not None
    assert row.diagnostics.max_weight == pytest.approx(6.0)
    assert found.row("uniform").estimates["ips"].value == pytest.approx(len(both) / 300)
    assert [group.name for group in found.views[0].groups] == ["headline", "footer"]
    assert found.notes[-1] == "Decided as they were logged, whatever a policy does: cta."
    assert run(source, replace(asked, lang="es")).notes[-1].endswith("haga lo que haga una política: cta.")
    assert not any("whatever a policy does" in note for note in run(source, replace(asked, slots=())).notes)
    export_log(log.database, tmp_path)
    assert run(Exported(tmp_path), asked).to_dict() == found.to_dict()
    assert EvaluationRequest.from_document(asked.document()) == asked
    two = ("--slot", "headline", "--slot", "footer")
    told = CliRunner().invoke(app, ["evaluate", "--campaign", "hero", "--log", str(tmp_path), *two, "--json"])
    assert json.loads(told.output)["slots"] == ["headline", "footer"]


@pytest.mark.parametrize(
    "asked", [{"slots": ("cta",)}, {"slots": ("cta", "cta")}, {"slot": "cta", "slots": ("a", "b")}]
)
def test_slots_that_are_none_one_or_several(asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"slots \[.*cta.*\]: expected none, one, or several that differ"):
        EvaluationRequest(campaign="hero", **asked)
