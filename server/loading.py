"""What is newest in the database, built to be served beside what is being served: nothing that can't be built
takes the place of something that works.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import structlog

from policies.base import UnreadableSnapshot
from server.campaigns.catalogue import Served, serve
from server.campaigns.learning import fits
from server.campaigns.model import Campaign
from server.errors import DiskFull, Diverged, Unavailable
from server.records import Snapshot
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store import training as training_rows
from server.store.campaigns import StoredCampaign
from server.store.database import Database
from server.trial import try_policy

log = structlog.get_logger()

TRIES = 10
"""How many snapshots to try, from the newest back, before a campaign is served untrained."""

ASKED = 5
"""Recent decisions for which a snapshot is asked before it is served."""

_Key = tuple[int, int | None]
"""A campaign's version and its newest snapshot."""


class Loader:
    """Finds what changed. One thread at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._refused: dict[str, _Key] = {}

    def changed(self, known: Sequence[Served]) -> list[Served]:
        """Every campaign whose version or snapshot is newer than what is known. Raises Unavailable, DiskFull.

        A snapshot that can't be loaded is passed over for the last good one; a version that can't be built leaves the
        one before it in place. Either is told once.
        """
        have = {served.name: (served.version, served.newest_snapshot) for served in known}
        with self._database.reading() as connection:
            versions = campaign_rows.heads(connection)
            snapshots = training_rows.newest_snapshot_ids(connection)
        changed = []
        for name, version in versions.items():
            key = (version, snapshots.get(name))
            if key in (have.get(name), self._refused.get(name)):
                continue
            try:
                changed.append(self._load(name, key))
            except (Unavailable, DiskFull):
                raise  # of the database, not of this campaign: it is tried again
            except Exception as error:  # one campaign must not keep the others from being served
                self._refused[name] = key
                log.error(
                    "campaign can't be served: what was served stays", campaign=name, version=version, exc_info=error
                )
        return changed

    def _load(self, name: str, key: _Key) -> Served:
        version, newest = key
        with self._database.reading() as connection:
            stored = campaign_rows.read_version(connection, name, version)
        return replace(self._best(stored), newest_snapshot=newest)

    def _best(self, stored: StoredCampaign) -> Served:
        if (pinned := self._pinned(stored)) is not None:
            return pinned
        for snapshot in self._newest_first(stored.campaign):
            if (served := self._good(stored, snapshot)) is not None:
                return served
        return serve(stored, None)

    def _pinned(self, stored: StoredCampaign) -> Served | None:
        """What is served where a snapshot is pinned, unless it can't be any more."""
        if stored.pinned_snapshot is None:
            return None
        with self._database.reading() as connection:
            snapshot = training_rows.read_snapshot(connection, stored.pinned_snapshot)
        reason = "it is pinned, but its row is gone"
        if snapshot is not None and snapshot.withdrawn:
            reason = "it is pinned, but it was withdrawn: it had learned from a person since erased"
        elif snapshot is not None and snapshot.intact and not _fits(stored, snapshot):
            reason = "it is pinned, but its slots or policies are not those in force"
        elif snapshot is not None:
            return self._good(stored, snapshot)
        log.error("snapshot refused", campaign=stored.campaign, snapshot=stored.pinned_snapshot, reason=reason)
        return None

    def _good(self, stored: StoredCampaign, snapshot: Snapshot) -> Served | None:
        reason = "its bytes are damaged"
        if snapshot.intact:
            try:
                return self._tried(serve(stored, snapshot))
            except (UnreadableSnapshot, Diverged) as error:
                reason = str(error)
        log.error("snapshot refused", campaign=stored.campaign, snapshot=snapshot.id, reason=reason)
        return None

    def _tried(self, served: Served) -> Served:
        """What is to be served, asked for a few decisions first. Raises Diverged."""
        with self._database.reading() as connection:
            recent = decision_rows.newest(connection, served.name, limit=ASKED)
        ours = [one for one in recent if one.version == served.version]
        for name, slot in served.slots.items():
            try_policy(served.campaign, name, slot.policy, ours, lambda version: served.campaign)
        return served

    def _newest_first(self, campaign: str) -> Iterator[Snapshot]:
        before: int | None = None
        for _ in range(TRIES):
            with self._database.reading() as connection:
                found = training_rows.list_snapshots(connection, campaign, before=before, limit=1, serving=True)
            if not found:
                return
            yield found[0]
            before = found[0].id


def _fits(stored: StoredCampaign, snapshot: Snapshot) -> bool:
    return fits(Campaign.from_document(stored.document), snapshot.slots)
