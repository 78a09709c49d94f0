"""A learner goes through a log once, round by round: it is asked, and what it keeps it learns, once that is known."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from policies.base import SUM_TOLERANCE, InvalidPmf, Learner, normalise
from policies.types import Pmf, TrainingExample
from simulator.asked import EvaluationError
from simulator.logs.log import Flags, Floats, Log
from simulator.replay.accepting import Acceptance


@dataclass(frozen=True, slots=True)
class Pace:
    """When a learner learns. every: so many rounds of its own, or so much time. known: (n,) when each reward is."""

    every: int | timedelta
    known: Floats


@dataclass(frozen=True, slots=True)
class Passage:
    """What the learner would have done, (n,) each.

    weights: π(chosen|x)/propensity, by the learner as it was then. expected: Σ_a π(a|x)·q(x, a). worth: the same of
    what is true, 0 where nobody knows it. kept: the rounds that became its own. rates: c, with which they were kept.
    unseen: the probability that it gave to what this log could not have shown there. learned: how many of its own
    rounds it was told the reward of.
    """

    weights: Floats
    expected: Floats
    worth: Floats
    kept: Flags
    rates: Floats
    unseen: Floats
    learned: int


def go_through(
    log: Log,
    learner: Learner,
    acceptance: Acceptance,
    pace: Pace,
    q: Floats,
    *,
    as_logged: bool,
    truth: Floats | None = None,
    tell: Callable[[float], None] = lambda done: None,
) -> Passage:
    """The learner is changed, the log is not. q: (n, K) what a model expects. as_logged: it learns a round under the
    probabilities of the log, else under its own, which is what would have been logged. truth: (n, K) what is true.

    Raises EvaluationError for an invalid pmf.
    """
    n, (sets, which) = len(log), log.eligible_sets
    weights, expected, worth, rates, unseen = (np.zeros(n) for _ in range(5))
    kept = np.zeros(n, dtype=bool)
    times, propensities = log.times.tolist(), log.propensities.tolist()  # read one by one, lists are faster
    blind = _blind(log)
    modelled = bool(q.any())
    waiting = _Waiting(learner, pace, times[0])
    for row, example in enumerate(log.examples()):
        if waiting.learn(times[row]):
            acceptance.learned(learner)
        pmf = _asked(learner, example, row)
        weights[row] = pmf[example.chosen] / propensities[row]
        rates[row] = acceptance.rate
        if modelled:
            expected[row] = pmf @ q[row, sets[which[row]]]
        if truth is not None:
            worth[row] = pmf @ truth[row, sets[which[row]]]
        if blind[row]:
            unseen[row] = pmf[example.probabilities <= 0.0].sum()
        if acceptance.keeps(pmf, example):
            kept[row] = True
            waiting.add(row, example if as_logged else replace(example, probabilities=pmf))
        if row % 1000 == 0:
            tell(row / n)
    return Passage(weights, expected, worth, kept, rates, unseen, waiting.learned)


def _blind(log: Log) -> Flags:
    """(n,) whether there was something eligible that could not be chosen."""
    if log.probabilities is None:
        return np.zeros(len(log), dtype=bool)
    return np.asarray((log.eligible & (log.probabilities <= 0.0)).any(axis=1))


def _asked(learner: Learner, example: TrainingExample, row: int) -> Pmf:
    """(k,) validated. Raises EvaluationError."""
    raw = learner.pmf(example.context, example.actions)
    if raw.shape == (len(example.actions),) and raw.min() >= 0.0 and abs(raw.sum() - 1.0) <= SUM_TOLERANCE:
        return raw  # as nearly all are
    try:
        if raw.shape != (len(example.actions),):
            raise InvalidPmf(f"expected {len(example.actions)} probabilities, got an array of shape {raw.shape}")
        return normalise(raw)
    except InvalidPmf as error:
        raise EvaluationError(f"policy {learner.arguments!r}, round {row}: {error}") from error


class _Waiting:
    """Rounds that became the learner's own, and are not learned yet."""

    def __init__(self, learner: Learner, pace: Pace, start: float) -> None:
        self._learner, self._pace = learner, pace
        self._waiting: list[tuple[float, int, TrainingExample]] = []
        self._since, self._last = 0, start
        self.learned = 0

    def add(self, row: int, example: TrainingExample) -> None:
        heapq.heappush(self._waiting, (float(self._pace.known[row]), row, example))
        self._since += 1

    def learn(self, now: float) -> bool:
        """Learn what is known by now, in the order in which it became known, if it is time to; whether it did."""
        if not self._due(now):
            return False
        self._since, self._last = 0, now
        known = []
        while self._waiting and self._waiting[0][0] <= now:
            known.append(heapq.heappop(self._waiting)[2])
        if known:
            self._learner.learn(known)
            self.learned += len(known)
        return bool(known)

    def _due(self, now: float) -> bool:
        every = self._pace.every
        return now - self._last >= every.total_seconds() if isinstance(every, timedelta) else self._since >= every
