"""The outbox: a small SQLite file, on the server's own disk, in which records are durable before the database has them.

Records lie in it in the order in which they were acknowledged. What was drained stays a minute, so that a repeated
request meets its first answer wherever it is looked for, and is then deleted. One server an outbox.
"""

import fcntl
import hashlib
import os
import secrets
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from server.errors import DatabaseUnusable, DiskFull, Unavailable
from server.records import Activation, Decision, Outcome
from server.store.appending import Record, kind_of
from server.store.attribution import Shown
from server.store.payloads import decode

FORMAT = "1"
BUSY_SECONDS = 10.0
KEEP_SECONDS = 60.0
"""How long a drained record stays, to be found by what repeats it."""
CLEAN_SECONDS = 5.0
"""The least time between two sweeps."""
CHUNK = 500
"""Records deleted in one transaction: a few milliseconds in which nothing can be appended."""

_COLUMNS = """
    kind TEXT NOT NULL, campaign TEXT NOT NULL, decision_id TEXT, request_id TEXT, person TEXT, metric TEXT, key TEXT,
    at TEXT NOT NULL, appended_at TEXT NOT NULL, payload BLOB NOT NULL
"""
_SCHEMA = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE records (position INTEGER PRIMARY KEY AUTOINCREMENT, {_COLUMNS});
CREATE INDEX records_by_request ON records (campaign, request_id) WHERE request_id IS NOT NULL;
CREATE INDEX records_by_decision ON records (decision_id, kind, metric, key);
CREATE INDEX records_by_person ON records (person, campaign, at) WHERE person IS NOT NULL;
CREATE TABLE refused (position INTEGER PRIMARY KEY, {_COLUMNS}, reason TEXT NOT NULL, refused_at TEXT NOT NULL);
"""
_NAMES = "kind, campaign, decision_id, request_id, person, metric, key, at, appended_at, payload"
_APPEND = f"INSERT INTO records ({_NAMES}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Kept:
    """One record at its place. `appended_at`: everything acknowledged before lies at earlier places."""

    position: int
    kind: str
    campaign: str
    appended_at: datetime
    payload: bytes

    @property
    def record(self) -> Record:
        """Raises ValueError."""
        return decode(self.kind, self.payload)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is not drained yet, the oldest of it acknowledged at `oldest`; how many records the database refused."""

    records: int
    oldest: datetime | None
    refused: int


