"""Each thing that can keep a campaign from learning, made to happen to a real one, is found and told."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import policies
import server.training
from policies.base import InvalidPmf
from server.decide import SlotOptions
from server.errors import NoSuchCampaign
from server.records import State, state_digest
from server.store.database import Database
from server.training.doctor import diagnose, stuck
from server.training.findings import Finding, Level
from server.training.rollback import roll_back
from tests.pseudo import Marks, words

Look = Callable[..., list[Finding]]


@pytest.fixture
def look(database: Database, clock: Any) -> Look:
    """What is found about one thing now, problems first."""
    return lambda about: [one for one in diagnose(database, "hero", now=clock()) if one.about == about]


@pytest.fixture
def learned(made_once: Any, put: Any, hero: str, log: Any, clock: Any, new_trainer: Any) -> Any:
    """A campaign that learns well, and the trainer that holds it."""

    def make() -> None:
        put(hero)
        log.visits(40)
        new_trainer().step(clock.move(minutes=31))

    made_once(make)
    trainer = new_trainer()
    assert trainer.step(clock()).idle
    return trainer


def only(found: list[Finding], level: Level, says: str) -> Finding:
    """The one finding of this level, which says so."""
    (one,) = [finding for finding in found if finding.level is level]
    assert re.search(says, one.says), one.says
    assert one.says.endswith(".")
    assert bool(one.do) is (level is not Level.OK)
    return one


def test_what_learns_has_no_problem(learned: Any, database: Database, clock: Any) -> None:
    found = diagnose(database, "hero", now=clock())
    assert [one for one in found if one.level is Level.PROBLEM] == []
    said = {(one.about, one.says) for one in found if one.level is Level.OK}
    assert {
        ("state", "The campaign is active."),
        ("decisions", "40 decisions, 40 in the last 24 hours."),
        ("trainer", "The trainer one holds the lease."),
        ("snapshot", "Snapshot 1 has learned all 40 rewards there are."),
        ("rewards", "The last 40 rewards lie between 0 and 1."),
    } <= said
    assert [one.level.rank for one in found] == sorted(one.level.rank for one in found)


def test_in_spanish_nothing_is_said_in_english(
    learned: Any, log: Any, clock: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spanish is replaced by marks: what is still told in words is a name."""
    log.decide([{"Country": "ES"}] * 40)
    later = clock.move(hours=25)
    marks = Marks()
    marks.install(monkeypatch, policies, server.training)
    try:
        found = diagnose(database, "hero", now=later, lang="es")
    finally:
        marks.remove()
    assert {one.level for one in found} == set(Level)
    names = {"headline", "cta", "hero", "click", "one", "UTC", "Country", "country", "orders", "linear", "ES"}
    names |= {"best", "variant", "squarecb", "fixed", "hours", "price", "trust", "demo", "try"}
    for one in found:
        assert words(f"{one.says} {one.do}", names) == set(), one
    assert diagnose(database, "hero", now=later, lang="es") != found, "the marks are gone"


def test_nothing_is_written(learned: Any, database: Database, clock: Any, sql: Any) -> None:
    tables = ("snapshots", "snapshot_slots", "rewards", "windows", "leases", "decisions")
    before = [sql(f"SELECT * FROM {table}") for table in tables]
    diagnose(database, "hero", now=clock.move(hours=1))
    assert [sql(f"SELECT * FROM {table}") for table in tables] == before


def test_a_campaign_that_is_not_there(database: Database, clock: Any) -> None:
    with pytest.raises(NoSuchCampaign):
        diagnose(database, "nope", now=clock())


@pytest.mark.parametrize("state", [State.PAUSED, State.KILLED])
def test_a_campaign_that_is_stopped(state: State, learned: Any, set_to: Any, look: Look) -> None:
    set_to("hero", state)
    only(look("state"), Level.PROBLEM, f"is {state.value}: ")


def test_a_campaign_that_is_over_is_left_alone(
    learned: Any, set_to: Any, database: Database, clock: Any, look: Look
) -> None:
    set_to("hero", State.ARCHIVED)
    only(look("state"), Level.NOTE, "archived")
    assert len(diagnose(database, "hero", now=clock())) == 1


