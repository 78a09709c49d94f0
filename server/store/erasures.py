"""Erasures: what identifies a person leaves the log, and what the log's order needs stays.

The row of an erasure, with the keys, is written first, and whatever follows can be done again: an erasure that was
interrupted is taken up where it is. What is asked for at one moment takes away what was there at that moment; whoever
comes back afterwards is a new person.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, func, insert, or_, select, update

from server.records import Excluded
from server.store.chunks import CHUNK, chunks
from server.store.tables import (
    choices,
    decisions,
    early_activations,
    erasures,
    outcomes,
    people,
    requests,
    rewards,
    snapshots,
)

CLOCKS = timedelta(seconds=1)
"""How far apart the clocks of servers may be: what was made so shortly after an erasure was asked for is erased too."""


@dataclass(frozen=True, slots=True)
class Taught:
    """A campaign that had learned from an erased person, and the last of its lineages that had."""

    campaign: str
    lineage: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure as it is kept. `keys`: keyed hashes; none once all is blanked and every policy replaced."""

    id: str
    keys: tuple[str, ...]
    taught: tuple[Taught, ...]
    decisions: int
    outcomes: int
    links: int
    error: str | None
    started_at: datetime
    finished_at: datetime | None

    @property
    def until(self) -> datetime:
        """What was made until then is erased."""
        return self.started_at + CLOCKS


def begin(connection: Connection, erasure_id: str, keys: Sequence[str], *, now: datetime) -> Erasure:
    """Write down that these keys are to be erased.

    Campaigns that are still trained without the same person, from an erasure before, are waited for by this one too.
    """
    earlier = [one for one in unfinished(connection) if set(one.keys) & set(keys)]
    taught = _latest(lesson for one in earlier for lesson in one.taught)
    row = {"erasure_id": erasure_id, "keys": list(keys), "campaigns": _documents(taught), "started_at": now}
    connection.execute(insert(erasures), {**row, "decisions": 0, "outcomes": 0, "links": 0})
    return _known(connection, erasure_id)


def read(connection: Connection, erasure_id: str) -> Erasure | None:
    row = connection.execute(select(erasures).where(erasures.c.erasure_id == erasure_id)).one_or_none()
    return None if row is None else _erasure(row)


def unfinished(connection: Connection) -> list[Erasure]:
    """Those that are not done, the oldest first."""
    query = select(erasures).where(erasures.c.finished_at.is_(None))
    return [_erasure(row) for row in connection.execute(query.order_by(erasures.c.started_at, erasures.c.erasure_id))]


def count(connection: Connection, keys: Sequence[str]) -> tuple[int, int, int]:
    """How many decisions, outcomes and links an erasure of these keys would take away."""
    made = select(decisions.c.decision_id).where(decisions.c.person.in_(keys))
    theirs = or_(outcomes.c.decision_id.in_(made), outcomes.c.person.in_(keys))
    queries = (
        select(func.count()).select_from(decisions).where(decisions.c.person.in_(keys)),
        select(func.count()).select_from(outcomes).where(theirs),
        select(func.count()).select_from(people).where(_linked(keys)),
    )
    decided, happened, linked = (int(connection.execute(query).scalar_one()) for query in queries)
    return decided, happened, linked


def left(connection: Connection, erasure: Erasure) -> bool:
    """Whether anything of the person is there."""
    told = (outcomes.c.person.in_(erasure.keys), outcomes.c.received_at <= erasure.until)
    queries = (
        select(decisions.c.decision_id).where(*_made(erasure)),
        select(outcomes.c.outcome_id).where(*told),
        select(people.c.person).where(_linked(erasure.keys), people.c.linked_at <= erasure.until),
    )
    return any(connection.execute(query.limit(1)).first() is not None for query in queries)


def sweep(connection: Connection, erasure_id: str, *, now: datetime) -> Erasure:
    """Blank up to CHUNK decisions, and remove what was told of the person; the erasure as it is then. Repeat while
    anything is `left`.
    """
    erasure = _known(connection, erasure_id)
    query = select(decisions.c.decision_id).where(*_made(erasure)).order_by(decisions.c.decision_id).limit(CHUNK)
    ids = connection.execute(query).scalars().all()
    taught = _latest((*erasure.taught, *_taught_by(connection, ids)))
    happened = blank(connection, ids, now=now)
    told = (outcomes.c.person.in_(erasure.keys), outcomes.c.received_at <= erasure.until)
    happened += connection.execute(delete(outcomes).where(*told)).rowcount
    linked = (_linked(erasure.keys), people.c.linked_at <= erasure.until)
    links = connection.execute(delete(people).where(*linked)).rowcount
    counts = {
        "campaigns": _documents(taught),
        "decisions": erasure.decisions + len(ids),
        "outcomes": erasure.outcomes + happened,
        "links": erasure.links + links,
    }
    connection.execute(update(erasures).where(erasures.c.erasure_id == erasure_id).values(counts))
    return _known(connection, erasure_id)


