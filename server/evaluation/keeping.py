"""Evaluations that have ended, kept as long as the operator says, and no longer."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from server.backoff import Backoff
from server.errors import EligeError
from server.store import keeping
from server.store.chunks import CHUNK
from server.store.database import Database
from server.store.evaluations import TURN

log = structlog.get_logger()

EVERY = timedelta(hours=1)
"""How often a server drops what is too old."""
LEAST = timedelta(hours=1)
"""Whoever asked for one should have the time to read it."""
MOST = timedelta(days=36_500)


async def drop_what_is_old(database: Database, kept: timedelta, *, clock: Callable[[], datetime]) -> None:
    """At once and then every hour, until cancelled."""
    backoff = Backoff()
    while True:
        try:
            await asyncio.to_thread(drop, database, kept, now=clock())
        except Exception as error:  # a server that stops dropping would fill its disk in silence
            trouble = backoff.failed("", f"{type(error).__name__}: {error}", clock())
            expected = trouble.known or isinstance(error, EligeError)
            log.warning("old evaluations stay", reason=trouble.reason, exc_info=None if expected else error)
            await asyncio.sleep(trouble.pause.total_seconds())
        else:
            backoff.succeeded("")
            await asyncio.sleep(EVERY.total_seconds())


def drop(database: Database, kept: timedelta, *, now: datetime) -> int:
    """Drop what ended longer ago than `kept`, and write down that this is the rule; how many there were."""
    with database.writing(TURN) as connection:
        keeping.say(connection, kept, now=now)
    dropped, more = 0, True
    while more:
        with database.writing(()) as connection:
            last = keeping.drop(connection, before=now - kept)
        dropped, more = dropped + last, last == CHUNK
    if dropped:
        log.info("evaluations past their retention dropped", evaluations=dropped)
    return dropped


def kept_by_a_server(database: Database, *, now: datetime) -> timedelta | None:
    """For how long evaluations are kept; None where no server drops any."""
    with database.reading() as connection:
        return keeping.said(connection, since=now - 2 * EVERY)
