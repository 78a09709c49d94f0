"""Doubly robust: a model of the rewards, corrected by what was seen."""

import numpy as np
from numpy.typing import NDArray

from simulator.estimators.estimate import Estimate, bounded, estimate, require_weight
from simulator.intervals.clustered import Possible
from simulator.logs.log import Floats


def dr(
    rewards: Floats,
    weights: Floats,
    expected: Floats,
    predicted: Floats,
    persons: NDArray[np.int64],
    *,
    confidence: float = 0.95,
    possible: Possible | None = None,
) -> Estimate:
    """DR: mean of Σ_a π(a|x)·q(x, a) + w·(r - q(x, chosen)). Dudík, Langford & Li 2011.

    expected: (n,) the sums; predicted: (n,) q(x, chosen). Unbiased with exact propensities, however poor the model, as
    long as q(x, ·) of a round was not fitted on that round's person. With q = 0 it is IPS; with w = 0, DM.
    """
    scores = expected + weights * (rewards - predicted)
    value = float(scores.mean())
    found = estimate("dr", value, scores - value, persons, weights=weights, confidence=confidence, possible=possible)
    return bounded(found, rewards, weights, persons, possible, confidence=confidence)


def sndr(
    rewards: Floats,
    weights: Floats,
    expected: Floats,
    predicted: Floats,
    persons: NDArray[np.int64],
    *,
    confidence: float = 0.95,
    possible: Possible | None = None,
) -> Estimate:
    """SNDR: mean of Σ_a π(a|x)·q(x, a), plus Σ w(r - q(x, chosen)) / Σw. Robins, Sued, Lei-Gomez & Rotnitzky 2007.

    As DR, with the correction normalised by the weights that were drawn: less noisy where weights are large, a little
    biased in small logs. The error is that of a ratio (delta method). Raises NoSupport when every weight is 0.
    """
    require_weight(weights)
    residuals = rewards - predicted
    correction = float(np.sum(weights * residuals)) / float(weights.sum())
    value = float(expected.mean()) + correction
    ratio = weights.size / float(weights.sum())
    influence = expected - expected.mean() + weights * (residuals - correction) * ratio
    found = estimate("sndr", value, influence, persons, weights=weights, confidence=confidence, possible=possible)
    return bounded(found, rewards, weights, persons, possible, confidence=confidence)
