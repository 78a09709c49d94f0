"""What is earned, and when it is known."""

import numpy as np
import pytest
from scipy import integrate, stats

from simulator.worlds.earnings import bounded_pareto, delayed, rare
from simulator.worlds.single import DAY, Delays


def test_purchases_are_rare_and_their_mean_value_is_known() -> None:
    known = rare()
    amounts = known.amounts

    def density(x: float) -> float:
        return float(x**-2.5)

    total, _ = integrate.quad(density, 10.0, 1_000.0, epsabs=0.0)
    mean, _ = integrate.quad(lambda x: x * density(x) / total, 10.0, 1_000.0, epsabs=0.0)
    assert amounts.mean == pytest.approx(mean, rel=1e-6)
    drawn = amounts.draw(20_000, np.random.default_rng(0))
    assert 10.0 <= drawn.min() < 10.01 < 900.0 < drawn.max() <= 1_000.0
    # the exact distribution function, 1 - x^-1.5 scaled: no draw of a mean with a tail like this
    assert stats.kstest(drawn, lambda x: (10.0**-1.5 - x**-1.5) / (10.0**-1.5 - 1_000.0**-1.5)).statistic < 0.012
    log = known.log(20_000, seed=1)
    assert known.chances(log.contexts, log.times).max() == 0.01
    assert np.mean(log.rewards > 0.0) < 0.01
    assert log.reward_range.high == 1_000.0
    desk = log[log.contexts.where(lambda context: context["device"] == "desk")]
    np.testing.assert_allclose(known.expected_rewards(desk)[0], np.array([0.006, 0.010, 0.004]) * amounts.mean)


def test_a_tail_that_is_no_tail() -> None:
    assert bounded_pareto(low=1.0, high=1.0 + 1e-9, shape=2.0).mean == pytest.approx(1.0)


def test_delays_have_their_distribution() -> None:
    delays = Delays(scales=(0.25, 3.0), window=5.0)
    for variant in (0, 1):
        drawn = delays.draw(np.full(20_000, variant), np.random.default_rng(variant))
        assert 0.0 <= drawn.min() < drawn.max() <= 5.0
        assert stats.kstest(drawn, lambda days, variant=variant: delays.cdf(variant, days)).statistic < 0.012
        truncated = stats.truncexpon(5.0 / delays.scales[variant], scale=delays.scales[variant])
        np.testing.assert_allclose(delays.cdf(variant, np.array([0.1, 2.0, 9.0])), truncated.cdf([0.1, 2.0, 9.0]))


def test_what_is_known_early_is_not_what_is_true() -> None:
    known = delayed()
    drawn = known.draw(20_000, seed=1)
    assert drawn.delays is not None
    assert known.delays is not None
    log, days = drawn.log, drawn.delays / DAY
    assert np.all(days[log.rewards == 0.0] == known.delays.window)
    for variant in range(3):
        came = days[(log.chosen == variant) & (log.rewards > 0.0)]
        assert stats.kstest(came, lambda x, variant=variant: known.delays.cdf(variant, x)).pvalue > 0.001
    end = log.times[-1]
    early, late = drawn.as_of(log.times[0] + 2.0 * DAY), drawn.as_of(end + known.delays.window * DAY)
    np.testing.assert_array_equal(late.rewards, log.rewards)
    assert early.times[-1] <= log.times[0] + 2.0 * DAY
    assert np.all(early.rewards <= log.rewards[: len(early)])

    def best(seen: object) -> int:
        means = [seen.rewards[seen.chosen == variant].mean() for variant in range(3)]  # type: ignore[attr-defined]
        return int(np.argmax(means))

    assert (best(early), best(late)) == (1, 2)
