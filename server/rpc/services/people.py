"""Linking people, giving back what is kept about them, erasing them. Profiles come later."""

import asyncio

import grpc

from elige.v1 import common_pb2, people_pb2_grpc
from elige.v1 import people_pb2 as pb
from server.errors import EligeError, InvalidRequest
from server.people import Erased, ErasureState, Link, decisions_of, person_keys
from server.rpc import wire
from server.rpc.paging import Page, page_of
from server.rpc.unsupported import unsupported
from server.service import Service
from server.store.people import LinkStatus

Context = grpc.aio.ServicerContext

MAX_BATCH = 10_000
_PROFILES = "profiles of people"
_LINKED = {
    LinkStatus.LINKED: pb.LINK_STATUS_LINKED,
    LinkStatus.ALREADY_LINKED: pb.LINK_STATUS_ALREADY_LINKED,
}
_STATES = {
    ErasureState.RETRAINING: pb.ERASURE_STATE_RETRAINING,
    ErasureState.DONE: pb.ERASURE_STATE_DONE,
    ErasureState.FAILED: pb.ERASURE_STATE_FAILED,
}


@unsupported({"PutProfiles": _PROFILES, "GetProfile": _PROFILES})
class PeopleServicer(people_pb2_grpc.PeopleServiceServicer):
    """PeopleService."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def LinkPeople(self, request: pb.LinkPeopleRequest, context: Context) -> pb.LinkPeopleResponse:  # noqa: N802
        if not 0 < len(request.links) <= MAX_BATCH:
            raise InvalidRequest(f"{len(request.links)} links in one batch: expected 1 to {MAX_BATCH}")
        answers = await self._service.link_people([Link(one.alias, one.person) for one in request.links])
        return pb.LinkPeopleResponse(results=map(_write_link, answers))

    async def ExportPerson(self, request: pb.ExportPersonRequest, context: Context) -> pb.ExportPersonResponse:  # noqa: N802
        page = Page.read(request.page_size, request.page_token, scope=("person", request.person))
        database = self._service.database
        found = await asyncio.to_thread(decisions_of, database, request.person, after=page.after, limit=page.size + 1)
        shown, token = page_of(found, page, key=lambda one: one.decision.id)
        keys = await asyncio.to_thread(person_keys, database, request.person) if page.after is None else []
        return pb.ExportPersonResponse(
            person_keys=keys,
            decisions=[wire.write_record(one.decision, one.outcomes, one.matured) for one in shown],
            next_page_token=token,
        )

    async def ErasePerson(self, request: pb.ErasePersonRequest, context: Context) -> pb.Erasure:  # noqa: N802
        match request.WhichOneof("target"):
            case "person":
                return _write_erased(await self._service.erase_person(request.person, dry_run=request.dry_run))
            case "erasure" if request.dry_run:
                raise InvalidRequest("dry_run with erasure: expected a person")
            case "erasure":
                return _write_erased(await self._service.erasure(request.erasure))
        raise InvalidRequest("person or erasure: missing")


def _write_link(answer: LinkStatus | EligeError) -> pb.LinkResult:
    if isinstance(answer, EligeError):
        return pb.LinkResult(error=wire.write_error(answer))
    return pb.LinkResult(status=_LINKED[answer])


def _write_erased(erased: Erased) -> pb.Erasure:
    message = pb.Erasure(
        id=erased.id,
        state=_STATES[erased.state] if erased.state else pb.ERASURE_STATE_UNSPECIFIED,
        decisions=erased.decisions,
        outcomes=erased.outcomes,
        keys=erased.keys,
        retrainings=[
            pb.Retraining(
                campaign=one.campaign,
                old_lineage=str(one.old_lineage),
                new_lineage="" if one.new_lineage is None else str(one.new_lineage),
                progress=one.progress,
                done=one.done,
            )
            for one in erased.retrainings
        ],
    )
    if erased.started_at is not None:
        message.started_at.FromDatetime(erased.started_at)
    if erased.finished_at is not None:
        message.finished_at.FromDatetime(erased.finished_at)
    if erased.error is not None:
        message.error.code, message.error.message = common_pb2.ERROR_CODE_UNKNOWN, wire.shortened(erased.error)
    return message
