"""SQLite: one file, one writer at a time.

WAL mode with synchronous FULL: a commit that returned survives the machine. Every writing transaction is BEGIN
IMMEDIATE: a read that turns into a write would fail "database is locked" at once, whatever the time-out.
"""

import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from server.errors import DatabaseUnusable, DiskFull, EligeError, Unavailable

READING: dict[str, Any] = {}
WRITING: dict[str, Any] = {"immediate": True}
# a table that is made anew goes away for a moment, while others point to it
SCHEMA: dict[str, Any] = {**WRITING, "foreign_keys": False}
CHECKPOINT_MS = 250
ASK_AGAIN_MS = 1
SYNCHRONOUS = "synchronous"
"""In the URL: `off` where the file is thrown away anyhow; else every commit waits for the disk."""


def checked(url: URL, *, create: bool) -> URL:
    """The URL of a file that is there, or can be. Raises DatabaseUnusable."""
    if url.database in (None, "", ":memory:"):
        raise DatabaseUnusable("SQLite's in-memory database can't be shared with the trainer; expected sqlite:///FILE")
    if url.query.get(SYNCHRONOUS, "off") != "off":
        raise DatabaseUnusable(f"can't open {url}: {SYNCHRONOUS}={url.query[SYNCHRONOUS]}: expected off, or nothing")
    file = Path(str(url.database))
    folder = file.absolute().parent
    if not folder.is_dir():
        raise DatabaseUnusable(f"can't open {url}: there is no folder {folder}")
    if not (create or file.exists()):  # the driver would make an empty file
        raise DatabaseUnusable(f"there is no database at {url}")
    return url


def thrown_away(folder: str) -> str:
    """The URL of a file in this folder that nobody wants to keep."""
    return f"sqlite:///{folder}/elige.db?{SYNCHRONOUS}=off"


def engine(url: URL, *, timeout_ms: int, **common: Any) -> Engine:
    level = "OFF" if SYNCHRONOUS in url.query else "FULL"
    url = url.difference_update_query([SYNCHRONOUS])
    made = create_engine(url, connect_args={"timeout": timeout_ms / 1000}, **common)

    @event.listens_for(made, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself: the "begin" event below does
        # what is erased is overwritten; not only by the transaction that erases, since pages that split leave copies
        for pragma in ("journal_mode=WAL", f"synchronous={level}", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(made, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get("foreign_keys", True):  # of no effect once a transaction has begun
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        if options.get("immediate", False):
            _begin_immediate(connection, timeout_ms=timeout_ms)
        else:
            connection.exec_driver_sql("BEGIN")

    return made


def _begin_immediate(connection: Connection, *, timeout_ms: int) -> None:
    """Wait for the other writer by asking again at once. SQLite's own waiting asks ever more rarely, up to every 100
    ms: beside a server that writes all the time, a trainer that asked so rarely waited for seconds.
    """
    raw = connection.connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    until = time.monotonic() + timeout_ms / 1000
    raw.execute(f"PRAGMA busy_timeout={ASK_AGAIN_MS}")
    try:
        while True:
            try:
                raw.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_BUSY and time.monotonic() < until:
                    continue
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # fails again, and tells of it as SQLAlchemy does
            return
    finally:
        raw.execute(f"PRAGMA busy_timeout={timeout_ms}")


def lock(connection: Connection, campaigns: Iterable[str] | None) -> None:
    """Nothing: BEGIN IMMEDIATE already keeps every other writer out."""


def time_of(connection: Connection) -> datetime:
    """Now, by the clock of the machine, which all have in common who share a file."""
    now = "SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"
    return datetime.fromisoformat(str(connection.exec_driver_sql(now).scalar_one()))


def overwrite(engine: Engine) -> bool:
    """Bring the write-ahead log into the file and empty it. Gives up soon: writers wait for it meanwhile."""
    with closing(engine.raw_connection()) as pooled:
        connection = pooled.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        (timeout_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
        try:
            connection.execute(f"PRAGMA busy_timeout={CHECKPOINT_MS}")
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return False
        finally:
            connection.execute(f"PRAGMA busy_timeout={timeout_ms}")
    return not busy


def refusal(error: DBAPIError) -> EligeError | None:
    """What to tell of an error that is not a defect of ours: locked, full, read-only, gone, damaged."""
    if isinstance(error, OperationalError):
        full = getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        return (DiskFull if full else Unavailable)(f"the database refuses: {error.orig}")
    if type(error) is DatabaseError:  # its subclasses are broken constraints and the like
        return Unavailable(f"the file is no SQLite database, or a damaged one: {error.orig}")
    return None
