"""The evidence is the density of the rewards, and finds the ridge that made them."""

import numpy as np
import pytest
from scipy import stats

from policies.ridge import RIDGES, Moments, Penalty, Stack, evidence, fit, most_likely, stacked


def drawn(ridge: float, *, seed: int, n: int = 400, d: int = 6, v: int = 3) -> list[tuple[np.ndarray, np.ndarray]]:
    """Columns and rewards of v sets whose weights have variance noise / ridge, with noise .01."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(v):
        x = np.c_[np.ones(n), rng.normal(size=(n, d - 1))]
        weights = rng.normal(size=d) * 0.1 / np.sqrt(ridge)
        weights[0] = 0.5
        found.append((x, x @ weights + 0.1 * rng.normal(size=n)))
    return found


def stack_of(sets: list[tuple[np.ndarray, np.ndarray]]) -> Stack:
    each = [Moments(x.T @ x, x.T @ y, float(y @ y), float(y.size)) for x, y in sets]
    return stacked(each, sets[0][0].shape[1])


def test_evidence_is_the_density_of_a_multivariate_student() -> None:
    """With weights Normal(0, σ² / ridge) and 1/σ² Gamma(1/2, 1/8), the rewards are a Student's t of one degree."""
    sets = [(x[:9], y[:9]) for x, y in drawn(1.0, seed=1, v=2)]
    whole, y = np.zeros((18, 12)), np.concatenate([y for _, y in sets])
    whole[:9, :6], whole[9:, 6:] = sets[0][0], sets[1][0]

    def exact(ridge: np.ndarray) -> float:
        shape = 0.25 * (np.eye(18) + whole @ np.diag(np.tile(1 / ridge, 2)) @ whole.T)
        return float(stats.multivariate_t(np.zeros(18), shape, df=1).logpdf(y))

    one, two = np.full(6, 0.3), np.array([1.0, 2.0, 5.0, 5.0, 20.0, 1e3])
    stack = stack_of(sets)
    assert evidence(stack, one) - evidence(stack, two) == pytest.approx(exact(one) - exact(two), abs=1e-8)


@pytest.mark.parametrize("ridge", [0.4, 25.6, 1638.4])
def test_the_ridge_that_made_the_rewards_is_found(ridge: float) -> None:
    found = most_likely(stack_of(drawn(ridge, seed=3, v=12))).ridge
    assert ridge / 4.1 < found < ridge * 4.1


def test_what_says_nothing_counts_for_nothing() -> None:
    assert most_likely(stack_of(drawn(1e12, seed=4))).ridge >= RIDGES[-2]


def test_squares_that_say_nothing_are_left_out_and_others_stay() -> None:
    sets = drawn(1.0, seed=5)
    assert most_likely(stack_of(sets), squares=[5]) == most_likely(stack_of(sets)) == Penalty(pytest.approx(1.6, rel=3))
    useless = [(np.c_[x, np.random.default_rng(6).normal(size=x.shape)], y) for x, y in sets]
    squares = list(range(6, 12))
    penalty = most_likely(stack_of(useless), squares=squares)
    assert not penalty.squares
    fitted = fit(stack_of(useless), penalty, squares=squares)
    np.testing.assert_allclose(fitted.weights[:, squares], 0.0, atol=1e-6)
