"""Rows of a roll-back: what may be gone back to, and what is written then. One transaction holds both."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from server.errors import NoSuchSnapshot, VersionConflict, WrongState
from server.records import Snapshot, State
from server.store import campaigns as campaign_rows
from server.store import erasures as erasure_rows
from server.store import training as training_rows
from server.store.campaigns import StoredCampaign
from server.store.erasures import to_replace

LARGEST = 2**31 - 1
"""What the column of snapshot numbers holds."""


def in_force(connection: Connection, campaign: str, expected_version: int | None) -> StoredCampaign:
    """The newest version. Raises NoSuchCampaign; VersionConflict unless it is the one expected."""
    stored = campaign_rows.read_version(connection, campaign)
    if expected_version is not None and expected_version != stored.version:
        raise VersionConflict(campaign, expected=expected_version, found=stored.version)
    return stored


def target(
    connection: Connection, campaign: str, snapshot_id: int, expected_version: int | None
) -> tuple[StoredCampaign, Snapshot]:
    """The newest version, and the snapshot to go back to, which may serve. Raises what `in_force` raises;
    NoSuchSnapshot; WrongState.
    """
    stored = in_force(connection, campaign, expected_version)
    if stored.state == State.ARCHIVED:
        raise WrongState(f"campaign {campaign!r} is archived: it serves no snapshot any more")
    found = training_rows.read_snapshot(connection, snapshot_id) if 0 < snapshot_id <= LARGEST else None
    if found is None or found.campaign != campaign:
        raise NoSuchSnapshot(snapshot_id, campaign=campaign)
    if found.withdrawn:
        raise WrongState(f"snapshot {snapshot_id} was withdrawn: it had learned from a person since erased")
    last = erasure_rows.to_replace(connection, campaign)
    if last is not None and found.lineage <= last:
        raise WrongState(f"snapshot {snapshot_id} may know a person who is just being erased: try again after that")
    if not found.published:
        raise WrongState(f"snapshot {snapshot_id} is not published: its lineage has not caught up yet")
    return stored, found


def go_on_from(connection: Connection, whole: Snapshot, version: int, *, now: datetime) -> None:
    """Begin a lineage with the bytes of this snapshot at the end of the sequence. Raises WrongState."""
    if to_replace(connection, whole.campaign) is not None:
        raise WrongState(
            f"campaign {whole.campaign!r} is being trained without a person since erased: wait until that is done"
        )
    lease = training_rows.begin_epoch(connection, whole.campaign, now=now)
    going_on = replace(
        whole,
        version=version,
        lineage=training_rows.newest_lineage(connection, whole.campaign) + 1,
        parent=whole.id,
        trained_from=whole.trained_through + 1,
        trained_through=training_rows.last_sequence(connection, whole.campaign),
        created_at=now,
        skipped=True,
    )
    training_rows.append_snapshot(connection, lease, going_on)


def next_version(
    connection: Connection, stored: StoredCampaign, pinned: int | None, *, now: datetime
) -> StoredCampaign:
    """Append a version that differs in what is pinned alone."""
    return campaign_rows.append_version(
        connection,
        campaign=stored.campaign,
        state=stored.state,
        document=stored.document,
        source=stored.source,
        now=now,
        pinned_snapshot=pinned,
    )
