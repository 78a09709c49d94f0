"""Weights: unbiased where they claim to be, over all possible logs; and what is chosen from the data is told."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.estimators import Evidence, clipped_ips, dr, dros, ips, switch_dr
from simulator.estimators.weights import balanced, clipped, marginalised, shrunk, slope, smoothed, switched
from simulator.intervals.clustered import Possible

seeds = st.integers(0, 10_000)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_marginalised_weights_are_unbiased_where_only_the_kind_matters(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logged, target = rng.dirichlet(np.ones(4), size=(2, 3))
    kinds = np.array([0, 0, 1, 1])
    rewards = rng.random((3, 2))[:, kinds]
    rows, average, plain, narrower = np.arange(3), 0.0, [], []
    for draws in product(range(4), repeat=3):
        chosen = np.array(draws)
        chance = float(np.prod(logged[rows, chosen]))
        w = marginalised(target, logged, chosen, kinds)
        average += chance * ips(rewards[rows, chosen], w, rows).value
        plain.append(chance * np.mean((target / logged)[rows, chosen] ** 2))
        narrower.append(chance * np.mean(w**2))
    assert average == pytest.approx(float((target * rewards).sum(axis=1).mean()))
    assert sum(narrower) <= sum(plain) + 1e-9


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_balanced_weights_are_unbiased_over_loggers_and_draws(seed: int) -> None:
    rng = np.random.default_rng(seed)
    loggers = rng.dirichlet(np.ones(3), size=(2, 2))  # logger, round, action
    target, rewards = rng.dirichlet(np.ones(3), size=2), rng.random((2, 3))
    rows, shares, average = np.arange(2), np.array([0.5, 0.5]), 0.0
    for order in ((0, 1), (1, 0)):  # either logger takes one of the two rounds
        for draws in product(range(3), repeat=2):
            chosen = np.array(draws)
            chance = 0.5 * float(np.prod(loggers[order, rows, chosen]))
            w = balanced(target[rows, chosen], loggers[:, rows, chosen].T, shares)
            average += chance * ips(rewards[rows, chosen], w, rows).value
    assert average == pytest.approx(float((target * rewards).sum(axis=1).mean()))


def test_every_change_of_weights_at_its_limits() -> None:
    w = np.array([0.0, 0.5, 3.0, 40.0])
    assert clipped(w, 10.0).tolist() == [0.0, 0.5, 3.0, 10.0]
    assert switched(w, 10.0).tolist() == [0.0, 0.5, 3.0, 0.0]
    assert np.array_equal(shrunk(w, np.inf), w)
    assert shrunk(w, 1e-12).max() < 1e-11
    assert float(shrunk(np.linspace(0.0, 100.0, 10_001), 9.0).max()) == pytest.approx(1.5)


@pytest.mark.parametrize("kernel", ["gaussian", "epanechnikov", "triangular", "cosine"])
def test_kernels_are_densities(kernel: str) -> None:
    points = np.linspace(-50.0, 50.0, 400_001)
    weights = smoothed(points, np.zeros_like(points), np.ones_like(points), bandwidth=3.0, kernel=kernel)
    assert float(weights.sum() * (points[1] - points[0])) == pytest.approx(1.0, abs=1e-4)


def test_what_is_no_kernel_or_no_bandwidth_is_refused() -> None:
    one = np.ones(1)
    with pytest.raises(ValueError, match=r"kernel 'box': expected one of .*'cosine'"):
        smoothed(one, one, one, bandwidth=1.0, kernel="box")
    with pytest.raises(ValueError, match="bandwidth 0: expected more than 0"):
        smoothed(one, one, one, bandwidth=0, kernel="cosine")


@pytest.mark.parametrize(
    ("values", "half_widths", "best"),
    [
        ([1.0, 1.0, 1.0], [3.0, 2.0, 1.0], 2),
        ([1.0, 1.1, 9.0], [3.0, 2.0, 1.0], 1),  # the third disagrees with the first
        ([1.0, 9.0, 1.0], [3.0, 0.5, 0.1], 0),  # what comes after one that disagrees is not looked at
        ([1.0, 1.0, 1.0], [2.0, 2.0, 2.0], 0),  # as narrow and more biased: no reason to take it
    ],
)
def test_slope_takes_the_narrowest_that_agrees(values: list[float], half_widths: list[float], best: int) -> None:
    assert slope(values, half_widths) == best


def seen(n: int = 400) -> Evidence:
    rng = np.random.default_rng(5)
    chosen = (rng.random(n) < 0.98).astype(np.intp)  # what the policy likes was shown in 2 % of the rounds
    rewards = (rng.random(n) < 0.5).astype(float)
    weights = np.where(chosen == 0, 0.9 / 0.02, 0.1 / 0.98)
    return Evidence(rewards, weights, np.full(n, 0.5), np.full(n, 0.5), np.arange(n))


@pytest.mark.parametrize(("estimator", "told"), [(clipped_ips, "min(w, "), (switch_dr, "w ≤ "), (dros, "λ = ")])
def test_a_limit_that_was_chosen_is_told_and_leaves_the_interval_what_it_was(estimator: Any, told: str) -> None:
    x = seen()
    plain, tuned = estimator(x, limits=[np.inf]), estimator(x, limits=[np.inf, 40.0])
    assert plain.note == ""
    assert told in tuned.note
    assert tuned.value != plain.value
    assert tuned.low == min(plain.low, tuned.value)
    assert tuned.high == plain.high
    assert tuned.max_weight < plain.max_weight == 45.0
    assert {plain.estimator, tuned.estimator} == {estimator.__name__}


def test_a_good_model_takes_over_where_the_log_says_little() -> None:
    """The truth is .5, and so is the model everywhere."""
    x = seen()
    for estimator in (switch_dr, dros):
        assert abs(estimator(x).value - 0.5) < 0.5 * abs(estimator(x, limits=[np.inf]).value - 0.5)


def test_without_a_limit_they_are_what_they_came_from() -> None:
    x = seen()
    assert clipped_ips(x, limits=[np.inf]).value == ips(x.rewards, x.weights, x.persons).value
    model = dr(x.rewards, x.weights, x.expected, x.predicted, x.persons)
    assert switch_dr(x, limits=[np.inf]).value == dros(x, limits=[np.inf]).value == model.value


def test_changed_weights_change_what_was_possible() -> None:
    """An event that the log could have held has at most the weight that is left to it."""
    possible = Possible(weight=40.0, max_weight=45.0, low=0.0, high=1.0)
    x = seen()
    far = Evidence(x.rewards, x.weights, x.expected, x.predicted, x.persons, possible)
    unbounded, limited = clipped_ips(far, limits=[np.inf]), clipped_ips(far, limits=[5.0])
    assert unbounded.up == pytest.approx(40.0 * (1.0 - unbounded.value))
    assert limited.up == pytest.approx(5.0 * (1.0 - limited.value))
