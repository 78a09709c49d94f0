"""The trainer: closes windows, gives every decision its place in the sequence, learns, saves.

Everything it knows is in the database: it can be killed at any moment and started again, anywhere.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import structlog

from policies.base import UnreadableSnapshot
from server.backoff import Backoff
from server.campaigns.learning import goes_on, learning_slots, matching_states
from server.campaigns.model import Campaign
from server.errors import CannotRebuild, EligeError, LeaseLost
from server.outcomes import earn
from server.records import Excluded, Matured, Snapshot, State
from server.settings import DRAIN_GRACE
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store import erasures as erasure_rows
from server.store import lineages
from server.store import outcomes as outcome_rows
from server.store import servers as server_rows
from server.store import training as training_rows
from server.store.campaigns import StoredCampaign
from server.store.database import Database
from server.store.training import Earned, Lease
from server.training import erasing
from server.training.horizon import Horizon
from server.training.learners import learn_segment, package_versions
from server.training.losses import added, measure
from server.training.restore import restore
from server.training.retention import Retention
from server.trial import try_states

log = structlog.get_logger()

LEASE_LASTS = timedelta(seconds=10)
MATURE_BATCH = 500
"""Decisions matured in one transaction: about 20 ms in which nobody else writes."""
SEGMENT = 5_000
"""The most decisions between two snapshots."""
KEEP_SNAPSHOTS = 50
"""How many of the newest keep their bytes; older ones are thinned to one an hour."""
ERASURES = "an erasure"
"""Under this name, which no campaign can have, its troubles are counted."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What one pass over the campaigns did."""

    matured: int = 0
    learned: int = 0

    @property
    def idle(self) -> bool:
        return not (self.matured or self.learned)

    @property
    def behind(self) -> bool:
        """It did as much as one pass does: more waits."""
        return self.matured >= MATURE_BATCH or self.learned >= SEGMENT


