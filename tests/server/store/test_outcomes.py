"""Outcomes in the log: in any order, each key once for its decision and metric, with what became of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from server.errors import InvalidRequest
from server.records import Decision, Outcome, OutcomeStatus, State
from server.store import decisions as decision_rows
from server.store import outcomes as rows
from server.store.campaigns import StoredCampaign
from server.store.database import Database
from server.training.trainer import Trainer

ACCEPTED, PENDING, LATE, DUPLICATE = OutcomeStatus
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def campaign(put: Callable[[str], StoredCampaign], hero: str) -> None:
    put(hero)


@pytest.fixture
def decision(log: Any) -> Decision:
    (made,) = log.decide([{}])
    return made


def outcome(decision: Decision, metric: str = "click", **given: Any) -> Outcome:
    values = {"value": 1.0, "at": decision.at + MINUTE, "received_at": decision.at + MINUTE, **given}
    return Outcome(decision.id, decision.campaign, metric, **values)


def append(database: Database, *batch: Outcome) -> list[OutcomeStatus]:
    with database.writing() as connection:
        return [one.status for one in rows.append(connection, batch)]


def test_an_outcome_in_time_is_accepted_and_will_be_learned_when_the_window_closes(
    decision: Decision, log: Any
) -> None:
    answer = log.happen(decision)
    assert (answer.status, answer.learned_at) == (ACCEPTED, decision.window_closes_at)


def test_what_nobody_drew_is_taken_but_never_learned(log: Any, set_to: Callable[..., object]) -> None:
    set_to("hero", State.PAUSED)
    (decision,) = log.decide([{}])
    answer = log.happen(decision)
    assert (answer.status, answer.learned_at) == (ACCEPTED, None)


def test_the_same_key_counts_once_for_a_decision_and_metric(database: Database, log: Any) -> None:
    one, other = log.decide([{}, {}])
    # in one batch
    assert append(database, outcome(one, key="order-1"), outcome(one, key="order-1", value=9.0)) == [
        ACCEPTED,
        DUPLICATE,
    ]
    # across batches
    assert append(database, outcome(one, key="order-1")) == [DUPLICATE]
    # a slot does not make it another one: an outcome of a slot counts for the decision too
    assert append(database, outcome(one, key="order-1", slot="cta")) == [DUPLICATE]
    # another metric, another decision and another key are others
    assert (
        append(
            database,
            outcome(one, "revenue", key="order-1"),
            outcome(other, key="order-1"),
            outcome(one, key="order-2"),
            outcome(one, key="Order-1"),
        )
        == [ACCEPTED] * 4
    )
    # the first one stands
    with database.reading() as connection:
        values = [one.outcome.value for one in rows.history(connection, one.id)]
    assert values == [1.0, 1.0, 1.0, 1.0]


def test_without_a_key_everything_counts(database: Database, decision: Decision) -> None:
    assert append(database, outcome(decision), outcome(decision)) == [ACCEPTED] * 2
    assert append(database, outcome(decision)) == [ACCEPTED]


def test_after_the_window_it_is_late(database: Database, decision: Decision) -> None:
    closes = decision.window_closes_at
    after = outcome(decision, at=closes + timedelta(microseconds=1))
    assert append(database, outcome(decision, at=closes), after) == [ACCEPTED, LATE]
    with database.reading() as connection:
        counted = rows.of_decisions(connection, [decision.id])[decision.id]
        assert [one.at for one in counted] == [closes]
        assert [(one.outcome.at, one.status) for one in rows.history(connection, decision.id)] == [
            (closes, ACCEPTED),
            (after.at, LATE),
        ]


def test_after_the_decision_was_matured_it_is_late_whenever_it_happened(
    database: Database, decision: Decision, clock: Any, new_trainer: Callable[..., Trainer]
) -> None:
    new_trainer().step(clock.move(hours=1))
    assert append(database, outcome(decision)) == [LATE]


def test_an_outcome_may_come_before_its_decision(
    database: Database, log: Any, clock: Any, new_trainer: Callable[..., Trainer]
) -> None:
    (decision,) = log.decide([{}])
    with database.writing() as connection:  # as if another server still had it in its queue
        for table in ("windows", "choices", "decisions"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    answer = log.happen(decision)
    assert (answer.status, answer.learned_at) == (PENDING, None)
    too_late = outcome(decision, at=decision.window_closes_at + MINUTE)
    assert append(database, too_late) == [PENDING]
    with database.writing() as connection:
        decision_rows.append(connection, [decision])
    new_trainer().step(clock.move(hours=1))
    with database.reading() as connection:
        matured = decision_rows.matured_one(connection, decision.id)
    assert matured is not None
    assert matured.reward == 1.0


def test_outcomes_come_back_in_the_order_in_which_they_happened(database: Database, decision: Decision) -> None:
    minutes = [5, 1, 3, 3, 2]
    append(database, *(outcome(decision, value=float(i), at=decision.at + m * MINUTE) for i, m in enumerate(minutes)))
    with database.reading() as connection:
        values = [one.value for one in rows.of_decisions(connection, [decision.id])[decision.id]]
    assert values == [1.0, 4.0, 2.0, 3.0, 0.0]


@pytest.mark.parametrize("key", [" ", "a|b:c\t\n", "\x01", "😀", "é" * 128, "'; drop table outcomes; --"])
def test_any_text_is_a_key(key: str, database: Database, decision: Decision) -> None:
    assert append(database, outcome(decision, key=key), outcome(decision, key=key)) == [ACCEPTED, DUPLICATE]
    assert append(database, outcome(decision, key=key), outcome(decision, key=key + "x")) == [DUPLICATE, ACCEPTED]


@pytest.mark.parametrize("key", ["\x00", "\x00a", "a\x00b"])
def test_a_key_with_a_nul_is_whole_or_refused(key: str, database: Database, decision: Decision) -> None:
    if database.url.get_backend_name() == "postgresql":  # its texts hold everything else
        with pytest.raises(InvalidRequest, match=r"can't be stored: .* NUL"):
            append(database, outcome(decision, key=key))
        return
    assert append(database, outcome(decision, key=key), outcome(decision, key=key + "x")) == [ACCEPTED, ACCEPTED]


def test_more_outcomes_than_one_statement_takes(database: Database, log: Any) -> None:
    made = log.decide([{}] * 1_100)
    batch = [outcome(one, key="k") for one in made]
    assert append(database, *batch) == [ACCEPTED] * 1_100
    assert append(database, *batch) == [DUPLICATE] * 1_100


def test_a_hundred_thousand_outcomes_before_their_decisions(
    put: Any, hero: str, database: Database, log: Any, clock: Any, sql: Any, new_trainer: Callable[..., Trainer]
) -> None:
    """All are kept, and each counts once in the reward of its own decision."""
    put(hero.replace("context:", "policy: uniform\ncontext:"))
    made = log.decide([{}] * 2_000)
    with database.writing() as connection:  # as if another server still had them in its queue
        for table in ("windows", "choices", "decisions"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    told = [outcome(one, "revenue", at=one.at, key=f"k{n}") for one in made for n in range(50)]
    for start in range(0, len(told), 5_000):
        assert set(append(database, *told[start : start + 5_000])) == {PENDING}
    assert set(append(database, *told[:1_000])) == {DUPLICATE}
    with database.writing() as connection:
        decision_rows.append(connection, made)
    trainer = new_trainer()
    while not trainer.step(clock.move(hours=1)).idle:
        pass
    assert sql("SELECT count(*), min(reward), max(reward) FROM rewards") == [(2_000, 0.5, 0.5)]


def test_corrections_count_as_their_metric_says(
    put: Any, hero: str, database: Database, log: Any, clock: Any, new_trainer: Callable[..., Trainer]
) -> None:
    put(hero.replace("revenue: sum", "revenue: sum, stars: last").replace("0.01 * revenue", "0.01 * revenue + stars"))
    (decision,) = log.decide([{}])
    minutes = {"revenue": [(1, 70.0), (2, -20.0)], "stars": [(4, 1.0), (3, 9.0)]}  # the order of arrival says nothing
    for metric, told in minutes.items():
        for minute, value in told:
            at = decision.at + minute * MINUTE
            assert append(database, outcome(decision, metric, value=value, at=at)) == [ACCEPTED]
    # a refund after the window is stored, marked, and changes nothing
    assert append(database, outcome(decision, "revenue", value=-50.0, at=decision.at + 60 * MINUTE)) == [LATE]
    new_trainer().step(clock.move(hours=1))
    with database.reading() as connection:
        matured = decision_rows.matured_one(connection, decision.id)
        assert [one.status for one in rows.history(connection, decision.id)] == [ACCEPTED] * 4 + [LATE]
    assert matured is not None
    assert matured.reward == 1.5


def test_keys_hold_across_databases_that_are_opened_one_after_the_other(
    decision: Decision, open_database: Callable[[], Database]
) -> None:
    assert append(open_database(), outcome(decision, key="order-7")) == [ACCEPTED]
    assert append(open_database(), outcome(decision, key="order-7")) == [DUPLICATE]


def test_of_two_servers_that_tell_the_same_at_once_one_counts(
    decision: Decision, open_database: Callable[[], Database], sql: Any
) -> None:
    several = [open_database() for _ in range(4)]
    told = [outcome(decision, key=f"k{n}") for n in range(50)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda one: append(one, *told), several))
    assert sorted(status for answer in answers for status in answer) == [ACCEPTED] * 50 + [DUPLICATE] * 150
    assert sql("SELECT count(*) FROM outcomes") == [(50,)]
