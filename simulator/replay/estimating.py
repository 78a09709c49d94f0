"""From the passages of a learner to its row: what it earned on its way through the log.

The terms of one passage are a martingale: given what happened before, each round tells what the learner was worth in
that round. An interval therefore holds the mean of what the learner was worth as it went through these rounds; it
does not hold what it would be worth on another way, had other people come first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from simulator.asked import Asked
from simulator.checks.wording import rounded_down
from simulator.diagnostics import WHOLE, earned_range
from simulator.estimators import Estimate, difference, effective_sample_size
from simulator.estimators.estimate import estimate
from simulator.intervals.clustered import Persons, Possible
from simulator.judging import Part, period_of, refused_row
from simulator.logs.distinct import distinct
from simulator.logs.log import Flags, Floats, Log
from simulator.replay.passage import Passage
from simulator.replay.record import REJECTION, Stretch, estimator_of
from simulator.replay.words import WORDS
from simulator.rows import REPLAYED, Row
from simulator.sentences import LANGUAGES

LEAST_USED = 50.0
"""Rounds that a replay has to be able to use, (Σw)²/Σw²: with fewer it is refused."""
LEAST_EVENTS = 5.0
"""The same of those whose reward is not the commonest."""
LEAST_SEEN = 0.95
"""The share of what the learner would do that the log could have shown: with less it is refused."""
STRETCHES = 10


@dataclass(frozen=True, slots=True)
class Terms:
    """What the passages say about a learner, (n,) each, means over the passages.

    scores: mean of these is the value. influence: what each round adds to n·(value - truth). weights: as they enter the
    scores. usable: False where a passage has no round of its own to tell by.
    """

    scores: Floats
    influence: Floats
    weights: Floats
    usable: bool


def terms(method: str, log: Log, predicted: Floats, passages: Sequence[Passage], members: Flags) -> Terms:
    """Those of the members, (m,), a part of the rounds that the passages went through. log: (m,) that part. predicted:
    (m,) q(x, chosen).

    Rejection: the mean reward of the rounds that were kept. Otherwise the doubly robust mean Σ c·R / Σ c over all
    rounds, R = Σ_a π(a|x)·q(x, a) + π(chosen|x)/p·(r - q(x, chosen)): a round counts as c, since 1/c rounds go by until
    the learner has one more of its own.
    """
    scores, influence, weights = (np.zeros(len(log)) for _ in range(3))
    for one in passages:
        if method == REJECTION:
            count, score = one.kept[members].astype(np.float64), log.rewards
            weight = count
        else:
            count = one.rates[members]
            score = one.expected[members] + one.weights[members] * (log.rewards - predicted)
            weight = count * one.weights[members]
        if not weight.any():
            return Terms(scores, influence, weights, usable=False)
        share = 1.0 / (float(count.mean()) * len(passages))
        value = float(count @ score) / float(count.sum())
        scores += share * count * score
        influence += share * count * (score - value)
        weights += share * weight
    return Terms(scores, influence, weights, usable=True)


def worth(method: str, passages: Sequence[Passage]) -> float:
    """What is true where `terms` estimates: the mean over the passages of what the learner was worth on its way."""
    counts = [one.kept.astype(np.float64) if method == REJECTION else one.rates for one in passages]
    values = [
        float(count @ one.worth / count.sum()) for count, one in zip(counts, passages, strict=True) if count.any()
    ]
    return float(np.mean(values)) if values else float("nan")


def replayed_row(
    part: Part, name: str, method: str, predicted: Floats, passages: Sequence[Passage], asked: Asked
) -> Row:
    """The row of a replayed learner on the rounds of a part. predicted: (m,) q(x, chosen) there. What was forced has
    its numbers all the same, where there are any.
    """
    found = terms(method, part.log, predicted, passages, part.members)
    seen = 1.0 - float(np.mean([one.unseen[part.members].mean() for one in passages]))
    refusal = _refusal(part.log, found, seen, asked.lang)
    if refusal and not (asked.force and found.usable):
        return refused_row(part, name, REPLAYED, refusal)
    by = estimator_of(method, WORDS[asked.lang])
    value = replace(_estimate(found, part.log, part.persons, asked.confidence), estimator=by)
    gain = difference(value, part.earned, part.persons, confidence=asked.confidence)
    forced = refusal is not None or asked.unsound is not None
    return Row(name, REPLAYED, {"mean": value}, gain, None, None, period_of(part.log), forced=forced)


def curve(
    method: str, log: Log, predicted: Floats, persons: Persons, passages: Sequence[Passage], *, confidence: float
) -> tuple[Stretch, ...]:
    """The log in STRETCHES of about equally many rounds. predicted: (n,)."""
    ends = np.unique(np.linspace(0, len(log), min(STRETCHES, len(log)) + 1).astype(np.intp))
    rows = np.arange(len(log))

    def value(first: int, end: int) -> tuple[float, float, float] | None:
        inside = (rows >= first) & (rows < end)
        part = log[inside]
        if distinct(persons[inside]).size < 2:
            return None
        found = terms(method, part, predicted[inside], passages, inside)
        if not found.usable:
            return None
        told = _estimate(found, part, persons[inside], confidence)
        return told.value, told.low, told.high

    return tuple(
        Stretch(
            start=float(log.times[first]),
            end=float(log.times[end - 1]),
            n=int(end - first),
            used=float(np.mean([one.kept[first:end].sum() for one in passages])),
            value=value(first, end),
            so_far=value(0, end),
        )
        for first, end in pairwise(ends)
    )


def _estimate(found: Terms, log: Log, persons: Persons, confidence: float) -> Estimate:
    low, high = earned_range(log)
    possible = Possible(float(np.sqrt(np.mean(found.weights**3))), float(found.weights.max()), low, high)
    told = estimate(
        "mean",
        float(found.scores.mean()),
        found.influence,
        persons,
        weights=found.weights,
        confidence=confidence,
        possible=possible,
    )
    return replace(told, low=float(np.clip(told.low, low, high)), high=float(np.clip(told.high, low, high)))


def _refusal(log: Log, found: Terms, seen: float, lang: str) -> str | None:
    words, language = WORDS[lang], LANGUAGES[lang]
    if not found.usable:
        return words.nothing_own
    if seen < LEAST_SEEN:
        return words.unseen.format(seen=language.cell(seen, 1), least=language.cell(LEAST_SEEN))
    used = effective_sample_size(found.weights)
    if used < LEAST_USED - WHOLE:
        return words.few_rounds.format(used=language.written(f"{rounded_down(used):.1f}"), least=f"{LEAST_USED:.0f}")
    values, counts = np.unique(log.rewards, return_counts=True)
    events = effective_sample_size(found.weights[log.rewards != values[np.argmax(counts)]])
    if events < LEAST_EVENTS - WHOLE:
        told = language.written(f"{rounded_down(events):.1f}")
        return words.few_events.format(used=told, least=f"{LEAST_EVENTS:.0f}")
    return None
