"""What a log says about one policy: all that an estimator may know."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.intervals import Possible
from simulator.log import Floats


@dataclass(frozen=True, slots=True)
class Evidence:
    """One number a round for each of these, (n,).

    rewards: r. weights: w = π(chosen|x)/propensity. expected: Σ_a π(a|x)·q(x, a), what a model of the rewards expects
    of the policy; predicted: q(x, chosen), what it expected of what was shown; both 0 where no estimator needs a model.
    persons: codes. possible: what the log could have held for this policy, if that is known.
    """

    rewards: Floats
    weights: Floats
    expected: Floats
    predicted: Floats
    persons: NDArray[np.int64]
    possible: Possible | None = None


def expectation(target: Floats, q: Floats) -> Floats:
    """(n,) Σ_a π(a|x)·q(x, a). target, q: (n, K), the policy's pmf and the model's rewards."""
    found: Floats = np.einsum("ij,ij->i", target, q, dtype=np.float64)
    return found
