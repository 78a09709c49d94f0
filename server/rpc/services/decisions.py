"""Deciding, and taking what was shown and what happened."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import grpc
import structlog

from elige.v1 import common_pb2, decisions_pb2_grpc
from elige.v1 import decisions_pb2 as pb
from server.errors import EligeError, InvalidRequest
from server.rpc import wire
from server.rpc.errors import DEFECT
from server.service import Service

log = structlog.get_logger()

MAX_BATCH = 10_000
Request = TypeVar("Request")
Result = TypeVar("Result")
Context = grpc.aio.ServicerContext


class DecisionServicer(decisions_pb2_grpc.DecisionServiceServicer):
    """DecisionService."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def Decide(self, request: pb.DecideRequest, context: Context) -> pb.Decision:  # noqa: N802 gRPC's names
        return await self._decide(request)

    async def BatchDecide(self, request: pb.BatchDecideRequest, context: Context) -> pb.BatchDecideResponse:  # noqa: N802
        results = await _each(
            request.requests,
            self._decide,
            lambda decision: pb.DecideResult(decision=decision),
            lambda error: pb.DecideResult(error=error),
        )
        return pb.BatchDecideResponse(results=results)

    async def Activate(self, request: pb.ActivateRequest, context: Context) -> pb.ActivateResponse:  # noqa: N802
        return await self._activate(request)

    async def BatchActivate(self, request: pb.BatchActivateRequest, context: Context) -> pb.BatchActivateResponse:  # noqa: N802
        results = await _each(
            request.requests,
            self._activate,
            lambda answer: pb.ActivateResult(answer=answer),
            lambda error: pb.ActivateResult(error=error),
        )
        return pb.BatchActivateResponse(results=results)

    async def Reward(self, request: pb.RewardRequest, context: Context) -> pb.RewardResponse:  # noqa: N802
        return await self._reward(request)

    async def BatchReward(self, request: pb.BatchRewardRequest, context: Context) -> pb.BatchRewardResponse:  # noqa: N802
        results = await _each(
            request.requests,
            self._reward,
            lambda answer: pb.RewardResult(answer=answer),
            lambda error: pb.RewardResult(error=error),
        )
        return pb.BatchRewardResponse(results=results)

    async def ObserveDecision(self, request: pb.ObserveDecisionRequest, context: Context) -> pb.Decision:  # noqa: N802
        observed = await self._service.observe(wire.read_observe(request))
        return wire.write_decision(observed.decision, repeated=observed.repeated)

    async def _decide(self, request: pb.DecideRequest) -> pb.Decision:
        decided = await self._service.decide(wire.read_decide(request))
        return wire.write_decision(
            decided.decision,
            repeated=decided.repeated,
            probabilities=request.want_probabilities,
            refusals=request.want_refusals,
        )

    async def _activate(self, request: pb.ActivateRequest) -> pb.ActivateResponse:
        return wire.write_activated(await self._service.activate(wire.read_activate(request)))

    async def _reward(self, request: pb.RewardRequest) -> pb.RewardResponse:
        return wire.write_recorded(await self._service.reward(wire.read_reward(request)), request.decision_id)


async def _each(
    items: Sequence[Request],
    call: Callable[[Request], Awaitable[Any]],
    answered: Callable[[Any], Result],
    failed: Callable[[common_pb2.Error], Result],
) -> list[Result]:
    """Every item's own answer or error, in order. All at once, so that they share transactions."""
    if not 0 < len(items) <= MAX_BATCH:
        raise InvalidRequest(f"{len(items)} requests in one batch: expected 1 to {MAX_BATCH}")

    async def one(item: Request) -> Result:
        try:
            return answered(await call(item))
        except EligeError as error:
            return failed(wire.write_error(error))
        except Exception:  # its neighbours are stored: they have to get their answers
            log.exception("an item of a batch failed")
            return failed(common_pb2.Error(code=common_pb2.ERROR_CODE_INTERNAL, message=DEFECT))

    return await asyncio.gather(*map(one, items))
