"""Which intervals an evaluation can be asked for, by name, and what each is made of for each kind of estimate."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.estimators.evidence import Evidence
from simulator.intervals import Ratios, Resampling, Scores, empirical_bernstein, likelihood
from simulator.intervals.anytime import Wealth
from simulator.intervals.clustered import Persons
from simulator.intervals.scores import doubly_robust_scores, earned_scores, modelled_scores, weighted_scores
from simulator.logs.log import Floats

SKEWED, NORMAL, BOOTSTRAP, BERNSTEIN, LIKELIHOOD, ANYTIME = (
    "skewed", "normal", "bootstrap", "empirical_bernstein", "likelihood", "anytime",
)  # fmt: skip

KINDS = ("mean", "ips", "snips", "cressie_read", "dm", "dr", "sndr")
"""What an estimate is a statistic of: those with other weights are of the kind that they are without."""

INTERVALS: Mapping[str, tuple[str, ...]] = {
    SKEWED: KINDS,
    NORMAL: KINDS,
    BOOTSTRAP: KINDS,
    BERNSTEIN: ("mean", "ips", "dm", "dr"),  # a ratio has no such bound
    # of the value, whichever of these estimates it; that of DR has to allow for residuals never seen, and is wide
    LIKELIHOOD: ("mean", "ips", "snips", "cressie_read"),
    ANYTIME: ("mean", "ips"),  # q is fitted on later rounds, too, and a ratio is no martingale
}
"""By name, the kinds of estimates that have it."""


@dataclass(frozen=True, slots=True)
class DrawBasis:
    """What a bootstrap interval is made of. within: what the value can be."""

    ratios: Ratios
    within: tuple[float, float]
    interval: str = BOOTSTRAP

    def limits(self, confidence: float) -> tuple[float, float]:
        low, high = self.ratios.limits(confidence)
        return max(low, self.within[0]), min(high, self.within[1])

    def minus(self, other: "Basis") -> "Basis":
        if not isinstance(other, DrawBasis):
            raise TypeError(f"a {self.interval} interval less a {other.interval} one: expected two of one kind")
        within = self.within[0] - other.within[1], self.within[1] - other.within[0]
        return DrawBasis(self.ratios.minus(other.ratios), within)


@dataclass(frozen=True, eq=False)
class ScoreBasis:
    """What an interval by bounded scores is made of: empirical Bernstein, likelihood or anytime."""

    scores: Scores
    persons: Persons
    interval: str

    @cached_property
    def _wealth(self) -> Wealth:
        return Wealth.of(self.scores)

    def limits(self, confidence: float) -> tuple[float, float]:
        if self.slow:
            low, high = self.grown(1.0, confidence)
        else:
            low, high = likelihood(self.scores, self.persons, confidence=confidence)
        return max(low, self.scores.within[0]), min(high, self.scores.within[1])

    @property
    def slow(self) -> bool:
        """Whether it is wider than a symmetric interval even of many rounds, and `grown` tells how much."""
        return self.interval != LIKELIHOOD

    def grown(self, times: float, confidence: float) -> tuple[float, float]:
        """About what the limits will be when the log is so many times as long, and like this."""
        if self.interval == ANYTIME:
            return self._wealth.grown(times).limits(confidence)
        return empirical_bernstein(self.scores, self.persons, confidence=confidence, times=times)

    def minus(self, other: "Basis") -> "Basis":
        if not isinstance(other, ScoreBasis) or other.interval != self.interval:
            raise TypeError(f"a {self.interval} interval less a {other.interval} one: expected two of one kind")
        return ScoreBasis(self.scores.minus(other.scores), self.persons, self.interval)


Basis = DrawBasis | ScoreBasis


def basis_of(interval: str, kind: str, seen: Evidence, resampling: Resampling | None) -> Basis:
    """Of an interval that needs more than the influence. `resampling` is needed by the bootstrap alone. Raises
    ValueError where this kind of estimate has no such interval, or it isn't known what was possible.
    """
    if interval in (SKEWED, NORMAL) or kind not in INTERVALS[interval]:
        raise ValueError(f"a {interval} interval of {kind}: expected one of {list(INTERVALS[interval])}")
    if seen.possible is None:
        raise ValueError(f"a {interval} interval of {kind}: it has to be known what was possible")
    if interval != BOOTSTRAP:
        return ScoreBasis(_scores(kind, seen), seen.persons, interval)
    if resampling is None:
        raise ValueError(f"a bootstrap interval of {kind}: expected a resampling")
    return DrawBasis(Ratios.of(resampling, _ratios(kind, seen)), (seen.possible.low, seen.possible.high))


def _ratios(kind: str, x: Evidence) -> list[tuple[Floats, Floats | None]]:
    """(n,) numerators and denominators whose ratios of sums add up to the estimate; None counts rounds."""
    match kind:
        case "mean":
            return [(x.rewards, None)]
        case "ips":
            return [(x.weights * x.rewards, None)]
        case "snips":
            return [(x.weights * x.rewards, x.weights)]
        case "cressie_read":  # to first order: the slope stays what it is
            return [(x.weights * x.rewards - slope_of(x.rewards, x.weights) * (x.weights - 1.0), None)]
        case "dm":
            return [(x.expected, None)]
        case "dr":
            return [(x.expected + x.weights * (x.rewards - x.predicted), None)]
    return [(x.expected, None), (x.weights * (x.rewards - x.predicted), x.weights)]


def _scores(kind: str, x: Evidence) -> Scores:
    assert x.possible is not None
    match kind:
        case "mean":
            return earned_scores(x.rewards, x.possible)
        case "dm":
            return modelled_scores(x.expected, x.possible)
        case "dr":
            return doubly_robust_scores(x.rewards, x.weights, x.expected, x.predicted, x.possible)
    return weighted_scores(x.rewards, x.weights, x.possible)


def slope_of(rewards: Floats, weights: Floats) -> float:
    """How much w·r goes up with w: their covariance over the variance of w. 0 where all weights are alike."""
    varied = float(np.var(weights))
    return float(np.mean((weights - weights.mean()) * weights * rewards)) / varied if varied > 0.0 else 0.0
