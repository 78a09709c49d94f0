"""What the simulator needs of a campaign to judge a page of several slots, or one slot in several ways."""

from typing import Protocol

from server.errors import InvalidRequest
from server.evaluation.reading import Reading
from server.evaluation.request import EvaluationRequest
from server.evaluation.snapshots import SNAPSHOT
from simulator import By, Candidate, Evaluation, Log, PageCandidate, Progress, evaluate_page


class Known(Protocol):
    """What is known of a campaign beside its log: a part of `server.evaluation.run.Source`."""

    def snapshot(self, campaign: str, slot: str, name: str) -> Candidate: ...

    def groups(self, log: Log, key: str) -> By: ...


def judge_page(source: Known, request: EvaluationRequest, reading: Reading, progress: Progress) -> Evaluation:
    """Raises what the source raises, InvalidRequest for what one slot alone can be asked, and EvaluationError,
    LogError, PolicyError where this log can't answer.
    """
    page = reading.page
    if page is None:
        raise ValueError(f"{len(reading.slots)} slot: expected several")
    if request.replay:
        raise InvalidRequest(f"a learner is replayed on one slot: name it; there are: {', '.join(page.names)}")
    return evaluate_page(
        page,
        [_snapshot(source, request, page.names, one) if one.startswith(SNAPSHOT) else one for one in request.policies],
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
        progress=progress,
    )


def groups_asked(source: Known, request: EvaluationRequest, reading: Reading) -> list[By]:
    """By each key: of the contexts, else of the labels, else what the source knows by it. Raises InvalidRequest."""
    log = reading.slots[0]
    keys = {name for context in log.contexts for name in context}
    found = []
    for key in request.by:
        labelled = key not in keys and any(label is not None for label in reading.labels[key])
        found.append(By.of_rounds(key, reading.labels[key]) if labelled else source.groups(log, key))
    return found


def _snapshot(source: Known, request: EvaluationRequest, slots: tuple[str, ...], name: str) -> PageCandidate:
    found = {slot: source.snapshot(request.campaign, slot, name) for slot in slots}
    return PageCandidate(name, found, next(iter(found.values())).note)