def test_no_decisions(put: Any, hero: str, look: Look) -> None:
    put(hero)
    only(look("decisions"), Level.PROBLEM, "no decision yet")
    only(look("trainer"), Level.PROBLEM, "No trainer has ever taken")


def test_decisions_that_ceased(learned: Any, clock: Any, look: Look) -> None:
    clock.move(hours=25)
    only(look("decisions"), Level.NOTE, "40 decisions, 0 in the last 24 hours; the last one at 2026-03-01 12:00 UTC")
    only(look("traffic"), Level.NOTE, "40 of about 900 decisions that the 3 variants of headline need .* and none in")


def test_a_policy_that_does_not_learn(put: Any, hero: str, look: Look) -> None:
    put(hero.replace("context:", "policy: uniform\ncontext:"))
    only(look("policy"), Level.NOTE, "No slot has a policy that learns")
    assert look("traffic") == []


def test_a_campaign_that_only_logs(learned: Any, put: Any, hero: str, look: Look) -> None:
    put(hero.replace("context:", "learn_from: []\ncontext:"))
    only(look("policy"), Level.NOTE, r"only decides and logs: its file says learn_from: \[\]")
    assert look("snapshot") == []
    assert look("apprentice") == []


def test_an_apprentice(
    put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, look: Look, sql: Callable[..., Any], set_to: Any
) -> None:
    put(hero)
    log.visits(40)
    observed = "UPDATE choices SET kind = 'observed', reason = 'observed' WHERE slot = 'headline'"
    sql(observed)
    only(look("apprentice"), Level.NOTE, "40 of the last 40 decisions were observed, and are not learned")
    put(hero.replace("context:", "learn_from: [drawn, observed]\ncontext:"))
    only(look("apprentice"), Level.NOTE, "No observed choice has been learned yet")
    new_trainer().step(clock.move(minutes=31))
    only(look("apprentice"), Level.OK, "40 observed choices were learned")
    log.visits(10)
    sql(observed)
    set_to("hero", State.KILLED)
    assert new_trainer().step(clock.move(minutes=31)).matured == 10
    only(look("apprentice"), Level.OK, "40 observed choices were learned")


def test_no_outcomes(put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, look: Look) -> None:
    put(hero)
    log.decide([{}] * 30)
    only(look("outcomes"), Level.NOTE, "no outcome of any decision yet")
    only(look("windows"), Level.NOTE, "30 windows are open; the next closes at 2026-03-01 12:30:00 UTC: nothing can be")
    new_trainer().step(clock.move(hours=1))
    only(look("outcomes"), Level.PROBLEM, "no outcome of any decision, and windows have closed")
    only(look("rewards"), Level.PROBLEM, "All of the last 30 rewards are 0: there is nothing to learn")
    assert look("windows") == []


def test_outcomes_that_match_no_decision(learned: Any, log: Any, clock: Any, sql: Any, look: Look) -> None:
    (decision,) = log.decide([{}])
    for table in ("windows", "choices", "decisions"):
        sql(f"DELETE FROM {table} WHERE decision_id = :id", id=decision.id)
    log.happen(decision)
    assert [one.level for one in look("outcomes")] == [Level.OK]  # it may be on its way
    clock.move(minutes=2)
    only(look("outcomes"), Level.PROBLEM, "1 outcome belongs to no decision in the log, since 2026-03")


def test_outcomes_that_come_too_late_and_metrics_that_are_gone(
    learned: Any, log: Any, clock: Any, put: Any, hero: str, look: Look
) -> None:
    for decision in log.decide([{}] * 5):
        log.happen(decision, after=timedelta(hours=2))
    late = [one for one in look("outcomes") if one.level is Level.NOTE]
    assert re.match(r"5 of \d+ outcomes came after their window", late[0].says)
    put(hero.replace("click: once, ", "").replace("click + 0.01 * revenue", "revenue"))
    gone = [one for one in look("outcomes") if one.level is Level.NOTE]
    assert re.match(r"\d+ outcomes of 'click' count for nothing: the campaign declares revenue", gone[0].says)


