"""What one server commits wakes the others; a notice that is lost costs only time."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text

from server.store import notices as module
from server.store.database import Database
from server.store.notices import listen, tell

postgres_only = pytest.mark.parametrize("url", ["postgres"], indirect=True)


async def heard(database: Database, act: Callable[[int], None], *, times: int) -> int:
    """How often a listener was called, once it was called `times` times. `act`: done from the outside, after each."""
    told = asyncio.Queue[None]()
    listening = asyncio.create_task(listen(database, lambda: told.put_nowait(None)))
    try:
        for count in range(times):
            await asyncio.wait_for(told.get(), 60)
            await asyncio.to_thread(act, count)
        return times + told.qsize()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


@postgres_only
def test_a_version_and_a_snapshot_are_heard_and_what_was_rolled_back_is_not(
    database: Database, put: Any, hero: str, log: Any, clock: Any, new_trainer: Any
) -> None:
    def act(count: int) -> None:
        if count == 0:  # it listens
            put(hero)
        elif count == 1:
            with suppress(ZeroDivisionError), database.writing() as connection:
                tell(connection)
                raise ZeroDivisionError
            log.visits(2)
            new_trainer().step(clock.move(hours=1))

    assert asyncio.run(heard(database, act, times=3)) == 3


@postgres_only
def test_a_connection_that_breaks_is_made_again(
    database: Database, postgres: Any, put: Any, hero: str, said: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sleep = asyncio.sleep
    monkeypatch.setattr(module.asyncio, "sleep", lambda seconds: sleep(0))

    def act(count: int) -> None:
        if count == 0:
            theirs = "datname = current_database() AND query = 'LISTEN elige'"
            with database.reading() as connection:
                connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {theirs}"))
        elif count == 1:  # it listens again
            put(hero)

    assert asyncio.run(heard(database, act, times=3)) == 3
    (entry,) = [entry for entry in said if entry["event"] == "notices not heard"]
    assert (entry["failures"], entry["next_try_in_seconds"]) == (1, 1.0)
    assert "server closed the connection" in entry["reason"] or "terminating connection" in entry["reason"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_on_sqlite_there_is_nothing_to_hear(database: Database) -> None:
    asyncio.run(listen(database, pytest.fail))

    with database.writing() as connection:
        tell(connection)
