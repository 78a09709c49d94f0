"""PostgreSQL by psycopg 3: many servers, one writer at a time for each campaign.

The rules of the store were made for a single writer: look first (was this request id seen? is this outcome's decision
matured? what is the last place of the sequence?), then write. Here the same holds by advisory locks, taken first of all
and held until the transaction ends: READ COMMITTED lets every later statement see what the holder before committed.
Unique constraints alone would not do: an outcome and the reward that should count it touch no row in common.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError

from server.errors import DatabaseUnusable, DiskFull, EligeError, Unavailable

# one moment of the log, however many statements; and a defect that writes where it should read is found
READING: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
WRITING: dict[str, Any] = {"isolation_level": "READ COMMITTED"}
SCHEMA = WRITING

CONNECT_SECONDS = 10
THRESHOLD = "prepare_threshold"
"""In the URL: how often a statement is made before psycopg has the server prepare it; `none`: never."""
DISK_FULL, READ_ONLY, NO_PRIVILEGE = "53100", "25006", "42501"


def checked(url: URL, *, create: bool) -> URL:
    """The URL with our driver's name. Raises DatabaseUnusable."""
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise DatabaseUnusable(f"{url.drivername} is not supported; expected postgresql://USER@HOST/DATABASE")
    if not url.database:
        raise DatabaseUnusable(f"can't open {url}: it names no database; expected postgresql://USER@HOST/DATABASE")
    threshold = url.query.get(THRESHOLD, "none")
    if threshold != "none" and not str(threshold).isdecimal():
        raise DatabaseUnusable(f"can't open {url}: {THRESHOLD}={threshold}: expected none, or how often, such as 5")
    return url.set(drivername="postgresql+psycopg")


def engine(url: URL, *, timeout_ms: int, **common: Any) -> Engine:
    try:
        # pre-ping: connections that died with a restarted server are replaced before anybody's call fails on one
        return create_engine(
            url.difference_update_query([THRESHOLD]),
            connect_args=_beside(url, timeout_ms=timeout_ms),
            pool_pre_ping=True,
            **common,
        ).execution_options(lock_timeout=f"{timeout_ms}ms")
    except ModuleNotFoundError as error:
        raise DatabaseUnusable("PostgreSQL needs the driver: pip install 'elige[postgres]'") from error


def arguments(url: URL, *, timeout_ms: int) -> dict[str, Any]:
    """All that psycopg needs to connect there by itself."""
    _, said = url.get_dialect()().create_connect_args(url.difference_update_query([THRESHOLD]))
    return {**said, **_beside(url, timeout_ms=timeout_ms)}


def _beside(url: URL, *, timeout_ms: int) -> dict[str, Any]:
    """What is said to psycopg beside the URL, which has the last word. A host that is gone says nothing."""
    waits = {
        "connect_timeout": CONNECT_SECONDS,
        "tcp_user_timeout": timeout_ms,
        "keepalives_idle": timeout_ms // 1_000,
    }
    given: dict[str, Any] = {name: value for name, value in waits.items() if name not in url.query}
    if threshold := url.query.get(THRESHOLD):
        given[THRESHOLD] = None if threshold == "none" else int(str(threshold))
    return given


def lock(connection: Connection, campaigns: Iterable[str] | None) -> None:
    """Wait until nobody else writes about these campaigns, or, with None, about anything at all.

    In the order of their keys: two batches that share campaigns must not wait for each other. What must hold for the
    transaction is set with the first lock, and ends with it: behind a pooler a session belongs to nobody.
    """
    settings = {"timeout": connection.get_execution_options()["lock_timeout"]}
    everything = {"key": _key(""), **settings}
    if campaigns is None:
        connection.execute(text(f"{_SETTINGS}, pg_advisory_xact_lock(:key)"), everything)
        return
    connection.execute(text(f"{_SETTINGS}, pg_advisory_xact_lock_shared(:key)"), everything)
    keys = sorted({_key(campaign) for campaign in campaigns})
    connection.execute(
        text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key"), {"keys": keys}
    )


# A commit that returned is on the disk; whoever asks for more, such as replicas, keeps it. A process that was stopped
# in the midst of a transaction loses it, rather than keep everybody else waiting for its locks.
_SETTINGS = """SELECT
    set_config('lock_timeout', :timeout, true),
    set_config('idle_in_transaction_session_timeout', :timeout, true),
    set_config('synchronous_commit', CASE current_setting('synchronous_commit')
        WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)"""


def time_of(connection: Connection) -> datetime:
    """Now, by the database's clock: not when the transaction began, which may have waited for a lock since."""
    now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now


def overwrite(engine: Engine) -> bool:
    """Nothing: rows that nobody can see any more go with PostgreSQL's own VACUUM."""
    return True


def refusal(error: DBAPIError) -> EligeError | None:
    """What to tell of an error that is not a defect of ours: gone, stopping, full, locked for long, a standby."""
    state = getattr(error.orig, "sqlstate", None)
    primary = getattr(getattr(error.orig, "diag", None), "message_primary", None)
    said = f"the database refuses: {primary or error.orig}"  # details would quote the row
    if state == DISK_FULL:
        return DiskFull(said)
    if state == NO_PRIVILEGE:
        return DatabaseUnusable(said)
    if isinstance(error, OperationalError) or error.connection_invalidated or state == READ_ONLY:
        return Unavailable(said)
    return None


def _key(campaign: str) -> int:
    """The lock of a campaign; that of everything has the empty name, which no campaign can have."""
    digest = hashlib.blake2b(campaign.encode(), digest_size=8, person=b"elige-lock").digest()
    return int.from_bytes(digest, "big", signed=True)
