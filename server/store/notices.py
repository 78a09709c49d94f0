"""Notices: on PostgreSQL, whoever commits a campaign's version or a snapshot wakes every server that listens.

A notice says only that something is new; what, the tables say. One that is lost costs no more than the time until the
next look, for servers look whether they are told or not. So it may go through a pooler that lets nobody listen.
"""

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy import Connection, text

from server.backoff import PAUSES
from server.store import postgresql
from server.store.database import BUSY_TIMEOUT_MS, Database

log = structlog.get_logger()

CHANNEL = "elige"


def tell(connection: Connection) -> None:
    """Part of the transaction: heard once it is committed, and only then. SQLite has no notices: nothing."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})


async def listen(database: Database, told: Callable[[], None]) -> None:
    """Until cancelled, call `told` whenever something is new, and once when listening begins: what came before was not
    heard. On a connection of its own, which is made again, after growing pauses, when it breaks. SQLite: returns.
    """
    if database.url.get_backend_name() != "postgresql":
        return
    import psycopg

    failures = 0
    while True:
        try:
            arguments = postgresql.arguments(database.url, timeout_ms=BUSY_TIMEOUT_MS)
            async with await psycopg.AsyncConnection.connect(**arguments, autocommit=True) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                failures = 0
                told()
                async for _ in connection.notifies():
                    told()
        except psycopg.Error as error:
            pause = PAUSES[min(failures, len(PAUSES) - 1)].total_seconds()
            failures += 1
            reason = str(error).splitlines()[0]
            log.warning("notices not heard", reason=reason, failures=failures, next_try_in_seconds=pause)
            await asyncio.sleep(pause)
