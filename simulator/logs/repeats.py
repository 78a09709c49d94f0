"""Rounds that were told twice: a log that counts one decision two times claims to know more than it does."""

import numpy as np
from numpy.typing import NDArray

from simulator.logs.contexts import Contexts


def identical_rounds(
    persons: NDArray[np.int64],
    times: NDArray[np.float64],
    chosen: NDArray[np.intp],
    rewards: NDArray[np.float64],
    contexts: Contexts,
) -> NDArray[np.bool_]:
    """(n,) rounds that are the same as an earlier one in all of these. Anonymous visits have a code each: none is."""
    suspects = np.flatnonzero(_after_first(persons, times))
    if suspects.size == 0:
        return np.zeros(len(persons), dtype=bool)
    # contexts are compared only of those who came twice at one moment, which are few
    same_moment = np.flatnonzero(np.isin(persons, persons[suspects]) & np.isin(times, times[suspects]))
    rows = contexts.take(same_moment).same_rows()
    found = np.zeros(len(persons), dtype=bool)
    found[same_moment] = _after_first(
        persons[same_moment], times[same_moment], chosen[same_moment], rewards[same_moment], rows
    )
    return found


def repeated(ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) rows whose id, a code, an earlier row has. A negative code is no id."""
    return _after_first(ids) & (ids >= 0)


def _after_first(*columns: NDArray[np.generic]) -> NDArray[np.bool_]:
    """(n,) rows that equal an earlier one in every column."""
    order = np.lexsort(columns[::-1])  # stable: of equal rows the first stays the first
    same = np.ones(max(0, len(order) - 1), dtype=bool)
    for column in columns:
        same &= column[order[1:]] == column[order[:-1]]
    found = np.zeros(len(order), dtype=bool)
    found[order[1:][same]] = True
    return found
