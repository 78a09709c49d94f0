"""Persons are drawn again, ratios with their denominators, and what two estimates share is shared in every draw."""

import numpy as np
import pytest

from simulator.estimators import snips
from simulator.intervals import Ratios, Resampling
from simulator.intervals.bootstrap import MOST_CELLS, _quantile
from simulator.logs.log import Floats


def of_ratio(numerator: Floats, denominator: Floats | None, persons: Floats, *, draws: int = 1_000) -> Ratios:
    return Ratios.of(Resampling.of(persons, seed=3, draws=draws), [(numerator, denominator)])


def test_where_events_are_many_it_is_the_symmetric_interval() -> None:
    rng = np.random.default_rng(1)
    weights, rewards = rng.uniform(0.5, 2.0, size=4_000), rng.normal(1.0, 1.0, size=4_000)
    persons = np.arange(4_000) // 2
    plain = snips(rewards, weights, persons)
    low, high = of_ratio(weights * rewards, weights, persons, draws=4_000).limits(0.95)
    assert (low, high) == pytest.approx((plain.low, plain.high), abs=0.12 * plain.standard_error)


def test_a_ratio_is_drawn_with_its_denominator() -> None:
    """Of constant rewards SNIPS is constant, whatever the weights: a frozen denominator would make an interval."""
    weights = np.random.default_rng(2).uniform(0.0, 9.0, size=300)
    ratio = of_ratio(0.5 * weights, weights, np.arange(300))
    assert ratio.limits(0.95) == pytest.approx((0.5, 0.5))
    low, high = of_ratio(0.5 * weights, None, np.arange(300)).limits(0.95)
    assert high - low > 0.05 * weights.mean()


def test_errors_of_draws_are_those_of_the_drawn_log() -> None:
    rng = np.random.default_rng(4)
    rewards, weights = rng.random(60), rng.uniform(0.1, 3.0, size=60)
    ratios = of_ratio(weights * rewards, weights, np.arange(60), draws=3)
    _, _, values, errors = ratios.drawn()
    for counts, value, error in zip(ratios.resampling.counts, values, errors, strict=True):
        rows = np.repeat(np.arange(60), counts)
        again = snips(rewards[rows], weights[rows], np.arange(60))
        assert value == pytest.approx(again.value)
        assert error == pytest.approx(again.standard_error * np.sqrt(59 / 60))


def test_visits_of_one_person_are_drawn_together() -> None:
    values = np.random.default_rng(5).normal(size=200)
    once = of_ratio(values, None, np.arange(200)).limits(0.95)
    thrice = of_ratio(np.repeat(values, 3), None, np.repeat(np.arange(200), 3)).limits(0.95)
    assert thrice == pytest.approx(once)


def test_the_difference_of_what_is_nearly_alike_is_narrow() -> None:
    rng = np.random.default_rng(6)
    values, other = rng.normal(size=500), rng.normal(scale=0.01, size=500)
    resampling = Resampling.of(np.arange(500), seed=0)
    one = Ratios.of(resampling, [(values, None)])
    gap = Ratios.of(resampling, [(values + other, None)]).minus(one)
    assert len(gap.pairs) == 1, "both over the same rounds"
    low, high = gap.limits(0.95)
    assert high - low < 0.05 * np.subtract(*one.limits(0.95)[::-1])
    sndr = Ratios.of(resampling, [(values, None), (values, values**2 + 1.0)])
    value, _, draws, _ = sndr.minus(one).drawn()
    assert value == pytest.approx(values.sum() / (values**2 + 1.0).sum())
    assert draws == pytest.approx(Ratios.of(resampling, [(values, values**2 + 1.0)]).drawn()[2])


def test_many_persons_are_drawn_in_cells_and_the_error_stays() -> None:
    rng = np.random.default_rng(7)
    values = rng.exponential(size=3 * MOST_CELLS)
    persons = np.arange(values.size)
    resampling = Resampling.of(persons, seed=1, draws=200)
    assert resampling.counts.shape == (200, MOST_CELLS)
    assert np.bincount(resampling.cells).max() == 3
    _, error, drawn, _ = Ratios.of(resampling, [(values, None)]).drawn()
    truth = values.std() / np.sqrt(values.size)
    assert error == pytest.approx(truth, rel=0.08)
    assert drawn.std() == pytest.approx(truth, rel=0.2)


def test_the_same_seed_draws_the_same_persons() -> None:
    persons = np.arange(50)
    same = [Resampling.of(persons, seed=seed, draws=5).counts for seed in (1, 1, 2)]
    assert np.array_equal(same[0], same[1])
    assert not np.array_equal(same[0], same[2])


def test_a_draw_without_an_event_tells_that_there_may_be_many() -> None:
    """One click in 40: a third of the draws has none, and an error of 0 with it."""
    clicks = (np.arange(40) == 7).astype(float)
    low, high = of_ratio(clicks, None, np.arange(40)).limits(0.95)
    assert low < 1 / 40
    assert high == np.inf


def test_beyond_what_draws_resolve_a_quantile_grows_as_a_normal_one() -> None:
    t = np.random.default_rng(8).normal(size=1_000)
    assert _quantile(t, 0.025) == pytest.approx(1.96, abs=0.2)
    assert _quantile(t, 0.0001) == pytest.approx(_quantile(t, 0.005) * 3.719 / 2.576, rel=1e-3)
