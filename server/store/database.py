"""One database: its engine, its schema, its transactions.

SQLite runs in WAL mode with synchronous FULL: a commit that returned survives the machine. Every writing transaction
is BEGIN IMMEDIATE: a read that turns into a write would fail "database is locked" at once, whatever the time-out.
"""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, insert, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from server.errors import DatabaseUnusable, DiskFull, Unavailable
from server.store.tables import SCHEMA_VERSION, meta, metadata

BUSY_TIMEOUT_MS = 10_000


class Database:
    """Opens (and, where it is new, creates) the database of a URL such as `sqlite:///elige.db`.

    Thread-safe: each transaction takes a connection of its own from the engine's pool. Raises DatabaseUnusable for a
    URL we can't serve, a file that is not ours, or a schema of another version.
    """

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        self._engine = _engine(self.url)
        try:
            with self.writing() as connection:
                metadata.create_all(connection)
                _settle(connection)
        except (Unavailable, DiskFull) as error:
            raise DatabaseUnusable(f"can't open {url}: {error}") from error

    @cached_property
    def secret(self) -> bytes:
        """The key of this installation: of draws, decision ids and person hashes."""
        with self.reading() as connection:
            return bytes.fromhex(connection.execute(select(meta.c.value).where(meta.c.name == "secret")).scalar_one())

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view. Raises Unavailable, DiskFull."""
        with _translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, durable when the block has ended; keep it short. Raises Unavailable, DiskFull."""
        with _translated(), self._engine.execution_options(immediate=True).begin() as connection:
            yield connection

    def close(self) -> None:
        self._engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:  # locked, full, read-only, gone
        if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise DiskFull(f"the database refuses: {error.orig}") from error
        raise Unavailable(f"the database refuses: {error.orig}") from error
    except DatabaseError as error:
        if type(error) is not DatabaseError:  # broken constraints and the like are defects of ours
            raise
        raise Unavailable(f"the file is no SQLite database, or a damaged one: {error.orig}") from error


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseUnusable(f"{url!r} is no database URL; expected for instance sqlite:///elige.db") from error
    if parsed.get_backend_name() != "sqlite":
        raise DatabaseUnusable(f"{parsed.get_backend_name()} is not supported yet; expected sqlite:///FILE")
    if parsed.database in (None, "", ":memory:"):
        raise DatabaseUnusable("an in-memory database can't be shared with the trainer; expected sqlite:///FILE")
    folder = Path(str(parsed.database)).absolute().parent
    if not folder.is_dir():
        raise DatabaseUnusable(f"can't open {url}: there is no folder {folder}")
    return parsed


def _engine(url: URL) -> Engine:
    engine = create_engine(
        url,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        hide_parameters=True,  # people's contexts don't belong in the messages of errors
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
        max_overflow=-1,  # threads bound how many are open; waiting for one of them would be a deadlock's best friend
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself: the "begin" event below does
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _settle(connection: Connection) -> None:
    """Write the schema's version and the installation's key where they are new; refuse another version."""
    known: dict[str, str] = {row.name: row.value for row in connection.execute(select(meta))}
    if not known:
        rows = [("schema_version", str(SCHEMA_VERSION)), ("secret", secrets.token_hex(32))]
        connection.execute(insert(meta), [{"name": name, "value": value} for name, value in rows])
    elif known.get("schema_version") != str(SCHEMA_VERSION):
        found = known.get("schema_version")
        raise DatabaseUnusable(f"the database has schema version {found}; this program needs {SCHEMA_VERSION}")
