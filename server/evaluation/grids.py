"""A grid of learners over the log of one slot."""

from collections.abc import Sequence

from server.errors import InvalidRequest
from server.evaluation.request import EvaluationRequest
from simulator import By, Candidate, Evaluation, Log, Progress
from simulator.engines.local import Engine
from simulator.grids import evaluate_grid


def judge_grid(
    request: EvaluationRequest,
    log: Log,
    policies: Sequence[str | Candidate],
    *,
    by: By | Sequence[By] | None,
    engine: Engine | None = None,
    progress: Progress,
) -> Evaluation:
    """What the combination that is chosen would have earned. engine: where learners are trained, if not here."""
    return evaluate_grid(
        log,
        request.grid,
        policies,
        estimators=request.estimators,
        interval=request.interval,
        model=request.model,
        confidence=request.confidence,
        train_share=request.train_share,
        by=by,
        every=request.every,
        lang=request.lang,
        seed=request.seed,
        force=request.force,
        engine=engine,
        progress=progress,
    )


def check_one_slot(request: EvaluationRequest, slots: Sequence[str]) -> None:
    """Raises InvalidRequest for what is judged slot by slot only, where several are asked for."""
    if request.grid or request.replay:
        asked = "a grid" if request.grid else "a replay"
        raise InvalidRequest(f"{asked} is of one slot; expected one of {', '.join(slots)} as the slot")
