"""An interval that may be looked at after every round, and acted on: at all times together it holds as promised.

Assumed: the logged propensities are exact given all that came before, and rewards lie within their declared range. Not
assumed: that the logging policy stays as it is, that rounds are alike or independent, or that weights are bounded. What
is covered at every time is the mean, over the rounds so far, of what the policy would earn in each, given all that came
before it. Where people come again, it is of the people who came, whose habits may differ from those of all people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq

from simulator.intervals.scores import Scores
from simulator.logs.log import Floats

BETS, GREATEST_BET, RATIO = 48, 0.9, 0.8
"""The bets that are mixed: GREATEST_BET, and each RATIO times the one before, for logs of a few rounds to billions."""

_Process = tuple[float, float, float]
"""Sum of the scores, sum of their squared distances from what was expected, and the scale; see `_process`."""


def anytime(scores: Scores, *, confidence: float) -> tuple[float, float]:
    """Limits of the mean at this time, both sides at half of 1 - confidence. `scores` are in the order of time.

    For a score x that is never below some f, and any prediction x̂ ≤ f + c from what came before it, the product of
    exp(λ(x - μ)/c + (log(1-λ) + λ)((x - x̂)/c)²) is a supermartingale for each λ in [0, 1) (Fan, Grama & Liu 2015;
    Howard, Ramdas, McAuliffe & Sekhon 2021), and so is their mean over many λ. It exceeds 1/α at any time with a
    chance of at most α (Ville): where it does, the mean μ is refuted. The scores l + w(r-l) need no bound of the
    weights (Waudby-Smith, Wu, Ramdas, Karampatziakis & Mineiro 2022); w·r varies less where rewards are rare, and is
    bounded by the greatest weight. Both are bet on, with half of the stake each.
    Raises ValueError for scores that have no such bounds.
    """
    return Wealth.of(scores).limits(confidence)


@dataclass(frozen=True, slots=True)
class Wealth:
    """What bets on scores have come to, of n of them, against each mean within the bounds: all that `anytime` needs."""

    lower: tuple[_Process, ...]
    upper: tuple[_Process, ...]
    n: float
    within: tuple[float, float]

    @classmethod
    def of(cls, scores: Scores) -> "Wealth":
        """Raises ValueError for scores that have no bounds."""
        if scores.low is None or scores.high is None:
            raise ValueError("scores of an estimate that uses later rounds: no interval of it holds at any time")
        bottom, top = scores.within
        lower = [_process(scores.low, scores.least, bottom, top)]
        upper = [_process(-scores.high, -scores.most, -top, -bottom)]
        if np.isfinite(scores.bounds).all():
            lower.append(_process(scores.plain, scores.bounds[0], bottom, top))
            upper.append(_process(-scores.plain, -scores.bounds[1], -top, -bottom))
        return cls(tuple(lower), tuple(upper), len(scores.plain), scores.within)

    def grown(self, times: float) -> "Wealth":
        """About what it will be when there are so many times as many scores, and like these."""
        lower, upper = (
            tuple((times * total, times * squares, scale) for total, squares, scale in side)
            for side in (self.lower, self.upper)
        )
        return Wealth(lower, upper, times * self.n, self.within)

    def limits(self, confidence: float) -> tuple[float, float]:
        """See `anytime`."""
        (bottom, top), tail = self.within, (1.0 - confidence) / 2.0
        return _limit(self.lower, self.n, bottom, top, tail), -_limit(self.upper, self.n, -top, -bottom, tail)


def _process(scores: Floats, floor: float, bottom: float, top: float) -> _Process:
    """What is bet on. Each score is predicted by the mean of those before it, kept within what a value can be."""
    before = np.concatenate([[0.0], np.cumsum(scores)[:-1]])
    predicted = np.clip((before + (bottom + top) / 2.0) / np.arange(1, len(scores) + 1), bottom, top)
    return float(scores.sum()), float(np.sum((scores - predicted) ** 2)), top - floor


@lru_cache(maxsize=1)
def _bets() -> tuple[Floats, Floats]:
    """λ, and -(log(1-λ) + λ)."""
    bets: Floats = GREATEST_BET * RATIO ** np.arange(BETS, dtype=np.float64)
    return bets, -np.log1p(-bets) - bets


def _limit(processes: Sequence[_Process], n: float, bottom: float, top: float, tail: float) -> float:
    """The least mean that is not refuted."""
    bets, costs = _bets()
    wanted = float(np.log(BETS * len(processes) / tail))

    def refuted(mean: float) -> float:
        each = [bets * (total - n * mean) / scale - costs * squares / scale**2 for total, squares, scale in processes]
        logs = np.concatenate(each)
        return float(logs.max() + np.log(np.exp(logs - logs.max()).sum())) - wanted

    if refuted(bottom) <= 0.0:
        return bottom
    if refuted(top) >= 0.0:
        return top
    return float(brentq(refuted, bottom, top, xtol=1e-12 * max(1.0, abs(top), abs(bottom))))
