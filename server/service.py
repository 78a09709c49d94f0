"""The service as its doors use it: one object, domain types in and out, no gRPC and no HTTP."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from server.campaigns.catalogue import Catalogue, Served, serve
from server.campaigns.file import load_campaigns
from server.campaigns.model import Campaign
from server.decide import DecideRequest, content_of, decide
from server.errors import Conflict, InvalidRequest, NoSuchCampaign, WrongState
from server.explain import Explanation, explain
from server.ids import RANDOM
from server.outcomes import RewardRequest, read_outcome
from server.records import Decision, Reason, Recorded, State
from server.store import campaigns as campaign_rows
from server.store import training as training_rows
from server.store.campaigns import StoredCampaign
from server.store.committer import Committer
from server.store.database import Database
from server.store.decisions import Repeat

log = structlog.get_logger()

MISS_INTERVAL = 0.05
"""Seconds between two looks into the database for campaigns that memory does not know."""


@dataclass(frozen=True, slots=True)
class Decided:
    """An answer. `repeated`: the request id was seen before and this is the first answer again."""

    decision: Decision
    repeated: bool = False


class Service:
    """Decides and takes outcomes. Belongs to one event loop; what blocks runs in threads."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime],
        entropy: Callable[[int], bytes],
        longest_window: timedelta | None = None,
    ) -> None:
        """`longest_window` cuts every reward window short: for trying things out."""
        self.database = database
        self.catalogue = Catalogue()
        self._committer = Committer(database)
        self._secret = database.secret
        self._clock = clock
        self._entropy = entropy
        self._longest_window = longest_window
        self._refreshing = asyncio.Lock()
        self._refreshed = 0.0

    async def decide(self, request: DecideRequest) -> Decided:
        """Answered once durable. Raises NoSuchCampaign, InvalidRequest, Conflict, Unavailable, Overloaded."""
        served = await self._served(request.campaign)
        decision = decide(
            served,
            request,
            secret=self._secret,
            now=self._clock(),
            random=self._entropy(RANDOM),
            longest_window=self._longest_window,
        )
        if decision.reason is Reason.POLICY_FAILED:
            log.error("policy failed: the default was shown", campaign=decision.campaign, snapshot=decision.snapshot)
        if not decision.id:
            return Decided(decision)
        # before the reply: an unlogged decision can never be learned from
        stored = await self._committer.decision(decision)
        if not isinstance(stored, Repeat):
            return Decided(decision)
        if not stored.same_payload:
            raise Conflict(f"request_id {request.request_id!r} was used before with another payload")
        return Decided(await asyncio.to_thread(self._with_contents, stored.decision), repeated=True)

    async def reward(self, request: RewardRequest) -> Recorded:
        """Answered once durable. Raises InvalidRequest, NoSuchCampaign, Unavailable, Overloaded."""
        now = self._clock()
        try:
            outcome = read_outcome(request, secret=self._secret, served_by_number=self.catalogue.by_number, now=now)
        except NoSuchCampaign:  # genuine, and of a campaign that came after our last look
            await self._look()
            outcome = read_outcome(request, secret=self._secret, served_by_number=self.catalogue.by_number, now=now)
        return await self._committer.outcome(outcome)

    async def put_campaign(
        self,
        source: str,
        *,
        file_name: str,
        expected_version: int | None = None,
        dry_run: bool = False,
        state: State = State.ACTIVE,
    ) -> "Put":
        """Put a campaign file in force. Raises CampaignFileError with all mistakes, VersionConflict, WrongState."""
        campaigns = load_campaigns(source, file_name=file_name)
        if len(campaigns) != 1:
            raise InvalidRequest(f"{file_name} holds {len(campaigns)} campaigns; expected one a call")
        put = await asyncio.to_thread(
            put_campaign,
            self.database,
            campaigns[0],
            source,
            now=self._clock(),
            expected_version=expected_version,
            dry_run=dry_run,
            state=state,
        )
        await self.refresh()
        return put

    async def set_state(self, campaign: str, state: State, *, expected_version: int | None = None) -> StoredCampaign:
        """Raises NoSuchCampaign, WrongState, VersionConflict."""
        stored = await asyncio.to_thread(
            set_state, self.database, campaign, state, now=self._clock(), expected_version=expected_version
        )
        await self.refresh()
        return stored

    async def explain(self, decision_id: str) -> Explanation:
        """Raises NoSuchDecision."""
        return await asyncio.to_thread(explain, self.database, decision_id)

    async def refresh(self) -> None:
        """Serve what is newest: campaigns' versions and their snapshots."""
        async with self._refreshing:
            for served in await asyncio.to_thread(self._changed, self.catalogue.all()):
                self.catalogue.put(served)
            self._refreshed = time.monotonic()

    async def close(self) -> None:
        """Store what waits."""
        await asyncio.to_thread(self._committer.close)

    async def _served(self, campaign: str) -> Served:
        try:
            return self.catalogue.get(campaign)
        except NoSuchCampaign:  # perhaps applied a moment ago, straight to the database
            await self._look()
            return self.catalogue.get(campaign)

    async def _look(self) -> None:
        if time.monotonic() - self._refreshed > MISS_INTERVAL:
            await self.refresh()

    def _changed(self, known: Sequence[Served]) -> list[Served]:
        """Runs in a thread: builds what is new beside what is being served."""
        have = {served.name: served for served in known}
        with self.database.reading() as connection:
            versions = campaign_rows.heads(connection)
            snapshots = training_rows.newest_snapshot_ids(connection)
        changed = []
        for name, version in versions.items():
            old, newest = have.get(name), snapshots.get(name)
            if old and old.version == version and newest == old.newest_snapshot:
                continue
            with self.database.reading() as connection:
                stored = campaign_rows.read_version(connection, name, version)
                snapshot = training_rows.read_snapshot(connection, newest) if newest is not None else None
            try:
                changed.append(serve(stored, snapshot))
            except Exception:
                # one that can't be loaded is refused and the last good one stays
                log.exception("campaign can't be served", campaign=name, version=version, snapshot=newest)
                changed.append(replace(old, newest_snapshot=newest) if old else serve(stored, None))
        return changed

    def _with_contents(self, decision: Decision) -> Decision:
        """What was served, with its texts: those of the version that decided."""
        with self.database.reading() as connection:
            stored = campaign_rows.read_version(connection, decision.campaign, decision.version)
        slots = serve(stored, None).slots
        choices = tuple(
            replace(choice, content=content_of(slots[choice.slot], choice.variant, choice.candidates))
            for choice in decision.choices
        )
        return replace(decision, choices=choices)


