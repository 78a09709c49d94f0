"""The empirical Bernstein interval: valid at any number of persons, whatever the distribution within its bounds."""

import numpy as np

from simulator.intervals.clustered import NoSupport, Persons, numbered
from simulator.intervals.scores import Scores
from simulator.logs.log import Floats


def half_width(values: Floats, spread: float, tail: float, *, times: float = 1.0) -> float:
    """√(2V·log(2/tail)/G) + 7·spread·log(2/tail)/(3(G-1)): with probability 1 - tail, the expectation of the mean of G
    independent values is not that far above it (or below). V: their sample variance; spread: greatest less least
    possible value. Maurer & Pontil 2009, theorem 4. values: (G,). times: as if there were so many times as many.
    """
    many, doubt = times * values.size, np.log(2.0 / tail)
    return float(np.sqrt(2.0 * values.var(ddof=1) * doubt / many) + 7.0 * spread * doubt / (3.0 * (many - 1)))


def empirical_bernstein(
    scores: Scores, persons: Persons, *, confidence: float, times: float = 1.0
) -> tuple[float, float]:
    """Limits of the mean of `scores.plain`, both sides at half of 1 - confidence, on the persons' sums.

    Persons are independent, and how often each comes is taken as given: from the sum of a person's scores the mean is
    subtracted as often as they came, and `scores.bounds` count as often as the most frequent visitor came. With one
    round a person it is the textbook interval. times: as if so many times as many persons had come. Raises NoSupport
    with fewer than 2 persons.
    """
    codes = numbered(persons)
    visits = np.bincount(codes).astype(np.float64)
    if visits.size < 2:
        raise NoSupport(f"{codes.size} rounds of 1 person: an interval needs at least 2 persons")
    mean = float(scores.plain.mean())
    sums = np.bincount(codes, weights=scores.plain - mean) / visits.mean()
    spread = (scores.bounds[1] - scores.bounds[0]) * float(visits.max() / visits.mean())
    half = half_width(sums, spread, (1.0 - confidence) / 2.0, times=times)
    return mean - half, mean + half
