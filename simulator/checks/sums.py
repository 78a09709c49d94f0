"""Sums whose expectation is 0 if the log is sound, held against their errors."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

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


class Tested(Protocol):
    """One of several numbers of choices. errors: standard errors by which it is off; deviation: as a share of what was
    expected.
    """

    @property
    def p_value(self) -> float: ...
    @property
    def errors(self) -> float: ...
    @property
    def deviation(self) -> float: ...


One = TypeVar("One", bound=Tested)


def worst_of(tested: Iterable[One], *, far: float) -> One:
    """The surest of those that are surely far off; where none is, the surest of all. Of two variants one is as surely
    off as the other, and the rarer one is further off.
    """

    def order(one: One) -> tuple[bool, float, float]:
        far_off = surely_off(one.p_value, one.deviation, far=far)
        return not far_off, -round(one.errors, 6), -round(one.deviation, 6)  # what is alike but for rounding is alike

    return min(tested, key=order)


def surely_off(p_value: float, deviation: float, *, far: float) -> bool:
    """Whether that is red."""
    return p_value < RED_P and deviation >= far


def p_values(errors: Sequence[float | None]) -> list[float | None]:
    """Two-sided, of being off by so many standard errors; by Holm; None where that is not known."""
    known = [place for place, one in enumerate(errors) if one is not None]
    found: list[float | None] = [None] * len(errors)
    for place, adjusted in zip(known, holm([2.0 * norm_sf(one) for one in errors if one is not None]), strict=True):
        found[place] = adjusted
    return found


def standard_errors(terms: Iterable[tuple[Floats, float]], persons: NDArray[np.int64] | None) -> list[float | None]:
    """By how many of them Σ term is off 0, for each of several; None for those of which too little is known.

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
    found: list[float | None] = [None] * len(totals)
    for place in tested:
        found[place] = abs(totals[place]) / float(np.sqrt(max(variances[place] * effect, seen[place])))
    return found
