"""A snapshot with its bytes: stored, or rebuilt by learning its segments again."""

from dataclasses import replace

from server.campaigns.model import Campaign
from server.errors import NoSuchSnapshot
from server.records import Snapshot
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store import training as training_rows
from server.store.database import Database
from server.training.learners import learn_segment, matching_states


def restore(database: Database, snapshot_id: int) -> Snapshot:
    """The snapshot with its bytes. Where they were thinned out, its lineage is learned again from the nearest stored
    ancestor over the same boundaries, which gives the same bytes on the same package versions.

    Raises NoSuchSnapshot.
    """
    missing: list[Snapshot] = []
    current: int | None = snapshot_id
    base: Snapshot | None = None
    while current is not None:
        with database.reading() as connection:
            found = training_rows.read_snapshot(connection, current)
        if found is None:
            raise NoSuchSnapshot(current)
        if all(slot.state is not None for slot in found.slots):
            base = found
            break
        missing.append(found)
        current = found.parent
    for snapshot in reversed(missing):
        base = _relearn(database, base, snapshot)
    assert base is not None
    return base


def _relearn(database: Database, parent: Snapshot | None, snapshot: Snapshot) -> Snapshot:
    versions: dict[int, Campaign] = {}
    with database.reading() as connection:
        length = snapshot.trained_through - snapshot.trained_from + 1
        after = snapshot.trained_from - 1
        rows = decision_rows.matured(connection, snapshot.campaign, after=after, limit=length)
        for version in {snapshot.version, *(row.decision.version for row in rows)}:
            stored = campaign_rows.read_version(connection, snapshot.campaign, version)
            versions[version] = Campaign.from_document(stored.document)
    campaign = versions[snapshot.version]
    before = matching_states(campaign, parent.slots) if parent else {}
    states, _ = learn_segment(campaign, before, rows, versions.__getitem__)
    return replace(snapshot, slots=states)
