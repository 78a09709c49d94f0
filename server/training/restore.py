"""A snapshot with its bytes: stored, or rebuilt by learning its segments again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from policies.base import UnreadableSnapshot
from server.campaigns.learning import matching_states
from server.campaigns.model import Campaign
from server.errors import CannotRebuild, NoSuchSnapshot
from server.records import SlotState, Snapshot
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store import lineages
from server.store import training as training_rows
from server.store.database import Database
from server.training.learners import learn_segment, package_versions

WITHDRAWN = "withdrawn: it had learned from a person since erased"


def restore(database: Database, snapshot_id: int) -> Snapshot:
    """The snapshot with its bytes. Where they were thinned out or damaged, its lineage is learned again from the
    nearest intact ancestor over the same boundaries, which gives the same bytes on the same package versions.

    Raises NoSuchSnapshot, and CannotRebuild where other bytes come out.
    """
    missing: list[Snapshot] = []
    current: int | None = snapshot_id
    base: Snapshot | None = None
    while current is not None:
        with database.reading() as connection:
            found = training_rows.read_snapshot(connection, current)
        if found is None:
            raise NoSuchSnapshot(current)
        if found.withdrawn:
            raise CannotRebuild(f"snapshot {current} is {WITHDRAWN}")
        if found.intact:
            base = found
            break
        missing.append(found)
        current = found.parent
    for snapshot in reversed(missing):
        base = _relearn(database, base, snapshot)
    assert base is not None
    return base


@dataclass(frozen=True, slots=True)
class Relearned:
    """One segment learned again: the states, how many examples they learned, how many places of it the log holds."""

    states: tuple[SlotState, ...]
    examples: int
    rows: int


def relearn(database: Database, before: Iterable[SlotState], snapshot: Snapshot) -> Relearned:
    """The states that learning a snapshot's segment again from `before` gives, whether or not they are its own. Of one
    that passed its segment over, those before.

    Raises UnreadableSnapshot.
    """
    if snapshot.skipped:
        return Relearned(tuple(before), examples=0, rows=0)
    versions: dict[int, Campaign] = {}
    with database.reading() as connection:
        first, last = snapshot.trained_from, snapshot.trained_through
        held = lineages.count_places(connection, snapshot.campaign, first=first, last=last)
        limit = last - first + 1
        found = decision_rows.matured(connection, snapshot.campaign, after=first - 1, limit=limit, counting=True)
        rows = [row for row in found if row.sequence <= last]
        for version in {snapshot.version, *(row.decision.version for row in rows)}:
            stored = campaign_rows.read_version(connection, snapshot.campaign, version)
            versions[version] = Campaign.from_document(stored.document)
    campaign = versions[snapshot.version]
    states, examples = learn_segment(campaign, matching_states(campaign, before), rows, versions.__getitem__)
    return Relearned(states, examples, held)


def _relearn(database: Database, parent: Snapshot | None, snapshot: Snapshot) -> Snapshot:
    try:
        relearned = relearn(database, parent.slots if parent else (), snapshot)
    except UnreadableSnapshot as error:
        raise _cannot_rebuild(snapshot, gone=0) from error
    rebuilt = {one.slot: one for one in relearned.states}
    if {slot: one.digest for slot, one in rebuilt.items()} != {one.slot: one.digest for one in snapshot.slots}:
        length = snapshot.trained_through - snapshot.trained_from + 1
        raise _cannot_rebuild(snapshot, gone=0 if snapshot.skipped else length - relearned.rows)
    return replace(snapshot, slots=tuple(replace(one, state=rebuilt[one.slot].state) for one in snapshot.slots))


def _cannot_rebuild(snapshot: Snapshot, *, gone: int) -> CannotRebuild:
    short = f"{gone} rows of it are gone; " if gone else ""
    return CannotRebuild(
        f"the bytes of snapshot {snapshot.id} are gone, and learning its part of the log again gives others: {short}"
        f"trained with {listed(snapshot.versions)}; here: {listed(package_versions())}"
    )


def listed(versions: Mapping[str, str]) -> str:
    """Package versions as people write them."""
    return ", ".join(f"{name} {version}" for name, version in versions.items())
