"""What the trainer keeps: leases, the sequence of rewards, snapshots.

Every write is conditional on the lease's epoch: a trainer that slept past its lease writes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, null, select, update

from server.errors import LeaseLost
from server.records import Excluded, SlotState, Snapshot
from server.store import campaigns as campaign_rows
from server.store import notices
from server.store.chunks import chunks
from server.store.tables import decisions, leases, rewards, snapshot_slots, snapshots, windows

MAY_SERVE = (snapshots.c.published, snapshots.c.withdrawn_at.is_(None))


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to train one campaign, until it expires or a later epoch begins."""

    campaign: str
    holder: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Due:
    """A decision to be matured. `waiting`: none of its slots was shown, and its activation is given up."""

    decision_id: str
    closes_at: datetime
    waiting: bool


@dataclass(frozen=True, slots=True)
class Earned:
    """What one decision earned, before it has its place in the sequence."""

    decision_id: str
    reward: float | None
    slot_rewards: Mapping[str, float]
    error: str | None = None
    excluded: Excluded | None = None


def acquire(connection: Connection, campaign: str, *, holder: str, now: datetime, lasts: timedelta) -> Lease | None:
    """Take or renew the lease; None while somebody else holds it. A new holder begins a new epoch.

    Renewed once half of it is gone: a pass every quarter of a second must not cost a write each.
    """
    row = connection.execute(select(leases).where(leases.c.campaign == campaign)).one_or_none()
    expires = now + lasts
    if row is None:
        connection.execute(insert(leases).values(campaign=campaign, holder=holder, epoch=1, expires_at=expires))
        return Lease(campaign, holder, 1)
    # a lease that ends impossibly late was written before the clock jumped back: it must not block for hours
    held = now < row.expires_at <= now + 10 * lasts
    ours = row.holder == holder
    if held and not ours:
        return None
    if ours and now + lasts / 2 < row.expires_at <= expires:
        return Lease(campaign, holder, row.epoch)
    epoch = row.epoch if ours else row.epoch + 1
    values = {"holder": holder, "epoch": epoch, "expires_at": expires}
    connection.execute(update(leases).where(leases.c.campaign == campaign).values(values))
    return Lease(campaign, holder, epoch)


def begin_epoch(connection: Connection, campaign: str, *, now: datetime) -> Lease:
    """End the lease of a campaign that was trained before: whoever holds it writes nothing more under it. The new one
    is over at once, so that the next trainer, or the same, need not wait.
    """
    over = update(leases).where(leases.c.campaign == campaign).values(epoch=leases.c.epoch + 1, expires_at=now)
    row = connection.execute(over.returning(leases.c.holder, leases.c.epoch)).one()
    return Lease(campaign, row.holder, row.epoch)


def release(connection: Connection, holder: str, *, now: datetime) -> None:
    """Let go of every lease of this holder, so that the next trainer need not wait."""
    connection.execute(update(leases).where(leases.c.holder == holder).values(expires_at=now))


def due(connection: Connection, campaign: str, *, closed_by: datetime, limit: int) -> list[Due]:
    """Decisions whose window closed by then and that are not matured, earliest first."""
    query = select(windows.c.decision_id, windows.c.closes_at, windows.c.waiting)
    query = query.where(windows.c.campaign == campaign, windows.c.closes_at <= closed_by)
    rows = connection.execute(query.order_by(windows.c.closes_at, windows.c.decision_id).limit(limit))
    return [Due(row.decision_id, row.closes_at, row.waiting) for row in rows]


def append_rewards(connection: Connection, lease: Lease, earned: Sequence[Earned], *, now: datetime) -> int:
    """Give each reward the next place in the campaign's sequence and close its window. Returns the last place."""
    hold(connection, lease)
    last = last_sequence(connection, lease.campaign)
    rows = [
        {
            "campaign": lease.campaign,
            "sequence": last + place,
            "decision_id": one.decision_id,
            "reward": one.reward,
            "slot_rewards": dict(one.slot_rewards),
            "error": one.error,
            "excluded": one.excluded,
            "matured_at": now,
        }
        for place, one in enumerate(earned, start=1)
    ]
    if rows:
        connection.execute(insert(rewards), rows)
        for chunk in chunks([one.decision_id for one in earned]):
            connection.execute(delete(windows).where(windows.c.decision_id.in_(chunk)))
    return last + len(rows)


def last_sequence(connection: Connection, campaign: str) -> int:
    """The last place given in the campaign's sequence; 0 if none."""
    query = select(func.coalesce(func.max(rewards.c.sequence), 0)).where(rewards.c.campaign == campaign)
    return int(connection.execute(query).scalar_one())


def decided_at(connection: Connection, campaign: str, sequence: int) -> datetime | None:
    """When the decision at this place of the sequence was made; None where the log does not hold it any more."""
    joined = rewards.join(decisions, rewards.c.decision_id == decisions.c.decision_id)
    there = (rewards.c.campaign == campaign, rewards.c.sequence == sequence)
    at: datetime | None = connection.execute(select(decisions.c.at).select_from(joined).where(*there)).scalar()
    return at