def test_a_formula_that_gives_no_number(
    put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, look: Look
) -> None:
    put(hero.replace("click + 0.01 * revenue", "click / (revenue - 100)"))
    (spoilt, *_) = log.decide([{}] * 3)
    log.happen(spoilt, "revenue", 100.0)
    new_trainer().step(clock.move(hours=1))
    only(look("rewards"), Level.PROBLEM, "1 of the last 3 rewards is no number: .*click / ")


def test_rewards_outside_their_range(learned: Any, log: Any, clock: Any, look: Look) -> None:
    (decision,) = log.decide([{}])
    log.happen(decision, "revenue", 900.0)
    learned.step(clock.move(hours=1))
    only(look("rewards"), Level.NOTE, r"Rewards reach 9, outside the range \[0, 3\]")


def test_too_little_traffic(put: Any, hero: str, log: Any, clock: Any, look: Look) -> None:
    put(hero)
    log.visits(100)
    clock.move(hours=12)  # half a day had 100: 200 a day, and 800 more are needed
    told = only(look("traffic"), Level.NOTE, "100 of about 900 decisions that the 3 variants of headline need")
    assert "at today's rate of 200 a day, 4 more days" in told.says
    clock.move(hours=36)
    log.visits(50)
    assert "at today's rate of 50 a day, 15 more days" in only(look("traffic"), Level.NOTE, "150 of").says


def test_a_trainer_that_is_gone(learned: Any, log: Any, clock: Any, look: Look) -> None:
    log.visits(3)
    clock.move(minutes=31)
    found = look("trainer")
    assert [one.level for one in found] == [Level.PROBLEM]
    assert "No trainer runs: the lease of one ended at 2026-03-01 12:31:10 UTC" in found[0].says
    clock.move(minutes=5)
    assert any("3 windows have closed and have no reward yet" in one.says for one in look("trainer"))


def test_rewards_that_nobody_learns(learned: Any, log: Any, clock: Any, set_to: Any, look: Look) -> None:
    log.visits(3)
    set_to("hero", State.KILLED)
    learned.step(clock.move(minutes=31))
    set_to("hero", State.ACTIVE)
    only(look("snapshot"), Level.NOTE, "3 rewards wait to be learned, the first since .*; the trainer is at it")
    clock.move(minutes=2)
    only(look("snapshot"), Level.PROBLEM, "3 rewards wait to be learned, the first since .*, and could be")
    learned.step(clock())
    only(look("snapshot"), Level.OK, "Snapshot 2 has learned all 43")


def test_at_a_glance_it_is_stuck_once_rewards_wait_for_long(
    learned: Any, log: Any, clock: Any, set_to: Any, put: Any, hero: str, database: Database
) -> None:
    assert not stuck(database, put(hero), now=clock())
    log.visits(3)
    killed = set_to("hero", State.KILLED)
    learned.step(clock.move(minutes=31))
    active = set_to("hero", State.ACTIVE)
    assert not stuck(database, active, now=clock())
    later = clock.move(minutes=2)
    assert stuck(database, active, now=later)
    assert not stuck(database, killed, now=later)
    assert not stuck(database, put(hero.replace("context:", "policy: uniform\ncontext:")), now=later)


def test_a_pinned_snapshot(learned: Any, log: Any, clock: Any, database: Database, sql: Any, look: Look) -> None:
    log.visits(3)
    learned.step(clock.move(hours=1))
    roll_back(database, "hero", 1, pin=True, now=clock())
    only(look("snapshot"), Level.NOTE, "Snapshot 1 is pinned: what is served does not get better")
    sql("UPDATE snapshots SET withdrawn_at = created_at WHERE snapshot_id = 1")
    only(look("snapshot"), Level.PROBLEM, "Snapshot 1 is pinned and can't serve")


def test_a_new_lineage_that_waits(learned: Any, put: Any, hero: str, clock: Any, look: Look) -> None:
    put(hero.replace("context:", "policy: epsilon\ncontext:"))
    clock.move(minutes=2)
    only(look("snapshot"), Level.PROBLEM, "40 rewards wait")


