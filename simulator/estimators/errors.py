"""How far off an estimate may be, as far as the data tell."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.estimators.estimate import Estimate, estimate


@dataclass(frozen=True, slots=True)
class Error:
    """What is known of the mean squared error of an estimate: an estimated squared bias, and a variance."""

    bias2: float
    variance: float

    @property
    def root(self) -> float:
        return float(np.sqrt(self.bias2 + self.variance))


def error_of(found: Estimate, reference: Estimate, persons: NDArray[np.int64]) -> Error:
    """Beside an estimate of the same n rounds that has less bias. The squared bias is what the squared distance between
    the two is more than the paired variance of that distance, after Thomas & Brunskill 2016.

    Both variances make room for one event that this log could have held, as the intervals do: V + k² of Fay & Feuer
    1997. A log that happens to hold none of the rare, heavy events has a weighted estimate that is far off and of small
    variance, and would be believed. Of two weighted estimates it would move both: what is left is the difference.
    """
    variance = found.standard_error**2 + unseen(found) ** 2
    if found is reference:
        return Error(0.0, variance)
    apart, influence = found.value - reference.value, found.influence - reference.influence
    told = estimate("distance", apart, influence, persons, weights=None, confidence=0.95)
    noise2 = told.standard_error**2 + (unseen(found) - unseen(reference)) ** 2
    return Error(max(0.0, apart**2 - noise2), variance)


def unseen(found: Estimate) -> float:
    """By how much one event that this log could have held would have moved the value; 0 where that is not known."""
    return max(found.up, found.down) / found.n
