"""A decision recomputed agrees with its log, whatever happened since; and whoever changed the log is found out."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest

from server import explain as module
from server.decide import SlotOptions
from server.errors import InvalidRequest, WrongState
from server.explain import Explanation, SlotExplanation, Verdict, explain
from server.ids import make_decision_id
from server.records import Candidate, Decision, Kind, OutcomeStatus, State
from server.store.database import Database
from server.training.trainer import Trainer

AGREES, DIFFERS, NOT_RECOMPUTABLE, NOT_APPLICABLE = Verdict
Sql = Callable[..., list[Any]]

CAMPAIGN = """\
campaign: hero
metrics: {click: once}
reward: {window: 30m}
context: any
slots:
  headline:
    default: hours
    variants: [{id: hours}, {id: price, features: {angle: price}}, {id: trust}]
  subject: {candidates: true}
  cta:
    default: try
    policy: {epsilon: {epsilon: 0.3}}
    variants: [{id: try, content: {text: Pruébalo}}, {id: demo}]
"""


@pytest.fixture(autouse=True)
def campaign(put: Any) -> None:
    put(CAMPAIGN)


@pytest.fixture
def trainer(new_trainer: Callable[..., Trainer]) -> Trainer:
    return new_trainer()


def options(turn: int) -> dict[str, SlotOptions]:
    week = tuple(
        Candidate(f"asunto {turn} {i} | 😀\n", {"text": f"{i}"}, {"length": float(i), "tone": ("a", "b c")})
        for i in range(4)
    )
    return {
        "headline": SlotOptions(exclude=frozenset({"trust"} if turn % 2 else set())),
        "subject": SlotOptions(candidates=week, exclude=frozenset({week[0].id})),
    }


def play(log: Any, clock: Any, trainer: Trainer, *, turns: int = 4, n: int = 12) -> list[Decision]:
    """Decisions by several snapshots, with candidates and exclusions, each trained before the next."""
    made = []
    for turn in range(turns):
        decided = log.decide([{"country": c, "orders": 3.5} for c in ("ES", "PT") * (n // 2)], options=options(turn))
        for one in decided:
            if one.choices[0].variant == "price":
                log.happen(one)
            if one.choices[2].variant == "demo":
                log.happen(one, slot="cta")
        made += decided
        trainer.step(clock.move(hours=1))
    return made


@pytest.fixture
def played(made_once: Any, log: Any, clock: Any, new_trainer: Callable[..., Trainer]) -> list[Decision]:
    """Decisions by four snapshots."""

    def make() -> list[Decision]:
        return play(log, clock, new_trainer())

    made: list[Decision] = made_once(make)
    return made


def verdicts(slot: SlotExplanation) -> tuple[Verdict, ...]:
    return tuple(check.verdict for check in (slot.eligible, slot.policy, slot.bounds, slot.draw))


def assert_agrees(database: Database, made: list[Decision]) -> None:
    for decision in made:
        explained = explain(database, decision.id)
        assert explained.agrees
        assert {verdicts(slot) for slot in explained.slots} == {(AGREES,) * 4}
        for slot, choice in zip(explained.slots, decision.choices, strict=True):
            assert slot.recomputed_variant == choice.variant
            assert slot.bounded == pytest.approx(choice.probabilities, abs=1e-12)


def test_every_decision_agrees(database: Database, played: list[Decision]) -> None:
    assert len({decision.snapshot for decision in played}) == 4
    assert_agrees(database, played)


def test_it_agrees_after_the_campaign_has_moved_on(
    database: Database, log: Any, clock: Any, trainer: Trainer, put: Any, set_to: Any
) -> None:
    made = play(log, clock, trainer)
    put(
        CAMPAIGN.replace("angle: price", "angle: cheap").replace("id: hours", "id: hour").replace("t: hours", "t: hour")
    )
    put(CAMPAIGN.replace("{epsilon: {epsilon: 0.3}}", "uniform"))
    play(log, clock, trainer, turns=2)
    set_to("hero", State.ARCHIVED)
    assert_agrees(database, made)


@pytest.mark.parametrize("state", ["NULL", "zeroblob(400)", "substr(state, 1, length(state) - 9)"])
def test_it_agrees_after_snapshots_were_thinned_or_damaged(
    state: str, database: Database, played: list[Decision], sql: Sql
) -> None:
    sql(f"UPDATE snapshot_slots SET state = {state}")
    assert_agrees(database, played[::5])


def test_what_can_not_be_recomputed_is_said_and_not_held_against_the_log(
    database: Database, played: list[Decision], sql: Sql
) -> None:
    sql("UPDATE snapshot_slots SET state = NULL")
    sql("UPDATE rewards SET reward = 1 - reward, slot_rewards = '{}'")
    explained = explain(database, played[-1].id)
    assert {verdicts(slot) for slot in explained.slots} == {(AGREES, NOT_RECOMPUTABLE, NOT_RECOMPUTABLE, AGREES)}
    assert "are gone" in explained.slots[0].policy.detail
    assert explained.agrees


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE snapshots SET created_at = '2027-01-01 00:00:00.000000' WHERE snapshot_id = :id",
        "UPDATE snapshots SET campaign = 'other' WHERE snapshot_id = :id",
    ],
)
def test_a_snapshot_that_only_has_the_number_is_not_asked(
    change: str, database: Database, played: list[Decision], sql: Sql
) -> None:
    decision = played[-1]
    assert decision.snapshot is not None
    sql(change, id=decision.snapshot)
    explained = explain(database, decision.id)
    assert explained.agrees
    assert {slot.policy.verdict for slot in explained.slots} == {NOT_RECOMPUTABLE}
    assert "of the database from which the decision was imported" in explained.slots[0].policy.detail


def test_other_software_is_no_proof_of_a_difference(
    database: Database, played: list[Decision], sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    decision = played[-1]
    sql("UPDATE choices SET probabilities = '[0.4,0.6]' WHERE slot = 'cta' AND decision_id = :id", id=decision.id)
    assert explain(database, decision.id).slots[2].policy.verdict is DIFFERS
    monkeypatch.setattr(module, "package_versions", lambda: {"vowpalwabbit": "99"})
    told = explain(database, decision.id).slots[2].policy
    assert told.verdict is NOT_RECOMPUTABLE
    assert "trained with other software (elige" in told.detail


def nudged(probabilities: str, by: float) -> str:
    values = orjson.loads(probabilities)
    values[0] += by
    values[-1] -= by
    return orjson.dumps(values).decode()


TAMPER = {
    "probability": lambda row: {"probabilities": nudged(row["probabilities"], 1e-6)},
    "probabilities not one": lambda row: {"probabilities": orjson.dumps([0.5] * 3).decode()},
    "no probabilities": lambda row: {"probabilities": "[]"},
    "one probability less": lambda row: {
        "probabilities": orjson.dumps(orjson.loads(row["probabilities"])[1:]).decode()
    },
    "negative": lambda row: {"probabilities": nudged(row["probabilities"], -3.0)},
    "propensity": lambda row: {"propensity": row["propensity"] / 2},
    "variant": lambda row: {"variant": next(v for v in orjson.loads(row["eligible"]) if v != row["variant"])},
    "unknown variant": lambda row: {"variant": "another"},
    "explore": lambda row: {"explore": 0.9},
    "eligible": lambda row: {"eligible": orjson.dumps(orjson.loads(row["eligible"])[::-1]).decode()},
    "eligible, unknown": lambda row: {"eligible": orjson.dumps(["x", *orjson.loads(row["eligible"])[1:]]).decode()},
}


@pytest.mark.parametrize("tamper", TAMPER.values(), ids=TAMPER)
@pytest.mark.parametrize("slot", ["subject", "cta"])
def test_whoever_changes_the_log_is_found_out(
    tamper: Callable[[Any], dict[str, Any]],
    slot: str,
    database: Database,
    played: list[Decision],
    sql: Sql,
) -> None:
    decision = played[-1]
    where = {"id": decision.id, "in_slot": slot}
    (row,) = sql("SELECT * FROM choices WHERE decision_id = :id AND slot = :in_slot", **where)
    changes = tamper(row._mapping)
    (column,) = changes
    sql(
        f"UPDATE choices SET {column} = :value WHERE decision_id = :id AND slot = :in_slot",
        value=changes[column],
        **where,
    )
    explained = explain(database, decision.id)
    assert not explained.agrees
    assert [one.logged.slot for one in explained.slots if not one.agrees] == [slot]
    (wrong,) = [one for one in explained.slots if not one.agrees]
    assert any(check.detail for check in (wrong.eligible, wrong.policy, wrong.draw) if check.verdict is DIFFERS)


def test_a_forgotten_refusal_is_found_out(database: Database, played: list[Decision], sql: Sql) -> None:
    decision = played[-1]
    sql("UPDATE choices SET refusals = '[]' WHERE decision_id = :id", id=decision.id)
    assert [slot.eligible.verdict for slot in explain(database, decision.id).slots] == [DIFFERS, DIFFERS, AGREES]


def test_a_changed_context_is_found_out(database: Database, played: list[Decision], sql: Sql) -> None:
    decision = played[-1]
    sql("""UPDATE decisions SET context = '{"country":"FR"}' WHERE decision_id = :id""", id=decision.id)
    explained = explain(database, decision.id)
    assert explained.slots[0].policy.verdict is DIFFERS
    assert {slot.draw.verdict for slot in explained.slots} == {AGREES}


def test_changing_an_earlier_slot_is_found_out_in_the_later_ones(
    database: Database, log: Any, clock: Any, trainer: Trainer, sql: Sql
) -> None:
    made = play(log, clock, trainer, turns=6, n=40)
    for decision in made[-10:]:
        sql("UPDATE choices SET variant = 'other' WHERE slot = 'headline' AND decision_id = :id", id=decision.id)
        explained = explain(database, decision.id)
        assert explained.slots[0].draw.verdict is DIFFERS
        assert explained.slots[1].policy.verdict is DIFFERS


BOUNDED = """\
campaign: shares
metrics: {click: once}
reward: {window: 30m}
context: any
explore: 0.06
slots:
  headline:
    default: hours
    variants:
      - {id: hours, share: {min: 0.2}}
      - {id: price, share: {max: 0.5}}
      - {id: trust, share: {min: 0.05, max: 0.1}}
