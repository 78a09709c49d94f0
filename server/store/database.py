"""One database: its engine, its schema, its transactions."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from tempfile import TemporaryDirectory
from threading import Event
from types import ModuleType
from typing import Any
from weakref import finalize

import orjson
from sqlalchemy import Connection, Engine, event, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from server.errors import DatabaseUnusable, DiskFull, InvalidRequest, Unavailable
from server.store import migrate, postgresql, sqlite
from server.store.tables import meta

MEMORY = "memory:"
BUSY_TIMEOUT_MS = 10_000
"""How long a transaction waits for another's lock."""

_DIALECTS: dict[str, ModuleType] = {"sqlite": sqlite, "postgresql": postgresql}


class Database:
    """Opens (and, where it is new, creates) the database of a URL such as `sqlite:///elige.db` or
    `postgresql://user@host/elige`.

    `memory:` is one that nobody keeps: a SQLite file of its own in the folder for temporary files, whose commits don't
    wait for the disk, removed when it is closed. A file, since the trainer is another process: it opens `address`, as
    anybody may as long as this one is open.

    Thread-safe: each transaction takes a connection of its own from the engine's pool. Raises DatabaseUnusable for a
    URL we can't serve, a file that is not ours, or a schema of another revision.
    """

    def __init__(self, url: str, *, upgrade: bool = False, create: bool = True) -> None:
        """`upgrade`: bring an older schema up to date, which opening alone never does. `create`: make a new one."""
        self._folder = _folder(create=create) if url == MEMORY else None
        self.address = url if self._folder is None else sqlite.thrown_away(self._folder.name)
        """The URL by which another process opens this database."""
        self.url, self._dialect = _checked(self.address, create=create)
        self._engine = _engine(self.url, self._dialect)
        # one that is dropped without being closed, as commands do at their end, gives its connections back all the same
        finalize(self, self._engine.dispose).atexit = False
        self._closed = Event()
        _close_what_comes_back_late(self._engine, self._closed)
        self.schema_before: str | None = migrate.HEAD
        """The revision found on opening; None: it was new."""
        try:
            with self.reading() as connection:
                current = migrate.is_current(connection)
            if not current:
                with self._writing(None, self._dialect.SCHEMA) as connection:  # of many at once, one makes it
                    self.schema_before = migrate.settle(connection, shown(url), upgrade=upgrade, create=create)
                self._engine.dispose()  # its connections are set up for changing the schema
        except (Unavailable, DiskFull) as error:
            self.close()
            raise DatabaseUnusable(f"can't open {shown(url)}: {error}") from error
        except BaseException:
            self.close()
            raise

    @cached_property
    def secret(self) -> bytes:
        """The key of this installation: of draws, decision ids and person hashes."""
        with self.reading() as connection:
            return bytes.fromhex(connection.execute(select(meta.c.value).where(meta.c.name == "secret")).scalar_one())

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view. Raises Unavailable, DiskFull."""
        with self._translated(), self._engine.execution_options(**self._dialect.READING).begin() as connection:
            yield connection

    @contextmanager
    def writing(self, campaigns: Iterable[str] | None = None) -> Iterator[Connection]:
        """One transaction, durable when the block has ended; keep it short.

        It runs as if alone: what it reads nobody else changes before it ends. `campaigns`: all that it writes about;
        where the database allows it, others may write about other campaigns meanwhile. None: about anything.
        Raises Unavailable, DiskFull, InvalidRequest for a value that the database can't hold.
        """
        with self._writing(campaigns, self._dialect.WRITING) as connection:
            yield connection

    def time_of(self, connection: Connection) -> datetime:
        """Now, by the one clock that all servers of this database have in common. Raises Unavailable."""
        now: datetime = self._dialect.time_of(connection)
        return now

    def overwrite(self) -> bool:
        """Make sure that bytes which were removed or replaced are gone from the database's files too, as far as that is
        ours to do. False: somebody reads what was there before; later, then.
        """
        with self._translated():
            return bool(self._dialect.overwrite(self._engine))

    def close(self) -> None:
        """What a thread still uses is closed as soon as it gives it back."""
        self._closed.set()
        self._engine.dispose()
        if self._folder is not None:
            self._folder.cleanup()

    @contextmanager
    def _writing(self, campaigns: Iterable[str] | None, options: dict[str, Any]) -> Iterator[Connection]:
        with self._translated(), self._engine.execution_options(**options).begin() as connection:
            self._dialect.lock(connection, campaigns)
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DataError as error:
            raise InvalidRequest(f"it can't be stored: {str(error.orig).splitlines()[0]}") from error
        except UnicodeEncodeError as error:  # half of a surrogate pair: what a command line has in place of a bad byte
            raise InvalidRequest(f"{str(error.object)[:60]!r} is no text: expected UTF-8") from error
        except DBAPIError as error:
            if told := self._dialect.refusal(error):
                raise told from error
            raise


def shown(url: str) -> str:
    """The URL as it may stand in logs: without its password."""
    if url == MEMORY:
        return url
    return make_url(url).render_as_string(hide_password=True)


def _folder(*, create: bool) -> TemporaryDirectory[str]:
    if not create:
        raise DatabaseUnusable(f"there is no database at {MEMORY}: whoever opens it makes a new one")
    return TemporaryDirectory(prefix="elige-")


def _checked(url: str, *, create: bool) -> tuple[URL, ModuleType]:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseUnusable(f"{url!r} is no database URL; expected for instance sqlite:///elige.db") from error
    dialect = _DIALECTS.get(parsed.get_backend_name())
    if dialect is None:
        name = parsed.get_backend_name()
        raise DatabaseUnusable(f"{name} is not supported; expected sqlite:///FILE or postgresql://USER@HOST/DATABASE")
    return dialect.checked(parsed, create=create), dialect


def _close_what_comes_back_late(engine: Engine, closed: Event) -> None:
    """A connection that is in use when its pool is thrown away would go back there, and stay open."""

    def given_back(connection: Any, record: ConnectionPoolEntry) -> None:
        if closed.is_set():
            record.invalidate()

    event.listen(engine, "checkin", given_back)


def _engine(url: URL, dialect: ModuleType) -> Engine:
    engine: Engine = dialect.engine(
        url,
        timeout_ms=BUSY_TIMEOUT_MS,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        hide_parameters=True,  # people's contexts don't belong in the messages of errors
        max_overflow=-1,  # threads bound how many are open; waiting for one of them would be a deadlock's best friend
    )
    return engine
