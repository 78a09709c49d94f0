"""People's hands on snapshots: going back to an earlier one, and pinning one. Each is a version of the campaign."""

from datetime import datetime

from server.campaigns.learning import fits
from server.campaigns.model import Campaign
from server.errors import WrongState
from server.store import rollback as rows
from server.store import training as training_rows
from server.store.campaigns import StoredCampaign
from server.store.database import Database
from server.training.restore import restore
from server.trial import try_states


def roll_back(
    database: Database,
    campaign: str,
    snapshot_id: int,
    *,
    pin: bool = False,
    now: datetime,
    expected_version: int | None = None,
) -> StoredCampaign:
    """Learn on from an earlier snapshot, in a new lineage; or, with `pin`, serve that one whatever is learned.

    Learning on, the rows of the log between it and the end of the sequence are passed over: to learn them again would
    give again what is gone back from. What was pinned no longer is. Pinning what is pinned makes no new version.
    Bytes that were thinned out are rebuilt.

    Raises NoSuchCampaign; NoSuchSnapshot; WrongState for a campaign that is archived, and a snapshot that may not serve
    or whose slots or policies are not those in force; CannotRebuild; Diverged; VersionConflict.
    """
    with database.reading() as connection:
        stored, _ = rows.target(connection, campaign, snapshot_id, expected_version)
        current = Campaign.from_document(stored.document)
    whole = restore(database, snapshot_id)
    if not fits(current, whole.slots):
        raise WrongState(
            f"snapshot {snapshot_id} of campaign {campaign!r} was trained for version {whole.version}: its slots or "
            f"policies are not those of version {stored.version}, which is in force"
        )
    try_states(current, (one for one in whole.slots if one.slot in current.slots), (), lambda version: current)
    with database.writing() as connection:
        # against what was looked at: neither the version nor whether the snapshot may serve may have changed
        stored, _ = rows.target(connection, campaign, snapshot_id, stored.version)
        if pin and stored.pinned_snapshot == snapshot_id:
            return stored
        if pin:
            training_rows.keep_states(connection, whole)
        else:
            rows.go_on_from(connection, whole, stored.version + 1, now=now)
        return rows.next_version(connection, stored, snapshot_id if pin else None, now=now)


def unpin(database: Database, campaign: str, *, now: datetime, expected_version: int | None = None) -> StoredCampaign:
    """Serve the newest snapshot again. Makes no new version where none is pinned. Raises NoSuchCampaign,
    VersionConflict.
    """
    with database.writing() as connection:
        stored = rows.in_force(connection, campaign, expected_version)
        if stored.pinned_snapshot is None:
            return stored
        return rows.next_version(connection, stored, None, now=now)
