"""Plans beside what is known in closed form."""

from dataclasses import replace

import numpy as np
import pytest

from simulator.logs.log import Floats
from simulator.plans.planning import Aim, Rates, Shares, even_split, plan

CLICKS = Rates(per_day=1_000.0, mean=0.05, deviation=0.2, difference=0.01, variants=2, binary=True)
AMOUNTS = Rates(per_day=1_000.0, mean=5.0, deviation=20.0, difference=2.0, variants=3)


def even(k: int) -> Shares:
    return lambda learned: np.full((learned.shape[1], k), 1.0 / k)


def greedy(learned: Floats) -> Floats:
    """The best mean with 80 %, after every variant was shown often enough."""
    counts, sums, _ = learned
    best = np.eye(counts.shape[1])[np.argmax(sums / np.maximum(counts, 1.0), axis=1)]
    split = np.full(counts.shape, 1.0 / counts.shape[1])
    return np.where(counts.min(axis=1, keepdims=True) < 200.0, split, 0.8 * best + 0.2 * split)


def test_the_closed_form_is_that_of_the_textbooks() -> None:
    # n an arm = (1.95996 + 0.84162)² (.05·.95 + .06·.94) / .01²
    assert even_split(CLICKS, Aim()) == pytest.approx(2 * 8_155, abs=3)


@pytest.mark.parametrize(
    "rates",
    [
        CLICKS,
        AMOUNTS,
        replace(CLICKS, variants=5, difference=0.02),
        replace(AMOUNTS, together=2.5),
        replace(CLICKS, difference=0.004, per_day=20_000.0),
    ],
)
def test_an_even_split_takes_as_many_decisions_as_the_closed_form_says(rates: Rates) -> None:
    aim = Aim(level=0.9, power=0.6) if rates.variants == 5 else Aim()
    found = plan(rates, aim, even(rates.variants), learns=False)
    assert found.decisions == pytest.approx(found.even_split, rel=0.06)
    assert found.days == pytest.approx((found.decisions or 0) / rates.per_day, rel=0.01)


def test_rewards_that_are_known_later_take_as_many_decisions_and_more_time() -> None:
    soon, late = (plan(replace(CLICKS, delay=days), Aim(), even(2), learns=False) for days in (0.0, 3.0))
    assert late.decisions == pytest.approx(soon.decisions, rel=0.06)
    assert late.days == pytest.approx((late.decisions or 0) / 1_000.0 + 3.0, abs=0.01)
    before, after = (next(point for point in late.points if point.day == day) for day in (3.0, 21.0))
    assert (before.power, before.decisions) == (0.0, 3_000)
    assert after.power == pytest.approx(0.8, abs=0.1)


def test_a_horizon_that_is_too_near_has_no_answer_and_says_what_there_is() -> None:
    found = plan(CLICKS, Aim(horizon=5.0), even(2), learns=False)
    assert (found.decisions, found.days) == (None, None)
    assert [point.day for point in found.points] == [1.0, 2.0, 3.0, 5.0]
    assert 0.2 < found.points[-1].power < 0.6
    assert found.even_split == even_split(CLICKS, Aim())


def test_the_gain_of_an_even_split_is_known() -> None:
    last = plan(AMOUNTS, Aim(horizon=10.0), even(3), learns=False).points[-1]
    assert last.gain == pytest.approx(10_000 / 3 * 2.0, rel=0.01)
    spread = 1.96 * 2.0 * np.sqrt(10_000 * (1 / 3) * (2 / 3))
    assert last.gain_high - last.gain_low == pytest.approx(2.0 * spread, rel=0.1)


def test_what_learns_gains_more_and_finds_it_later() -> None:
    rates = replace(CLICKS, difference=0.015, variants=4)
    split = plan(rates, Aim(), even(4), learns=False)
    learned = plan(rates, Aim(), greedy, learns=True, simulations=100)
    assert learned.points[-1].gain > 2.0 * split.points[-1].gain
    assert learned.days is None or learned.days > (split.days or 0.0)
    assert learned.points[0].gain == pytest.approx(split.points[0].gain, rel=0.3)  # at first it knows nothing


def test_learning_waits_for_rewards() -> None:
    rates = replace(CLICKS, difference=0.03)
    soon, late = (plan(replace(rates, delay=days), Aim(horizon=8.0), greedy, learns=True) for days in (0.0, 5.0))
    halves = [point.decisions * 0.5 * 0.03 for point in late.points]
    assert late.points[3].gain == pytest.approx(halves[3], rel=0.03)  # five days: an even split so far
    assert late.points[-1].gain > 1.1 * halves[-1]
    assert soon.points[3].gain > 1.3 * late.points[3].gain


def test_a_variant_that_is_never_shown_is_never_found() -> None:
    found = plan(CLICKS, Aim(), lambda learned: np.tile([1.0, 0.0], (learned.shape[1], 1)), learns=False)
    assert found.decisions is None
    assert {point.power for point in found.points} == {0.0}
    assert found.points[-1].gain == 0.0


def test_the_seed_decides() -> None:
    first, again, other = (plan(CLICKS, Aim(), greedy, learns=True, seed=seed, simulations=40) for seed in (3, 3, 4))
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"per_day": 0.0}, "per_day 0.0: expected more than 0"),
        ({"difference": -0.1}, "difference -0.1: expected more than 0"),
        ({"variants": 1}, "1 variants: expected at least 2"),
        ({"difference": 0.96}, "mean reward 0.05 and difference 0.96: rewards are 0 or 1"),
    ],
)
def test_rates_that_can_not_be(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(CLICKS, **change)


def test_less_than_one_decision() -> None:
    with pytest.raises(ValueError, match=r"0.01 decisions a day for 90 days: expected at least one decision"):
        plan(replace(CLICKS, per_day=0.01), Aim(), even(2), learns=False)
