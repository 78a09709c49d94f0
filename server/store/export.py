"""The log as rows, a day and a chunk at a time: what an export writes, and how it sees that a day has changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import JSON, Connection, Float, Integer, Select, Table, and_, case, func, or_, select

from server.store.chunks import chunks
from server.store.database import Database
from server.store.tables import Utc, campaigns, choices, decisions, outcomes, rewards

CHUNK = 2_000
"""Decisions read in one transaction: a long read would keep the write-ahead log from being recycled."""
TABLES: Mapping[str, Table] = {"decisions": decisions, "choices": choices, "outcomes": outcomes, "rewards": rewards}
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is of the decisions of one day. Two that are equal were counted over the same rows.

    Rows are only added, but for activations, for erasure, which takes persons away, and for outcomes whose fate is
    settled later.
    """

    decisions: int
    persons: int
    shown: int
    outcomes: int
    last_outcome: int
    unsettled: int
    rewards: int


def kinds(table: Table) -> dict[str, str]:
    """Column to what it holds: `time`, `json`, `float`, `int` or `text`."""
    return {column.name: _kind(column.type) for column in table.columns}


def read_versions(database: Database, campaign: str) -> list[dict[str, Any]]:
    """All versions of a campaign, in order."""
    with database.reading() as connection:
        query = select(campaigns).where(campaigns.c.campaign == campaign).order_by(campaigns.c.version)
        return _rows(connection, query, campaigns)


def days(database: Database, campaign: str) -> Iterator[datetime]:
    """The UTC days with decisions of a campaign, each by its first moment."""
    after = datetime(1970, 1, 1, tzinfo=UTC)
    while True:
        query = select(func.min(decisions.c.at)).where(decisions.c.campaign == campaign, decisions.c.at >= after)
        with database.reading() as connection:
            first = connection.execute(query).scalar_one()
        if first is None:
            return
        day = first.replace(hour=0, minute=0, second=0, microsecond=0)
        yield day
        after = day + DAY


def extent(database: Database, campaign: str, day: datetime) -> Extent:
    """How much there is of a day."""
    inside = _inside(campaign, day)
    unsettled = func.sum(case((outcomes.c.status == "pending", 1), else_=0))
    told = (func.count(), func.coalesce(func.max(outcomes.c.outcome_id), 0), func.coalesce(unsettled, 0))
    queries = (
        select(func.count(), func.count(decisions.c.person)).where(inside),
        select(func.count(choices.c.activated_at))
        .join_from(choices, decisions, choices.c.decision_id == decisions.c.decision_id)
        .where(inside),
        select(*told).join_from(outcomes, decisions, outcomes.c.decision_id == decisions.c.decision_id).where(inside),
        select(func.count())
        .join_from(rewards, decisions, rewards.c.decision_id == decisions.c.decision_id)
        .where(inside),
    )
    with database.reading() as connection:
        counted = [int(number) for query in queries for number in connection.execute(query).one()]
    return Extent(*counted)


def read_day(database: Database, campaign: str, day: datetime) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """The decisions of a day by time, with all that belongs to them: rows by table, CHUNK decisions at a time.

    JSON columns come as text. The choices, outcomes and rewards of a decision come with it, from one transaction.
    """
    after: tuple[datetime, str] | None = None
    while True:
        query = select(decisions).where(_inside(campaign, day))
        if after is not None:
            at, last = after
            same = and_(decisions.c.at == at, decisions.c.decision_id > last)
            query = query.where(or_(decisions.c.at > at, same))
        query = query.order_by(decisions.c.at, decisions.c.decision_id).limit(CHUNK)
        with database.reading() as connection:
            made = _rows(connection, query, decisions)
            ids = [row["decision_id"] for row in made]
            others = {name: table for name, table in TABLES.items() if table is not decisions}
            belonging = {name: _of_decisions(connection, table, ids) for name, table in others.items()}
        if not made:
            return
        yield {"decisions": made, **belonging}
        after = made[-1]["at"], made[-1]["decision_id"]


def _of_decisions(connection: Connection, table: Table, ids: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for chunk in chunks(ids):
        query = select(table).where(table.c.decision_id.in_(chunk))
        found += _rows(connection, query.order_by(table.c.decision_id, *table.primary_key), table)
    return found


def _inside(campaign: str, day: datetime) -> Any:
    return and_(decisions.c.campaign == campaign, decisions.c.at >= day, decisions.c.at < day + DAY)


def _rows(connection: Connection, query: Select[Any], table: Table) -> list[dict[str, Any]]:
    documents = [name for name, kind in kinds(table).items() if kind == "json"]
    rows = [dict(row) for row in connection.execute(query).mappings()]
    for row in rows:
        row.update({name: orjson.dumps(row[name]).decode() for name in documents if row[name] is not None})
    return rows


def _kind(of: Any) -> str:
    match of:
        case Utc():
            return "time"
        case JSON():
            return "json"
        case Float():
            return "float"
        case Integer():
            return "int"
        case _:
            return "text"
