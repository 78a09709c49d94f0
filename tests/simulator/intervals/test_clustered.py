from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize

from simulator import NoSupport
from simulator.estimators import dr, ips, mean, snips
from simulator.intervals.clustered import Possible, clustered, cressie_read, freedom, skewed

REPEATS = 400


def test_one_round_a_person_is_the_textbook_interval() -> None:
    values = np.random.default_rng(0).normal(size=200)
    found = clustered(0.0, values - values.mean(), np.arange(200), confidence=0.95)
    assert found.standard_error == pytest.approx(values.std(ddof=1) / np.sqrt(200))
    assert found.clusters == 200


def test_repeating_every_visit_adds_no_information() -> None:
    values = np.random.default_rng(0).normal(size=50)
    once = mean(values, np.arange(50))
    thrice = mean(np.repeat(values, 3), np.repeat(np.arange(50), 3))
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))


def test_few_persons_get_a_wider_quantile_and_one_person_none() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0])
    found = mean(values, np.array([0, 0, 1, 1]))
    assert found.high - found.value == pytest.approx(12.706 * found.standard_error, rel=1e-4)
    with pytest.raises(NoSupport, match="4 rounds of 1 person"):
        mean(values, np.zeros(4, dtype=int))
    with pytest.raises(ValueError, match=r"confidence 95: expected a number between 0 and 1"):
        mean(values, np.arange(4), confidence=95)


def test_where_some_come_far_more_often_the_error_is_that_of_leaving_out_one_person_after_the_other() -> None:
    rng = np.random.default_rng(2)
    visits = [30, 12, 1, 1, 5, 8, 1]
    persons = np.repeat(np.arange(7), visits)
    values = rng.normal(size=7)[persons] + rng.normal(size=58)
    without = np.array([values[persons != one].mean() for one in range(7)])
    error = np.sqrt(6 / 7 * np.sum((without - values.mean()) ** 2))
    found = mean(values, persons)
    assert found.standard_error == pytest.approx(error)
    assert found.clusters == 7
    assert found.df == freedom(np.array(visits) / 58) == pytest.approx(58**2 / 1136 - 1)
    assert found.high - found.value == pytest.approx(stats.t.isf(0.025, found.df) * error)


@pytest.mark.parametrize("visits", [[400, 100, 100, *[5] * 100], [300, 300, *[1] * 600]])
def test_a_few_who_make_most_of_a_log_leave_intervals_that_hold_what_they_say(visits: list[int]) -> None:
    """400 logs, persons differ half as much as visits; the usual sandwich of so many persons holds .71 to .79."""
    rng = np.random.default_rng(0)
    persons, n, many = np.repeat(np.arange(len(visits)), visits), sum(visits), len(visits)
    held = usual = 0
    for _ in range(400):
        values = 0.5 * rng.normal(size=many)[persons] + rng.normal(size=n)
        influence = values - values.mean()
        found = clustered(values.mean(), influence, persons, confidence=0.95)
        held += found.low <= 0.0 <= found.high
        error = np.sqrt(np.sum(np.bincount(persons, weights=influence) ** 2)) / n
        usual += abs(values.mean()) <= 1.96 * error
    assert held >= 0.94 * 400
    assert usual < 0.8 * 400


def of_rates(events: int, n: int) -> tuple[float, float]:
    """The skewed interval of a mean of 0 and 1."""
    rewards = (np.arange(n) < events).astype(float)
    rate = events / n
    found = skewed(rate, rewards - rate, np.arange(n), up=1.0 - rate, down=rate, confidence=0.95)
    return found.low, found.high


@pytest.mark.parametrize(("events", "n"), [(1, 1_000), (3, 1_000), (10, 2_000), (40, 5_000)])
def test_the_skewed_interval_of_a_rare_rate_is_the_exact_one(events: int, n: int) -> None:
    exact = stats.beta.ppf([0.025, 0.975], [events, events + 1], [n - events + 1, n - events])  # Clopper & Pearson
    assert of_rates(events, n) == pytest.approx(exact, rel=0.02, abs=5e-6)


def test_what_was_never_seen_may_still_be() -> None:
    low, high = of_rates(0, 300)
    assert (low, high) == (0.0, pytest.approx(3.69 / 300, rel=0.02))  # the "rule of three", at 97.5 %
    found = skewed(0.0, np.zeros(300), np.arange(300), up=42.0, down=0.0, confidence=0.95)
    assert found.high == pytest.approx(42.0 * high, rel=0.01)


def test_where_events_are_many_and_small_the_skewed_interval_is_the_symmetric_one() -> None:
    values = np.random.default_rng(3).normal(size=20_000)
    values -= values.mean()
    plain = clustered(1.0, values, np.arange(20_000), confidence=0.95)
    found = skewed(1.0, values, np.arange(20_000), up=2.0, down=2.0, confidence=0.95)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), rel=1e-3)
    assert found.standard_error == plain.standard_error


