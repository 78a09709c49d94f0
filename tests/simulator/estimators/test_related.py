"""Kinds and neighbours: unbiased over all possible logs where what they assume holds, refused where there are none."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.types import Action
from simulator import NoSupport
from simulator.estimators import Choices, Evidence, Method, balanced_ips, estimates_of, ips, kernel, mips
from simulator.estimators.features import kinds_of, places_of
from simulator.estimators.related import blurred, distances_of, marginal
from simulator.intervals.clustered import Possible
from simulator.logs.log import Floats

HOURS = tuple(Action(f"{hour:02}", {"hour": float(hour), "part": "day" if 6 <= hour < 18 else "night"})
              for hour in (1, 8, 9, 23))  # fmt: skip
PLACES, CYCLE = places_of(HOURS, "hour")
seeds = st.integers(0, 10_000)


def logged(seed: int, rounds: int = 3) -> tuple[np.random.Generator, Floats, Floats]:
    rng = np.random.default_rng(seed)
    p, target = rng.dirichlet(np.ones(4), size=(2, rounds))
    return rng, p, target


def evidence(p: Floats, target: Floats, chosen: Any, rewards: Floats) -> Evidence:
    rows = np.arange(len(p))
    choices = Choices(HOURS, target, p, np.ones(p.shape, dtype=bool), chosen, p[rows, chosen])
    weights = target[rows, chosen] / p[rows, chosen]
    return Evidence(rewards, weights, rewards * 0.0, rewards * 0.0, rows, choices=choices)


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_mips_is_unbiased_where_only_the_kind_matters(seed: int) -> None:
    rng, p, target = logged(seed)
    earned = rng.random((3, 2))[:, kinds_of(HOURS, "part")]
    average = 0.0
    for draws in product(range(4), repeat=3):
        chosen, rows = np.array(draws), np.arange(3)
        found = mips(evidence(p, target, chosen, earned[rows, chosen]), feature="part")
        average += float(np.prod(p[rows, chosen])) * found.value
    assert average == pytest.approx(float((target * earned).sum(axis=1).mean()))


@settings(max_examples=15, deadline=None)
@given(seeds, st.floats(0.1, 5.0))
def test_the_blurred_policy_is_judged_without_bias_whatever_is_earned(seed: int, bandwidth: float) -> None:
    rng, p, target = logged(seed)
    earned, distances = rng.random((3, 4)), distances_of(PLACES, CYCLE)
    near = np.exp(-((distances / bandwidth) ** 2) / 2.0)
    policy = target @ (near / near.sum(axis=0)).T  # what b would choose, spread over its neighbours a
    average = mean_weight = 0.0
    for draws in product(range(4), repeat=3):
        chosen, rows = np.array(draws), np.arange(3)
        chance = float(np.prod(p[rows, chosen]))
        choices = evidence(p, target, chosen, earned[:, 0]).choices
        assert choices is not None
        w = blurred(choices, distances, bandwidth=bandwidth)
        average += chance * ips(earned[rows, chosen], w, rows).value
        mean_weight += chance * float(w.mean())
    assert average == pytest.approx(float((policy * earned).sum(axis=1).mean()))
    assert mean_weight == pytest.approx(1.0)


def test_without_a_bandwidth_it_is_ips_and_no_weight_goes_to_what_was_not_eligible() -> None:
    _, p, target = logged(1)
    x = evidence(p, target, np.array([0, 1, 3]), np.ones(3))
    assert x.choices is not None
    distances = distances_of(PLACES, CYCLE)
    assert blurred(x.choices, distances, bandwidth=0.0) == pytest.approx(x.weights)
    alone = np.zeros((3, 4), dtype=bool)
    alone[[0, 1, 2], [0, 1, 3]] = True
    only = replace(x.choices, eligible=alone, target=alone * 1.0, propensities=np.ones(3))
    assert blurred(only, distances, bandwidth=3.0) == pytest.approx(np.ones(3))


def test_hours_begin_again() -> None:
    distances = distances_of(PLACES, CYCLE)
    assert distances[0, 3] == 2.0, "from 23 to 1"
    assert distances_of(PLACES, None)[0, 3] == 22.0


def test_neighbours_make_a_value_less_noisy_and_the_bandwidth_is_told() -> None:
    """The reward is the same at all hours: the many rounds at 1 speak for the few at 23."""
    errors = []
    for seed in range(8):
        chosen = np.random.default_rng(seed).choice(4, size=400, p=[0.3, 0.34, 0.34, 0.02])
        p = np.full((400, 4), [0.3, 0.34, 0.34, 0.02])
        target = np.tile([0.0, 0.0, 0.0, 1.0], (400, 1))
        x = evidence(p, target, chosen, np.full(400, 0.5))
        x = replace(x, possible=Possible(50.0, 50.0, 0.0, 1.0))
        found, plain = kernel(x, feature="hour"), ips(x.rewards, x.weights, x.persons, possible=x.possible)
        errors.append((found.value - 0.5, plain.value - 0.5))
        assert found.note.startswith("h = ")
        assert (found.low, found.high) == (min(plain.low, found.value), max(plain.high, found.value))
    kernels, plains = np.square(errors).mean(axis=0)
    assert kernels < 0.5 * plains


def test_kinds_know_what_was_possible() -> None:
    _, p, target = logged(2)
    x = replace(evidence(p, target, np.array([0, 1, 3]), np.ones(3)), possible=Possible(9.0, 99.0, 0.0, 1.0))
    found = marginal(x, "part")
    kinds = kinds_of(HOURS, "part")
    ratio = np.array([[row[kinds == k].sum() for k in (0, 1)] for row in target]) / np.array(
        [[row[kinds == k].sum() for k in (0, 1)] for row in p]
    )
    assert found.possible is not None
    assert found.possible.max_weight == pytest.approx(ratio.max())
    assert found.weights == pytest.approx(ratio[[0, 1, 2], kinds[[0, 1, 3]]])


def test_an_interval_of_kinds_is_made_of_their_weights() -> None:
    """Two hours of the day, of which the one judged was hardly ever shown: as kinds they are one."""
    rng = np.random.default_rng(4)
    p, target = np.tile([0.25, 0.02, 0.48, 0.25], (400, 1)), np.tile([0.0, 1.0, 0.0, 0.0], (400, 1))
    chosen = np.array([rng.choice(4, p=row) for row in p])
    x = replace(evidence(p, target, chosen, rng.integers(2, size=400) * 1.0), possible=Possible(50.0, 50.0, 0.0, 1.0))
    found = estimates_of(["ips", "mips:part"], x, Method("likelihood"))
    assert found["mips:part"].high - found["mips:part"].low < 0.5 * (found["ips"].high - found["ips"].low)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: kinds_of([Action("a"), Action("b")]), r"the variants have no features \(\['a', 'b'\]\)"),
        (lambda: kinds_of(HOURS), "each of 4 variants is a kind of its own"),
        (lambda: kinds_of(HOURS, "tone"), r"no variant has a feature 'tone'; known: \['hour', 'part'\]"),
        (lambda: kinds_of(HOURS[1:3], "part"), "all 2 variants are of one kind"),
        (lambda: places_of(HOURS, "part"), r"not every variant has a number 'part'; every one has: \['hour'\]"),
        (lambda: places_of([Action("a"), Action("b")]), "one number that every variant has, and they have none"),
        (lambda: places_of([HOURS[0], HOURS[0]]), "all variants have the same 'hour', 1"),
    ],
)
def test_what_is_no_kind_and_no_order_is_refused(call: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        call()


def test_a_log_that_knows_only_the_chosen_has_no_kinds() -> None:
    _, p, target = logged(2)
    x = replace(evidence(p, target, np.array([0, 1, 3]), np.ones(3)), choices=None)
    for estimator in (mips, kernel):
        with pytest.raises(NoSupport, match="only the propensity of what was chosen is known"):
            estimator(x)


def test_two_loggers_together_are_less_noisy_than_each_round_by_its_own() -> None:
    rng = np.random.default_rng(6)
    loggers = np.repeat([0, 1], 300)
    shown = rng.random(600) < np.where(loggers == 0, 0.05, 0.9)
    propensities = np.where(shown[:, None], [0.05, 0.9], [0.95, 0.1])
    rewards, target = np.full(600, 0.5), shown.astype(float)
    both = balanced_ips(rewards, target, propensities, loggers, np.arange(600))
    own = ips(rewards, target / propensities[np.arange(600), loggers], np.arange(600))
    assert both.standard_error < 0.5 * own.standard_error
    assert both.low < 0.5 < both.high
    with pytest.raises(ValueError, match="loggers from 0 to 1: propensities have 1 columns"):
        balanced_ips(rewards, target, propensities[:, :1], loggers, np.arange(600))
