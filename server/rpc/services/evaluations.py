"""Evaluations as jobs, decisions one by one and explained, and whether all is well."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial

import grpc

from elige.v1 import evaluations_pb2 as pb
from elige.v1 import evaluations_pb2_grpc
from policies.expressions import ExpressionError
from policies.registry import PolicyError
from server.errors import InvalidRequest
from server.evaluation.asking import ID_BYTES, ask
from server.evaluation.calls import Calls
from server.evaluation.diagnosing import checked_language, examine
from server.listing import Asked, list_decisions
from server.planning import plan
from server.rpc import evaluations_wire, findings_wire, plans_wire, wire
from server.rpc.paging import Page, page_of
from server.service import Service
from server.store import campaigns as campaign_rows
from server.store import evaluations as evaluation_rows
from server.store.evaluations import EvaluationState, StoredEvaluation

Context = grpc.aio.ServicerContext
WATCH_SECONDS = 0.25
"""How often a stream looks for progress."""


class EvaluationServicer(evaluations_pb2_grpc.EvaluationServiceServicer):
    """EvaluationService."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._calls = Calls(service.database.address)

    async def StartEvaluation(self, request: pb.StartEvaluationRequest, context: Context) -> pb.Evaluation:  # noqa: N802
        stored = await asyncio.to_thread(self._start, request)
        self._service.evaluation_asked.set()
        return evaluations_wire.write_evaluation(stored)

    async def GetEvaluation(self, request: pb.GetEvaluationRequest, context: Context) -> pb.Evaluation:  # noqa: N802
        return evaluations_wire.write_evaluation(await asyncio.to_thread(self._read, request.id))

    async def ListEvaluations(  # noqa: N802
        self, request: pb.ListEvaluationsRequest, context: Context
    ) -> pb.ListEvaluationsResponse:
        states = evaluations_wire.read_states(request.states)
        page = Page.read(request.page_size, request.page_token, scope=("evaluations", request.campaign, sorted(states)))
        found = await asyncio.to_thread(self._newest, request.campaign or None, states, page)
        shown, token = page_of(found, page, key=lambda one: one.id)
        return pb.ListEvaluationsResponse(
            evaluations=map(evaluations_wire.write_evaluation, shown), next_page_token=token
        )

    async def CancelEvaluation(self, request: pb.CancelEvaluationRequest, context: Context) -> pb.Evaluation:  # noqa: N802
        return evaluations_wire.write_evaluation(await asyncio.to_thread(self._cancel, request.id))

    async def WatchEvaluation(  # noqa: N802
        self, request: pb.WatchEvaluationRequest, context: Context
    ) -> AsyncIterator[pb.Evaluation]:
        told: object = None
        while True:
            now = await asyncio.to_thread(self._glance, request.id)
            if now != told:
                told = now
                stored = await asyncio.to_thread(self._read, request.id)
                yield evaluations_wire.write_evaluation(stored)
                if stored.state.ended:
                    return
            await asyncio.sleep(WATCH_SECONDS)

    async def ExplainDecision(self, request: pb.ExplainDecisionRequest, context: Context) -> pb.Explanation:  # noqa: N802
        return wire.write_explained(await self._service.explain(request.decision_id))

    async def ListDecisions(self, request: pb.ListDecisionsRequest, context: Context) -> pb.ListDecisionsResponse:  # noqa: N802
        since, until = evaluations_wire.read_period(request.period)
        kinds = frozenset(request.kinds)
        scope = ("decisions", request.campaign, request.person, since, until, sorted(kinds), request.where)
        page = Page.read(request.page_size, request.page_token, scope=scope)
        asked = Asked(
            campaign=request.campaign or None,
            person=request.person or None,
            since=since,
            until=until,
            where=request.where or None,
            kind=(lambda one: wire.write_kind(one.kind, one.reason) in kinds) if kinds else None,
        )
        listed = await asyncio.to_thread(
            list_decisions, self._service.database, asked, after=page.after, limit=page.size
        )
        return pb.ListDecisionsResponse(
            decisions=[wire.write_record(one.decision, one.outcomes, one.matured) for one in listed.records],
            next_page_token=page.token(listed.next) if listed.next is not None else "",
        )

    async def Diagnose(self, request: pb.DiagnoseRequest, context: Context) -> pb.DiagnoseResponse:  # noqa: N802
        since, until = evaluations_wire.read_period(request.period)
        lang = checked_language(request.language)
        await asyncio.to_thread(self._check_campaign, request.campaign)
        found = await self._calls.answer(
            partial(
                examine,
                campaign=request.campaign,
                since=since,
                until=until,
                lang=lang,
                now=datetime.now(UTC),
            )
        )
        return findings_wire.write_diagnosed(found)

    async def Plan(self, request: pb.PlanRequest, context: Context) -> pb.PlanResponse:  # noqa: N802
        try:
            asked = plans_wire.read_plan(request)
        except PolicyError as error:
            raise InvalidRequest(str(error)) from error
        await asyncio.to_thread(self._check_campaign, asked.campaign)
        planned = await self._calls.answer(partial(plan, request=asked, now=datetime.now(UTC)))
        return plans_wire.write_planned(planned, asked)

    def _check_campaign(self, campaign: str) -> None:
        """Before a process is begun for nothing. Raises NoSuchCampaign."""
        with self._service.database.reading() as connection:
            campaign_rows.read_version(connection, campaign)

    def _start(self, request: pb.StartEvaluationRequest) -> StoredEvaluation:
        try:
            return ask(
                self._service.database,
                evaluations_wire.read_start(request),
                evaluation_id=secrets.token_hex(ID_BYTES),
                now=datetime.now(UTC),
                request_id=request.request_id or None,
            )
        except (PolicyError, ExpressionError) as error:
            raise InvalidRequest(str(error)) from error

    def _read(self, evaluation_id: str) -> StoredEvaluation:
        with self._service.database.reading() as connection:
            return evaluation_rows.read(connection, evaluation_id)

    def _glance(self, evaluation_id: str) -> object:
        with self._service.database.reading() as connection:
            return evaluation_rows.glance(connection, evaluation_id)

    def _newest(self, campaign: str | None, states: tuple[EvaluationState, ...], page: Page) -> list[StoredEvaluation]:
        with self._service.database.reading() as connection:
            return evaluation_rows.newest(
                connection, campaign=campaign, states=states, before=page.after, limit=page.size + 1
            )

    def _cancel(self, evaluation_id: str) -> StoredEvaluation:
        database = self._service.database
        with database.writing(()) as connection:
            return evaluation_rows.cancel(connection, evaluation_id, now=database.time_of(connection))