"""


def test_logged_probabilities_respect_the_bounds_and_explain_agrees(
    database: Database, log: Any, clock: Any, trainer: Trainer, put: Any, sql: Sql
) -> None:
    put(BOUNDED)
    at_a_bound = 0
    made: list[Decision] = []
    for _ in range(3):
        decided = log.decide([{"country": c} for c in ("ES", "PT") * 10], campaign="shares")
        for one in decided:
            hours, price, trust = one.choices[0].probabilities
            assert hours >= 0.2
            assert price <= 0.5
            assert 0.05 <= trust <= 0.1
            at_a_bound += price == 0.5 or trust in (0.05, 0.1)
            if one.choices[0].variant == "price":
                log.happen(one)
        made += decided
        trainer.step(clock.move(hours=1))
    assert at_a_bound
    put(BOUNDED.replace("min: 0.2", "min: 0.9"))  # explained by the version that decided
    for decision in made:
        (slot,) = explain(database, decision.id).slots
        assert verdicts(slot) == (AGREES,) * 4
        assert slot.bounds.detail == ""
        assert slot.bounded == pytest.approx(decision.choices[0].probabilities, abs=1e-12)
        assert slot.scores != slot.bounded
    sql("UPDATE campaigns SET document = replace(document, '0.1', '0.07') WHERE version = 1 AND campaign = 'shares'")
    assert explain(database, made[0].id).slots[0].bounds.verdict is DIFFERS


def test_bounds_that_could_not_be_kept_are_told(database: Database, log: Any, put: Any) -> None:
    put(BOUNDED)
    only_two = {"headline": SlotOptions(exclude=frozenset({"hours"}))}
    (decision,) = log.decide([{}], campaign="shares", options=only_two)
    assert decision.choices[0].probabilities == pytest.approx((0.5 / 0.6, 0.1 / 0.6))
    (slot,) = explain(database, decision.id).slots
    assert verdicts(slot) == (AGREES,) * 4
    assert slot.bounds.detail == "the maximum shares of the 2 eligible variants sum to 0.6: scaled up to 1"


@pytest.mark.parametrize("state", [State.PAUSED, State.KILLED])
def test_a_default_that_was_shown_because_nothing_was_asked(
    state: State, database: Database, log: Any, set_to: Any, sql: Sql
) -> None:
    set_to("hero", state)
    (decision,) = log.decide([{}], options=options(0))
    explained = explain(database, decision.id)
    assert explained.agrees
    assert {verdicts(slot) for slot in explained.slots} == {(AGREES, NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE)}
    assert state.value in explained.slots[0].draw.detail
    sql("UPDATE choices SET variant = 'price' WHERE slot = 'headline'")
    assert explain(database, decision.id).slots[0].eligible.verdict is DIFFERS


def test_what_others_chose_can_not_be_recomputed(database: Database, log: Any, sql: Sql) -> None:
    (decision,) = log.decide([{}], options=options(0))
    sql("UPDATE choices SET kind = :kind, propensity = NULL, probabilities = '[]'", kind=Kind.OBSERVED.value)
    explained = explain(database, decision.id)
    assert explained.agrees
    assert explained.slots[0].logged.propensity is None
    assert verdicts(explained.slots[0]) == (NOT_RECOMPUTABLE, NOT_RECOMPUTABLE, NOT_APPLICABLE, NOT_APPLICABLE)


def test_what_was_shown_and_what_came_of_it(database: Database, log: Any, clock: Any, trainer: Trainer) -> None:
    (decision,) = log.decide([{}], options=options(0))
    log.happen(decision, slot="cta", key="k")
    log.happen(decision, after=timedelta(hours=2))

    def told() -> Explanation:
        return explain(database, decision.id)

    assert [(one.outcome.slot, one.status) for one in told().outcomes] == [
        ("cta", OutcomeStatus.ACCEPTED),
        (None, OutcomeStatus.LATE),
    ]
    assert told().matured is None
    trainer.step(clock.move(hours=1))
    matured = told().matured
    assert matured is not None
    assert (matured.sequence, matured.reward, matured.matured_at) == (1, 1.0, clock.now)
    assert [choice.content for choice in told().decision.choices] == [choice.content for choice in decision.choices]


def test_every_variant_there_was_is_named(database: Database, log: Any) -> None:
    (decision,) = log.decide([{}], options=options(1))
    headline, subject, cta = explain(database, decision.id).slots
    assert headline.offered == ("hours", "price", "trust")
    assert len(subject.offered) == 4
    assert cta.offered == ("try", "demo")


def test_a_genuine_id_of_a_decision_that_is_not_stored(database: Database, clock: Any) -> None:
    genuine = make_decision_id(database.secret, at=clock.now, campaign_number=1, random=bytes(6))
    with pytest.raises(WrongState, match="is genuine, but not in the log"):
        explain(database, genuine)


@pytest.mark.parametrize("text", ["", "x", "0" * 40, "😀", "'; drop table decisions; --"])
def test_what_is_no_id(text: str, database: Database) -> None:
    with pytest.raises(InvalidRequest, match="no decision id"):
        explain(database, text)
