"""Explaining decisions. Evaluations as jobs come later; `elige evaluate` runs them from the command line."""

from typing import Any

import grpc

from elige.v1 import evaluations_pb2 as pb
from elige.v1 import evaluations_pb2_grpc
from server.rpc import wire
from server.rpc.unsupported import unsupported
from server.service import Service

Context = grpc.aio.ServicerContext
JOBS = "evaluations as jobs (the command elige evaluate runs them)"


@unsupported(
    {
        "StartEvaluation": JOBS,
        "GetEvaluation": JOBS,
        "ListEvaluations": JOBS,
        "CancelEvaluation": JOBS,
        "ListDecisions": "listing decisions",
        "Diagnose": "diagnosing a campaign",
        "Plan": "planning traffic",
    }
)
class EvaluationServicer(evaluations_pb2_grpc.EvaluationServiceServicer):
    """EvaluationService."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def ExplainDecision(self, request: pb.ExplainDecisionRequest, context: Context) -> pb.Explanation:  # noqa: N802
        return wire.write_explained(await self._service.explain(request.decision_id))

    async def WatchEvaluation(self, request: pb.WatchEvaluationRequest, context: Context) -> Any:  # noqa: N802
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{JOBS}: not supported yet")
        yield  # a generator, as the contract's stream needs
