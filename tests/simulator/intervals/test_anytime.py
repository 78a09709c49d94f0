"""Looked at after every round, it holds as promised; an interval made for one look does not."""

import numpy as np
import pytest

from simulator.intervals import anytime
from simulator.intervals.clustered import Possible
from simulator.intervals.scores import doubly_robust_scores, earned_scores, weighted_scores
from simulator.logs.log import Floats

LOOKS = np.unique(np.geomspace(10, 600, 20).astype(int))
SEEN = Possible(1.0, 10.0, 0.0, 1.0)


def learning_log(rng: np.random.Generator, n: int = 600) -> tuple[Floats, Floats]:
    """Rewards and weights where the logging policy learns: it shows the judged variant the more, the more it earned."""
    rewards, weights, wins = np.zeros(n), np.zeros(n), 0.0
    for row in range(n):
        share = float(np.clip(0.5 + 0.02 * (wins - 0.3 * row * 0.5), 0.1, 0.9))
        shown = rng.random() < share
        rewards[row] = rng.random() < (0.3 if shown else 0.4)
        weights[row] = 1.0 / share if shown else 0.0
        wins += float(shown and rewards[row])
    return rewards, weights


def test_looked_at_many_times_it_misses_no_more_than_it_says_and_the_symmetric_one_does() -> None:
    """Confidence 80 %, 60 logs, 20 looks each, while the logging policy learns; the value is 0.3."""
    rng, missed, symmetric = np.random.default_rng(1), 0, 0
    for _ in range(60):
        rewards, weights = learning_log(rng)
        any_miss = any_plain = False
        for t in LOOKS:
            low, high = anytime(weighted_scores(rewards[:t], weights[:t], SEEN), confidence=0.8)
            any_miss |= not low <= 0.3 <= high
            earned = weights[:t] * rewards[:t]
            any_plain |= abs(earned.mean() - 0.3) > 1.2816 * earned.std() / np.sqrt(t)
        missed += any_miss
        symmetric += any_plain
    assert missed <= 0.2 * 60
    assert symmetric > 0.5 * 60


def test_it_narrows_and_is_not_much_wider_than_what_one_look_needs() -> None:
    rng = np.random.default_rng(2)
    rewards = (rng.random(100_000) < 0.3).astype(float)
    widths = []
    for n in (1_000, 100_000):
        low, high = anytime(earned_scores(rewards[:n], SEEN), confidence=0.95)
        widths.append((high - low) / (2 * 1.96 * 0.458 / np.sqrt(n)))
    assert min(widths) > 1.2
    assert max(widths) < 2.2


def test_weights_need_no_bound() -> None:
    """An infinite possible weight leaves the scores that need none."""
    rng = np.random.default_rng(3)
    rewards, weights = (rng.random(4_000) < 0.3).astype(float), np.where(rng.random(4_000) < 0.5, 2.0, 0.0)
    free = anytime(weighted_scores(rewards, weights, Possible(1.0, np.inf, 0.0, 1.0)), confidence=0.95)
    assert free[0] < 0.3 < free[1]
    assert free[1] - free[0] < 0.15


def test_rare_rewards_make_it_narrow_and_none_leave_an_upper_limit() -> None:
    low, high = anytime(earned_scores(np.zeros(1_000), SEEN), confidence=0.95)
    assert low == 0.0
    assert 3.69 / 1_000 < high < 0.02


def test_a_difference_is_paired_and_what_is_modelled_has_none() -> None:
    rng = np.random.default_rng(4)
    rewards, weights = (rng.random(5_000) < 0.3).astype(float), rng.choice([0.9, 1.1], size=5_000)
    near = weighted_scores(rewards, weights, Possible(1.0, 1.1, 0.0, 1.0))
    served = earned_scores(rewards, SEEN)
    low, high = anytime(near.minus(served), confidence=0.95)
    alone = np.subtract(*anytime(served, confidence=0.95)[::-1])
    assert low < 0.0 < high
    assert high - low < 0.25 * alone
    with pytest.raises(ValueError, match="uses later rounds"):
        anytime(doubly_robust_scores(rewards, weights, rewards, rewards, SEEN), confidence=0.95)


def test_values_that_drift_are_covered_on_average() -> None:
    """What each round would earn falls from .6 to .2: their mean so far is what is covered."""
    rng = np.random.default_rng(6)
    truths = np.linspace(0.6, 0.2, 4_000)
    for _ in range(20):
        low, high = anytime(earned_scores((rng.random(4_000) < truths).astype(float), SEEN), confidence=0.95)
        assert low <= truths.mean() <= high
