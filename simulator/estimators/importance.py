"""Importance weighting: no model, only the logged propensities. Weights are w = π(a|x)/p, p the logged propensity."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simulator.estimators.estimate import Estimate, bounded, estimate, require_weight
from simulator.intervals.clustered import Possible
from simulator.intervals.linear import sum_of_products
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
    value = sum_of_products(weights, rewards) / total
    around, ratio = weights * (rewards - value), weights.size / total
    if possible is None:
        return estimate("snips", value, around * ratio, persons, weights=weights, confidence=confidence)
    found = estimate("snips", value, around, persons, weights=weights, confidence=confidence, possible=possible)
    found = replace(found, influence=around * ratio, standard_error=found.standard_error * ratio)
    return bounded(found, rewards, weights, persons, possible, confidence=confidence)
