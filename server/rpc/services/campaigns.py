"""Campaigns, their versions and states, and their snapshots."""

import asyncio

import grpc

from elige.client.values import fill
from elige.v1 import campaigns_pb2 as pb
from elige.v1 import campaigns_pb2_grpc, common_pb2
from policies.base import Learner
from server.campaigns.catalogue import serve
from server.campaigns.file import CampaignFileError, Mistake
from server.errors import InvalidRequest, NotSupportedYet
from server.records import Snapshot, State
from server.rpc import wire
from server.rpc.paging import Page, page_of
from server.rpc.unsupported import unsupported
from server.service import Put, Service
from server.store import campaigns as campaign_rows
from server.store import training as training_rows
from server.store.campaigns import StoredCampaign

Context = grpc.aio.ServicerContext


@unsupported(
    {
        "DiffCampaign": "comparing versions",
        "SetVariantState": "pausing and pinning variants",
        "RollBack": "rolling back to a snapshot",
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
                "\n" * (request.first_line - 1) + request.source,  # mistakes then carry the file's own lines
                file_name=request.file_name or "campaign",
                expected_version=request.expected_version if request.HasField("expected_version") else None,
                dry_run=request.dry_run,
                state=State.DRAFT if draft else State.ACTIVE,
            )
        except CampaignFileError as error:
            return pb.PutCampaignResponse(
                result=pb.PUT_RESULT_REFUSED, mistakes=[_write_mistake(mistake) for mistake in error.mistakes]
            )
        return pb.PutCampaignResponse(result=_result(put), campaign=self._write(put.stored))

    async def GetCampaign(self, request: pb.GetCampaignRequest, context: Context) -> pb.Campaign:  # noqa: N802
        version = request.version if request.HasField("version") else None
        return self._write(await asyncio.to_thread(self._read, request.campaign, version))

    async def ListCampaigns(self, request: pb.ListCampaignsRequest, context: Context) -> pb.ListCampaignsResponse:  # noqa: N802
        if request.versions_of:
            raise NotSupportedYet("listing the versions of a campaign")
        wanted = set(request.states) or set(wire.STATES.values()) - {pb.CAMPAIGN_STATE_ARCHIVED}
        stored = [one for one in await asyncio.to_thread(self._newest) if wire.STATES[State(one.state)] in wanted]
        page = Page.read(request.page_size, request.page_token)
        shown, token = page_of(stored, page, key=lambda one: one.campaign)
        return pb.ListCampaignsResponse(campaigns=[self._brief(one) for one in shown], next_page_token=token)

    async def SetCampaignState(self, request: pb.SetCampaignStateRequest, context: Context) -> pb.Campaign:  # noqa: N802
        states = {number: state for state, number in wire.STATES.items()}
        if request.state not in states:
            raise InvalidRequest("state: missing or not known")
        expected = request.expected_version if request.HasField("expected_version") else None
        stored = await self._service.set_state(request.campaign, states[request.state], expected_version=expected)
        return self._write(stored)

    async def ListSnapshots(self, request: pb.ListSnapshotsRequest, context: Context) -> pb.ListSnapshotsResponse:  # noqa: N802
        if request.lineage:
            raise NotSupportedYet("filtering snapshots by lineage")
        page = Page.read(request.page_size, request.page_token)
        before = page.after_number()
        await asyncio.to_thread(self._read, request.campaign, None)  # raises for a campaign that there isn't
        found = await asyncio.to_thread(self._snapshots, request.campaign, before, page.size + 1)
        shown, token = page_of(found, page.first(), key=lambda one: str(one.id))
        served = self._service.catalogue.get(request.campaign).snapshot
        return pb.ListSnapshotsResponse(
            snapshots=[_write_snapshot(one, serving=one.id == served) for one in shown], next_page_token=token
        )

    def _read(self, campaign: str, version: int | None) -> StoredCampaign:
        with self._service.database.reading() as connection:
            return campaign_rows.read_version(connection, campaign, version)

    def _newest(self) -> list[StoredCampaign]:
        with self._service.database.reading() as connection:
            return campaign_rows.newest_versions(connection)

    def _snapshots(self, campaign: str, before: int | None, limit: int) -> list[Snapshot]:
        with self._service.database.reading() as connection:
            return training_rows.list_snapshots(connection, campaign, before=before, limit=limit)

    def _brief(self, stored: StoredCampaign) -> pb.Campaign:
        message = pb.Campaign(
            name=stored.campaign,
            version=stored.version,
            number=stored.number,
            state=wire.STATES[State(stored.state)],
            snapshot=self._snapshot_of(stored.campaign),
            created_at=wire.timestamp(stored.created_at),
        )
        for slot in serve(stored, None).slots.values():
            policy = slot.policy
            arguments = policy.arguments if isinstance(policy, Learner) else slot.policy_name
            message.policies.append(common_pb2.SlotPolicy(slot=slot.name, policy=slot.policy_name, arguments=arguments))
        return message

    def _write(self, stored: StoredCampaign) -> pb.Campaign:
        message = self._brief(stored)
        message.source = stored.source
        fill(message.document, stored.document, name="document")
        return message

    def _snapshot_of(self, campaign: str) -> str:
        served = next((one for one in self._service.catalogue.all() if one.name == campaign), None)
        return str(served.snapshot) if served and served.snapshot is not None else ""


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
    thinned = any(slot.state is None for slot in snapshot.slots)
    state = pb.SNAPSHOT_STATE_THINNED if thinned else pb.SNAPSHOT_STATE_KEPT
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
            pb.SlotSnapshot(slot=slot.slot, policy=slot.policy, arguments=slot.arguments, size_bytes=size)
            for slot, size in zip(snapshot.slots, sizes, strict=True)
        ],
        size_bytes=sum(sizes),
        packages=snapshot.versions,
        state=pb.SNAPSHOT_STATE_SERVING if serving else state,
    )
