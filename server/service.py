"""The service as its doors use it: one object, domain types in and out, no gRPC and no HTTP."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial

import structlog

from server.campaigns.catalogue import Catalogue, Served
from server.campaigns.file import MAX_FILE, load_campaigns
from server.campaigns.model import Campaign
from server.decide import DecideRequest, decide, with_contents
from server.errors import (
    Conflict,
    InvalidRequest,
    NoSuchCampaign,
    NoSuchDecision,
    NotDeclared,
    VersionConflict,
    WrongState,
)
from server.explain import Explanation, explain
from server.ids import RANDOM, read_decision_id
from server.loading import Loader
from server.outcomes import RewardRequest, read_outcome
from server.records import Decision, Recorded, State
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
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
        self._loader = Loader(database)
        self._version = lru_cache(maxsize=256)(self._read_version)
        self._failures: set[tuple[str, int, str, type[Exception]]] = set()
        self._refreshing = asyncio.Lock()
        self._looked = -MISS_INTERVAL  # when the last look into the database began, by time.monotonic()

    async def decide(self, request: DecideRequest) -> Decided:
        """Answered once durable. Raises NoSuchCampaign, InvalidRequest, Conflict, Unavailable, Overloaded, DiskFull."""
        served = await self._served(request.campaign)
        decision = decide(
            served,
            request,
            secret=self._secret,
            now=self._clock(),
            random=self._entropy(RANDOM),
            longest_window=self._longest_window,
            on_failure=partial(self._policy_failed, served),
        )
        if not decision.id:
            return Decided(decision)
        # before the reply: an unlogged decision can never be learned from
        stored = await self._committer.decision(decision)
        if not isinstance(stored, Repeat):
            return Decided(decision)
        if not stored.same_payload:
            raise Conflict(f"request_id {request.request_id!r} was used before with another payload")
        campaign = await asyncio.to_thread(self._version, stored.decision.campaign, stored.decision.version)
        return Decided(with_contents(campaign, stored.decision), repeated=True)

    async def reward(self, request: RewardRequest) -> Recorded:
        """Answered once durable. Raises InvalidRequest, NoSuchCampaign, Unavailable, Overloaded, DiskFull."""
        now = self._clock()
        decided = read_decision_id(self._secret, request.decision_id)
        try:
            served = self.catalogue.by_number(decided.campaign_number)
        except NoSuchCampaign:  # genuine, and of a campaign that came after our last look
            await self._look()
            served = self.catalogue.by_number(decided.campaign_number)
        try:
            outcome = read_outcome(request, decided=decided.at, campaign=served.campaign, now=now)
        except NotDeclared:  # any more: the version that decided may have declared it
            campaign = await asyncio.to_thread(self._campaign_that_decided, request.decision_id)
            if campaign is None:
                raise
            outcome = read_outcome(request, decided=decided.at, campaign=campaign, now=now)
        return await self._committer.outcome(outcome)

    async def put_campaign(
        self,
        source: str,
        *,
        file_name: str,
        first_line: int = 1,
        expected_version: int | None = None,
        dry_run: bool = False,
        state: State = State.ACTIVE,
    ) -> "Put":
        """Put a campaign file in force. `first_line`: the line of the file at which `source` begins.

        Raises CampaignFileError with all mistakes, InvalidRequest, VersionConflict, WrongState.
        """
        if not 1 <= first_line <= MAX_FILE:
            raise InvalidRequest(f"first_line {first_line}: expected 1 to {MAX_FILE}")
        text = "\n" * (first_line - 1) + source  # mistakes then carry the file's own lines
        campaigns = await asyncio.to_thread(load_campaigns, text, file_name=file_name)
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
        """Raises InvalidRequest for an id that is not ours, WrongState for a decision that is not stored yet."""
        return await asyncio.to_thread(explain, self.database, decision_id)

    async def refresh(self) -> None:
        """Serve what is newest: campaigns' versions and their snapshots."""
        async with self._refreshing:
            await self._refresh()

    async def _refresh(self) -> None:
        self._looked = time.monotonic()
        for served in await asyncio.to_thread(self._loader.changed, self.catalogue.all()):
            self.catalogue.put(served)

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
        """Returns after a look that began after the call: an earlier one may just have missed what is asked for."""
        asked = time.monotonic()
        async with self._refreshing:  # of thousands that miss at once, the first looks for all
            if self._looked < asked:
                await asyncio.sleep(max(0.0, self._looked + MISS_INTERVAL - asked))
                await self._refresh()

    def _policy_failed(self, served: Served, slot: str, error: Exception) -> None:
        failure = (served.name, served.version, slot, type(error))
        if failure not in self._failures:  # once, not with every request
            self._failures.add(failure)
            log.error("policy failed: the default is shown", campaign=served.name, slot=slot, exc_info=error)

    def _campaign_that_decided(self, decision_id: str) -> Campaign | None:
        """The version of a stored decision."""
        with self.database.reading() as connection:
            try:
                decision = decision_rows.read(connection, decision_id)
            except NoSuchDecision:
                return None
        return self._version(decision.campaign, decision.version)

    def _read_version(self, campaign: str, version: int) -> Campaign:
        with self.database.reading() as connection:
            return Campaign.from_document(campaign_rows.read_version(connection, campaign, version).document)


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
        if expected_version is not None and expected_version != newest.version:
            raise VersionConflict(campaign, expected=expected_version, found=newest.version)
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
        )
