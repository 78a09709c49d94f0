"""Rounds that were told twice."""

import numpy as np

from simulator.logs.contexts import Contexts
from simulator.logs.repeats import identical_rounds, repeated


def test_the_later_one_is_the_repetition() -> None:
    found = identical_rounds(
        persons=np.array([7, 8, 7, 7, -4, 7]),
        times=np.array([1.0, 1.0, 1.0, 1.0, 1.0, 2.0]),
        chosen=np.array([0, 0, 0, 1, 0, 0]),
        rewards=np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
        contexts=Contexts.of([{"a": "x"}] * 6),
    )
    assert found.tolist() == [False, False, True, False, False, False]


def test_ids_that_come_again() -> None:
    assert repeated(np.array([3, 5, 3, -1, -1, 3])).tolist() == [False, False, True, False, False, True]
