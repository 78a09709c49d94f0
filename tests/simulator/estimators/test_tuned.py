"""SLOPE against its definition and its guarantee, and what it is given: limits from no bias to the most."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.types import Action
from simulator.estimators import Choices, Evidence, clipped_ips, dros, kernel, switch_dr
from simulator.estimators.related import BANDWIDTHS, blurred, distances_of
from simulator.estimators.tuned import LIMITS
from simulator.estimators.weights import agreeing, clipped, shrunk, slope, switched
from simulator.intervals.clustered import Possible

seeds = st.integers(0, 100_000)


def agreeing_by_definition(values: Sequence[float], widths: Sequence[float]) -> int:
    """The longest beginning of which every two agree."""
    return max(
        many
        for many in range(1, len(values) + 1)
        if all(
            abs(values[i] - values[j]) <= widths[i] + (sqrt(6.0) - 1.0) * widths[j]
            for i in range(many)
            for j in range(i)
        )
    )


@settings(max_examples=200, deadline=None)
@given(seeds)
def test_slope_is_what_it_is_defined_to_be(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, widths = rng.normal(size=6).tolist(), rng.exponential(size=6).tolist()
    many = agreeing_by_definition(values, widths)
    assert agreeing(values, widths) == many
    assert slope(values, widths) == int(np.argmin(widths[:many]))


@settings(max_examples=300, deadline=None)
@given(seeds)
def test_it_is_nearly_as_good_as_the_best_of_them_whether_or_not_widths_fall(seed: int) -> None:
    """Tucker & Lee 2021: where every |v - truth| ≤ bias + width and biases rise, the chosen one is off by no more than
    √6 + 3 times the least bias + width. All values are put at their worst, on either side.
    """
    rng = np.random.default_rng(seed)
    biases = np.sort(rng.exponential(size=5) ** 3)
    widths = rng.exponential(size=5) ** 3
    if rng.random() < 0.5:
        widths = np.sort(widths)[::-1]
    values = rng.choice([-1.0, 1.0], size=5) * (biases + widths)
    chosen = slope(values.tolist(), widths.tolist())
    assert abs(values[chosen]) <= (sqrt(6.0) + 3.0) * (biases + widths).min() + 1e-12


@pytest.mark.parametrize("change", [clipped, switched, shrunk])
def test_each_limit_takes_more_from_every_weight_than_the_one_before(change: Callable[[Any, float], Any]) -> None:
    weights = np.geomspace(0.01, 1e5, 500)
    taken = np.array([weights - change(weights, limit) for limit in LIMITS])
    assert (np.diff(taken, axis=0) >= -1e-9 * weights).all()
    assert not taken[0].any()


def test_each_bandwidth_leads_further_from_the_policy_than_the_one_before() -> None:
    x = seen(3)
    assert x.choices is not None
    distances = distances_of(np.arange(4.0), None)
    far = []
    for bandwidth in BANDWIDTHS:
        policy = [
            blurred(choices_of(x, np.full(300, variant)), distances, bandwidth=bandwidth) * x.choices.logged[:, variant]
            for variant in range(4)
        ]
        far.append(float(np.abs(np.array(policy).T - x.choices.target).sum(axis=1).mean()))
    assert far[0] == pytest.approx(0.0)
    assert np.all(np.diff(far) > 0.0)


def choices_of(x: Evidence, chosen: Any) -> Choices:
    assert x.choices is not None
    logged = x.choices.logged
    propensities = logged[np.arange(len(chosen)), chosen]
    return Choices(x.choices.actions, x.choices.target, logged, x.choices.eligible, chosen, propensities)


def seen(seed: int, n: int = 300) -> Evidence:
    """Weights to some 100, rewards that are no clicks, a model that is somewhat wrong, three rounds a person."""
    rng = np.random.default_rng(seed)
    logged = rng.dirichlet([5.0, 5.0, 5.0, 0.3], size=n) * 0.98 + 0.005
    target = np.tile([0.1, 0.1, 0.2, 0.6], (n, 1))
    chosen = np.array([rng.choice(4, p=row / row.sum()) for row in logged])
    rewards = rng.normal(1.0 + chosen * rng.uniform(-0.4, 0.4), 1.0)
    q = np.tile(1.0 + rng.normal(size=4) * 0.3, (n, 1))
    rows = np.arange(n)
    actions = tuple(Action(f"a{i}", {"hour": float(i)}) for i in range(4))
    choices = Choices(actions, target, logged, np.ones((n, 4), dtype=bool), chosen, logged[rows, chosen])
    weights = target[rows, chosen] / logged[rows, chosen]
    return Evidence(rewards, weights, (target * q).sum(axis=1), q[rows, chosen], rows // 3, choices=choices)


def brute(name: str, x: Evidence, limit: float) -> list[float]:
    """What each round adds, one by one."""
    found = []
    for i, (r, w) in enumerate(zip(x.rewards, x.weights, strict=True)):
        if name == "clipped_ips":
            found.append(min(w, limit) * r)
        elif name == "kernel":
            found.append(_blurred_weight(x, i, limit) * r)
        else:
            kept = (
                w
                if limit == inf
                else (w if w <= limit else 0.0)
                if name == "switch_dr"
                else limit * w / (w * w + limit)
            )
            found.append(x.expected[i] + kept * (r - x.predicted[i]))
    return found


def _blurred_weight(x: Evidence, row: int, bandwidth: float) -> float:
    assert x.choices is not None

    def near(a: int, b: int) -> float:
        return float(a == b) if bandwidth == 0.0 else float(np.exp(-(((a - b) / bandwidth) ** 2) / 2.0))

    chosen, total = int(x.choices.chosen[row]), 0.0
    for b in range(4):
        total += x.choices.target[row, b] * near(chosen, b) / sum(near(a, b) for a in range(4))
    return total / float(x.choices.logged[row, chosen])


def _variance(each: Any, persons: Any) -> float:
    """Of the mean, by person: G/(G - 1) Σ T² / n², T the sum over the person's rounds of what they are off the mean."""
    away = np.asarray(each) - np.mean(each)
    totals = [sum(away[persons == person]) for person in set(persons.tolist())]
    return len(totals) / (len(totals) - 1) * sum(total**2 for total in totals) / len(away) ** 2


