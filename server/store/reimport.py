"""Rows of an export, written again as they were.

As long as not all of a campaign is here, its versions have the state IMPORTING: nobody serves or trains it, so that the
rows may come in any order, and a broken import goes on where it was.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, exists, func, insert, select, update

from server.errors import Conflict
from server.store import notices
from server.store.campaigns import IMPORTING
from server.store.chunks import chunks
from server.store.export import CHUNK, TABLES
from server.store.tables import campaigns, decisions, requests, rewards, windows

Rows = Sequence[Mapping[str, Any]]

_SINCE: Mapping[str, frozenset[str]] = {
    "decisions": frozenset({"activated_at", "window_closes_at"}),
    "choices": frozenset({"activated_at"}),
    "outcomes": frozenset({"status"}),
    "rewards": frozenset(),
}
"""What may have become of a row since it was imported."""
_COUNTED = "outcome_id"
"""Counts up by itself in every database."""
_VERSION = ("document", "source", "created_at")


def is_settled(connection: Connection, campaign: str) -> bool | None:
    """Whether all of the campaign is here; None if nothing of it is."""
    query = select(func.count(), func.count().filter(campaigns.c.state == IMPORTING))
    versions, importing = connection.execute(query.where(campaigns.c.campaign == campaign)).one()
    return None if not versions else not importing


def missing_versions(connection: Connection, campaign: str, versions: Rows) -> Rows:
    """The versions that are not here. Raises Conflict where another has the number of one."""
    query = select(campaigns).where(campaigns.c.campaign == campaign)
    here = {row["version"]: row for row in connection.execute(query).mappings()}
    for one in versions:
        found = here.get(one["version"])
        if found is None:
            continue
        others = [name for name in _VERSION if found[name] != one[name]]
        if found["state"] not in (IMPORTING, one["state"]):
            others.append("state")
        if others:
            raise Conflict(f"version {one['version']} of campaign {campaign!r} is another here: {', '.join(others)}")
    return [one for one in versions if one["version"] not in here]


def begin(connection: Connection, campaign: str, versions: Rows, *, above: int) -> int:
    """Write the versions that are not here. Returns the campaign's number: its own, if it is free, else one that nobody
    has, `above` those that others still to come want.

    Nothing is pinned: snapshots are not part of an export.
    """
    absent = missing_versions(connection, campaign, versions)
    number = _number(connection, campaign, versions[0]["number"], above=above)
    if absent:
        given = {"number": number, "state": IMPORTING, "pinned_snapshot": None}
        connection.execute(insert(campaigns), [{**one, **given} for one in absent])
    return number


def missing(connection: Connection, campaign: str, table: str, batch: Rows, *, settled: bool) -> Rows:
    """The rows of the batch that are not here. It holds all rows of its decisions.

    `settled`: the campaign may have lived on since. Raises Conflict where something else is in the place of a row.
    """
    told: dict[str, list[Mapping[str, Any]]] = {}
    for row in batch:
        told.setdefault(row["decision_id"], []).append(row)
    here = _of_decisions(connection, TABLES[table], list(told))
    ignored = (_SINCE[table] if settled else frozenset()) | {_COUNTED}
    for decision_id, found in here.items():
        for row in told[decision_id]:
            if not any(_differ(one, row, ignored) == [] for one in found):
                others = min((_differ(one, row, ignored) for one in found), key=len)
                what = f"{table} of decision {decision_id!r} are others here: {', '.join(others)}"
                raise Conflict(f"campaign {campaign!r} can't be imported: {what}")
    if table == "rewards":
        _check_places(connection, campaign, batch)
    return [row for row in batch if row["decision_id"] not in here]


def add(connection: Connection, campaign: str, table: str, batch: Rows) -> int:
    """Write those of the rows that are not here; returns how many. Raises Conflict."""
    absent = missing(connection, campaign, table, batch, settled=False)
    if not absent:
        return 0
    rows = [{name: value for name, value in row.items() if name != _COUNTED} for row in absent]
    connection.execute(insert(TABLES[table]), rows)
    if table == "decisions":
        names = ("campaign", "request_id", "decision_id")
        standing = [row for row in rows if row["request_id"] and row["superseded_by"] is None]
        if asked := [{name: row[name] for name in names} for row in standing]:
            connection.execute(insert(requests), asked)
    return len(rows)


def open_windows(connection: Connection, campaign: str, *, after: str) -> tuple[int, str | None]:
    """Open the windows of decisions whose reward is still to come, of the next CHUNK of them after this id. Returns how
    many there were, and the last id; None where there are no more.
    """
    columns = decisions.c
    query = select(columns.decision_id, columns.activate_by, columns.window_closes_at)
    query = query.where(columns.campaign == campaign, columns.decision_id > after, columns.superseded_by.is_(None))
    for table in (rewards, windows):
        query = query.where(~exists().where(table.c.decision_id == columns.decision_id))
    rows = connection.execute(query.order_by(columns.decision_id).limit(CHUNK)).all()
    opened = [
        {
            "decision_id": row.decision_id,
            "campaign": campaign,
            "closes_at": row.window_closes_at or row.activate_by,
            "waiting": row.window_closes_at is None,
        }
        for row in rows
    ]
    if opened:
        connection.execute(insert(windows), opened)
    return len(opened), rows[-1].decision_id if len(rows) == CHUNK else None


def finish(connection: Connection, campaign: str, versions: Rows) -> None:
    """All is here: the versions get their states, and servers and trainers find the campaign."""
    for one in versions:
        same = (campaigns.c.campaign == campaign, campaigns.c.version == one["version"])
        connection.execute(update(campaigns).where(*same).values(state=one["state"]))
    notices.tell(connection)


def _number(connection: Connection, campaign: str, wanted: int, *, above: int) -> int:
    ours = select(campaigns.c.number).where(campaigns.c.campaign == campaign).limit(1)
    if (given := connection.execute(ours).scalar_one_or_none()) is not None:
        return int(given)
    numbers = set(connection.execute(select(campaigns.c.number).distinct()).scalars())
    return wanted if wanted not in numbers else max(above, *numbers) + 1


def _of_decisions(connection: Connection, table: Table, ids: Sequence[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for chunk in chunks(ids):
        for row in connection.execute(select(table).where(table.c.decision_id.in_(chunk))).mappings():
            found.setdefault(row["decision_id"], []).append(row)
    return found


def _differ(here: Mapping[str, Any], row: Mapping[str, Any], ignored: frozenset[str]) -> list[str]:
    return [name for name, value in row.items() if name not in ignored and here[name] != value]


def _check_places(connection: Connection, campaign: str, batch: Rows) -> None:
    wanted = {row["sequence"]: row["decision_id"] for row in batch}
    query = select(rewards.c.sequence, rewards.c.decision_id).where(rewards.c.campaign == campaign)
    query = query.where(rewards.c.sequence.between(min(wanted), max(wanted)))
    for sequence, decision_id in connection.execute(query):
        if wanted.get(sequence, decision_id) != decision_id:
            raise Conflict(
                f"campaign {campaign!r} can't be imported: place {sequence} of its sequence is that of decision "
                f"{decision_id!r} here, and of {wanted[sequence]!r} there"
            )
