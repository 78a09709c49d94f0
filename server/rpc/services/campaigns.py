"""Campaigns, their versions and states, and their snapshots."""

import asyncio
from collections.abc import Sequence

import grpc

from elige.client.values import fill
from elige.v1 import campaigns_pb2 as pb
from elige.v1 import campaigns_pb2_grpc, common_pb2
from policies.base import Learner
from server.campaigns.catalogue import serve
from server.campaigns.file import CampaignFileError, Mistake
from server.campaigns.versions import Put
from server.errors import InvalidRequest, NotSupportedYet
from server.records import Snapshot, State
from server.rpc import wire
from server.rpc.paging import Page, page_of
from server.rpc.unsupported import unsupported
from server.service import Service
from server.store import campaigns as campaign_rows
from server.store import training as training_rows
from server.store.campaigns import StoredCampaign
from server.training.restore import WITHDRAWN

Context = grpc.aio.ServicerContext
MAX_DIGITS = 18
"""Of a snapshot's number."""


@unsupported(
    {
        "DiffCampaign": "comparing versions",
        "SetVariantState": "pausing and pinning variants",
        "PromotePolicy": "promoting a policy",
    }
)
class CampaignServicer(campaigns_pb2_grpc.CampaignServiceServicer):
    """CampaignService."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def PutCampaign(self, request: pb.PutCampaignRequest, context: Context) -> pb.PutCampaignResponse:  # noqa: N802
        if request.initial_state not in (0, pb.CAMPAIGN_STATE_ACTIVE, pb.CAMPAIGN_STATE_DRAFT):
            raise InvalidRequest("initial_state: expected ACTIVE or DRAFT")
        draft = request.initial_state == pb.CAMPAIGN_STATE_DRAFT
        try:
            put = await self._service.put_campaign(
                request.source,
                file_name=request.file_name or "campaign",
                first_line=request.first_line if request.HasField("first_line") else 1,
                expected_version=request.expected_version if request.HasField("expected_version") else None,
                dry_run=request.dry_run,
                state=State.DRAFT if draft else State.ACTIVE,
            )
        except CampaignFileError as error:
            return pb.PutCampaignResponse(
                result=pb.PUT_RESULT_REFUSED, mistakes=[_write_mistake(mistake) for mistake in error.mistakes]
            )
        return pb.PutCampaignResponse(result=_result(put), campaign=await self._whole(put.stored))

    async def GetCampaign(self, request: pb.GetCampaignRequest, context: Context) -> pb.Campaign:  # noqa: N802
        version = request.version if request.HasField("version") else None
        return await self._whole(await asyncio.to_thread(self._read, request.campaign, version))

    async def ListCampaigns(self, request: pb.ListCampaignsRequest, context: Context) -> pb.ListCampaignsResponse:  # noqa: N802
        if request.versions_of:
            raise NotSupportedYet("listing the versions of a campaign")
        wanted = set(request.states) or set(wire.STATES.values()) - {pb.CAMPAIGN_STATE_ARCHIVED}
        page = Page.read(request.page_size, request.page_token, scope=("campaigns", sorted(wanted)))
        newest = [one for one in await asyncio.to_thread(self._newest) if wire.STATES[State(one.state)] in wanted]
        rest = [one for one in newest if page.after is None or one.campaign > page.after]
        shown, token = page_of(rest, page, key=lambda one: one.campaign)
        return pb.ListCampaignsResponse(campaigns=await self._briefs(shown), next_page_token=token)

    async def SetCampaignState(self, request: pb.SetCampaignStateRequest, context: Context) -> pb.Campaign:  # noqa: N802
        states = {number: state for state, number in wire.STATES.items()}
        if request.state not in states:
            raise InvalidRequest("state: missing or not known")
        expected = request.expected_version if request.HasField("expected_version") else None
        stored = await self._service.set_state(request.campaign, states[request.state], expected_version=expected)
        return await self._whole(stored)

    async def ListSnapshots(self, request: pb.ListSnapshotsRequest, context: Context) -> pb.ListSnapshotsResponse:  # noqa: N802
        if request.lineage:
            raise NotSupportedYet("filtering snapshots by lineage")
        page = Page.read(request.page_size, request.page_token, scope=("snapshots", request.campaign))
        before = page.after_number()
        await asyncio.to_thread(self._read, request.campaign, None)  # raises for a campaign that there isn't
        found = await asyncio.to_thread(self._snapshots, request.campaign, before, page.size + 1)
        shown, token = page_of(found, page, key=lambda one: str(one.id))
        served = self._serving().get(request.campaign)
        return pb.ListSnapshotsResponse(
            snapshots=[_write_snapshot(one, serving=one.id == served) for one in shown], next_page_token=token
        )

    async def RollBack(self, request: pb.RollBackRequest, context: Context) -> pb.Campaign:  # noqa: N802
        expected = request.expected_version if request.HasField("expected_version") else None
        if request.unpin:
            if request.snapshot or request.pin:
                raise InvalidRequest("unpin with snapshot or pin: expected either one or the other")
            return await self._whole(await self._service.unpin(request.campaign, expected_version=expected))
        if not (request.snapshot.isascii() and request.snapshot.isdecimal() and len(request.snapshot) <= MAX_DIGITS):
            raise InvalidRequest(f"snapshot {request.snapshot!r}: expected its number, such as '12'")
        stored = await self._service.roll_back(
            request.campaign, int(request.snapshot), pin=request.pin, expected_version=expected
        )
        return await self._whole(stored)

    def _read(self, campaign: str, version: int | None) -> StoredCampaign:
        with self._service.database.reading() as connection:
            return campaign_rows.read_version(connection, campaign, version)

    def _newest(self) -> list[StoredCampaign]:
        with self._service.database.reading() as connection:
            return campaign_rows.newest_versions(connection)

    def _snapshots(self, campaign: str, before: int | None, limit: int) -> list[Snapshot]:
        with self._service.database.reading() as connection:
            return training_rows.list_snapshots(connection, campaign, before=before, limit=limit)

    def _serving(self) -> dict[str, int | None]:
        """Campaign to the snapshot that serves."""
        return {served.name: served.snapshot for served in self._service.catalogue.all()}

    async def _briefs(self, stored: Sequence[StoredCampaign]) -> list[pb.Campaign]:
        serving = self._serving()
        return await asyncio.to_thread(lambda: [_brief(one, serving.get(one.campaign)) for one in stored])

    async def _whole(self, stored: StoredCampaign) -> pb.Campaign:
        (message,) = await self._briefs([stored])
        message.source = stored.source
        fill(message.document, stored.document, name="document")
        return message


def _brief(stored: StoredCampaign, snapshot: int | None) -> pb.Campaign:
    message = pb.Campaign(
        name=stored.campaign,
        version=stored.version,
        number=stored.number,
        state=wire.STATES[State(stored.state)],
        snapshot="" if snapshot is None else str(snapshot),
        snapshot_pinned=stored.pinned_snapshot is not None,
        created_at=wire.timestamp(stored.created_at),
    )
    for slot in serve(stored, None).slots.values():
        policy = slot.policy
        arguments = policy.arguments if isinstance(policy, Learner) else slot.policy_name
        message.policies.append(common_pb2.SlotPolicy(slot=slot.name, policy=slot.policy_name, arguments=arguments))
    return message


def _result(put: Put) -> pb.PutResult:
    if not put.changed:
        return pb.PUT_RESULT_UNCHANGED
    return pb.PUT_RESULT_CHANGED if put.before else pb.PUT_RESULT_CREATED


def _write_mistake(mistake: Mistake) -> pb.Mistake:
    return pb.Mistake(
        line=mistake.line,
        column=mistake.column,
        field=mistake.path,
        value=mistake.value,
        expected=mistake.expected,
        message=mistake.sentence,
    )


def _write_snapshot(snapshot: Snapshot, *, serving: bool) -> pb.Snapshot:
    sizes = [len(slot.state) if slot.state is not None else 0 for slot in snapshot.slots]
    state, detail = pb.SNAPSHOT_STATE_KEPT, ""
    if snapshot.withdrawn:
        state, detail = pb.SNAPSHOT_STATE_WITHDRAWN, WITHDRAWN
    elif any(slot.state is None for slot in snapshot.slots):
        state = pb.SNAPSHOT_STATE_THINNED
    elif not snapshot.intact:
        state, detail = pb.SNAPSHOT_STATE_REFUSED, "its bytes are damaged: they are not those that were written"
    elif serving:
        state = pb.SNAPSHOT_STATE_SERVING
    return pb.Snapshot(
        id=str(snapshot.id),
        campaign=snapshot.campaign,
        version=snapshot.version,
        lineage=str(snapshot.lineage),
        trained_from=1,
        trained_through=snapshot.trained_through,
        examples=snapshot.examples,
        created_at=wire.timestamp(snapshot.created_at),
        slots=[
            pb.SlotSnapshot(
                slot=slot.slot,
                policy=slot.policy,
                arguments=slot.arguments,
                examples=slot.examples or 0,
                progressive_loss=slot.progressive_loss,
                size_bytes=size,
            )
            for slot, size in zip(snapshot.slots, sizes, strict=True)
        ],
        size_bytes=sum(sizes),
        packages=snapshot.versions,
        state=state,
        state_detail=detail,
    )