@pytest.mark.parametrize(
    ("name", "estimator", "limits"),
    [
        ("clipped_ips", clipped_ips, LIMITS),
        ("switch_dr", switch_dr, LIMITS),
        ("dros", dros, LIMITS),
        ("kernel", kernel, BANDWIDTHS),
    ],
)
def test_the_limit_is_that_of_the_least_error_among_those_that_agree(
    name: str, estimator: Callable[..., Any], limits: Sequence[float]
) -> None:
    taken = set()
    for seed in range(6):
        x = seen(seed)
        each = [brute(name, x, limit) for limit in limits]
        values = [float(np.mean(one)) for one in each]
        variances = [_variance(one, x.persons) for one in each]
        many = agreeing_by_definition(values, [1.959964 * sqrt(one) for one in variances])
        errors = [
            max(0.0, (values[i] - values[0]) ** 2 - _variance(np.subtract(each[i], each[0]), x.persons)) + variances[i]
            for i in range(many)
        ]
        best = int(np.argmin(errors))
        found = estimator(x)
        assert found.value == pytest.approx(values[best])
        assert found.standard_error == pytest.approx(sqrt(variances[0]), rel=0.02)
        taken.add(best)
    assert len(taken) > 1, "not always the same one"


@pytest.mark.parametrize(
    ("name", "estimator", "greatest"),
    [
        ("clipped_ips", clipped_ips, lambda limit: limit),
        ("switch_dr", switch_dr, lambda limit: limit),
        ("dros", dros, lambda limit: sqrt(limit) / 2.0),
    ],
)
def test_what_the_log_could_have_held_counts_in_every_error(
    name: str, estimator: Callable[..., Any], greatest: Callable[[float], float]
) -> None:
    """One event of the greatest, or least, reward under the changed weights moves an estimate by so much; of two, what
    moves both is no distance.
    """
    taken = set()
    for seed in range(6):
        x = replace(seen(seed), possible=Possible(30.0, 200.0, -3.0, 6.0))
        each = [brute(name, x, limit) for limit in LIMITS]
        values = [float(np.mean(one)) for one in each]
        variances = [_variance(one, x.persons) for one in each]
        unseen = [
            min(30.0, greatest(limit)) * max(6.0 - value, value + 3.0) / 300
            for limit, value in zip(LIMITS, values, strict=True)
        ]
        errors = []
        for i in range(agreeing_by_definition(values, [1.959964 * sqrt(one) for one in variances])):
            noise = _variance(np.subtract(each[i], each[0]), x.persons) + (unseen[i] - unseen[0]) ** 2
            errors.append(max(0.0, (values[i] - values[0]) ** 2 - noise) + variances[i] + unseen[i] ** 2)
        best = int(np.argmin(errors))
        found = estimator(x)
        assert found.value == pytest.approx(values[best]), (seed, best)
        assert found.low <= found.value <= found.high
        taken.add(best)
    assert taken - {0}, "what is not cut is not always believed"