class Trainer:
    """Trains all campaigns of one database whose lease it gets. One thread."""

    def __init__(
        self, database: Database, *, holder: str, grace: timedelta, drain_grace: timedelta = DRAIN_GRACE
    ) -> None:
        """`grace`: how long after its close a window waits for outcomes that are still on their way to the log.
        `drain_grace`: how long it waits for a server that drains an outbox and says nothing any more.
        """
        self._database = database
        self._holder = holder
        self._grace = grace
        self._horizon = Horizon(drain_grace=drain_grace)
        self._backoff = Backoff()
        self._made: Counter[str] = Counter()
        self._retention = Retention(database)
        self._version = lru_cache(maxsize=256)(self._read_version)

    def step(self, now: datetime) -> Progress:
        """One pass: mature what is due and learn it, campaign by campaign.

        One campaign's trouble stops no other; what fails is left alone for a while that grows with every failure.
        """
        stored, complete = self._look(now)
        matured = learned = 0
        for one in stored:
            if not self._backoff.ready(one.campaign, now):
                continue
            try:
                with self._database.writing([one.campaign]) as connection:
                    lease = training_rows.acquire(
                        connection, one.campaign, holder=self._holder, now=now, lasts=LEASE_LASTS
                    )
                if lease is None:
                    continue
                matured += self._mature(lease, now, complete=complete)
                if one.state == State.KILLED:
                    self._learn_nothing(lease, now)
                else:
                    learned += self._learn(lease, one, now)
                self._retention.step(lease, self._version(one.campaign, one.version), one.state, now=now)
            except LeaseLost as error:
                log.warning("lease lost", campaign=one.campaign, reason=str(error))
            except Exception as error:  # noqa: BLE001 whatever it is, the other campaigns go on
                self._failed(one.campaign, error, now)
            else:
                if trouble := self._backoff.succeeded(one.campaign):
                    log.info("training works again", campaign=one.campaign, failures=trouble.failures)
        self._advance_erasures(now, complete=complete)
        return Progress(matured, learned)

    def _advance_erasures(self, now: datetime, *, complete: datetime) -> None:
        if not self._backoff.ready(ERASURES, now):
            return
        try:
            erasing.advance(self._database, now=now, complete=complete, reason_of=self._backoff.reason)
        except Exception as error:  # whatever it is, training goes on
            trouble = self._backoff.failed(ERASURES, f"{type(error).__name__}: {error}", now)
            log.error("erasing failed", reason=trouble.reason, exc_info=None if trouble.known else error)
        else:
            self._backoff.succeeded(ERASURES)

    def _look(self, now: datetime) -> tuple[list[StoredCampaign], datetime]:
        """The campaigns, and the time before which all that was acknowledged is in the log."""
        try:
            with self._database.reading() as connection:
                stored, servers = campaign_rows.newest_versions(connection), server_rows.draining(connection)
        except EligeError:
            self._horizon.lost()
            raise
        return stored, self._horizon.at(servers, now)

    def _failed(self, campaign: str, error: Exception, now: datetime) -> None:
        trouble = self._backoff.failed(campaign, f"{type(error).__name__}: {error}", now)
        told = trouble.known or isinstance(error, EligeError)  # one traceback of a defect is enough
        log.error(
            "training failed",
            campaign=campaign,
            reason=trouble.reason,
            failures=trouble.failures,
            next_try_in_seconds=trouble.pause.total_seconds(),
            exc_info=None if told else error,
        )

    def close(self, now: datetime) -> None:
        """Let go of the leases."""
        with self._database.writing() as connection:
            training_rows.release(connection, self._holder, now=now)

    def _mature(self, lease: Lease, now: datetime, *, complete: datetime) -> int:
        closed_by = complete - self._grace
        with self._database.writing([lease.campaign]) as connection:
            closed = training_rows.due(connection, lease.campaign, closed_by=closed_by, limit=MATURE_BATCH)
            if not closed:
                return 0
            ids = [one.decision_id for one in closed]
            decided = decision_rows.read_many(connection, ids)
            happened = outcome_rows.of_decisions(connection, ids)
            earned: list[Earned] = []
            for one in closed:
                if decided[one.decision_id].erased:
                    earned.append(Earned(one.decision_id, None, {}, excluded=Excluded.ERASED))
                    continue
                if one.waiting:
                    earned.append(Earned(one.decision_id, None, {}, excluded=Excluded.EXPIRED))
                    continue
                campaign = self._version(lease.campaign, decided[one.decision_id].version)
                earned.append(earn(campaign, one.decision_id, happened[one.decision_id], closes_at=one.closes_at))
            training_rows.append_rewards(connection, lease, earned, now=now)
        return len(closed)

    def _learn(self, lease: Lease, stored: StoredCampaign, now: datetime) -> int:
        campaign = self._version(stored.campaign, stored.version)
        if not learning_slots(campaign):
            self._learn_nothing(lease, now)
            return 0
        with self._database.reading() as connection:
            newest_id = training_rows.newest_snapshot_id(connection, lease.campaign)
            newest = training_rows.read_snapshot(connection, newest_id) if newest_id is not None else None
            replaced = erasure_rows.to_replace(connection, lease.campaign)
        knew_the_erased = newest is not None and replaced is not None and newest.lineage <= replaced
        base = newest if newest and goes_on(campaign, newest.slots) and not knew_the_erased else None
        rows = self._rows(lease.campaign, after=base.trained_through if base else 0)
        if not rows:
            self._learn_nothing(lease, now)
            return 0
        try:
            return self._extend(lease, stored, rows, base=self._intact(lease, base), now=now)
        except (CannotRebuild, UnreadableSnapshot) as error:
            log.error("snapshot lost: learning all of the log again", campaign=lease.campaign, reason=str(error))
        return self._extend(lease, stored, self._rows(lease.campaign, after=0), base=None, now=now)

    def _learn_nothing(self, lease: Lease, now: datetime) -> None:
        """What knew an erased person is withdrawn all the same."""
        with self._database.reading() as connection:
            if erasure_rows.to_replace(connection, lease.campaign) is None:
                return
        with self._database.writing([lease.campaign]) as connection:
            lineages.take_over_as_it_is(connection, lease.campaign, now=now)

    def _rows(self, campaign: str, *, after: int) -> Sequence[Matured]:
        with self._database.reading() as connection:
            return decision_rows.matured(connection, campaign, after=after, limit=SEGMENT, counting=True)

    def _intact(self, lease: Lease, base: Snapshot | None) -> Snapshot | None:
        """The base with its bytes as they were written. Raises CannotRebuild."""
        if base is None or base.intact:
            return base
        log.error("snapshot damaged: rebuilding it from the log", campaign=base.campaign, snapshot=base.id)
        whole = restore(self._database, base.id)
        with self._database.writing([lease.campaign]) as connection:
            training_rows.store_states(connection, lease, whole)
        return whole

    def _extend(
        self,
        lease: Lease,
        stored: StoredCampaign,
        rows: Sequence[Matured],
        *,
        base: Snapshot | None,
        now: datetime,
    ) -> int:
        """Learn one segment from `base` on, or from nothing in a new lineage, and save it; how many rows it had.

        Raises Diverged, with nothing saved: what was served goes on, and the segment still waits in the log.
        """
        campaign = self._version(stored.campaign, stored.version)

        def version_of(version: int) -> Campaign:
            return self._version(lease.campaign, version)

        before = matching_states(campaign, base.slots) if base else {}
        losses = measure(campaign, before, rows, version_of)
        states, examples = learn_segment(campaign, before, rows, version_of)
        try_states(campaign, states, rows, version_of)
        with self._database.reading() as connection:
            lineage = base.lineage if base else training_rows.newest_lineage(connection, lease.campaign) + 1
            first = base.trained_through + 1 if base else lineages.first_place(connection, lease.campaign)
        snapshot = Snapshot(
            id=0,  # the database gives it
            campaign=lease.campaign,
            version=stored.version,
            lineage=lineage,
            parent=base.id if base else None,
            trained_from=first,
            trained_through=rows[-1].sequence,
            examples=(base.examples if base else 0) + examples,
            created_at=now,
            versions=package_versions(),
            slots=tuple(added(one, before.get(one.slot), losses.get(one.slot)) for one in states),
        )
        with self._database.writing([lease.campaign]) as connection:
            snapshot_id = lineages.save(connection, lease, snapshot, rows=len(rows), now=now)
            if snapshot_id is None:
                return 0  # the next pass sees what an erasure changed
            if self._made[lease.campaign] % KEEP_SNAPSHOTS == 0:
                training_rows.thin(connection, lease.campaign, keep=KEEP_SNAPSHOTS)
        self._made[lease.campaign] += 1
        log.info(
            "snapshot",
            campaign=lease.campaign,
            snapshot=snapshot_id,
            through=snapshot.trained_through,
            learned=examples,
        )
        return len(rows)

    def _read_version(self, campaign: str, version: int) -> Campaign:
        with self._database.reading() as connection:
            return Campaign.from_document(campaign_rows.read_version(connection, campaign, version).document)
