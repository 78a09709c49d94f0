"""Outcomes that are told of a person credit the last decision that was shown to them, and count once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from server.records import Activation, Decision, Outcome, OutcomeStatus
from server.store import activations as activation_rows
from server.store import outcomes as rows
from server.store.attribution import Shown, Told, last_shown, told_before
from server.store.campaigns import StoredCampaign
from server.store.database import Database
from server.store.people import Link, keys_of_each, link
from server.times import CLOCK_SKEW

ACCEPTED, PENDING, LATE, DUPLICATE = OutcomeStatus
ANA, COOKIE, BEN = "a" * 32, "c" * 32, "b" * 32
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MOMENT = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def campaign(put: Callable[[str], StoredCampaign], hero: str) -> None:
    put(hero)


@pytest.fixture
def show(database: Database, log: Any, sql: Any) -> Callable[..., Decision]:
    """Decides for a person, by their keyed hash."""

    def show(person: str, **asked: Any) -> Decision:
        (made,) = log.decide([{}], person="somebody", **asked)
        sql("UPDATE decisions SET person = :person WHERE decision_id = :id", person=person, id=made.id)
        return replace(made, person=person)

    return show


@pytest.fixture
def linked(database: Database, clock: Any) -> None:
    with database.writing() as connection:
        link(connection, [Link(COOKIE, ANA)], now=clock())


def told(decision: Decision | None, person: str = ANA, **given: Any) -> Outcome:
    at = given.pop("at", None) or (decision.at + MINUTE if decision else None)
    assert at is not None
    outcome = Outcome(decision.id if decision else None, "hero", "click", 1.0, at, at, person=person)
    return replace(outcome, **given)


def append(database: Database, *batch: Outcome) -> list[tuple[OutcomeStatus, str | None]]:
    with database.writing() as connection:
        return [(one.status, one.decision_id) for one in rows.append(connection, batch)]


def last(database: Database, *keys: str, by: Any) -> str | None:
    with database.reading() as connection:
        found = last_shown(connection, "hero", keys, by=by)
    return None if found is None else found.decision_id


def test_the_last_one_shown_by_then(database: Database, show: Any, clock: Any) -> None:
    first = show(ANA)
    clock.move(hours=1)
    show(BEN)
    second = show(ANA)
    assert last(database, ANA, by=first.at - MOMENT) is None
    assert last(database, ANA, by=first.at) == first.id
    assert last(database, ANA, by=second.at - MOMENT) == first.id
    assert last(database, ANA, by=second.at + HOUR) == second.id
    with database.reading() as connection:
        assert last_shown(connection, "hero", [ANA], by=first.at) == Shown(first.id, 1, first.at, first.at)
        assert last_shown(connection, "other", [ANA], by=second.at) is None


def test_shown_is_activated_not_decided(database: Database, show: Any, clock: Any) -> None:
    shown = show(ANA)
    clock.move(minutes=1)
    sent, planned = show(ANA, defer_activation=True), show(ANA, defer_activation=True)
    assert last(database, ANA, by=planned.at + HOUR) == shown.id
    with database.writing() as connection:
        activation_rows.append(connection, [Activation(sent.id, "hero", ("cta",), sent.at + HOUR)])
    assert last(database, ANA, by=sent.at + HOUR - MOMENT) == shown.id
    assert last(database, ANA, by=sent.at + HOUR) == sent.id


def test_what_was_decided_earlier_may_be_shown_later(database: Database, show: Any, clock: Any) -> None:
    planned = show(ANA, defer_activation=True)
    clock.move(hours=1)
    shown = show(ANA)
    with database.writing() as connection:
        activation_rows.append(connection, [Activation(planned.id, "hero", (), shown.at + MINUTE)])
    assert last(database, ANA, by=shown.at) == shown.id
    assert last(database, ANA, by=shown.at + MINUTE) == planned.id


def test_every_key_of_the_person_counts(database: Database, show: Any, clock: Any, linked: None) -> None:
    cookie = show(COOKIE)
    assert append(database, told(None, ANA, at=cookie.at)) == [(ACCEPTED, cookie.id)]
    clock.move(minutes=1)
    ana = show(ANA)
    assert append(database, told(None, COOKIE, at=ana.at)) == [(ACCEPTED, ana.id)]


def test_the_query_uses_the_index(database: Database, show: Any) -> None:
    if database.url.get_backend_name() != "sqlite":  # the other plans by what is in the table
        return
    statements = []
    with database.reading() as connection:
        last_shown(connection, "hero", [ANA, BEN], by=show(ANA).at)
        asked = "SELECT 1 FROM decisions WHERE person IN ('a', 'b') AND campaign = 'hero' AND activated_at <= '2026'"
        statements = connection.execute(text(f"EXPLAIN QUERY PLAN {asked}")).all()
    assert "decisions_by_person (person=? AND activated_at<?)" in statements[0].detail


def test_the_same_key_counts_once_for_a_person(database: Database, show: Any, clock: Any, linked: None) -> None:
    first = show(ANA)
    assert append(database, told(first, key="order-7"), told(first, key="order-7")) == [
        (ACCEPTED, first.id),
        (DUPLICATE, None),
    ]
    clock.move(minutes=1)
    second = show(ANA)
    # though another decision was shown in between, and whichever of their keys it is told of
    assert append(database, told(second, key="order-7")) == [(DUPLICATE, None)]
    assert append(database, told(second, COOKIE, key="order-7")) == [(DUPLICATE, None)]
    # nor is it counted again when it is told of the decision
    assert append(database, told(first, key="order-7", person=None)) == [(DUPLICATE, None)]
    # another key, metric and person are others
    other = show(BEN)
    assert append(
        database,
        told(second, key="order-8"),
        told(second, key="order-7", metric="revenue"),
        told(other, BEN, key="order-7"),
    ) == [(ACCEPTED, second.id), (ACCEPTED, second.id), (ACCEPTED, other.id)]


def test_what_was_told_before(database: Database, show: Any) -> None:
    decision = show(ANA)
    append(database, told(decision, key="order-7"), told(None, BEN, at=decision.at, key="order-7"))
    with database.reading() as connection:
        assert told_before(connection, "hero", [BEN, ANA], "click", "order-8") is None
        assert told_before(connection, "hero", [ANA], "revenue", "order-7") is None
        assert told_before(connection, "other", [ANA], "click", "order-7") is None
        assert told_before(connection, "hero", [COOKIE, ANA], "click", "order-7") == Told(decision.id)
        assert told_before(connection, "hero", [BEN], "click", "order-7") == Told(None)


def test_what_was_told_while_nobody_knew_credits_what_was_shown_by_then(
    database: Database, show: Any, clock: Any, log: Any
) -> None:
    first = show(ANA)
    clock.move(hours=1)
    show(ANA)
    assert append(database, told(None, at=first.at + MINUTE, key="k")) == [(ACCEPTED, first.id)]
    with database.reading() as connection:
        ((kept),) = rows.of_decisions(connection, [first.id])[first.id]
    assert (kept.person, kept.decision_id, kept.at) == (ANA, first.id, first.at + MINUTE)
    assert append(database, told(None, at=first.at + HOUR + MINUTE, key="k")) == [(DUPLICATE, None)]


def test_two_clocks_never_agree(database: Database, show: Any) -> None:
    decision = show(ANA)
    assert append(database, told(None, at=decision.at - CLOCK_SKEW - MOMENT)) == [(PENDING, None)]
    assert append(database, told(None, at=decision.at - CLOCK_SKEW)) == [(ACCEPTED, decision.id)]
    with database.reading() as connection:
        ((kept),) = rows.of_decisions(connection, [decision.id])[decision.id]
    assert kept.at == decision.at  # never before the decision


def test_who_was_shown_nothing_is_kept_and_credits_nobody(database: Database, show: Any, clock: Any, sql: Any) -> None:
    show(BEN)
    assert append(database, told(None, at=clock(), key="k")) == [(PENDING, None)]
    assert append(database, told(None, at=clock(), key="k")) == [(DUPLICATE, None)]
    assert sql("SELECT decision_id, person, status FROM outcomes") == [(None, ANA, "pending")]


def test_the_keys_of_many(database: Database, clock: Any) -> None:
    other = "d" * 32
    with database.writing() as connection:
        link(connection, [Link(other, ANA), Link(COOKIE, ANA)], now=clock())
        everybody = [ANA, COOKIE, other]
        assert keys_of_each(connection, {other, COOKIE, BEN}) == {other: everybody, COOKIE: everybody, BEN: [BEN]}
        assert keys_of_each(connection, set()) == {}
