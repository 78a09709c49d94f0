"""Campaign versions: appended, never changed."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, select

from server.errors import NoSuchCampaign, VersionConflict, WrongState
from server.store import notices
from server.store.tables import campaigns

IMPORTING = "importing"
"""In the place of the state, of a campaign of which not all is here yet: nobody serves or trains it."""
_HERE = campaigns.c.state != IMPORTING


@dataclass(frozen=True, slots=True)
class StoredCampaign:
    """One version as it is kept. `number` is the campaign's own and the same for all its versions.

    `pinned_snapshot`: the one that serves whatever is learned.
    """

    campaign: str
    version: int
    number: int
    state: str
    document: dict[str, Any]
    source: str
    created_at: datetime
    pinned_snapshot: int | None = None


def append_version(
    connection: Connection,
    *,
    campaign: str,
    state: str,
    document: dict[str, Any],
    source: str,
    now: datetime,
    expected_version: int | None = None,
    pinned_snapshot: int | None = None,
) -> StoredCampaign:
    """Append the next version. Raises VersionConflict where `expected_version` (0: none yet) is not the newest.

    `pinned_snapshot`: the one to serve whatever is learned. One that should stay pinned is handed on each time.
    """
    newest = _newest(connection, campaign)
    version = newest.version if newest else 0
    if expected_version is not None and expected_version != version:
        raise VersionConflict(campaign, expected=expected_version, found=version)
    if newest:
        number = newest.number
    else:
        number = connection.execute(select(func.coalesce(func.max(campaigns.c.number), 0))).scalar_one() + 1
    stored = StoredCampaign(campaign, version + 1, number, state, document, source, now, pinned_snapshot)
    connection.execute(insert(campaigns), [asdict(stored)])
    notices.tell(connection)
    return stored


def newest_versions(connection: Connection) -> list[StoredCampaign]:
    """The newest version of every campaign, by name, but for those that are being imported."""
    last = select(campaigns.c.campaign, func.max(campaigns.c.version).label("version")).where(_HERE)
    newest = last.group_by(campaigns.c.campaign).subquery()
    same = and_(campaigns.c.campaign == newest.c.campaign, campaigns.c.version == newest.c.version)
    rows = connection.execute(select(campaigns).join(newest, same).order_by(campaigns.c.campaign))
    return [_stored(row) for row in rows]


def heads(connection: Connection) -> dict[str, int]:
    """Campaign to its newest version, but for those that are being imported."""
    query = select(campaigns.c.campaign, func.max(campaigns.c.version)).where(_HERE)
    return {row[0]: row[1] for row in connection.execute(query.group_by(campaigns.c.campaign))}


def read_version(connection: Connection, campaign: str, version: int | None = None) -> StoredCampaign:
    """One version, the newest by default. Raises NoSuchCampaign, WrongState while the campaign is being imported."""
    if version is None:
        row = _newest(connection, campaign)
    else:
        wanted = (campaigns.c.campaign == campaign, campaigns.c.version == version)
        row = _settled(connection.execute(select(campaigns).where(*wanted)).one_or_none())
    if row is None:
        known = connection.execute(select(campaigns.c.campaign).distinct()).scalars().all()
        raise NoSuchCampaign(campaign if version is None else f"{campaign} version {version}", known)
    return _stored(row)


def pinned_snapshot(connection: Connection, campaign: str) -> int | None:
    """The snapshot that the newest version pins, if it does."""
    newest = _newest(connection, campaign)
    return newest.pinned_snapshot if newest else None


def _newest(connection: Connection, campaign: str) -> Row[Any] | None:
    query = select(campaigns).where(campaigns.c.campaign == campaign).order_by(campaigns.c.version.desc()).limit(1)
    return _settled(connection.execute(query).one_or_none())


def _settled(row: Row[Any] | None) -> Row[Any] | None:
    if row is not None and row.state == IMPORTING:
        raise WrongState(f"campaign {row.campaign!r} is being imported: repeat elige import parquet until it is done")
    return row


def _stored(row: Row[Any]) -> StoredCampaign:
    return StoredCampaign(**row._mapping)
