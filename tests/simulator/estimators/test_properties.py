from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import NoSupport
from simulator.estimators import Estimate, difference, dm, dr, effective_sample_size, expectation, ips, mean, snips

seeds = st.integers(0, 10_000)
N, K = 40, 4


def draw(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    logged, target = rng.dirichlet(np.ones(K), size=(2, N))
    chosen = np.array([rng.choice(K, p=row) for row in logged])
    rows = np.arange(N)
    return {
        "rewards": rng.normal(size=N),
        "weights": target[rows, chosen] / logged[rows, chosen],
        "target": target,
        "q": (q := rng.normal(size=(N, K))),
        "expected": expectation(target, q),
        "predicted": q[rows, chosen],
        "chosen": chosen,
        "persons": rng.integers(12, size=N),
    }


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_ips_and_dr_are_unbiased_over_all_possible_logs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logged, target = rng.dirichlet(np.ones(3), size=(2, 3))
    rewards, q = rng.random((2, 3, 3))
    rows = np.arange(3)
    average = {"ips": 0.0, "dr": 0.0}
    for draws in product(range(3), repeat=3):
        chosen = np.array(draws)
        chance = float(np.prod(logged[rows, chosen]))
        r, w = rewards[rows, chosen], target[rows, chosen] / logged[rows, chosen]
        average["ips"] += chance * ips(r, w, rows).value
        average["dr"] += chance * dr(r, w, expectation(target, q), q[rows, chosen], rows).value
    truth = float((target * rewards).sum(axis=1).mean())
    assert average["ips"] == pytest.approx(truth)
    assert average["dr"] == pytest.approx(truth)


@settings(max_examples=25, deadline=None)
@given(seeds, st.floats(-5.0, 5.0), st.floats(0.1, 10.0))
def test_snips_moves_and_scales_with_the_rewards(seed: int, shift: float, scale: float) -> None:
    x = draw(seed)
    plain = snips(x["rewards"], x["weights"], x["persons"])
    moved = snips(x["rewards"] * scale + shift, x["weights"], x["persons"])
    assert moved.value == pytest.approx(plain.value * scale + shift)
    assert moved.standard_error == pytest.approx(plain.standard_error * scale)
    assert x["rewards"].min() - 1e-12 <= plain.value <= x["rewards"].max() + 1e-12


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_dr_lies_between_its_parents(seed: int) -> None:
    x = draw(seed)
    nothing = dr(x["rewards"], np.zeros(N), x["expected"], x["predicted"], x["persons"])
    model = dm(x["expected"], x["persons"])
    assert (nothing.value, nothing.low) == pytest.approx((model.value, model.low))
    no_model = dr(x["rewards"], x["weights"], np.zeros(N), np.zeros(N), x["persons"])
    weighted = ips(x["rewards"], x["weights"], x["persons"])
    assert (no_model.value, no_model.high) == pytest.approx((weighted.value, weighted.high))


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_the_order_of_actions_and_rounds_means_nothing(seed: int) -> None:
    x = draw(seed)
    rng = np.random.default_rng(seed)
    actions, rounds = rng.permutation(K), rng.permutation(N)
    place = np.argsort(actions)
    before = dr(x["rewards"], x["weights"], x["expected"], x["predicted"], x["persons"])
    q = x["q"][rounds][:, actions]
    after = dr(
        x["rewards"][rounds],
        x["weights"][rounds],
        expectation(x["target"][rounds][:, actions], q),
        q[np.arange(N), place[x["chosen"]][rounds]],
        x["persons"][rounds],
    )
    assert (after.value, after.low, after.high) == pytest.approx((before.value, before.low, before.high))


@pytest.mark.parametrize("estimator", [ips, snips])
def test_no_support_is_an_error_not_a_zero(estimator: Callable[..., Estimate]) -> None:
    with pytest.raises(NoSupport, match="0 of 7 logged choices have positive probability"):
        estimator(np.ones(7), np.zeros(7), np.arange(7))


def test_effective_sample_size() -> None:
    assert effective_sample_size(np.ones(8)) == 8.0
    assert effective_sample_size(np.array([3.0, 0.0, 0.0])) == 1.0
    assert effective_sample_size(np.zeros(3)) == 0.0


def test_difference_is_paired() -> None:
    x = draw(1)
    one = mean(x["rewards"], x["persons"])
    other = mean(x["rewards"] + 0.5, x["persons"])
    gap = difference(other, one, x["persons"])
    assert gap.value == pytest.approx(0.5)
    assert gap.high - gap.low < 1e-12, "the noise that both share cancels"