def blank(connection: Connection, ids: Sequence[str], *, now: datetime) -> int:
    """Leave tombstones of these decisions: their places in the sequence, and what was drawn with which propensity.
    Returns how many outcomes were removed.
    """
    removed = 0
    for chunk in chunks(ids):

        def ours(table: Table, chunk: Sequence[str] = chunk) -> ColumnElement[bool]:
            return table.c.decision_id.in_(chunk)

        connection.execute(update(decisions).where(ours(decisions)).values(**_BLANK, erased_at=now))
        connection.execute(update(choices).where(ours(choices)).values(candidates=[]))  # they may quote the person
        nothing: dict[str, Any] = {"excluded": Excluded.ERASED.value, "reward": None, "slot_rewards": {}, "error": None}
        connection.execute(update(rewards).where(ours(rewards)).values(nothing))
        removed += connection.execute(delete(outcomes).where(ours(outcomes))).rowcount
        for table in (requests, early_activations):
            connection.execute(delete(table).where(ours(table)))
    return removed


_BLANK: Mapping[str, Any] = {
    "person": None,
    "context": {},
    "labels": {},
    "ignored_context": [],
    "time_zone": None,
    "request_id": None,
    "request_hash": None,
}


def to_replace(connection: Connection, campaign: str) -> int | None:
    """The last lineage of a campaign that has to be replaced by one that never knew the erased; None if all are."""
    taught = [lesson for one in unfinished(connection) for lesson in one.taught if lesson.campaign == campaign]
    if not taught:
        return None
    last = max(lesson.lineage for lesson in taught)
    known = (snapshots.c.campaign == campaign, snapshots.c.lineage <= last, snapshots.c.withdrawn_at.is_(None))
    return last if connection.execute(select(snapshots.c.snapshot_id).where(*known).limit(1)).first() else None


def still_training(connection: Connection, erasure: Erasure) -> list[str]:
    """The campaigns in which something that knew the person has not been replaced yet."""
    return [one.campaign for one in erasure.taught if to_replace(connection, one.campaign) is not None]


def forget_keys(connection: Connection, erasure_id: str) -> None:
    """The person is not there any more: forget who it was."""
    connection.execute(update(erasures).where(erasures.c.erasure_id == erasure_id).values(keys=[]))


def finish(connection: Connection, erasure_id: str, *, now: datetime) -> None:
    values = {"finished_at": now, "error": None}
    connection.execute(update(erasures).where(erasures.c.erasure_id == erasure_id).values(values))


def set_error(connection: Connection, erasure_id: str, error: str | None) -> None:
    """Why it does not go on; None: it does."""
    connection.execute(update(erasures).where(erasures.c.erasure_id == erasure_id).values(error=error))


def _known(connection: Connection, erasure_id: str) -> Erasure:
    return _erasure(connection.execute(select(erasures).where(erasures.c.erasure_id == erasure_id)).one())


def _made(erasure: Erasure) -> tuple[ColumnElement[bool], ...]:
    return decisions.c.person.in_(erasure.keys), decisions.c.at <= erasure.until


def _linked(keys: Sequence[str]) -> ColumnElement[bool]:
    return or_(people.c.person.in_(keys), people.c.linked_to.in_(keys))


def _taught_by(connection: Connection, ids: Sequence[str]) -> Iterator[Taught]:
    """The campaigns that may have learned from these decisions: a snapshot is there that came so far."""
    query = select(rewards.c.campaign, func.min(rewards.c.sequence).label("first")).where(rewards.c.excluded.is_(None))
    for row in connection.execute(query.where(rewards.c.decision_id.in_(ids)).group_by(rewards.c.campaign)).all():
        reached = and_(snapshots.c.campaign == row.campaign, snapshots.c.trained_through >= row.first)
        newest = select(func.max(snapshots.c.lineage)).where(reached, snapshots.c.withdrawn_at.is_(None))
        lineage = connection.execute(newest).scalar_one()
        if lineage is not None:
            yield Taught(row.campaign, lineage)


def _latest(taught: Iterable[Taught]) -> tuple[Taught, ...]:
    """One a campaign, by name: the last lineage counts."""
    last: dict[str, int] = {}
    for one in taught:
        last[one.campaign] = max(one.lineage, last.get(one.campaign, 0))
    return tuple(Taught(campaign, lineage) for campaign, lineage in sorted(last.items()))


def _documents(taught: Sequence[Taught]) -> list[dict[str, Any]]:
    return [{"campaign": one.campaign, "lineage": one.lineage} for one in taught]


def _erasure(row: Row[Any]) -> Erasure:
    return Erasure(
        id=row.erasure_id,
        keys=tuple(row.keys),
        taught=tuple(Taught(one["campaign"], one["lineage"]) for one in row.campaigns),
        decisions=row.decisions,
        outcomes=row.outcomes,
        links=row.links,
        error=row.error,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