def last_decision_learned(connection: Connection, campaign: str, through: int) -> datetime | None:
    """The time of the latest decision among the first `through` places of the sequence; None where the log holds none
    of them any more.
    """
    joined = rewards.join(decisions, rewards.c.decision_id == decisions.c.decision_id)
    query = select(func.max(decisions.c.at)).select_from(joined)
    latest: datetime | None = connection.execute(
        query.where(rewards.c.campaign == campaign, rewards.c.sequence <= through)
    ).scalar_one()
    return latest


def append_snapshot(connection: Connection, lease: Lease, snapshot: Snapshot) -> int:
    """Store a snapshot together with how far it has learned; returns its id.

    Raises LeaseLost unless the lease's epoch is the current one and the parent is still the newest of its lineage.
    """
    hold(connection, lease)
    newest = newest_snapshot_id(connection, lease.campaign)
    # a roll-back goes on from an older one: it has just begun an epoch of its own
    if snapshot.parent is not None and newest != snapshot.parent and not snapshot.skipped:
        raise LeaseLost(f"{lease.campaign}: snapshot {newest} came after {snapshot.parent}, on which this one builds")
    row = {
        "campaign": snapshot.campaign,
        "version": snapshot.version,
        "lineage": snapshot.lineage,
        "parent_id": snapshot.parent,
        "trained_from": snapshot.trained_from,
        "trained_through": snapshot.trained_through,
        "examples": snapshot.examples,
        "epoch": lease.epoch,
        "versions": dict(snapshot.versions),
        "created_at": snapshot.created_at,
        "published": snapshot.published,
        "skipped": snapshot.skipped,
    }
    (snapshot_id,) = connection.execute(insert(snapshots).returning(snapshots.c.snapshot_id), row).scalars()
    states = [
        {
            "snapshot_id": snapshot_id,
            "slot": one.slot,
            "policy": one.policy,
            "arguments": one.arguments,
            "configuration": one.configuration,
            "state": one.state,
            "digest": one.digest,
            "examples": one.examples,
            "loss_sum": one.loss_sum,
            "loss_weight": one.loss_weight,
        }
        for one in snapshot.slots
    ]
    if states:
        connection.execute(insert(snapshot_slots), states)
    notices.tell(connection)
    return int(snapshot_id)


def store_states(connection: Connection, lease: Lease, snapshot: Snapshot) -> None:
    """Write the bytes of a snapshot that was rebuilt in place of damaged ones. Raises LeaseLost."""
    hold(connection, lease)
    keep_states(connection, snapshot)


def keep_states(connection: Connection, snapshot: Snapshot) -> None:
    """Write the bytes of a snapshot that was rebuilt, whoever trains."""
    for one in snapshot.slots:
        same = (snapshot_slots.c.snapshot_id == snapshot.id, snapshot_slots.c.slot == one.slot)
        connection.execute(update(snapshot_slots).where(*same).values(state=one.state))


def newest_snapshot_id(connection: Connection, campaign: str) -> int | None:
    """The one to go on from: the newest that is not withdrawn, whether or not it may serve yet."""
    query = select(func.max(snapshots.c.snapshot_id)).where(snapshots.c.campaign == campaign)
    newest: int | None = connection.execute(query.where(snapshots.c.withdrawn_at.is_(None))).scalar_one()
    return newest


def newest_snapshot_ids(connection: Connection) -> dict[str, int]:
    """Campaign to the id of its newest snapshot that may serve."""
    query = select(snapshots.c.campaign, func.max(snapshots.c.snapshot_id)).where(*MAY_SERVE)
    return {row[0]: row[1] for row in connection.execute(query.group_by(snapshots.c.campaign))}


def newest_lineage(connection: Connection, campaign: str) -> int:
    """The number of the last lineage that was begun; 0 if none."""
    query = select(func.coalesce(func.max(snapshots.c.lineage), 0)).where(snapshots.c.campaign == campaign)
    return int(connection.execute(query).scalar_one())


def read_snapshot(connection: Connection, snapshot_id: int) -> Snapshot | None:
    row = connection.execute(select(snapshots).where(snapshots.c.snapshot_id == snapshot_id)).one_or_none()
    return None if row is None else _snapshot(connection, row)


def list_snapshots(
    connection: Connection, campaign: str, *, before: int | None, limit: int, serving: bool = False
) -> list[Snapshot]:
    """Snapshots of a campaign with an id below `before`, newest first; or of them, those that may serve."""
    query = select(snapshots).where(snapshots.c.campaign == campaign, *(MAY_SERVE if serving else ()))
    if before is not None:
        query = query.where(snapshots.c.snapshot_id < before)
    rows = connection.execute(query.order_by(snapshots.c.snapshot_id.desc()).limit(limit)).all()
    return [_snapshot(connection, row) for row in rows]