def test_a_learner_that_diverges(put: Any, exploding: str, log: Any, clock: Any, new_trainer: Any, look: Look) -> None:
    put(exploding)
    trainer = new_trainer()
    for _ in range(2):
        log.happen(*log.decide([{}]))
        trainer.step(clock.move(hours=1))
    clock.move(minutes=2)
    why = "1 reward waits to be learned, since .*: learning it fails. slot 'headline': asked for a"
    told = only(look("snapshot"), Level.PROBLEM, why)
    assert InvalidPmf.__name__ in told.says


@pytest.mark.parametrize(
    ("state", "why"), [(b"inf", "the learner fails: InvalidPmf"), (None, "its bytes are damaged")], ids=str
)
def test_a_snapshot_that_can_not_be_served(
    state: bytes | None,
    why: str,
    put: Any,
    exploding: str,
    log: Any,
    clock: Any,
    new_trainer: Any,
    sql: Any,
    look: Look,
) -> None:
    put(exploding)
    log.decide([{}])
    new_trainer().step(clock.move(hours=1))
    sql("UPDATE snapshot_slots SET state = :state, digest = :digest", state=state, digest=state_digest(b"inf"))
    only(look("snapshot"), Level.PROBLEM, f"Snapshot 1, the newest, can't be served: .*{why}")


def test_variants_that_are_never_eligible_or_never_shown(put: Any, hero: str, log: Any, look: Look) -> None:
    put(hero.replace("    default: hours\n", "    default: hours\n    policy: {weighted: {hours: 1}}\n"))
    log.decide([{}] * 30, options={"cta": SlotOptions(exclude=frozenset({"demo"}))})
    only(look("slot cta"), Level.NOTE, "'demo' was never eligible in the last 30 decisions")
    never = [one.says for one in look("slot headline") if one.level is Level.NOTE]
    assert never == [f"'{variant}' was eligible 30 times and never shown." for variant in ("price", "trust")]
    only(look("slot headline"), Level.PROBLEM, "Each of the last 30 decisions was certain")


def test_a_policy_that_has_made_up_its_mind(put: Any, hero: str, log: Any, look: Look) -> None:
    sure = hero.replace("    default: hours\n", "    default: hours\n    policy: {weighted: {price: 1}}\n")
    put(sure.replace("context:", "explore: 0.1\ncontext:"))
    log.decide([{"country": "ES"}, {"country": "PT"}] * 100)
    says = "All but the explore share went to 'price' in each of the last 200 decisions"
    only(look("slot headline"), Level.NOTE, says)
    assert look("slot cta") == []


def test_slots_without_an_eligible_variant(put: Any, hero: str, log: Any, look: Look) -> None:
    put(hero)
    log.decide([{}] * 30, options={"cta": SlotOptions(exclude=frozenset({"demo", "try"}))})
    only(look("slot cta"), Level.NOTE, "In 30 of 30 decisions no variant was eligible")


def test_a_policy_that_fails(put: Any, exploding: str, log: Any, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    put(exploding)
    log.decide([{}] * 2)
    assert look("policy") == []
    (served,) = log.loader.changed(())
    monkeypatch.setattr(type(served.slots["cta"].policy), "pmf", lambda *_: 1 / 0)
    log.decide([{}] * 2)
    only(look("policy"), Level.PROBLEM, "In 4 of the last 8 choices the policy failed")


def test_context_that_tells_nothing(put: Any, hero: str, log: Any, look: Look) -> None:
    put(hero)
    log.decide([{"country": "ES", "Country": "ES"}] * 30)
    notes = [one.says for one in look("context")]
    assert notes == [
        "'Country' was dropped in 30 of 30 decisions: not declared, or not of its kind.",
        "'country' was 'ES' in all of the last 30 decisions: it tells nobody apart.",
        "'orders' is declared and was in none of the last 30 decisions.",
    ]
    log.decide([{"country": "PT", "orders": 3}])
    assert [one.says for one in look("context")] == [
        "'Country' was dropped in 30 of 31 decisions: not declared, or not of its kind."
    ]


def test_what_learners_found_out_is_told(learned: Any, look: Look) -> None:
    assert [one for one in look("slot headline") if one.level is Level.OK]
