"""Activations in the log: in any order, the first of a slot stands, and the first of all begins the window."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from server.errors import EligeError, InvalidRequest, NoSuchDecision, WrongState
from server.records import Activated, Activation, ActivationStatus, Decision, Outcome, OutcomeStatus
from server.store import activations as rows
from server.store import decisions as decision_rows
from server.store import outcomes as outcome_rows
from server.store.campaigns import StoredCampaign
from server.store.database import Database
from server.training.trainer import Trainer

ACTIVATED, ALREADY, PENDING, EXPIRED = ActivationStatus
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WINDOW = 30 * MINUTE


@pytest.fixture(autouse=True)
def campaign(put: Callable[[str], StoredCampaign], hero: str) -> None:
    put(hero)


@pytest.fixture
def decision(log: Any) -> Decision:
    """Of two slots, neither of them shown yet; waits for a day."""
    (made,) = log.decide([{}], defer_activation=True)
    return made


@pytest.fixture
def activate(database: Database) -> Callable[..., Activated | EligeError]:
    def activate(decision: Decision, *slots: str, at: datetime, **given: Any) -> Activated | EligeError:
        one = Activation(decision.id, decision.campaign, slots, at, **given)
        with database.writing() as connection:
            (answer,) = rows.append(connection, [one])
        return answer

    return activate


def stored(database: Database, decision: Decision) -> Decision:
    with database.reading() as connection:
        return decision_rows.read(connection, decision.id)


def shown(decision: Decision) -> dict[str, datetime | None]:
    return {choice.slot: choice.activated_at for choice in decision.choices}


def window(sql: Any, decision: Decision) -> tuple[str, bool]:
    ((closes_at, waiting),) = sql("SELECT closes_at, waiting FROM windows WHERE decision_id = :id", id=decision.id)
    return str(closes_at)[:19], bool(waiting)


def forget(database: Database) -> None:
    """As if the decisions were still in another server's queue."""
    with database.writing() as connection:
        for table in ("windows", "choices", "decisions"):
            connection.exec_driver_sql(f"DELETE FROM {table}")


def test_nothing_is_shown_before_it_is_activated(database: Database, decision: Decision, sql: Any) -> None:
    kept = stored(database, decision)
    assert (kept.activated_at, kept.window_closes_at) == (None, None)
    assert kept.activate_by == decision.at + timedelta(days=1)
    assert shown(kept) == {"headline": None, "cta": None}
    assert window(sql, decision) == ("2026-03-02 12:00:00", True)


def test_the_first_slot_that_is_shown_begins_the_window(
    database: Database, decision: Decision, activate: Any, sql: Any
) -> None:
    first, second = decision.at + MINUTE, decision.at + 5 * MINUTE
    assert activate(decision, "cta", at=first) == Activated(ACTIVATED, first + WINDOW)
    assert window(sql, decision) == ("2026-03-01 12:31:00", False)
    assert activate(decision, at=second) == Activated(ACTIVATED, first + WINDOW)
    kept = stored(database, decision)
    assert (kept.activated_at, kept.window_closes_at) == (first, first + WINDOW)
    assert shown(kept) == {"headline": second, "cta": first}
    assert window(sql, decision) == ("2026-03-01 12:31:00", False)


def test_the_first_time_stands(database: Database, decision: Decision, activate: Any) -> None:
    at = decision.at + MINUTE
    assert activate(decision, at=at).status is ACTIVATED
    for later in (at - MINUTE, at, at + HOUR):
        assert activate(decision, "cta", at=later) == Activated(ALREADY, at + WINDOW)
    assert shown(stored(database, decision)) == {"headline": at, "cta": at}


def test_a_batch_is_taken_in_its_order(database: Database, log: Any) -> None:
    one, other = log.decide([{}, {}], defer_activation=True)
    at = one.at + MINUTE
    told = [
        Activation(one.id, "hero", ("cta",), at),
        Activation(other.id, "hero", (), at),
        Activation(one.id, "hero", ("cta",), at + MINUTE),
        Activation(one.id, "hero", ("headline",), at + MINUTE),
        Activation(one.id, "hero", ("headline", "cta"), at + MINUTE),
    ]
    with database.writing() as connection:
        answers = rows.append(connection, told)
    assert [answer.status for answer in answers] == [ACTIVATED, ACTIVATED, ALREADY, ACTIVATED, ALREADY]  # type: ignore[union-attr]
    assert shown(stored(database, one)) == {"headline": at + MINUTE, "cta": at}


