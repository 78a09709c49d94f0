"""Lineages that take the place of others, which had learned from a person since erased."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from server.records import Snapshot
from server.store import notices
from server.store import training as training_rows
from server.store.erasures import Erasure, to_replace
from server.store.tables import rewards, snapshot_slots, snapshots
from server.store.training import MAY_SERVE, Lease


def save(connection: Connection, lease: Lease, snapshot: Snapshot, *, rows: int, now: datetime) -> int | None:
    """Store a snapshot that was made of so many rows; its id. None, with nothing stored, where an erasure meanwhile
    took one of them away, or one from the lineage that it goes on.

    A lineage that takes the place of others serves once it has caught up with them; then they are withdrawn. Raises
    LeaseLost.
    """
    campaign, first, through = snapshot.campaign, snapshot.trained_from, snapshot.trained_through
    if count_places(connection, campaign, first=first, last=through, counting=True) != rows:
        return None
    replaced = to_replace(connection, campaign)
    if replaced is None:
        return training_rows.append_snapshot(connection, lease, snapshot)
    if snapshot.lineage <= replaced:
        return None
    ready = _caught_up(connection, campaign, replaced=replaced, through=through)
    snapshot_id = training_rows.append_snapshot(connection, lease, replace(snapshot, published=ready))
    if ready:
        _take_over(connection, campaign, replaced=replaced, lineage=snapshot.lineage, now=now)
    return snapshot_id


def take_over_as_it_is(connection: Connection, campaign: str, *, now: datetime) -> None:
    """Where nothing more is learned: withdraw the lineages that have to be replaced, whatever has come of the new."""
    if (replaced := to_replace(connection, campaign)) is not None:
        newest = training_rows.newest_lineage(connection, campaign)
        _take_over(connection, campaign, replaced=replaced, lineage=newest, now=now)


@dataclass(frozen=True, slots=True)
class Retraining:
    """A campaign that is trained without an erased person. `new_lineage`: None before it has begun. `progress`: how far
    it has come of what the old one knows, from 0 to 1. `done`: it serves, and the old one is withdrawn.
    """

    campaign: str
    old_lineage: int
    new_lineage: int | None
    progress: float
    done: bool


def retrainings(connection: Connection, erasure: Erasure) -> tuple[Retraining, ...]:
    """How far the campaigns are that had learned from an erased person."""
    return tuple(_retraining(connection, one.campaign, one.lineage) for one in erasure.taught)


def _retraining(connection: Connection, campaign: str, old: int) -> Retraining:
    ours = snapshots.c.campaign == campaign
    known = select(snapshots.c.snapshot_id).where(ours, snapshots.c.lineage <= old, snapshots.c.withdrawn_at.is_(None))
    done = connection.execute(known.limit(1)).first() is None
    newest = training_rows.newest_lineage(connection, campaign)
    if newest <= old:
        return Retraining(campaign, old, None, 1.0 if done else 0.0, done)
    reached = select(func.max(snapshots.c.trained_through)).where(ours)
    goal = connection.execute(reached.where(snapshots.c.lineage <= old)).scalar_one()
    through = connection.execute(reached.where(snapshots.c.lineage == newest)).scalar_one()
    return Retraining(campaign, old, newest, 1.0 if done else min(1.0, through / goal), done)


def count_places(connection: Connection, campaign: str, *, first: int, last: int, counting: bool = False) -> int:
    """How many places of the sequence from `first` to `last` the log holds; or of them, those that are not excluded."""
    query = select(func.count()).where(rewards.c.campaign == campaign, rewards.c.sequence.between(first, last))
    if counting:
        query = query.where(rewards.c.excluded.is_(None))
    return int(connection.execute(query).scalar_one())


def first_place(connection: Connection, campaign: str) -> int:
    """The first place of the sequence that the log holds; 1 where it holds none."""
    query = select(func.min(rewards.c.sequence)).where(rewards.c.campaign == campaign)
    return int(connection.execute(query).scalar_one() or 1)


def base_of(connection: Connection, campaign: str) -> int | None:
    """The snapshot that stands for a log that is past its retention; None where all of the log is there."""
    query = select(func.max(snapshots.c.snapshot_id)).where(snapshots.c.campaign == campaign, snapshots.c.base)
    base: int | None = connection.execute(query).scalar_one()
    return base


def _caught_up(connection: Connection, campaign: str, *, replaced: int, through: int) -> bool:
    """Whether a lineage that has come `through` there knows all that counts of what serves of those before: the
    lineages up to `replaced`.
    """
    old = (snapshots.c.campaign == campaign, snapshots.c.lineage <= replaced, *MAY_SERVE)
    reached = connection.execute(select(func.max(snapshots.c.trained_through)).where(*old)).scalar_one() or 0
    return count_places(connection, campaign, first=through + 1, last=reached, counting=True) == 0


def _take_over(connection: Connection, campaign: str, *, replaced: int, lineage: int, now: datetime) -> None:
    """Let the snapshots of the lineage serve, and take back all of those up to `replaced`: their bytes go, and they
    never serve again.
    """
    ours = (snapshots.c.campaign == campaign, snapshots.c.lineage == lineage)
    connection.execute(update(snapshots).where(*ours).values(published=True))
    old = (snapshots.c.campaign == campaign, snapshots.c.lineage <= replaced, snapshots.c.withdrawn_at.is_(None))
    ids = select(snapshots.c.snapshot_id).where(*old)
    connection.execute(update(snapshot_slots).where(snapshot_slots.c.snapshot_id.in_(ids)).values(state=None))
    connection.execute(update(snapshots).where(*old).values(withdrawn_at=now, base=False))
    notices.tell(connection)
