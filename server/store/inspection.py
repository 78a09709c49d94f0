"""What `elige db check` and `elige db stats` tell of a database, by reading alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, exists, func, or_, select, text
from sqlalchemy.exc import OperationalError

from server.records import state_digest
from server.store import migrate
from server.store.tables import choices, decisions, metadata, outcomes, rewards, snapshot_slots, snapshots, windows

SHOWN = 3
"""How many of the rows that are wrong are named."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must hold. `wrong`: where it does not; empty when all is well."""

    rule: str
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableSize:
    """`size`: bytes with its indexes; None where this SQLite can't tell."""

    table: str
    rows: int
    size: int | None


@dataclass(frozen=True, slots=True)
class CampaignCounts:
    """Rows of one campaign. `open`: decisions whose reward is still to come, the first of them due at `next_close`."""

    campaign: str
    decisions: int
    outcomes: int
    rewards: int
    open: int
    snapshots: int
    oldest: datetime
    newest: datetime
    next_close: datetime | None


def check(connection: Connection) -> Iterator[Finding]:
    """Everything that must hold in a database of ours, one finding a rule. Reads every row: minutes for millions."""
    sqlite = connection.dialect.name == "sqlite"
    yield Finding("the storage is sound", _sqlite(connection) if sqlite else _postgresql(connection))
    yield Finding(f"the schema is {migrate.HEAD}, as this program makes it", tuple(migrate.differences(connection)))
    for rule, broken in _RULES:
        yield Finding(rule, _some(connection, broken))
    yield Finding("the sequence of every campaign has no gap", tuple(_gaps(connection)))
    yield Finding("the bytes of every snapshot are as they were written", tuple(_damaged(connection)))


def table_sizes(connection: Connection) -> list[TableSize]:
    """Every table of ours, the largest first."""
    found = []
    for table in metadata.sorted_tables:
        rows = connection.execute(select(func.count()).select_from(table)).scalar_one()
        found.append(TableSize(table.name, rows, _size(connection, table.name)))
    return sorted(found, key=lambda one: (-(one.size or 0), -one.rows, one.table))


def campaign_counts(connection: Connection) -> list[CampaignCounts]:
    """Every campaign that has decisions, by name."""
    counts: dict[str, dict[str, int]] = {}
    for table in (outcomes, rewards, windows, snapshots):
        query = select(table.c.campaign, func.count()).group_by(table.c.campaign)
        counts[table.name] = {row[0]: row[1] for row in connection.execute(query)}
    closes = select(windows.c.campaign, func.min(windows.c.closes_at)).group_by(windows.c.campaign)
    next_close = {row[0]: row[1] for row in connection.execute(closes)}
    made = select(decisions.c.campaign, func.count(), func.min(decisions.c.at), func.max(decisions.c.at))
    return [
        CampaignCounts(
            campaign=campaign,
            decisions=count,
            outcomes=counts["outcomes"].get(campaign, 0),
            rewards=counts["rewards"].get(campaign, 0),
            open=counts["windows"].get(campaign, 0),
            snapshots=counts["snapshots"].get(campaign, 0),
            oldest=oldest,
            newest=newest,
            next_close=next_close.get(campaign),
        )
        for campaign, count, oldest, newest in connection.execute(
            made.group_by(decisions.c.campaign).order_by(decisions.c.campaign)
        )
    ]


def _without(child: Table, parent: Table) -> Select[tuple[str]]:
    """Decision ids of `child` that `parent` lacks."""
    return select(child.c.decision_id).where(_lacks(child, parent))


def _lacks(child: Table, parent: Table) -> ColumnElement[bool]:
    # NOT IN would be a loop in a loop on PostgreSQL once the ids don't fit in its memory
    return ~exists().where(parent.c.decision_id == child.c.decision_id)