@dataclass(frozen=True, slots=True)
class Put:
    """What became of a campaign file: the version in force afterwards (for a dry run: the one that would be)."""

    stored: StoredCampaign
    before: int

    @property
    def changed(self) -> bool:
        return self.stored.version != self.before


def put_campaign(
    database: Database,
    campaign: Campaign,
    source: str,
    *,
    now: datetime,
    expected_version: int | None = None,
    dry_run: bool = False,
    state: State = State.ACTIVE,
) -> Put:
    """Append a version, unless it equals the one in force. Raises VersionConflict, WrongState."""
    document = campaign.document()
    try:
        with database.writing() as connection:
            try:
                newest = campaign_rows.read_version(connection, campaign.campaign)
            except NoSuchCampaign:
                newest = None
            if newest and newest.state == State.ARCHIVED:
                raise WrongState(f"campaign {campaign.campaign!r} is archived: choose another name")
            before = newest.version if newest else 0
            if newest and newest.document == document and expected_version in (None, before):
                return Put(newest, before)
            stored = campaign_rows.append_version(
                connection,
                campaign=campaign.campaign,
                state=newest.state if newest else state,
                document=document,
                source=source,
                now=now,
                expected_version=expected_version,
            )
            if dry_run:
                raise _DryRun(Put(stored, before))
            return Put(stored, before)
    except _DryRun as rolled_back:
        return rolled_back.put


class _DryRun(Exception):
    """Ends the transaction of a dry run, so that nothing of it stays."""

    def __init__(self, put: Put) -> None:
        super().__init__("dry run")
        self.put = put


def set_state(
    database: Database, campaign: str, state: State, *, now: datetime, expected_version: int | None = None
) -> StoredCampaign:
    """Append a version in this state, unless it is in it. Raises NoSuchCampaign, WrongState, VersionConflict."""
    with database.writing() as connection:
        newest = campaign_rows.read_version(connection, campaign)
        if newest.state == state:
            return newest
        if state is State.DRAFT or newest.state == State.ARCHIVED:
            raise WrongState(f"campaign {campaign!r} is {newest.state}: it can't become {state.value}")
        return campaign_rows.append_version(
            connection,
            campaign=campaign,
            state=state,
            document=newest.document,
            source=newest.source,
            now=now,
            expected_version=expected_version,
        )
