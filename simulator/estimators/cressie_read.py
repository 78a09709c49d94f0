"""Weights whose mean has to be 1: the mean of w·r under the distribution near the log where it is."""

import numpy as np
from numpy.typing import NDArray

from simulator.estimators.basis import slope_of
from simulator.estimators.estimate import Estimate, bounded, estimate, require_weight
from simulator.intervals.clustered import Possible
from simulator.logs.log import Floats


def cressie_read(
    rewards: Floats,
    weights: Floats,
    persons: NDArray[np.int64],
    *,
    confidence: float = 0.95,
    possible: Possible | None = None,
) -> Estimate:
    """Cressie-Read: Σqwr, with the q of least Σ(nq - 1)² under which Σq = Σqw = 1. rewards, weights: (n,).

    In closed form Σ(wr - c(w - 1))/n, c the slope of w·r on w: IPS with the weight as a control variate, as precise in
    large logs as any estimate that knows no more than that weights have mean 1. Karampatziakis, Langford & Mineiro
    2020; the power -2, without a round that was not seen. Raises NoSupport when every weight is 0.
    """
    require_weight(weights)
    scores = weights * rewards - slope_of(rewards, weights) * (weights - 1.0)
    value = float(np.mean(scores))
    found = estimate(
        "cressie_read", value, scores - value, persons, weights=weights, confidence=confidence, possible=possible
    )
    return bounded(found, rewards, weights, persons, possible, confidence=confidence)