def test_a_slot_that_is_seen_before_begins_the_window_by_itself(
    put: Any, hero: str, log: Any, database: Database, activate: Any, sql: Any
) -> None:
    put(hero.replace("default: hours", "default: hours\n    seen: decision"))
    (decision,) = log.decide([{}], defer_activation=True)
    assert decision.window_closes_at == decision.at + WINDOW
    assert window(sql, decision)[1] is False
    assert shown(stored(database, decision)) == {"headline": decision.at, "cta": None}
    assert activate(decision, "headline", at=decision.at + MINUTE) == Activated(ALREADY, decision.at + WINDOW)
    assert activate(decision, at=decision.at + MINUTE) == Activated(ACTIVATED, decision.at + WINDOW)
    assert shown(stored(database, decision)) == {"headline": decision.at, "cta": decision.at + MINUTE}


def test_a_slot_that_is_shown_after_the_window_does_not_count(
    put: Any, hero: str, log: Any, database: Database, activate: Any
) -> None:
    put(hero.replace("default: hours", "default: hours\n    seen: decision"))
    (decision,) = log.decide([{}], defer_activation=True)
    closes = decision.at + WINDOW
    assert activate(decision, at=closes + timedelta(microseconds=1)) == Activated(EXPIRED, None)
    assert shown(stored(database, decision))["cta"] is None
    assert activate(decision, at=closes).status is ACTIVATED


def test_after_its_time_to_live_it_is_expired(
    database: Database, decision: Decision, activate: Any, clock: Any, new_trainer: Callable[..., Trainer]
) -> None:
    assert activate(decision, at=decision.at + timedelta(days=1, microseconds=1)) == Activated(EXPIRED, None)
    assert stored(database, decision).activated_at is None
    new_trainer().step(clock.move(days=1))
    assert activate(decision, at=decision.at + MINUTE) == Activated(EXPIRED, None)


def test_what_was_learned_stays_as_it_was_active(
    decision: Decision, activate: Any, clock: Any, new_trainer: Callable[..., Trainer]
) -> None:
    activate(decision, at=decision.at)
    new_trainer().step(clock.move(hours=1))
    assert activate(decision, at=decision.at + MINUTE) == Activated(ALREADY, decision.at + WINDOW)


def test_a_time_to_live_of_ones_own(log: Any, activate: Any) -> None:
    (decision,) = log.decide([{}], defer_activation=True, activation_ttl=HOUR)
    assert activate(decision, at=decision.at + HOUR + MINUTE).status is EXPIRED
    assert activate(decision, at=decision.at + HOUR).status is ACTIVATED


def test_a_window_can_be_cut_short(decision: Decision, activate: Any) -> None:
    answer = activate(decision, at=decision.at, longest_window=timedelta(seconds=5))
    assert answer.window_closes_at == decision.at + timedelta(seconds=5)


def test_the_window_is_that_of_the_version_that_decided(put: Any, hero: str, decision: Decision, activate: Any) -> None:
    put(hero.replace("30m", "2h"))
    assert activate(decision, at=decision.at).window_closes_at == decision.at + WINDOW


def test_what_can_not_be_activated(database: Database, log: Any, decision: Decision, activate: Any, sql: Any) -> None:
    unknown = activate(decision, "cta", "footer", at=decision.at)
    assert isinstance(unknown, InvalidRequest)
    assert "did not decide slot 'footer'; it decided: 'headline', 'cta'" in str(unknown)
    (at_once,) = log.decide([{}])
    assert isinstance(activate(at_once, at=at_once.at), WrongState)
    sql("UPDATE decisions SET erased_at = at WHERE decision_id = :id", id=decision.id)
    assert isinstance(activate(decision, at=decision.at), NoSuchDecision)
    assert shown(stored(database, decision)) == {"headline": None, "cta": None}


def test_a_wrong_one_stops_no_other(database: Database, log: Any, decision: Decision) -> None:
    wrong = Activation(decision.id, "hero", ("footer",), decision.at)
    right = Activation(decision.id, "hero", (), decision.at)
    with database.writing() as connection:
        answers = rows.append(connection, [wrong, right])
    assert [type(answer) for answer in answers] == [InvalidRequest, Activated]


