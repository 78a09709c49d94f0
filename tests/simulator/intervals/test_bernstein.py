import numpy as np
import pytest

from simulator import NoSupport
from simulator.intervals import empirical_bernstein
from simulator.intervals.bernstein import half_width
from simulator.intervals.clustered import Possible
from simulator.intervals.scores import earned_scores, weighted_scores

SEEN = Possible(1.0, 1.0, 0.0, 1.0)


def test_by_hand() -> None:
    values = np.array([0.0, 0.0, 1.0, 1.0])  # variance 1/3
    doubt = np.log(2.0 / 0.05)
    assert half_width(values, 3.0, 0.05) == pytest.approx(np.sqrt(2 / 3 * doubt / 4) + 7 * 3.0 * doubt / 9)


def test_it_covers_far_more_than_it_claims() -> None:
    """Of 300 rare rates: all, where it claims 80 %; and it is narrower than the range."""
    rng = np.random.default_rng(0)
    limits = [
        empirical_bernstein(earned_scores(rng.binomial(1, 0.1, size=400) * 1.0, SEEN), np.arange(400), confidence=0.8)
        for _ in range(300)
    ]
    assert all(low <= 0.1 <= high for low, high in limits)
    assert np.mean([high - low for low, high in limits]) < 0.3


def test_repeating_every_visit_adds_no_information() -> None:
    rewards = np.random.default_rng(1).random(80)
    once = empirical_bernstein(earned_scores(rewards, SEEN), np.arange(80), confidence=0.95)
    again = earned_scores(np.repeat(rewards, 4), SEEN)
    assert empirical_bernstein(again, np.repeat(np.arange(80), 4), confidence=0.95) == pytest.approx(once)
    with pytest.raises(NoSupport, match="320 rounds of 1 person"):
        empirical_bernstein(again, np.zeros(320, dtype=int), confidence=0.95)


def test_how_often_people_come_is_no_noise() -> None:
    """All rewards alike, people who come once or nine times: what is left is the range, nine visits wide."""
    persons = np.repeat(np.arange(40), np.tile([1, 9], 20))
    low, high = empirical_bernstein(earned_scores(np.full(200, 0.5), SEEN), persons, confidence=0.95)
    assert (low + high) / 2 == pytest.approx(0.5)
    assert high - low == pytest.approx(2 * 7 * (9 / 5) * np.log(2 / 0.025) / (3 * 39))


def test_weights_that_could_have_been_count() -> None:
    rewards, weights = np.random.default_rng(2).integers(2, size=100) * 1.0, np.ones(100)
    near, far = (
        empirical_bernstein(
            weighted_scores(rewards, weights, Possible(1.0, heaviest, 0.0, 1.0)), np.arange(100), confidence=0.95
        )
        for heaviest in (2.0, 20.0)
    )
    width = 7 * 18.0 * np.log(2 / 0.025) / (3 * 99)
    assert far[1] - near[1] == pytest.approx(width)
