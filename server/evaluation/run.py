"""Runs an evaluation: reads the log, finds the policies, judges them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from server.evaluation.grids import check_one_slot, judge_grid
from server.evaluation.learners import replaying
from server.evaluation.log import OnLeftOut
from server.evaluation.pages import groups_asked, judge_page, page_policies
from server.evaluation.provenance import configured, provenance_of
from server.evaluation.reading import Reading
from server.evaluation.request import EvaluationRequest
from server.evaluation.snapshots import SNAPSHOT
from simulator import (
    By,
    Candidate,
    Evaluation,
    Finding,
    Log,
    PageCandidate,
    Progress,
    diagnose_log,
    diagnose_page,
    evaluate,
)
from simulator.engines.local import Engine
from simulator.truth import ExpectedRewards


class Source(Protocol):
    """Where the logs of campaigns are: a database, or a folder that was exported."""

    def read(self, request: EvaluationRequest, *, progress: Callable[[float], None], left_out: OnLeftOut) -> Reading:
        """The log of the slot that is asked for, of all slots where none is. Raises NoSuchCampaign, InvalidRequest,
        ExpressionError, InvalidCampaign.
        """
        ...

    def snapshot(self, campaign: str, slot: str, name: str, lang: str = "en") -> Candidate:
        """The policy of `snapshot:NUMBER`; lang: of its note. Raises NoSuchSnapshot, InvalidRequest."""
        ...

    def window(self, campaign: str) -> timedelta:
        """How long after a decision its outcomes count, in the version in force. Raises NoSuchCampaign."""
        ...

    def groups(self, log: Log, key: str, lang: str = "en") -> By:
        """What makes groups of the people in a log; lang: of what is said of them. Raises InvalidRequest."""
        ...


def run(
    source: Source,
    request: EvaluationRequest,
    *,
    now: float | None = None,
    truth: ExpectedRewards | None = None,
    engine: Engine | None = None,
    progress: Progress = lambda what, done: None,
    left_out: OnLeftOut = lambda decisions: None,
) -> Evaluation:
    """now: unix seconds; later decisions are a finding. truth: of the source's log, where it is known. engine: where
    the learners of a grid are trained, if not here. Raises what `judge` does.
    """
    reading = read_asked(source, request, now=now, progress=progress, left_out=left_out)
    return judge(source, request, reading, truth=truth, engine=engine, progress=progress)


def judge(
    source: Source,
    request: EvaluationRequest,
    reading: Reading,
    *,
    truth: ExpectedRewards | None = None,
    engine: Engine | None = None,
    progress: Progress = lambda what, done: None,
) -> Evaluation:
    """reading: of this request, from this source. Raises what the source raises, and EvaluationError, LogError,
    PolicyError where this log can't answer.
    """
    policies: Sequence[str | Candidate | PageCandidate]
    if reading.page is not None:
        check_one_slot(request, reading.page.names)
        policies = pages = page_policies(source, request, reading.page)
        evaluation = judge_page(source, request, reading, pages, progress)
    else:
        policies = alone = [
            source.snapshot(request.campaign, reading.slots[0].slot, spec, request.lang)
            if spec.startswith(SNAPSHOT)
            else spec
            for spec in request.policies
        ]
        evaluation = _judged(source, request, reading, alone, truth=truth, engine=engine, progress=progress)
    told = {**provenance_of(request, reading), "policies": configured(request, reading, policies)}
    return replace(evaluation, provenance=told)


def _judged(
    source: Source,
    request: EvaluationRequest,
    reading: Reading,
    policies: Sequence[str | Candidate],
    *,
    truth: ExpectedRewards | None,
    engine: Engine | None,
    progress: Progress,
) -> Evaluation:
    log = reading.slots[0]
    if request.grid:
        return judge_grid(
            request, log, policies, by=groups_asked(source, request, reading), engine=engine, progress=progress
        )
    return evaluate(
        log,
        policies,
        estimators=request.estimators,
        interval=request.interval,
        model=request.model,
        confidence=request.confidence,
        train_share=request.train_share,
        by=groups_asked(source, request, reading),
        every=request.every,
        metrics=reading.metrics,
        trial=reading.trial,
        lang=request.lang,
        seed=request.seed,
        force=request.force,
        replay=(
            replaying(request.replay, request.learn_every, source.window(request.campaign)) if request.replay else None
        ),
        truth=truth,
        progress=progress,
    )


def diagnose(
    source: Source,
    request: EvaluationRequest,
    *,
    now: float | None = None,
    progress: Progress = lambda what, done: None,
    left_out: OnLeftOut = lambda decisions: None,
) -> tuple[Finding, ...]:
    """What the checks find about the log that is asked for, the worst first; no policy is judged. Raises what the
    source raises.
    """
    reading = read_asked(source, request, now=now, progress=progress, left_out=left_out)
    if reading.page is not None:
        return diagnose_page(reading.page, lang=request.lang)
    return diagnose_log(reading.slots[0], lang=request.lang)


def read_asked(
    source: Source,
    request: EvaluationRequest,
    *,
    now: float | None,
    progress: Progress = lambda what, done: None,
    left_out: OnLeftOut = lambda decisions: None,
) -> Reading:
    """The log that is asked for. Raises what the source raises."""
    progress("reading the log", 0.0)
    reading = source.read(request, progress=lambda done: progress("reading the log", done), left_out=left_out)
    return reading if now is None else reading.as_of(now)
