"""Classification sets as worlds."""

import numpy as np
import pytest

from simulator.worlds import ClassificationWorld
from simulator.worlds.classification import SETS, problem


@pytest.mark.parametrize("name", SETS)
def test_the_contexts_are_the_numbers_of_the_set(name: str) -> None:
    given = problem(name)
    assert given.x.shape == (len(given.contexts), len(given.contexts[0]))
    assert list(given.contexts[7].values()) == given.x[7].tolist()
    assert set(given.right.tolist()) == set(range(len(given.variants)))


def test_the_right_class_earns_one_and_the_row_is_the_person() -> None:
    known, given = ClassificationWorld("wine", "wine"), problem("wine")
    log = known.log(500, seed=3)
    expected = known.expected_rewards(log)
    assert expected.sum(axis=1).tolist() == [1.0] * 500
    np.testing.assert_array_equal(log.rewards, expected[np.arange(500), log.chosen])
    for row in (0, 123, 499):
        assert log.contexts[row] == given.contexts[log.persons[row]]
        assert expected[row].argmax() == given.right[log.persons[row]]
    assert np.unique(log.persons).size > 150
