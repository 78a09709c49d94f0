import numpy as np
import pytest

from simulator.pareto import good_shape, pareto_shape, shape_of


@pytest.mark.parametrize("shape", [0.1, 0.5, 0.9, 1.4])
def test_the_shape_of_draws_whose_shape_is_known(shape: float) -> None:
    quantiles = (np.arange(4000) + 0.5) / 4000  # the distribution itself, so that no luck is needed
    draws = ((1.0 - quantiles) ** -shape - 1.0) / shape
    assert shape_of(draws) == pytest.approx(shape, abs=0.03)
    assert shape_of(1000.0 * draws) == pytest.approx(shape_of(draws), abs=1e-9), "whatever the scale"


def test_few_draws_are_drawn_to_the_prior() -> None:
    draws = -np.log(1.0 - (np.arange(10) + 0.5) / 10)  # exponential: shape 0
    assert 0.15 < shape_of(draws) < 0.4, "halfway to one half, with ten"


def test_only_the_largest_weights_are_looked_at() -> None:
    quantiles = (np.arange(10_000) + 0.5) / 10_000
    heavy = (1.0 - quantiles) ** -0.8
    assert pareto_shape(heavy) == pytest.approx(0.8, abs=0.08)
    assert pareto_shape(np.r_[heavy, np.zeros(50_000)]) == pareto_shape(heavy), "a weight of 0 is in no tail"
    assert pareto_shape(np.random.default_rng(0).permutation(heavy)) == pareto_shape(heavy)


def test_a_handful_of_values_is_no_tail() -> None:
    shares = [0.2, 0.3, 0.3, 0.1, 0.07, 0.03]
    weights = np.random.default_rng(0).choice([0.2, 0.5, 1.0, 2.0, 9.0, 40.0], p=shares, size=2000)
    assert pareto_shape(weights) is None
    assert pareto_shape(weights * np.linspace(1.0, 1.001, 2000)) is not None


@pytest.mark.parametrize(
    "weights", [np.ones(1000), np.zeros(100), np.arange(20.0), np.r_[np.ones(900), np.full(100, 9)]]
)
def test_no_tail_to_speak_of(weights: np.ndarray) -> None:
    assert pareto_shape(weights) is None


def test_what_is_good_depends_on_the_size() -> None:
    assert good_shape(100) == pytest.approx(0.5)
    assert good_shape(1e6) == 0.7
    assert good_shape(5) == 0.0
