"""Decisions newest first: every one once, whatever is made meanwhile; filters; what came of them; by an index."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from server import listing
from server.errors import InvalidRequest, NoSuchCampaign
from server.listing import Asked, Listed, list_decisions
from server.people import Link, link_people
from server.records import Decision, Kind
from server.store.database import Database

Listing = Callable[..., Listed]
EVERY = pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def made(put: Any, hero: str, log: Any, clock: Any) -> list[Decision]:
    """Oldest first: at each minute one of each campaign, and two at the same moment."""
    put(hero)
    put(hero.replace("campaign: hero", "campaign: other"))
    found = []
    for minute in range(4):
        found += log.decide([{"country": "ES" if minute % 2 else "PT", "orders": minute}] * 2, labels={"page": minute})
        found += log.decide([{"country": "ES"}], campaign="other", person="ana")
        clock.move(minutes=1)
    return sorted(found, key=lambda one: one.id)


@pytest.fixture
def listed(database: Database) -> Listing:
    def listed(*, after: str | None = None, limit: int = 100, **asked: Any) -> Listed:
        return list_decisions(database, Asked(**asked), after=after, limit=limit)

    return listed


def ids(page: Listed) -> list[str]:
    return [one.decision.id for one in page.records]


@EVERY
def test_every_decision_comes_once_newest_first(made: list[Decision], listed: Listing, log: Any) -> None:
    for asked in ({}, {"campaign": "hero"}):
        there = sorted((one.id for one in made if one.campaign == asked.get("campaign", one.campaign)), reverse=True)
        found: list[str] = []
        after = None
        while True:
            page = listed(after=after, limit=3, **asked)
            found += ids(page)
            after = page.next
            if after is None:
                break
            made += log.decide([{}])  # newer than what is looked at
        assert found == there
    assert listed(after=made[0].id) == Listed((), None)


@EVERY
def test_filters(made: list[Decision], listed: Listing, database: Database, clock: Any) -> None:
    def found(**asked: Any) -> set[str]:
        return set(ids(listed(**asked)))

    def those(holds: Callable[[Decision], bool]) -> set[str]:
        return {one.id for one in made if holds(one)}

    link_people(database, [Link("cookie", "ana")], now=clock())
    since, until = made[3].at, made[3].at + timedelta(minutes=2)
    assert found(campaign="other") == those(lambda one: one.campaign == "other")
    assert found(person="ana") == found(person="cookie") == those(lambda one: one.campaign == "other")
    assert found(person="nobody") == set()
    assert found(since=since, until=until) == those(lambda one: since <= one.at < until)
    assert found(campaign="hero", since=since) == those(lambda one: one.campaign == "hero" and one.at >= since)
    assert found(where="orders > 1 && page == 3") == those(lambda one: one.labels.get("page") == 3)
    assert found(where="version == 1 && group == 'policy'") == those(lambda one: True)
    assert found(where="country == 'ES'", limit=2) < those(lambda one: one.context["country"] == "ES")
    assert found(kind=lambda one: one.kind is Kind.FALLBACK) == set()


def test_what_came_of_them_comes_along(
    made: list[Decision], listed: Listing, log: Any, clock: Any, new_trainer: Any
) -> None:
    log.happen(made[0], "click", after=timedelta(seconds=1))
    clock.move(hours=1)
    new_trainer().step(clock())
    (record,) = listed(after=made[1].id).records
    assert record.decision.id == made[0].id
    assert record.decision.choices[0].content  # from the campaign's version
    assert [one.outcome.metric for one in record.outcomes] == ["click"]
    assert record.matured is not None
    assert (record.matured.sequence, record.matured.reward) == (1, 1.0)


def test_a_test_that_lets_little_through_looks_at_so_many_only(
    made: list[Decision], listed: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "CHUNK", 2)
    monkeypatch.setattr(listing, "SCANNED", 5)
    first = listed(where="page == 0")
    assert (first.records, first.next) == ((), made[-5].id)
    second = listed(where="page == 0", after=first.next)
    assert (second.records, second.next) == ((), made[-10].id)
    last = listed(where="page == 0", after=second.next)
    assert (set(ids(last)), last.next) == ({one.id for one in made if one.labels == {"page": 0}}, None)


def test_what_can_not_be_asked(made: list[Decision], listed: Listing) -> None:
    with pytest.raises(InvalidRequest, match=r"where: .*country = 'ES'"):
        listed(where="country = 'ES'")
    with pytest.raises(InvalidRequest, match=r"where, decision \w{40}: 'orders' gave .*expected true or false"):
        listed(where="orders")
    with pytest.raises(NoSuchCampaign):
        listed(campaign="nope")
    with pytest.raises(InvalidRequest, match="is no decision id"):
        listed(after="nope")


@pytest.mark.parametrize("asked", [{}, {"campaign": "hero"}, {"person": "ana"}])
def test_an_index_serves_it(made: list[Decision], listed: Listing, database: Database, asked: dict[str, str]) -> None:
    statements: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "FROM decisions" in statement and "ORDER BY" in statement:
            statements.append((statement, parameters))

    event.listen(database._engine, "before_cursor_execute", note)
    listed(after=made[-1].id, since=made[0].at, **asked)
    event.remove(database._engine, "before_cursor_execute", note)
    (statement,) = statements
    with database.reading() as connection:
        plan = [str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement[0]}", statement[1])]
        assert connection.execute(text("SELECT 1")).scalar() == 1
    assert any("USING INDEX" in line or "USING PRIMARY KEY" in line for line in plan), plan
    if "person" not in asked:  # one person's decisions are few, and may be sorted
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan
