"""The direct method: believe a model of the rewards."""

import numpy as np
from numpy.typing import NDArray

from simulator.estimators.estimate import Estimate, estimate
from simulator.logs.log import Floats


def dm(expected: Floats, persons: NDArray[np.int64], *, confidence: float = 0.95) -> Estimate:
    """DM: mean over rounds of Σ_a π(a|x)·q(x, a). expected: (n,) those sums.

    Biased by whatever the model gets wrong, and its interval knows nothing of that: it holds the chance of which
    people came, not the error of the model. Beygelzimer & Langford 2009.
    """
    value = float(expected.mean())
    return estimate("dm", value, expected - value, persons, weights=None, confidence=confidence)