_other = decisions.alias("other")
_parent = snapshots.alias("parent")
_first_place = func.coalesce(  # what came before is past its retention
    select(func.min(rewards.c.sequence)).where(rewards.c.campaign == snapshots.c.campaign).scalar_subquery(), 1
)
_elsewhere = or_(
    snapshots.c.trained_from != _parent.c.trained_through + 1,
    (snapshots.c.lineage != _parent.c.lineage) != snapshots.c.skipped,  # only a roll-back leaves its parent's lineage
)
_RULES: tuple[tuple[str, Select[tuple[Any]]], ...] = (
    ("every decision has its choices", _without(decisions, choices)),
    ("every choice has its decision", _without(choices, decisions)),
    ("every reward has its decision", _without(rewards, decisions)),
    ("every open window has its decision", _without(windows, decisions)),
    (
        "every decision has its reward or an open window, unless another took its place",
        _without(decisions, rewards).where(_lacks(decisions, windows), decisions.c.superseded_by.is_(None)),
    ),
    (
        "no decision whose place another took is learned, and the other is there",
        select(decisions.c.decision_id).where(
            decisions.c.superseded_by.is_not(None),
            or_(
                ~_lacks(decisions, rewards),
                ~_lacks(decisions, windows),
                ~exists().where(_other.c.decision_id == decisions.c.superseded_by),
            ),
        ),
    ),
    (
        "no decision has both a reward and an open window",
        select(rewards.c.decision_id).join(windows, rewards.c.decision_id == windows.c.decision_id),
    ),
    (
        "every snapshot goes on where the one before it ended",
        select(snapshots.c.snapshot_id)
        .outerjoin(_parent, snapshots.c.parent_id == _parent.c.snapshot_id)
        .where(
            or_(
                snapshots.c.parent_id.is_(None) & (snapshots.c.trained_from > _first_place),
                snapshots.c.parent_id.is_not(None) & (_parent.c.snapshot_id.is_(None) | _elsewhere),
            )
        ),
    ),
    (
        "no snapshot has learned more than the sequence holds",
        select(snapshots.c.snapshot_id).where(
            snapshots.c.trained_through
            > select(func.coalesce(func.max(rewards.c.sequence), 0))
            .where(rewards.c.campaign == snapshots.c.campaign)
            .scalar_subquery()
        ),
    ),
)


def _some(connection: Connection, broken: Select[tuple[Any]]) -> tuple[str, ...]:
    found = connection.execute(broken.limit(SHOWN + 1)).scalars().all()
    return tuple(str(key) for key in found[:SHOWN]) + (("…",) if len(found) > SHOWN else ())


def _gaps(connection: Connection) -> Iterator[str]:
    place = rewards.c.sequence
    query = select(rewards.c.campaign, func.count(), func.min(place), func.max(place)).group_by(rewards.c.campaign)
    for campaign, count, first, last in connection.execute(query.order_by(rewards.c.campaign)):
        if first < 1 or last - first + 1 != count:
            yield f"{campaign}: {count} rewards in places {first} to {last}"


def _damaged(connection: Connection) -> Iterator[str]:
    keys = select(snapshot_slots.c.snapshot_id, snapshot_slots.c.slot).where(snapshot_slots.c.state.is_not(None))
    for snapshot, slot in connection.execute(keys.order_by(*keys.selected_columns)).all():  # states one at a time
        same = (snapshot_slots.c.snapshot_id == snapshot, snapshot_slots.c.slot == slot)
        row = connection.execute(select(snapshot_slots.c.state, snapshot_slots.c.digest).where(*same)).one()
        if state_digest(row.state) != row.digest:
            yield f"{snapshot} {slot}"


def _sqlite(connection: Connection) -> tuple[str, ...]:
    said = connection.execute(text(f"PRAGMA integrity_check({SHOWN})")).scalars().all()
    return tuple(line for line in said if line != "ok")


def _postgresql(connection: Connection) -> tuple[str, ...]:
    """What is cheap: indexes that were left half built, and pages whose checksum the server has found wrong."""
    broken = text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
    failures = text("SELECT coalesce(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()")
    count = connection.execute(failures).scalar_one()
    indexes = [f"index {name} is not valid" for name in connection.execute(broken).scalars()]
    return (*indexes, *([f"{count} pages with a wrong checksum"] if count else []))


def _size(connection: Connection, table: str) -> int | None:
    if connection.dialect.name == "postgresql":
        query = text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
    else:
        query = text("SELECT sum(s.pgsize) FROM dbstat s JOIN sqlite_master m USING (name) WHERE m.tbl_name = :name")
    try:
        size: int | None = connection.execute(query, {"name": table}).scalar_one()
    except OperationalError:  # dbstat is an option of how SQLite is built
        return None
    return size
