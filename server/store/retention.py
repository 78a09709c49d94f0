"""Retention: what is older than a campaign keeps leaves the log, from the first place of the sequence on.

The log loses its beginning, and never more than a beginning: what is left is the same log, later begun. A snapshot that
knows all that has gone stands for it, so that learning goes on, and can be learned again from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, exists, func, select, update

from server.records import Reason
from server.store import training as training_rows
from server.store.chunks import CHUNK, chunks
from server.store.erasures import blank
from server.store.tables import (
    choices,
    decisions,
    early_activations,
    outcomes,
    requests,
    rewards,
    snapshots,
    windows,
)
from server.store.training import Lease, last_sequence

_TABLES: Sequence[Table] = (outcomes, choices, requests, early_activations, rewards, decisions)
"""Each before those that its rows point to."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """How many decisions left the log, and how many outcomes without one. `more`: there was more than one chunk."""

    decisions: int
    outcomes: int
    more: bool


def drop(connection: Connection, lease: Lease, *, before: datetime, learns: bool, now: datetime) -> Dropped:
    """Take up to CHUNK decisions, and as many outcomes without one, out of the log that are older.

    `learns`: whether the campaign still learns what it has not learned yet; that stays. Of the last decision of the
    sequence, which has to go on, a tombstone stays. Nothing goes while no snapshot is whole that knows what would go.
    Raises LeaseLost.
    """
    training_rows.hold(connection, lease)
    campaign = lease.campaign
    old = _old(connection, campaign, before=before, learns=learns)
    if old and not _keep_base(connection, campaign, through=old[-1].sequence):
        return Dropped(0, 0, more=False)
    last = last_sequence(connection, campaign)
    ids = [row.decision_id for row in old if row.sequence < last]
    tombstones = [row.decision_id for row in old if row.sequence == last and row.erased_at is None]
    blank(connection, tombstones, now=now)
    gone = [*ids, *_superseded(connection, campaign, before=before)]
    for chunk in chunks(gone):
        for table in _TABLES:
            connection.execute(delete(table).where(table.c.decision_id.in_(chunk)))
    alone = _alone(connection, campaign, before=before)
    connection.execute(delete(outcomes).where(outcomes.c.outcome_id.in_(alone)))
    more = CHUNK in (len(old), len(gone) - len(ids), len(alone))
    return Dropped(len(gone) + len(tombstones), len(alone), more)


def _old(connection: Connection, campaign: str, *, before: datetime, learns: bool) -> list[Row[Any]]:
    """The decisions at the beginning of the sequence that are older. What was imported is as old as its import."""
    imported = exists().where(choices.c.decision_id == rewards.c.decision_id, choices.c.reason == Reason.IMPORTED.value)
    columns = (rewards.c.sequence, rewards.c.decision_id, rewards.c.matured_at, decisions.c.at, decisions.c.erased_at)
    joined = rewards.join(decisions, rewards.c.decision_id == decisions.c.decision_id)
    query = select(*columns, imported.label("imported")).select_from(joined).where(rewards.c.campaign == campaign)
    if learns and (waits := _first_to_learn(connection, campaign)) is not None:
        query = query.where(rewards.c.sequence < waits)
    rows = connection.execute(query.order_by(rewards.c.sequence).limit(CHUNK))
    return list(takewhile(lambda row: (row.matured_at if row.imported else row.at) < before, rows))


def _first_to_learn(connection: Connection, campaign: str) -> int | None:
    """The first place that the newest snapshot does not know and that counts; None where there is none, or no
    snapshot.
    """
    newest = training_rows.newest_snapshot_id(connection, campaign)
    known = select(snapshots.c.trained_through).where(snapshots.c.snapshot_id == newest).scalar_subquery()
    waiting = (rewards.c.campaign == campaign, rewards.c.excluded.is_(None), rewards.c.sequence > known)
    first: int | None = connection.execute(select(func.min(rewards.c.sequence)).where(*waiting)).scalar_one()
    return first


def _keep_base(connection: Connection, campaign: str, *, through: int) -> bool:
    """Let a snapshot of the newest lineage stand for the log up to there: the first whole one that knows all of it,
    else the newest. False where none is whole; True, with nothing done, where there is no snapshot.
    """
    newest = training_rows.newest_snapshot_id(connection, campaign)
    if newest is None:
        return True
    ours = (snapshots.c.campaign == campaign, snapshots.c.withdrawn_at.is_(None))
    lineage = select(snapshots.c.lineage).where(snapshots.c.snapshot_id == newest).scalar_subquery()
    know = select(snapshots.c.snapshot_id).where(*ours, snapshots.c.lineage == lineage)
    know = know.where(snapshots.c.trained_through >= through).order_by(snapshots.c.trained_through)
    for candidate in dict.fromkeys([*connection.execute(know).scalars(), newest]):
        found = training_rows.read_snapshot(connection, candidate)
        if found is None or not found.intact:
            continue
        if not found.base:
            connection.execute(update(snapshots).where(*ours, snapshots.c.base).values(base=False))
            connection.execute(update(snapshots).where(snapshots.c.snapshot_id == candidate).values(base=True))
        return True
    return False


def _superseded(connection: Connection, campaign: str, *, before: datetime) -> Sequence[str]:
    """Answers beside those that count: no place in the sequence, no window."""
    columns = decisions.c
    beside = (columns.campaign == campaign, columns.superseded_by.is_not(None), columns.at < before)
    nowhere = [~exists().where(table.c.decision_id == columns.decision_id) for table in (rewards, windows)]
    return connection.execute(select(columns.decision_id).where(*beside, *nowhere).limit(CHUNK)).scalars().all()


def _alone(connection: Connection, campaign: str, *, before: datetime) -> Sequence[int]:
    """Outcomes whose decision is not here. They are numbered as they came: the search ends at the first recent one."""
    columns = outcomes.c
    recent = select(columns.outcome_id).where(columns.received_at >= before).order_by(columns.outcome_id).limit(1)
    query = select(columns.outcome_id).where(columns.campaign == campaign, columns.received_at < before)
    if (first := connection.execute(recent).scalar_one_or_none()) is not None:
        query = query.where(columns.outcome_id < first)
    unknown = ~exists().where(decisions.c.decision_id == columns.decision_id)  # true of null, too
    return connection.execute(query.where(unknown).limit(CHUNK)).scalars().all()
