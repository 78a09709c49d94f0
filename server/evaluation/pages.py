"""What the simulator needs of a campaign to judge a page of several slots, or one slot in several ways."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from server.errors import InvalidRequest
from server.evaluation.reading import Reading
from server.evaluation.request import EvaluationRequest
from server.evaluation.snapshots import SNAPSHOT
from simulator import By, Candidate, Evaluation, Log, Page, PageCandidate, Progress, evaluate_page

_AS_LOGGED = {
    "en": "Decided as they were logged, whatever a policy does: {slots}.",
    "es": "Decididas como en el registro, haga lo que haga una política: {slots}.",
}
"""Of slots that nobody asked for."""


class Known(Protocol):
    """What is known of a campaign beside its log: a part of `server.evaluation.run.Source`."""

    def snapshot(self, campaign: str, slot: str, name: str, lang: str = "en") -> Candidate: ...

    def groups(self, log: Log, key: str, lang: str = "en") -> By: ...


def page_policies(source: Known, request: EvaluationRequest, page: Page) -> list[str | PageCandidate]:
    """Those that are asked for. Raises NoSuchSnapshot, InvalidRequest."""
    return [
        _snapshot(source, request, page.names, one) if one.startswith(SNAPSHOT) else one for one in request.policies
    ]


def judge_page(
    source: Known,
    request: EvaluationRequest,
    reading: Reading,
    policies: Sequence[str | PageCandidate],
    progress: Progress,
) -> Evaluation:
    """Raises what the source raises, InvalidRequest for what one slot alone can be asked, and EvaluationError,
    LogError, PolicyError where this log can't answer.
    """
    page = reading.page
    if page is None:
        raise ValueError(f"{len(reading.slots)} slot: expected several")
    if request.replay:
        raise InvalidRequest(f"a learner is replayed on one slot: name it; there are: {', '.join(page.names)}")
    judged = evaluate_page(
        page,
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
        progress=progress,
    )
    if not reading.as_logged:
        return judged
    note = _AS_LOGGED[request.lang].format(slots=", ".join(reading.as_logged))
    return replace(judged, notes=(*judged.notes, note))


def groups_asked(source: Known, request: EvaluationRequest, reading: Reading) -> list[By]:
    """By each key: of the contexts, else of the labels, else what the source knows by it. Raises InvalidRequest."""
    log = reading.slots[0]
    keys = {name for context in log.contexts for name in context}
    found = []
    for key in request.by:
        labelled = key not in keys and any(label is not None for label in reading.labels[key])
        found.append(By.of_rounds(key, reading.labels[key]) if labelled else source.groups(log, key, request.lang))
    return found


def _snapshot(source: Known, request: EvaluationRequest, slots: tuple[str, ...], name: str) -> PageCandidate:
    found = {slot: source.snapshot(request.campaign, slot, name, request.lang) for slot in slots}
    return PageCandidate(name, found, next(iter(found.values())).note)