class Outbox:
    """Opens the file, or makes it, and keeps other servers out of it until it is closed.

    One thread appends and looks up (the committer's), another one reads, drops and refuses (the drain's); `backlog` is
    for everybody.
    """

    def __init__(self, file: str | Path, *, secret: bytes, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`secret`: of the installation whose records it takes. Raises DatabaseUnusable."""
        self.file = Path(file).absolute()
        self.under_way: datetime | None = None
        """Since when there is something that was received and is not appended yet; None while there is nothing."""
        self._monotonic = monotonic
        self._turn = threading.Lock()  # between the two writers; SQLite's own waiting is a sleep
        self._asking = threading.Lock()
        self._marks: deque[tuple[float, int]] = deque()
        self._cleaned = monotonic()
        with ExitStack() as opened:
            opened.callback(os.close, _locked(self.file))
            try:
                self._appender = opened.enter_context(closing(_connected(self.file, synchronous="FULL")))
                # what this one writes may be lost by a power cut: the database knows better how far it has come
                self._drainer = opened.enter_context(closing(_connected(self.file, synchronous="NORMAL")))
                self._watcher = opened.enter_context(closing(_connected(self.file, synchronous="NORMAL")))
                self.identity = _settled(self._appender, self.file, secret)
            except sqlite3.Error as error:
                raise DatabaseUnusable(f"{self.file} can't be an outbox: {error}") from error
            self._opened = opened.pop_all()
        self.drained_through: int = self._meta("drained_through")
        """The last place that is known to be in the database."""

    def append(self, records: Sequence[tuple[Record, bytes]], *, at: datetime) -> None:
        """Add records, each with its payload: all of them or none. Durable on return. Raises Unavailable, DiskFull."""
        now = _text(at)
        rows = [(*_columns(record), now, payload) for record, payload in records]
        with self._turn, _writing(self._appender):
            self._appender.executemany(_APPEND, rows)

    def decision_for(self, campaign: str, request_id: str) -> Decision | None:
        """The decision that was made for a request id, the first if there are several."""
        where = "campaign = ? AND request_id = ?"
        return next(self._found("decision", where, campaign, request_id), None)

    def decision(self, decision_id: str) -> Decision | None:
        return next(self._found("decision", "decision_id = ?", decision_id), None)

    def activations(self, decision_id: str) -> list[Activation]:
        """All that was told of a decision, in order."""
        return list(self._found("activation", "decision_id = ?", decision_id))

    def has_outcome(self, one: Outcome) -> bool:
        """Whether its key was told before for its decision and metric, or for its person, campaign and metric."""
        told = "SELECT 1 FROM records WHERE kind = 'outcome' AND metric = :metric AND key = :key"
        query = f"{told} AND decision_id = :id UNION ALL {told} AND person = :person AND campaign = :campaign LIMIT 1"
        values = {"metric": one.metric, "key": one.key, "id": one.decision_id}
        with _told():
            asked = self._appender.execute(query, {**values, "person": one.person, "campaign": one.campaign})
            return asked.fetchone() is not None

    def last_shown(self, campaign: str, keys: Sequence[str], *, by: datetime) -> Shown | None:
        """Of the decisions in it, the last that was shown by then to the person who has these keys."""
        holes = ", ".join("?" for _ in keys)
        query = f"""
            SELECT made.payload, (
                SELECT min(at) FROM records WHERE kind = 'activation' AND decision_id = made.decision_id
            ) FROM records AS made WHERE kind = 'decision' AND person IN ({holes}) AND campaign = ?
        """
        with self._asking, _told():
            rows = self._watcher.execute(query, (*keys, campaign)).fetchall()
        found: list[Shown] = []
        for payload, activated in rows:
            made: Any = decode("decision", payload)
            shown_at = made.activated_at or (activated and datetime.fromisoformat(activated))
            if shown_at is not None and shown_at <= by:
                found.append(Shown(made.id, made.version, made.at, shown_at))
        return max(found, key=lambda one: (one.shown_at, one.decision_id), default=None)

    def after(self, position: int, *, limit: int) -> list[Kept]:
        """The records behind a place, in order."""
        query = "SELECT position, kind, campaign, appended_at, payload FROM records WHERE position > ?"
        with _told():
            rows = self._drainer.execute(f"{query} ORDER BY position LIMIT ?", (position, limit)).fetchall()
        return [Kept(place, kind, of, datetime.fromisoformat(at), payload) for place, kind, of, at, payload in rows]

    def refuse(self, position: int, reason: str, *, at: datetime) -> None:
        """Note that the database will not have this record. It is kept for good, with the reason."""
        query = f"INSERT OR REPLACE INTO refused SELECT position, {_NAMES}, ?, ? FROM records WHERE position = ?"
        with self._turn, _writing(self._drainer):
            self._drainer.execute(query, (reason, _text(at), position))

    def drained(self, through: int) -> None:
        """Note that the database has all records up to this place, and delete what it has had for a minute."""
        now = self._monotonic()
        if through > self.drained_through or not self._marks:
            self.drained_through = through
            self._marks.append((now, through))
        if now < self._cleaned + CLEAN_SECONDS:
            return
        self._cleaned = now
        old = 0
        while self._marks and self._marks[0][0] < now - KEEP_SECONDS:
            old = self._marks.popleft()[1]
        self._note(through)
        self._delete(old)

    def clear(self) -> None:
        """Delete all that was drained."""
        self._note(self.drained_through)
        self._delete(self.drained_through)

    def backlog(self) -> Backlog:
        """Raises Unavailable."""
        query = "SELECT count(*), min(appended_at), (SELECT count(*) FROM refused) FROM records WHERE position > ?"
        with self._asking, _told():
            count, oldest, refused = self._watcher.execute(query, (self.drained_through,)).fetchone()
        return Backlog(count, datetime.fromisoformat(oldest) if oldest else None, refused)

    def close(self) -> None:
        """Leave the file to the next server."""
        self._opened.close()

    def _found(self, kind: str, where: str, *values: str) -> Iterator[Any]:
        query = f"SELECT payload FROM records WHERE {where} AND kind = '{kind}' ORDER BY position"
        with _told():
            rows = self._appender.execute(query, values).fetchall()
        return (decode(kind, payload) for (payload,) in rows)

    def _meta(self, name: str) -> Any:
        return self._appender.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0]

    def _note(self, through: int) -> None:
        with self._turn, _writing(self._drainer):
            self._drainer.execute("UPDATE meta SET value = ? WHERE name = 'drained_through'", (through,))

    def _delete(self, through: int) -> None:
        query = "DELETE FROM records WHERE position IN (SELECT position FROM records WHERE position <= ? LIMIT ?)"
        deleted = CHUNK
        while deleted == CHUNK:
            with self._turn, _writing(self._drainer):
                deleted = self._drainer.execute(query, (through, CHUNK)).rowcount


def _columns(record: Record) -> tuple[str | None, ...]:
    """What it is found by."""
    return (
        kind_of(record),
        record.campaign,
        record.id if isinstance(record, Decision) else record.decision_id,
        getattr(record, "request_id", None),
        getattr(record, "person", None),
        getattr(record, "metric", None),
        getattr(record, "key", None),
        _text(record.at),
    )


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _locked(file: Path) -> int:
    """Keep every other server out, for as long as the descriptor is open. Raises DatabaseUnusable."""
    try:
        descriptor = os.open(f"{file}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DatabaseUnusable(f"{file} can't be an outbox: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise DatabaseUnusable(f"another server uses the outbox {file}: give this one its own by --outbox") from error
    return descriptor


def _connected(file: Path, *, synchronous: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    return connection


def _settled(connection: sqlite3.Connection, file: Path, secret: bytes) -> str:
    """Make the tables where there are none; the identity. Raises DatabaseUnusable for a file that is not for us."""
    installation = hashlib.blake2b(secret, digest_size=16, person=b"elige-outbox").hexdigest()
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        meta = {"format": FORMAT, "identity": secrets.token_hex(16), "installation": installation, "drained_through": 0}
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA}")
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        connection.execute("COMMIT")
    elif not {"meta", "records"} <= tables:
        raise DatabaseUnusable(f"{file} is a SQLite database, but no outbox: give another --outbox")
    found = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    if found.get("format") != FORMAT:
        raise DatabaseUnusable(
            f"{file} has format {found.get('format')}, this program knows {FORMAT}: use the newer one"
        )
    if found["installation"] != installation:
        if connection.execute("SELECT 1 FROM records UNION ALL SELECT 1 FROM refused").fetchone():
            raise DatabaseUnusable(f"{file} holds records of another database: give another --outbox, or that database")
        found["identity"] = secrets.token_hex(16)
        anew = {"identity": found["identity"], "installation": installation, "drained_through": 0}
        connection.executemany(
            "UPDATE meta SET value = ? WHERE name = ?", [(value, name) for name, value in anew.items()]
        )
    return str(found["identity"])


@contextmanager
def _writing(connection: sqlite3.Connection) -> Iterator[None]:
    with _told():
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # SQLite has ended it by itself when its disk was full
                connection.execute("ROLLBACK")
            raise


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        raise (DiskFull if full else Unavailable)(f"the outbox refuses: {error}") from error
