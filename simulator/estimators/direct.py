"""The direct method: believe a model of the rewards."""

import numpy as np
from numpy.typing import NDArray

from simulator.estimators.estimate import Estimate, estimate
from simulator.log import Floats


def dm(target: Floats, q: Floats, persons: NDArray[np.int64], *, confidence: float = 0.95) -> Estimate:
    """DM: mean over rounds of Σ_a π(a|x)·q(x, a). target, q: (n, K), the policy's pmf and the model's rewards.

    Biased by whatever the model gets wrong, and its interval knows nothing of that: it holds the chance of which
    people came, not the error of the model. Beygelzimer & Langford 2009.
    """
    scores = np.einsum("ij,ij->i", target, q, dtype=np.float64)
    value = float(scores.mean())
    return estimate("dm", value, scores - value, persons, weights=None, confidence=confidence)