def test_the_skewed_interval_knows_persons() -> None:
    """Three visits that go together say as much as one, and so does the one that was not seen."""
    values = np.where(np.arange(200) < 6, 0.97, -0.03)
    once = skewed(0.03, values, np.arange(200), up=5.0, down=0.2, confidence=0.95)
    thrice = skewed(0.03, np.repeat(values, 3), np.repeat(np.arange(200), 3), up=5.0, down=0.2, confidence=0.95)
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))


def test_cressie_read_is_the_least_and_the_greatest_value_within_the_distance() -> None:
    """In closed form as by numerical search among distributions over the rounds and one more, with mean weight 1."""
    rng = np.random.default_rng(5)
    w, r = rng.choice([0.2, 1.0, 6.0], size=40, p=[0.5, 0.4, 0.1]), rng.integers(2, size=40).astype(float)
    possible = Possible(1.0, 8.0, 0.0, 1.0)
    low, high = cressie_read(r, w, np.arange(40), possible, confidence=0.95)

    def nearest(unseen: float) -> float:
        return search(lambda q: np.sum((41 * q - 1.0) ** 2), np.append(w, unseen), [])

    def search(goal: Any, weights: Any, more: list[Any]) -> float:
        sums = [lambda q: q.sum() - 1.0, lambda q: (q * weights).sum() - 1.0]
        constraints = [{"type": "eq", "fun": one} for one in sums] + more
        found = minimize(goal, np.full(41, 1 / 41), constraints=constraints, method="SLSQP", options={"maxiter": 500})
        assert found.success, found.message
        return float(found.fun)

    budget = nearest(8.0 if w.sum() < 40 else 0.0) + stats.f.isf(0.05, 1, 40)
    near = [{"type": "ineq", "fun": lambda q: budget - np.sum((41 * q - 1.0) ** 2)}]

    def least(reward: float, sign: float) -> float:
        both = []
        for unseen in (0.0, 8.0):
            earned = sign * np.append(w * r, unseen * reward)
            both.append(search(lambda q, earned=earned: (q * earned).sum(), np.append(w, unseen), near))
        return min(both)

    assert low == pytest.approx(max(least(0.0, 1.0), 0.0), abs=1e-4)
    assert high == pytest.approx(min(-least(1.0, -1.0), 1.0), abs=1e-4)


def logged(rng: np.random.Generator, persons: int) -> tuple[dict[str, Any], float]:
    """Two actions, people who come 1 to 12 times and differ in how readily they click. And the exact value."""
    visits = rng.integers(1, 13, size=persons)
    person = np.repeat(np.arange(persons), visits)
    # visit counts are independent of people's habits, so the mean over visits has this truth
    eager = rng.choice([0.05, 0.65], size=persons)[person]
    n = person.size
    chosen = (rng.random(n) < 0.25).astype(int)
    rewards = (rng.random(n) < eager + 0.2 * chosen).astype(float)
    weights = np.where(chosen == 1, 0.6 / 0.25, 0.4 / 0.75)
    return (
        {"r": rewards, "w": weights, "p": person, "v": np.full(n, 0.42), "s": np.where(chosen == 1, 0.5, 0.3)},
        0.35 + 0.2 * 0.6,
    )


def test_intervals_cover_when_people_come_again() -> None:
    """400 logs, 80 people: the share of 95 % intervals that hold the truth, with a standard error of .011."""
    rng = np.random.default_rng(7)
    hits = {"ips": 0, "snips": 0, "dr": 0, "as if all were strangers": 0}
    for _ in range(REPEATS):
        x, truth = logged(rng, 80)
        found = {
            "ips": ips(x["r"], x["w"], x["p"]),
            "snips": snips(x["r"], x["w"], x["p"]),
            "dr": dr(x["r"], x["w"], x["v"], x["s"], x["p"]),
            "as if all were strangers": dr(x["r"], x["w"], x["v"], x["s"], np.arange(len(x["r"]))),
        }
        for name, estimate in found.items():
            hits[name] += estimate.low <= truth <= estimate.high
    coverage = {name: count / REPEATS for name, count in hits.items()}
    for name in ("ips", "snips", "dr"):
        assert 0.92 <= coverage[name] <= 0.98, coverage
    assert coverage["as if all were strangers"] < 0.85, coverage


def test_intervals_cover_with_few_people() -> None:
    rng = np.random.default_rng(8)
    hits = 0
    for _ in range(REPEATS):
        x, truth = logged(rng, 15)
        found = snips(x["r"], x["w"], x["p"])
        hits += found.low <= truth <= found.high
    assert 0.90 <= hits / REPEATS <= 0.98


@pytest.mark.parametrize("greatest", [1e9, 1e12, 1e30])
def test_a_next_to_impossible_choice_does_not_spoil_the_cressie_read_limits(greatest: float) -> None:
    """Weights without bound have limits of their own, to which those of great weights tend."""
    rng = np.random.default_rng(0)
    weights = 0.9 * rng.choice([0.5, 1.0, 1.5], size=300)
    rewards, persons = (rng.random(300) < 0.3).astype(float), np.arange(300)
    near, far = (
        cressie_read(rewards, weights, persons, Possible(10.0, most, 0.0, 1.0), confidence=0.95)
        for most in (1e5, greatest)
    )
    assert far == pytest.approx(near, abs=1e-5)
