"""What a policy earned, one number a round, with what each of these numbers could have been."""

from dataclasses import dataclass

import numpy as np

from simulator.intervals.clustered import Possible
from simulator.logs.log import Floats

Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scores:
    """Numbers whose mean estimates a value without bias: w·r for IPS, r for what was served.

    plain: (n,) each within `bounds`. within: what the value can be. low, high: (n,) as unbiased as `plain`; the one is
    never below `least`, the other never above `most`, however large the weights are: l + w(r - l) and h - w(h - r) for
    rewards from l to h. None where an estimate has none, as that of a model fitted on later rounds. weights: (n,) w, of
    mean 1, whose greatest is `max_weight`; None where no weighting is left to be used. unweighted, heaviest: what
    `plain` can be in a round of weight 0, and in one of the greatest.
    """

    plain: Floats
    bounds: Bounds
    within: Bounds
    low: Floats | None = None
    high: Floats | None = None
    least: float = 0.0
    most: float = 0.0
    weights: Floats | None = None
    max_weight: float = 1.0
    unweighted: Bounds = (0.0, 0.0)
    heaviest: Bounds = (0.0, 0.0)

    def minus(self, other: "Scores") -> "Scores":
        """Those of the difference, round by round. The weights stay where only one side has them."""
        first, second = self.corners, other.corners
        weights = other.weights if self.weights is None else self.weights
        both = self.weights is not None and other.weights is not None
        bounds = _less(self.bounds, other.bounds)
        return Scores(
            plain=self.plain - other.plain,
            bounds=bounds,
            within=_less(self.within, other.within),
            low=None if self.low is None or other.high is None else self.low - other.high,
            high=None if self.high is None or other.low is None else self.high - other.low,
            least=self.least - other.most,
            most=self.most - other.least,
            weights=None if both else weights,
            max_weight=1.0 if both else max(self.max_weight, other.max_weight),
            unweighted=bounds if both else _less(first[0], second[0]),
            heaviest=bounds if both else _less(first[1], second[1]),
        )

    @property
    def corners(self) -> tuple[Bounds, Bounds]:
        """What `plain` can be in a round of weight 0, and in one of the greatest weight."""
        return (self.bounds, self.bounds) if self.weights is None else (self.unweighted, self.heaviest)


def earned_scores(rewards: Floats, possible: Possible) -> Scores:
    """Of what was served: the rewards themselves. rewards: (n,)."""
    span = (possible.low, possible.high)
    return Scores(rewards, span, span, rewards, rewards, *span)


def weighted_scores(rewards: Floats, weights: Floats, possible: Possible) -> Scores:
    """Of IPS: w·r. rewards, weights: (n,)."""
    low, high, most = possible.low, possible.high, _greatest(weights, possible)
    plain = weights * rewards
    return Scores(
        plain=plain,
        bounds=(most * min(low, 0.0), most * max(high, 0.0)),
        within=(low, high),
        low=plain if low == 0.0 else low + weights * (rewards - low),
        high=high - weights * (high - rewards),
        least=low,
        most=high,
        weights=weights,
        max_weight=most,
        unweighted=(0.0, 0.0),
        heaviest=(most * low, most * high),
    )


def modelled_scores(expected: Floats, possible: Possible) -> Scores:
    """Of DM: what the model, which keeps to the possible rewards, expects. expected: (n,)."""
    span = (possible.low, possible.high)
    return Scores(expected, span, span)


def doubly_robust_scores(
    rewards: Floats, weights: Floats, expected: Floats, predicted: Floats, possible: Possible
) -> Scores:
    """Of DR: Σ_a π(a|x)·q(x, a) + w·(r - q(x, chosen)). All (n,)."""
    low, high, most = possible.low, possible.high, _greatest(weights, possible)
    bounds = (low - most * (high - low), high + most * (high - low))
    return Scores(
        plain=expected + weights * (rewards - predicted),
        bounds=bounds,
        within=(low, high),
        weights=weights,
        max_weight=most,
        unweighted=(low, high),
        heaviest=bounds,
    )


def _greatest(weights: Floats, possible: Possible) -> float:
    return max(possible.max_weight, float(np.max(weights)))


def _less(first: Bounds, second: Bounds) -> Bounds:
    return first[0] - second[1], first[1] - second[0]
