"""Servers that acknowledge before they write here, and how far each has come."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from server.errors import DatabaseUnusable
from server.store.tables import servers


@dataclass(frozen=True, slots=True)
class Draining:
    """One server. All that it acknowledged before `drained_until` is here."""

    server: str
    seen_at: datetime
    drained_through: int
    drained_until: datetime


def register(connection: Connection, server: str, *, started_at: datetime, through: int) -> int:
    """Note that this server runs; the last place of its outbox that is here.

    `through`: the last one that the outbox itself knows of, for a server that is new here. What it has acknowledged it
    has drained only once it says so.
    """
    found = connection.execute(select(servers).where(servers.c.server == server).with_for_update()).one_or_none()
    if found is not None:
        came_back = {"started_at": started_at, "seen_at": started_at}
        connection.execute(update(servers).where(servers.c.server == server).values(came_back))
        return int(found.drained_through)
    row = {"server": server, "started_at": started_at, "seen_at": started_at, "drained_through": through}
    connection.execute(insert(servers).values(**row, drained_until=started_at))
    return through


def hold(connection: Connection, server: str, started_at: datetime, *, through: int) -> int:
    """How far this server has come, unchanged by anybody until the transaction ends; `through`, if it is not listed.

    Raises DatabaseUnusable where it is not the one that registered last: two of one identity would skip each other's
    records.
    """
    # a commit whose connection broke may still be under way: this waits for it
    found = connection.execute(select(servers).where(servers.c.server == server).with_for_update()).one_or_none()
    if found is None:
        return register(connection, server, started_at=started_at, through=through)
    if found.started_at != started_at:
        raise DatabaseUnusable(f"another server drains as {server}: was its outbox copied? Give each its own --outbox")
    return int(found.drained_through)


def advance(connection: Connection, server: str, *, through: int, until: datetime, now: datetime) -> None:
    """Note that everything up to a place, and everything acknowledged before a time, is here."""
    values = {"drained_through": through, "drained_until": until, "seen_at": now}
    connection.execute(update(servers).where(servers.c.server == server).values(values))


def leave(connection: Connection, server: str) -> None:
    """Note that nothing more will come from this server."""
    connection.execute(delete(servers).where(servers.c.server == server))


def draining(connection: Connection) -> list[Draining]:
    """All of them."""
    return [
        Draining(row.server, row.seen_at, row.drained_through, row.drained_until)
        for row in connection.execute(select(servers).order_by(servers.c.server))
    ]
