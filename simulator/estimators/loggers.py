"""Several loggers, as the versions of a campaign or its snapshots, taken together."""

import numpy as np
from numpy.typing import NDArray

from simulator.estimators.estimate import Estimate
from simulator.estimators.importance import ips
from simulator.estimators.weights import balanced
from simulator.intervals.clustered import Possible
from simulator.logs.log import Floats


def balanced_ips(
    rewards: Floats,
    target: Floats,
    propensities: Floats,
    loggers: NDArray[np.int64],
    persons: NDArray[np.int64],
    *,
    confidence: float = 0.95,
    possible: Possible | None = None,
) -> Estimate:
    """IPS with the weights π(chosen|x) / Σ_l share_l · p_l(chosen|x). Agarwal, Basu, Schnabel & Joachims 2017.

    rewards, target: (n,), target π(chosen|x). propensities: (n, L) the probability of the chosen under every logger,
    whoever chose; a log knows that of the one that did, so that the others have to be asked again. loggers: (n,) which
    one chose, from 0. Unbiased where any of the loggers supports the policy. Raises ValueError for a logger without a
    column, NoSupport when every weight is 0.
    """
    several = propensities.shape[1]
    if loggers.min() < 0 or loggers.max() >= several:
        raise ValueError(
            f"loggers from {loggers.min()} to {loggers.max()}: propensities have {several} columns, one a logger"
        )
    shares = np.bincount(loggers, minlength=several) / len(loggers)
    return ips(rewards, balanced(target, propensities, shares), persons, confidence=confidence, possible=possible)
