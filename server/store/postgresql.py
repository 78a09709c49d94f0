"""PostgreSQL by psycopg 3: many servers, one writer at a time for each campaign.

The rules of the store were made for a single writer: look first (was this request id seen? is this outcome's decision
matured? what is the last place of the sequence?), then write. Here the same holds by advisory locks, taken first of all
and held until the transaction ends: READ COMMITTED lets every later statement see what the holder before committed.
Unique constraints alone would not do: an outcome and the reward that should count it touch no row in common.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError

from server.errors import DatabaseUnusable, DiskFull, EligeError, Unavailable

# one moment of the log, however many statements; and a defect that writes where it should read is found
READING: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
WRITING: dict[str, Any] = {"isolation_level": "READ COMMITTED"}
SCHEMA = WRITING

CONNECT_SECONDS = 10
DISK_FULL, READ_ONLY, NO_PRIVILEGE = "53100", "25006", "42501"


def checked(url: URL, *, create: bool) -> URL:
    """The URL with our driver's name. Raises DatabaseUnusable."""
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise DatabaseUnusable(f"{url.drivername} is not supported; expected postgresql://USER@HOST/DATABASE")
    if not url.database:
        raise DatabaseUnusable(f"can't open {url}: it names no database; expected postgresql://USER@HOST/DATABASE")
    return url.set(drivername="postgresql+psycopg")


def engine(url: URL, *, timeout_ms: int, **common: Any) -> Engine:
    waits = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": timeout_ms}  # a host that is gone says nothing
    given = {name: value for name, value in waits.items() if name not in url.query}
    try:
        # pre-ping: connections that died with a restarted server are replaced before anybody's call fails on one
        made = create_engine(url, connect_args=given, pool_pre_ping=True, **common)
    except ModuleNotFoundError as error:
        raise DatabaseUnusable("PostgreSQL needs the driver: pip install 'elige[postgres]'") from error

    @event.listens_for(made, "connect")
    def configure(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", (f"{timeout_ms}ms",))
            # a commit that returned is on the disk; whoever asks for more, such as replicas, keeps it
            durable = "SELECT set_config('synchronous_commit', 'on', false)"
            cursor.execute(f"{durable} WHERE current_setting('synchronous_commit') = 'off'")
        connection.commit()

    return made


def lock(connection: Connection, campaigns: Iterable[str] | None) -> None:
    """Wait until nobody else writes about these campaigns, or, with None, about anything at all.

    In the order of their keys: two batches that share campaigns must not wait for each other.
    """
    everything = {"key": _key("")}
    if campaigns is None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), everything)
        return
    connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), everything)
    keys = sorted({_key(campaign) for campaign in campaigns})
    connection.execute(
        text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key"), {"keys": keys}
    )


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
