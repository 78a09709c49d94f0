"""What a log says about one policy: all that an estimator may know."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.types import Action
from simulator.intervals.clustered import Possible
from simulator.logs.log import Flags, Floats


@dataclass(frozen=True, slots=True)
class Choices:
    """All that could have been chosen, for the estimators that look at variants beside the chosen one.

    actions: (K,). target, logged: (n, K) the probabilities of the judged and of the logged policy; eligible: (n, K);
    chosen: (n,), into `actions`; propensities: (n,) of the chosen.
    """

    actions: tuple[Action, ...]
    target: Floats
    logged: Floats
    eligible: Flags
    chosen: NDArray[np.intp]
    propensities: Floats


@dataclass(frozen=True, slots=True)
class Evidence:
    """One number a round for each of these, (n,).

    rewards: r. weights: w = π(chosen|x)/propensity. expected: Σ_a π(a|x)·q(x, a), what a model of the rewards expects
    of the policy; predicted: q(x, chosen), what it expected of what was shown; both 0 where no estimator needs a model.
    persons: codes. possible: what the log could have held for this policy, if that is known. choices: None where the
    probabilities of all variants are not known, or not kept.
    """

    rewards: Floats
    weights: Floats
    expected: Floats
    predicted: Floats
    persons: NDArray[np.int64]
    possible: Possible | None = None
    choices: Choices | None = None


def expectation(target: Floats, q: Floats) -> Floats:
    """(n,) Σ_a π(a|x)·q(x, a). target, q: (n, K), the policy's pmf and the model's rewards."""
    found: Floats = np.einsum("ij,ij->i", target, q, dtype=np.float64)
    return found
