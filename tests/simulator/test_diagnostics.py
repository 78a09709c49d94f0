from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from policies.types import RewardRange
from simulator import Log, diagnose
from simulator.estimators import ips

MakeLog = Callable[..., Log]
UNIFORM = np.full((600, 3), 1 / 3)


@pytest.fixture
def deficient(make_log: MakeLog) -> Log:
    """Variant c was eligible but never had a chance."""
    rng = np.random.default_rng(0)
    return make_log(
        chosen=rng.integers(2, size=600),
        propensities=np.full(600, 0.5),
        probabilities=np.tile([0.5, 0.5, 0.0], (600, 1)),
        rewards=rng.integers(2, size=600).astype(float),
    )


def test_the_numbers_of_a_policy_near_the_logged_one(make_log: MakeLog) -> None:
    found = diagnose(make_log(), UNIFORM)
    assert found.support == 1.0
    assert found.support_exact
    assert 400 < found.ess < 600
    assert found.mean_weight == pytest.approx(1.0, abs=3 * found.mean_weight_error)
    assert found.max_weight == pytest.approx((1 / 3) / 0.2)
    assert found.bounds is None, "nothing is missing"


def test_support_is_exact_or_the_mean_weight(deficient: Log) -> None:
    exact, guessed = diagnose(deficient, UNIFORM), diagnose(replace(deficient, probabilities=None), UNIFORM)
    assert (exact.support, exact.support_exact) == (pytest.approx(2 / 3), True)
    assert (guessed.support, guessed.support_exact) == (pytest.approx(guessed.mean_weight), False)


@pytest.mark.parametrize("known", [True, False])
def test_bounds_hold_whatever_the_unsupported_variant_earns(deficient: Log, known: bool) -> None:
    """Half of a and b earn 1. A policy that shows c in a third of the cases earns between 1/3 and 2/3."""
    log = deficient if known else replace(deficient, probabilities=None)
    low, high = diagnose(log, UNIFORM).bounds or (0.0, 0.0)
    assert 0.25 < low < 1 / 3, "no wider than the noise"
    assert 2 / 3 < high < 0.75
    moved = replace(log, rewards=10.0 * log.rewards - 4.0, reward_range=RewardRange(-4.0, 6.0))
    assert diagnose(moved, UNIFORM).bounds == pytest.approx((10.0 * low - 4.0, 10.0 * high - 4.0), abs=0.3)


def test_bounds_are_what_a_reward_can_be_where_the_log_says_nothing(deficient: Log) -> None:
    only_c = np.tile([0.0, 0.0, 1.0], (600, 1))
    assert diagnose(deficient, only_c).bounds == (0.0, 1.0)


def test_bounds_add_the_missing_probability_to_the_interval(deficient: Log) -> None:
    found = diagnose(deficient, UNIFORM)
    w = np.full(600, (1 / 3) / 0.5)
    plain = ips(deficient.rewards, w, deficient.persons)
    low, high = found.bounds or (0.0, 0.0)
    assert low == pytest.approx(plain.low, abs=0.005)
    assert high == pytest.approx(plain.high + 1 / 3, abs=0.01)
