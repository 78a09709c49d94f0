"""Runs an evaluation: reads the log, finds the policies, judges them."""

from collections.abc import Callable
from typing import Protocol

from server.evaluation.log import OnLeftOut
from server.evaluation.request import EvaluationRequest
from server.evaluation.snapshots import SNAPSHOT
from simulator import By, Candidate, Evaluation, Log, Progress, evaluate


class Source(Protocol):
    """Where the logs of campaigns are: a database, or a folder that was exported."""

    def log(self, request: EvaluationRequest, *, progress: Callable[[float], None], left_out: OnLeftOut) -> Log:
        """Raises NoSuchCampaign, InvalidRequest, ExpressionError, InvalidCampaign."""
        ...

    def snapshot(self, campaign: str, slot: str, name: str) -> Candidate:
        """The policy of `snapshot:NUMBER`. Raises NoSuchSnapshot, InvalidRequest."""
        ...

    def groups(self, log: Log, key: str) -> By:
        """What makes groups of the people in a log. Raises InvalidRequest."""
        ...


def run(
    source: Source,
    request: EvaluationRequest,
    *,
    progress: Progress = lambda what, done: None,
    left_out: OnLeftOut = lambda decisions: None,
) -> Evaluation:
    """Raises what the source raises, and EvaluationError, LogError, PolicyError where this log can't answer."""
    progress("reading the log", 0.0)
    log = source.log(request, progress=lambda done: progress("reading the log", done), left_out=left_out)
    policies = [
        source.snapshot(request.campaign, log.slot, spec) if spec.startswith(SNAPSHOT) else spec
        for spec in request.policies
    ]
    return evaluate(
        log,
        policies,
        estimators=request.estimators,
        confidence=request.confidence,
        train_share=request.train_share,
        by=source.groups(log, request.by) if request.by is not None else None,
        lang=request.lang,
        seed=request.seed,
        progress=progress,
    )