def boundaries(connection: Connection, campaign: str, lineage: int, *, after: int, limit: int) -> list[Snapshot]:
    """The snapshots of a lineage that were trained through more than `after`, oldest first, without their bytes."""
    query = select(snapshots).where(snapshots.c.campaign == campaign, snapshots.c.lineage == lineage)
    query = query.where(snapshots.c.trained_through > after).order_by(snapshots.c.trained_through).limit(limit)
    return [_snapshot(connection, row, bytes_too=False) for row in connection.execute(query).all()]


def kept_bytes(connection: Connection, campaign: str, *, limit: int) -> list[tuple[Snapshot, int | None]]:
    """The newest snapshots without their bytes, newest first, each with how many bytes of it are kept; None where
    those of a slot were thinned out.
    """
    query = select(snapshots).where(snapshots.c.campaign == campaign)
    rows = connection.execute(query.order_by(snapshots.c.snapshot_id.desc()).limit(limit)).all()
    slots = snapshot_slots.c
    found: list[tuple[Snapshot, int | None]] = []
    for row in rows:
        sizes = select(func.length(slots.state)).where(slots.snapshot_id == row.snapshot_id)
        kept = connection.execute(sizes).scalars().all()
        total = sum(size for size in kept if size is not None)
        found.append((_snapshot(connection, row, bytes_too=False), None if None in kept else total))
    return found


def waiting_since(connection: Connection, campaign: str, *, learned_through: int) -> datetime | None:
    """When the first decision was matured whose place in the sequence lies beyond and that counts; None where there is
    none.
    """
    query = select(func.min(rewards.c.matured_at)).where(rewards.c.campaign == campaign, rewards.c.excluded.is_(None))
    since: datetime | None = connection.execute(query.where(rewards.c.sequence > learned_through)).scalar_one()
    return since


def thin(connection: Connection, campaign: str, *, keep: int) -> None:
    """Drop the bytes of snapshots older than the newest `keep`, but for the last of each hour, the one that is pinned,
    the newest that may serve, and the one that stands for a log that is past its retention. Their rows stay.
    """
    serving = select(func.max(snapshots.c.snapshot_id)).where(snapshots.c.campaign == campaign, *MAY_SERVE)
    base = select(snapshots.c.snapshot_id).where(snapshots.c.campaign == campaign, snapshots.c.base)
    kept = {*connection.execute(serving).scalars(), *connection.execute(base).scalars()}
    kept.add(campaign_rows.pinned_snapshot(connection, campaign))
    has_state = snapshot_slots.c.state.is_not(None)
    joined = snapshots.join(snapshot_slots, snapshots.c.snapshot_id == snapshot_slots.c.snapshot_id)
    query = select(snapshots.c.snapshot_id, snapshots.c.created_at).distinct().select_from(joined)
    query = query.where(snapshots.c.campaign == campaign, has_state).order_by(snapshots.c.snapshot_id.desc())
    hours: set[datetime] = set()
    for snapshot_id, created_at in connection.execute(query.offset(keep)).all():
        hour = created_at.replace(minute=0, second=0, microsecond=0)
        if hour in hours and snapshot_id not in kept:
            dropped = snapshot_slots.c.snapshot_id == snapshot_id
            connection.execute(update(snapshot_slots).where(dropped).values(state=None))
        hours.add(hour)


def hold(connection: Connection, lease: Lease) -> None:
    """Raises LeaseLost unless the lease is still the current one."""
    row = connection.execute(select(leases).where(leases.c.campaign == lease.campaign)).one_or_none()
    if row is None or (row.holder, row.epoch) != (lease.holder, lease.epoch):
        raise LeaseLost(f"{lease.campaign}: the lease of epoch {lease.epoch} is over")


def _snapshot(connection: Connection, row: Row[Any], *, bytes_too: bool = True) -> Snapshot:
    columns = snapshot_slots.c
    state = columns.state if bytes_too else null().label("state")
    told = (columns.digest, columns.examples, columns.loss_sum, columns.loss_weight)
    query = select(columns.slot, columns.policy, columns.arguments, columns.configuration, state, *told)
    states = connection.execute(query.where(columns.snapshot_id == row.snapshot_id).order_by(columns.slot))
    return Snapshot(
        id=row.snapshot_id,
        campaign=row.campaign,
        version=row.version,
        lineage=row.lineage,
        parent=row.parent_id,
        trained_from=row.trained_from,
        trained_through=row.trained_through,
        examples=row.examples,
        created_at=row.created_at,
        versions=row.versions,
        slots=tuple(SlotState(**slot._mapping) for slot in states),
        published=row.published,
        skipped=row.skipped,
        base=row.base,
        withdrawn=row.withdrawn_at is not None,
    )
