from typing import Any

import numpy as np
import pytest

from simulator import NoSupport
from simulator.estimators import dr, ips, mean, snips
from simulator.intervals import clustered

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


def logged(rng: np.random.Generator, persons: int) -> tuple[dict[str, Any], float]:
    """Two actions, people who come 1 to 12 times and differ in how readily they click. And the exact value."""
    visits = rng.integers(1, 13, size=persons)
    person = np.repeat(np.arange(persons), visits)
    # visit counts are independent of people's habits, so the mean over visits has this truth
    eager = rng.choice([0.05, 0.65], size=persons)[person]
    n = person.size
    chosen = (rng.random(n) < 0.25).astype(int)
    rewards = (rng.random(n) < eager + 0.2 * chosen).astype(float)
    target = np.tile([0.4, 0.6], (n, 1))
    weights = np.where(chosen == 1, 0.6 / 0.25, 0.4 / 0.75)
    return (
        {"r": rewards, "w": weights, "pi": target, "a": chosen, "p": person, "q": np.tile([0.3, 0.5], (n, 1))},
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
            "dr": dr(x["r"], x["w"], x["pi"], x["q"], x["a"], x["p"]),
            "as if all were strangers": dr(x["r"], x["w"], x["pi"], x["q"], x["a"], np.arange(len(x["r"]))),
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
