"""Intervals around an estimate, clustered by person.

The visits of one person are not independent: intervals that treat them so cover far less than they claim.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from simulator.log import Floats


class NoSupport(ValueError):
    """The log does not hold what this estimate needs; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A standard error, and the interval at the asked confidence."""

    standard_error: float
    low: float
    high: float
    clusters: int


def clustered(value: float, influence: Floats, persons: NDArray[np.int64], *, confidence: float) -> Interval:
    """Sandwich interval: value ± t·se, se² = G/(G-1) · Σ_g (Σ_{i in g} ψ_i)² / n², t with G-1 degrees of freedom.

    influence: (n,) ψ, what each round adds to n·(value - truth), summing to 0 over the sample. persons: (n,) codes
    of the G clusters. With one round a person, se is the usual standard deviation over √n. The t quantile and
    G/(G-1) are the usual corrections for few clusters. Liang & Zeger 1986; Cameron & Miller 2015.
    Raises NoSupport with fewer than 2 persons.
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence {confidence}: expected a number between 0 and 1")
    _, codes = np.unique(persons, return_inverse=True)
    totals = np.bincount(codes.reshape(-1), weights=influence)
    clusters = totals.size
    if clusters < 2:
        raise NoSupport(f"{len(influence)} rounds of {clusters} person: an interval needs at least 2 persons")
    error = float(np.sqrt(clusters / (clusters - 1) * np.sum(totals**2))) / len(influence)
    half = float(stats.t.ppf(0.5 + confidence / 2.0, clusters - 1)) * error
    return Interval(error, value - half, value + half, clusters)
