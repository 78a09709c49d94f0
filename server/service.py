"""The service as its doors use it: one object, domain types in and out, no gRPC and no HTTP."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache, partial

import structlog

from server import people
from server.activations import ActivateRequest, read_activation
from server.attribution import Credit, OfPerson, credited, of_person
from server.campaigns.catalogue import Catalogue, Served
from server.campaigns.file import MAX_FILE, load_campaigns
from server.campaigns.learning import counts
from server.campaigns.model import Campaign
from server.campaigns.versions import Put, put_campaign, set_state
from server.decide import DecideRequest, decide, with_contents
from server.errors import (
    Conflict,
    EligeError,
    InvalidRequest,
    NoSuchCampaign,
    NoSuchDecision,
    NotDeclared,
)
from server.explain import Explanation, explain
from server.gathering import Gathering
from server.ids import RANDOM, person_key, read_decision_id
from server.loading import Loader
from server.observe import ObserveRequest, observe
from server.outcomes import RewardRequest, read_outcome
from server.records import Activated, Decision, OutcomeStatus, Recorded, State
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store.attribution import Told
from server.store.campaigns import StoredCampaign
from server.store.committer import Committer
from server.store.database import Database
from server.store.decisions import Repeat
from server.store.front import Front, direct
from server.store.people import LinkStatus
from server.texts import check_text
from server.training.rollback import roll_back, unpin

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
        front: Front | None = None,
    ) -> None:
        """`longest_window` cuts every reward window short: for trying things out. `front`: where records become
        durable, by default the database itself.
        """
        self.database = database
        self.catalogue = Catalogue()
        self._front = front or direct(database)
        self._committer = Committer(self._front.target)
        self._credits: Gathering[OfPerson, Credit] = Gathering(partial(credited, database, self._front))
        self._secret = database.secret
        self._clock = clock
        self._entropy = entropy
        self._longest_window = longest_window
        self._loader = Loader(database)
        self._version = lru_cache(maxsize=256)(self._read_version)
        self._failures: set[tuple[str, int, str, type[Exception]]] = set()
        self._refreshing = asyncio.Lock()
        self.evaluation_asked = asyncio.Event()
        """Set where one is asked for: whoever computes them need not wait for the next look."""
        self._looked = -MISS_INTERVAL  # when the last look into the database began, by time.monotonic()

    @property
    def committed(self) -> Mapping[str, int]:
        """How many records were acknowledged, by kind."""
        return self._committer.committed

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
        # before the reply: an unlogged decision can never be learned from
        return await self._stored(decision) if decision.id else Decided(decision)

    async def observe(self, request: ObserveRequest) -> Decided:
        """A choice made elsewhere; answered once durable. Raises what `decide` raises."""
        served = await self._served(request.campaign)
        decision = observe(
            served,
            request,
            secret=self._secret,
            now=self._clock(),
            random=self._entropy(RANDOM),
            longest_window=self._longest_window,
        )
        return await self._stored(decision)

    async def _stored(self, decision: Decision) -> Decided:
        """Stored, or the first answer to its request id. Raises Conflict, Unavailable, Overloaded, DiskFull."""
        stored = await self._committer.decision(decision)
        if not isinstance(stored, Repeat):
            return Decided(decision)
        if not stored.same_payload:
            raise Conflict(f"request_id {decision.request_id!r} was used before with another payload")
        served = await self._served(stored.decision.campaign)
        campaign = served.campaign  # in memory, even while the database is away
        if served.version != stored.decision.version:
            campaign = await asyncio.to_thread(self._version, served.name, stored.decision.version)
        return Decided(with_contents(campaign, stored.decision), repeated=True)

    async def reward(self, request: RewardRequest) -> Recorded:
        """Answered once durable. Raises InvalidRequest, NoSuchCampaign, Unavailable, Overloaded, DiskFull; NothingShown
        where it is told of a person who was shown nothing.
        """
        now = self._clock()
        if request.person is not None:
            return await self._reward_person(request, request.person, now=now)
        decided, served = await self._decided(request.decision_id or "")
        return await self._store_outcome(request, served, decided=decided, now=now)

    async def _reward_person(self, request: RewardRequest, person: str, *, now: datetime) -> Recorded:
        """The outcome credits the last decision shown to the person. Raises NothingShown as well."""
        check_text("person", person)
        served = await self._served(request.campaign or "")
        key = person_key(self._secret, person)
        found = await self._credits.ask(of_person(request, key, campaign=served.campaign, now=now))
        if isinstance(found, Told):
            return Recorded(OutcomeStatus.DUPLICATE, None, decision_id=found.decision_id)
        if found is None:  # it is found out when the outcome comes to the database
            return await self._store_outcome(request, served, decided=None, now=now, person=key)
        request = replace(request, decision_id=found.decision_id)
        return await self._store_outcome(request, served, decided=found.at, now=now, person=key)

    async def _store_outcome(
        self,
        request: RewardRequest,
        served: Served,
        *,
        decided: datetime | None,
        now: datetime,
        person: str | None = None,
    ) -> Recorded:
        try:
            outcome = read_outcome(request, decided=decided, campaign=served.campaign, now=now, person=person)
        except NotDeclared:  # any more: the version that decided may have declared it
            campaign = await asyncio.to_thread(self._campaign_that_decided, request.decision_id)
            if campaign is None:
                raise
            outcome = read_outcome(request, decided=decided, campaign=campaign, now=now, person=person)
        recorded = await self._committer.outcome(outcome)
        if recorded.kind is not None and not counts(served.campaign, recorded.kind):
            return replace(recorded, learned_at=None)
        return recorded

    async def activate(self, request: ActivateRequest) -> Activated:
        """Answered once durable. Raises InvalidRequest, NoSuchCampaign, NoSuchDecision, WrongState, Unavailable,
        Overloaded, DiskFull.
        """
        decided, served = await self._decided(request.decision_id)
        activation = read_activation(
            request,
            decided=decided,
            campaign=served.campaign,
            now=self._clock(),
            longest_window=self._longest_window,
        )
        return await self._committer.activation(activation)

    async def _decided(self, decision_id: str) -> tuple[datetime, Served]:
        """When a decision was made, and its campaign. Raises InvalidRequest, NoSuchCampaign."""
        decided = read_decision_id(self._secret, decision_id)
        try:
            return decided.at, self.catalogue.by_number(decided.campaign_number)
        except NoSuchCampaign:  # genuine, and of a campaign that came after our last look
            await self._look()
            return decided.at, self.catalogue.by_number(decided.campaign_number)

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

    async def roll_back(
        self, campaign: str, snapshot: int, *, pin: bool = False, expected_version: int | None = None
    ) -> StoredCampaign:
        """Raises NoSuchCampaign, NoSuchSnapshot, WrongState, CannotRebuild, Diverged, VersionConflict."""
        now = self._clock()
        stored = await asyncio.to_thread(
            roll_back, self.database, campaign, snapshot, pin=pin, now=now, expected_version=expected_version
        )
        await self.refresh()
        return stored

    async def unpin(self, campaign: str, *, expected_version: int | None = None) -> StoredCampaign:
        """Raises NoSuchCampaign, VersionConflict."""
        stored = await asyncio.to_thread(
            unpin, self.database, campaign, now=self._clock(), expected_version=expected_version
        )
        await self.refresh()
        return stored

    async def explain(self, decision_id: str) -> Explanation:
        """Raises InvalidRequest for an id that is not ours, WrongState for a decision that is not stored yet."""
        return await asyncio.to_thread(explain, self.database, decision_id)

    async def link_people(self, links: Sequence[people.Link]) -> list[LinkStatus | EligeError]:
        """Every link's own answer or error, in their order. Raises Unavailable, DiskFull."""
        return await asyncio.to_thread(people.link_people, self.database, links, now=self._clock())

    async def erase_person(self, person: str, *, dry_run: bool = False) -> people.Erased:
        """Answered once the rows are blanked. Raises InvalidRequest, Unavailable, DiskFull."""
        erasure_id = self._entropy(people.ID_BYTES).hex()
        return await asyncio.to_thread(
            people.erase_person, self.database, person, now=self._clock(), erasure_id=erasure_id, dry_run=dry_run
        )

    async def erasure(self, erasure_id: str) -> people.Erased:
        """How far an erasure is. Raises NoSuchErasure."""
        return await asyncio.to_thread(people.read_erasure, self.database, erasure_id)

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

    def _campaign_that_decided(self, decision_id: str | None) -> Campaign | None:
        """The version of a stored decision."""
        if decision_id is None:
            return None
        with self.database.reading() as connection:
            try:
                decision = decision_rows.read(connection, decision_id)
            except NoSuchDecision:
                return None
        return self._version(decision.campaign, decision.version)

    def _read_version(self, campaign: str, version: int) -> Campaign:
        with self.database.reading() as connection:
            return Campaign.from_document(campaign_rows.read_version(connection, campaign, version).document)