@pytest.mark.parametrize("slots", [(), ("cta",)])
def test_an_activation_may_come_before_its_decision(
    slots: tuple[str, ...], database: Database, decision: Decision, activate: Any, sql: Any
) -> None:
    forget(database)
    assert activate(decision, *slots, at=decision.at + MINUTE) == Activated(PENDING, None)
    assert activate(decision, *slots, at=decision.at + 2 * MINUTE) == Activated(PENDING, None)
    with database.writing() as connection:
        decision_rows.append(connection, [decision])
    kept = stored(database, decision)
    assert (kept.activated_at, kept.window_closes_at) == (decision.at + MINUTE, decision.at + MINUTE + WINDOW)
    assert shown(kept) == {"headline": None if slots else decision.at + MINUTE, "cta": decision.at + MINUTE}
    assert window(sql, decision) == ("2026-03-01 12:31:00", False)
    assert sql("SELECT count(*) FROM early_activations") == [(0,)]


def test_one_that_came_before_and_can_not_be_applied_spoils_nothing(
    database: Database, decision: Decision, activate: Any, sql: Any
) -> None:
    forget(database)
    activate(decision, "footer", at=decision.at)
    with database.writing() as connection:
        assert decision_rows.append(connection, [decision]) == [decision]
    assert stored(database, decision).activated_at is None
    assert sql("SELECT count(*) FROM early_activations") == [(0,)]


@pytest.mark.parametrize("order", ["".join(order) for order in permutations("dao")])
def test_the_order_of_arrival_does_not_matter(
    order: str, database: Database, decision: Decision, clock: Any, new_trainer: Callable[..., Trainer]
) -> None:
    """Of decision, activation and outcome: the same reward, whichever comes first."""
    forget(database)
    arrives: dict[str, Callable[[Any], object]] = {
        "d": lambda connection: decision_rows.append(connection, [decision]),
        "a": lambda connection: rows.append(
            connection, [Activation(decision.id, "hero", ("headline",), decision.at + 10 * MINUTE)]
        ),
        "o": lambda connection: outcome_rows.append(connection, [clicked(decision, 35)]),
    }
    for one in order:
        with database.writing() as connection:
            arrives[one](connection)
    new_trainer().step(clock.move(minutes=40))
    with database.reading() as connection:
        matured = decision_rows.matured_one(connection, decision.id)
    assert matured is not None
    assert (matured.reward, matured.reward_of("headline"), matured.reward_of("cta")) == (1.0, 1.0, None)


def clicked(decision: Decision, minute: float) -> Outcome:
    at = decision.at + minute * MINUTE
    return Outcome(decision.id, decision.campaign, "click", 1.0, at, at)


def test_what_happens_before_the_activation_counts_if_the_window_begins(
    database: Database, log: Any, decision: Decision, activate: Any, clock: Any, new_trainer: Callable[..., Trainer]
) -> None:
    answer = log.happen(decision)
    assert (answer.status, answer.learned_at) == (OutcomeStatus.ACCEPTED, None)
    activate(decision, at=decision.at + 5 * MINUTE)
    answer = log.happen(decision, after=35 * MINUTE)
    assert (answer.status, answer.learned_at) == (OutcomeStatus.ACCEPTED, decision.at + 35 * MINUTE)
    assert log.happen(decision, after=35 * MINUTE + MINUTE).status is OutcomeStatus.LATE
    new_trainer().step(clock.move(minutes=35))
    with database.reading() as connection:
        matured = decision_rows.matured_one(connection, decision.id)
    assert matured is not None
    assert matured.reward == 1.0


def test_more_activations_than_one_statement_takes(database: Database, log: Any) -> None:
    made = log.decide([{}] * 1_100, defer_activation=True)
    batch = [Activation(one.id, "hero", (), one.at) for one in made]
    with database.writing() as connection:
        assert {answer.status for answer in rows.append(connection, batch)} == {ACTIVATED}  # type: ignore[union-attr]
    forget(database)
    with database.writing() as connection:
        assert {answer.status for answer in rows.append(connection, batch)} == {PENDING}  # type: ignore[union-attr]
    with database.writing() as connection:
        decision_rows.append(connection, made)
        found = decision_rows.read_many(connection, [one.id for one in made])
    assert all(one.activated_at == one.at for one in found.values())
