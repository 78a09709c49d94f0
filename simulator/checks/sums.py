"""Sums whose expectation is 0 if the log is sound, held against their errors."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from simulator.comparisons import holm
from simulator.distributions import norm_sf
from simulator.intervals.clustered import numbered
from simulator.logs.log import Floats, Log

LEAST_VARIANCE = 10.0
"""Of a count; below it the normal distribution says too little about it."""

RED_P, AMBER_P = 1e-4, 1e-2
"""Chances that a sound log looks like this, below which a finding is red, or amber. Many logs are looked at."""


def repeated_persons(log: Log) -> NDArray[np.int64] | None:
    """(n,) codes 0 to G-1; None where nobody came twice."""
    persons = numbered(log.persons)
    return persons if int(persons.max()) + 1 < persons.size else None


def p_values(terms: Iterable[tuple[Floats, float]], persons: NDArray[np.int64] | None) -> list[float | None]:
    """Two-sided, of Σ term = 0 for each of several; by Holm; None for those of which too little is known.

    terms: (n,), each 0 in expectation given what came before, and the sum of their variances. What a person is shown
    may have been drawn once for all their visits: errors are as much larger as the persons' sums show that they are,
    for this term or for all of them taken together.
    """
    totals, variances, seen = [], [], []
    for term, variance in terms:
        totals.append(float(term.sum()))
        variances.append(variance)
        seen.append(variance if persons is None else float(np.sum(np.bincount(persons, weights=term) ** 2)))
    known = sum(variances)
    effect = max(1.0, sum(seen) / known) if known > 0.0 else 1.0
    tested = [place for place, variance in enumerate(variances) if variance / effect >= LEAST_VARIANCE]
    errors = [np.sqrt(max(variances[place] * effect, seen[place])) for place in tested]
    alone = [2.0 * norm_sf(abs(totals[place]) / error) for place, error in zip(tested, errors, strict=True)]
    found: list[float | None] = [None] * len(totals)
    for place, adjusted in zip(tested, holm(alone), strict=True):
        found[place] = adjusted
    return found
