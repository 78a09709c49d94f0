"""Importance weighting: no model, only the logged propensities. Weights are w = π(a|x)/p, p the logged propensity."""

import numpy as np
from numpy.typing import NDArray

from simulator.estimators.estimate import Estimate, bounded, estimate, jumps, require_weight, with_sides
from simulator.intervals.clustered import Possible
from simulator.logs.log import Floats


def ips(
    rewards: Floats,
    weights: Floats,
    persons: NDArray[np.int64],
    *,
    confidence: float = 0.95,
    possible: Possible | None = None,
) -> Estimate:
    """IPS: Σwr/n. rewards, weights: (n,). Unbiased where the log supports the policy. Horvitz & Thompson 1952.

    Raises NoSupport when every weight is 0.
    """
    require_weight(weights)
    scores = weights * rewards
    value = float(scores.mean())
    return estimate("ips", value, scores - value, persons, weights=weights, confidence=confidence, possible=possible)


def snips(
    rewards: Floats,
    weights: Floats,
    persons: NDArray[np.int64],
    *,
    confidence: float = 0.95,
    possible: Possible | None = None,
) -> Estimate:
    """SNIPS: Σwr/Σw. rewards, weights: (n,). Stays within the rewards seen. Swaminathan & Joachims 2015.

    The error is that of a ratio (delta method): ψ = w(r - value)/mean(w). A denominator taken as a constant would make
    it wrong. The sides of the skewed interval are those of the mean of w(r - value), whose denominator is what the
    mean weight is expected to be. Raises NoSupport when every weight is 0.
    """
    require_weight(weights)
    total = float(weights.sum())
    value = float(np.sum(weights * rewards)) / total
    influence = weights * (rewards - value) * (weights.size / total)
    found = estimate("snips", value, influence, persons, weights=weights, confidence=confidence)
    if possible is None:
        return found
    events = jumps(value, possible)
    found = with_sides(found, weights * (rewards - value), persons, events, confidence=confidence)
    return bounded(found, rewards, weights, persons, possible, confidence=confidence)
