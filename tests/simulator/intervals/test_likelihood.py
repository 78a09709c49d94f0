"""The dual against the primal, the best-known special case, and that it covers."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize

from simulator import NoSupport
from simulator.intervals import likelihood
from simulator.intervals.clustered import Possible
from simulator.intervals.scores import earned_scores, weighted_scores


def test_the_dual_is_the_primal() -> None:
    """The least and greatest Σqwr among distributions over the rounds and the corners, by search."""
    rng = np.random.default_rng(5)
    n, heaviest = 25, 8.0
    w, r = rng.choice([0.2, 1.0, 6.0], size=n, p=[0.5, 0.35, 0.15]), rng.integers(2, size=n).astype(float)
    scores = weighted_scores(r, w, Possible(1.0, heaviest, 0.0, 1.0))
    low, high = likelihood(scores, np.arange(n), confidence=0.95)

    weights = np.append(w, [0.0, heaviest])
    start = np.append(np.full(n, 0.99 / n), [0.005, 0.005])
    sums = [{"type": "eq", "fun": lambda q: q.sum() - 1.0}, {"type": "eq", "fun": lambda q: q @ weights - 1.0}]

    def search(goal, more):  # type: ignore[no-untyped-def]
        bounds = [(1e-9, 1.0)] * n + [(0.0, 1.0)] * 2
        options = {"maxiter": 1_000, "ftol": 1e-12}
        found = minimize(goal, start, bounds=bounds, constraints=sums + more, method="SLSQP", options=options)
        # 8: no step makes it better, up to rounding, which differs from one processor to another
        assert found.status in (0, 8), found.message
        assert all(abs(one["fun"](found.x)) < 1e-6 for one in sums)
        return float(found.fun)

    best = search(lambda q: -np.log(n * q[:n]).sum(), [])
    budget = best + stats.f.isf(0.05, 1, n - 1) / 2.0
    near = [{"type": "ineq", "fun": lambda q: budget + np.log(n * q[:n]).sum()}]
    least = search(lambda q: q @ np.append(w * r, [0.0, 0.0]), near)
    greatest = -search(lambda q: -(q @ np.append(w * r, [0.0, heaviest])), near)
    assert (low, high) == pytest.approx((least, greatest), abs=2e-4)


def test_of_many_events_it_is_the_symmetric_interval() -> None:
    rewards = np.random.default_rng(0).random(5_000)
    half = 1.96 * rewards.std() / np.sqrt(5_000)
    scores = earned_scores(rewards, Possible(1.0, 1.0, 0.0, 1.0))
    low, high = likelihood(scores, np.arange(5_000), confidence=0.95)
    assert (low, high) == pytest.approx((rewards.mean() - half, rewards.mean() + half), abs=0.03 * half)


def test_persons_are_clusters() -> None:
    rng = np.random.default_rng(3)
    w, r = rng.choice([0.5, 3.0], size=150, p=[0.8, 0.2]), rng.integers(2, size=150).astype(float)
    seen = Possible(1.0, 3.0, 0.0, 1.0)
    once = likelihood(weighted_scores(r, w, seen), np.arange(150), confidence=0.9)
    twice = weighted_scores(np.repeat(r, 2), np.repeat(w, 2), seen)
    assert likelihood(twice, np.repeat(np.arange(150), 2), confidence=0.9) == pytest.approx(once, abs=1e-6)
    with pytest.raises(NoSupport, match="300 rounds of 1 person"):
        likelihood(twice, np.zeros(300, dtype=int), confidence=0.9)


def test_weights_beyond_all_measure_change_nothing() -> None:
    """A propensity of 1e-12 is logged, but what it was of not chosen: the search still ends where it should."""
    rng = np.random.default_rng(4)
    w, r = rng.choice([0.5, 2.0], size=60, p=[2 / 3, 1 / 3]), rng.choice([0.0, 5.0, 100.0], size=60)
    limits = [
        likelihood(weighted_scores(r, w, Possible(1.0, heaviest, -1.0, 100.0)), np.arange(60), confidence=level)
        for heaviest in (1e5, 1e12)
        for level in (0.95, 0.05, 0.002)
    ]
    assert limits[3:] == [pytest.approx(one, rel=0.01) for one in limits[:3]]
    assert limits[0][0] < limits[1][0] < limits[2][0] <= float(np.mean(w * r))


def test_it_covers_where_a_symmetric_interval_does_not() -> None:
    """Weights to 40, 6 % rewards, 200 rounds, 300 logs: the standard error is .013."""
    rng, hits, plain = np.random.default_rng(9), 0, 0
    for _ in range(300):
        liked = rng.random(200) < 0.02
        w = np.where(liked, 40.0, 0.2 / 0.98)
        r = (rng.random(200) < 0.06).astype(float)
        low, high = likelihood(weighted_scores(r, w, Possible(1.0, 40.0, 0.0, 1.0)), np.arange(200), confidence=0.95)
        hits += low <= 0.06 <= high
        half = 1.96 * (w * r).std() / np.sqrt(200)
        plain += abs((w * r).mean() - 0.06) <= half
    assert hits >= 0.93 * 300
    assert plain < 0.6 * 300
