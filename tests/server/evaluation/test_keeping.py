"""Evaluations that are kept for a time: what has ended goes, and the rule can be read."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.evaluation import keeping
from server.evaluation.keeping import EVERY, drop, drop_what_is_old, kept_by_a_server
from server.store import evaluations as rows
from server.store.database import Database
from server.store.evaluations import TURN, EvaluationState, StoredEvaluation

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEPT = timedelta(days=30)


@pytest.fixture
def store(database: Database) -> Callable[..., str]:
    """Stores an evaluation that was asked for, and ended, so many days ago."""
    numbers: Iterator[int] = iter(range(10_000))

    def store(state: EvaluationState, *, asked: float, ended: float | None = None) -> str:
        name = f"e{next(numbers)}"
        at = None if ended is None else NOW - timedelta(days=ended)
        created = NOW - timedelta(days=asked)
        one = StoredEvaluation(name, "hero", state, {}, name, "", {}, created, finished_at=at, result={"n": 1})
        with database.writing(TURN) as connection:
            rows.append(connection, one)
        return name

    return store


def left(database: Database) -> list[str]:
    with database.reading() as connection:
        return [one.id for one in rows.newest(connection, limit=10_000)]


@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
def test_what_ended_long_ago_goes_and_what_has_not_ended_stays(
    database: Database, store: Callable[..., str], said: list[Any]
) -> None:
    gone = [store(state, asked=31.0, ended=30.5) for state in EvaluationState if state.ended]
    stays = [
        store(EvaluationState.DONE, asked=40.0, ended=29.5),  # it took long
        store(EvaluationState.RUNNING, asked=400.0),
        store(EvaluationState.QUEUED, asked=400.0),
        store(EvaluationState.DONE, asked=1.0, ended=1.0),
    ]
    assert drop(database, KEPT, now=NOW) == len(gone) == 3
    assert sorted(left(database)) == sorted(stays)
    (told,) = (one for one in said if one["event"] == "evaluations past their retention dropped")
    assert told["evaluations"] == 3
    assert drop(database, KEPT, now=NOW) == 0
    assert drop(database, timedelta(days=2), now=NOW) == 1


def test_many_go_piece_by_piece(database: Database, store: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "CHUNK", 2)
    monkeypatch.setattr(keeping.keeping, "CHUNK", 2)
    for _ in range(5):
        store(EvaluationState.DONE, asked=31.0, ended=31.0)
    assert drop(database, KEPT, now=NOW) == 5


@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
def test_the_rule_is_known_as_long_as_a_server_keeps_to_it(database: Database) -> None:
    assert kept_by_a_server(database, now=NOW) is None
    drop(database, KEPT, now=NOW)
    assert kept_by_a_server(database, now=NOW + 1.9 * EVERY) == KEPT
    assert kept_by_a_server(database, now=NOW + 2.1 * EVERY) is None
    drop(database, timedelta(hours=36), now=NOW + EVERY)
    assert kept_by_a_server(database, now=NOW + 2.1 * EVERY) == timedelta(hours=36)


def test_a_server_goes_on_after_the_database_was_away(
    database: Database, store: Callable[..., str], monkeypatch: pytest.MonkeyPatch, said: list[Any]
) -> None:
    store(EvaluationState.DONE, asked=31.0, ended=31.0)
    failures = iter((RuntimeError("a defect"),))
    really, done = drop, asyncio.Event()

    def fails_once(*args: Any, **kwargs: Any) -> int:
        for failure in failures:
            raise failure
        dropped = really(*args, **kwargs)
        loop.call_soon_threadsafe(done.set)
        return dropped

    monkeypatch.setattr(keeping, "drop", fails_once)
    monkeypatch.setattr("server.backoff.PAUSES", (timedelta(milliseconds=1),))

    async def scenario() -> None:
        nonlocal loop
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(drop_what_is_old(database, KEPT, clock=lambda: NOW))
        async with asyncio.timeout(30):
            await done.wait()
        task.cancel()
        await asyncio.wait({task})

    loop: Any = None
    asyncio.run(scenario())
    assert left(database) == []
    assert [one["reason"] for one in said if one["event"] == "old evaluations stay"] == ["RuntimeError: a defect"]


def test_a_server_that_is_told_so_drops_them(database: Database, start_server: Callable[..., Any]) -> None:
    with database.writing(TURN) as connection:
        old = StoredEvaluation("old", "hero", EvaluationState.DONE, {}, None, "", {}, NOW, finished_at=NOW)
        rows.append(connection, old)
    start_server().stop()
    assert left(database) == ["old"], "by default they stay"
    start_server(keep_evaluations=timedelta(hours=1))
    until = time.monotonic() + 30
    while left(database):
        assert time.monotonic() < until, "it was not dropped"
        time.sleep(0.01)
