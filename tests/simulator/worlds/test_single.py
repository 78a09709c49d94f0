"""The draw of one action a round."""

import numpy as np

from simulator.worlds.single import drawn


def test_actions_are_drawn_by_their_probabilities_and_never_one_of_zero() -> None:
    rng = np.random.default_rng(0)
    pmf = np.array([0.0, 0.2, 0.0, 0.7, 0.1, 0.0])
    found = np.bincount(drawn(np.tile(pmf, (20_000, 1)), rng), minlength=6) / 20_000
    np.testing.assert_allclose(found, pmf, atol=0.015)
    assert found[[0, 2, 5]].tolist() == [0.0, 0.0, 0.0]


def test_rounding_beyond_the_last_one_falls_on_the_last_that_can_be() -> None:
    class Last:
        def random(self, n: int) -> np.ndarray:
            return np.full(n, 1.0)  # more than any draw

    pmf = np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    assert drawn(pmf, Last()).tolist() == [1, 2, 0]  # type: ignore[arg-type]
