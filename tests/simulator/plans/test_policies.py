"""A policy asked of sums answers as one that learned the rounds."""

import numpy as np
import pytest

from policies.base import Learner
from policies.bounds import Bounds
from policies.registry import PolicyError, PolicySpec, create
from policies.types import Action, RewardRange, TrainingExample
from simulator.logs.log import Floats
from simulator.plans import policies as planned_policies
from simulator.plans.planning import Rates
from simulator.plans.policies import PlannedPolicy, planned_policy

VARIANTS = ("plain", "a b|c", "bold")
RATES = Rates(per_day=1_000.0, mean=0.1, deviation=0.3, difference=0.3, variants=3, binary=True)
NOTHING = np.zeros(3)


def planned(spec: str, *, explore: float = 0.0, high: float = 1.0, bounds: Bounds | None = None) -> PlannedPolicy:
    return planned_policy(
        PolicySpec.parse(spec),
        VARIANTS,
        RATES,
        default="plain",
        explore=explore,
        bounds=bounds or {},
        reward_range=RewardRange(0.0, high),
    )


def asked(policy: PlannedPolicy, counts: Floats, sums: Floats, squares: Floats) -> Floats:
    """What it draws from in one run."""
    (pmf,) = policy.shares(np.array([counts, sums, squares])[:, None, :])
    return np.asarray(pmf)


@pytest.mark.parametrize("spec", ["best_variant", "thompson", "gaussian"])
@pytest.mark.parametrize("high", [1.0, 20.0])
def test_what_learns_from_tallies_answers_as_it_would_after_the_rounds(spec: str, high: float) -> None:
    rng = np.random.default_rng(0)
    chosen, rewards = rng.integers(3, size=200), high * (rng.random(200) < 0.3)
    actions = tuple(Action(variant) for variant in VARIANTS)
    learner = create(PolicySpec(spec), default="plain", reward_range=RewardRange(0.0, high))
    assert isinstance(learner, Learner)
    learner.learn(
        TrainingExample({}, actions, np.full(3, 1 / 3), int(k), float(r)) for k, r in zip(chosen, rewards, strict=True)
    )
    policy = planned(spec, high=high)
    assert (policy.learns, policy.run, policy.stand_in) == (True, False, "")
    counts, sums, squares = (np.bincount(chosen, weights=w, minlength=3) for w in (rewards**0, rewards, rewards**2))
    np.testing.assert_allclose(asked(policy, counts, sums, squares), learner.pmf({}, actions), rtol=1e-9)
    np.testing.assert_array_equal(asked(policy, NOTHING, NOTHING, NOTHING), np.full(3, 1 / 3))
    both = policy.shares(np.stack([(counts, NOTHING), (sums, NOTHING), (squares, NOTHING)]))
    np.testing.assert_array_equal(both[1], np.full(3, 1 / 3))


def test_what_looks_at_the_context_is_played_by_another() -> None:
    counts, sums = np.array([100.0, 100.0, 100.0]), np.array([10.0, 30.0, 12.0])
    best = asked(planned("best_variant"), counts, sums, sums)
    for spec in ("auto", "linear", "segments"):
        policy = planned(spec)
        assert (policy.learns, policy.run, policy.stand_in) == (True, False, "best_variant")
        np.testing.assert_array_equal(asked(policy, counts, sums, sums), best)


def test_what_vowpal_wabbit_learns_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planned_policies, "RUNS", 3)
    monkeypatch.setattr(planned_policies, "DECISIONS", 900)
    policy = planned("epsilon:epsilon=0.3", explore=0.1)
    assert (policy.learns, policy.run, policy.stand_in) == (True, True, "")

    def after(n: int, runs: int) -> Floats:
        counts = np.zeros((3, runs, 3))
        counts[0] = n / 3
        return policy.shares(counts)

    np.testing.assert_allclose(after(29, 1), [[1 / 3] * 3])  # before it learned anything
    late = after(5_000, 7)
    np.testing.assert_allclose(late.sum(axis=1), 1.0)
    assert late.min() >= 0.1 / 3 + 0.9 * 0.1 - 1e-6
    np.testing.assert_array_equal(late[:3], late[3:6])  # three runs, in turn
    assert late[:3, 1].mean() > 0.7  # 40 % of clicks against 10 %: found by then
    np.testing.assert_array_equal(late, after(900, 7))  # as they ended
    again = planned("epsilon:epsilon=0.3", explore=0.1)
    np.testing.assert_array_equal(again.shares(np.full((3, 1, 3), 200.0)), policy.shares(np.full((3, 1, 3), 200.0)))


def test_what_never_learns_is_itself_and_explores_as_asked() -> None:
    policy = planned("weighted:plain=3,bold=1", explore=0.3)
    assert not policy.learns
    np.testing.assert_allclose(asked(policy, NOTHING, NOTHING, NOTHING), [0.7 * 0.75 + 0.1, 0.1, 0.7 * 0.25 + 0.1])
    np.testing.assert_allclose(asked(planned("fixed"), NOTHING, NOTHING, NOTHING), [1.0, 0.0, 0.0])


def test_bounds_hold() -> None:
    counts, sums = np.full(3, 1_000.0), np.array([10.0, 300.0, 10.0])
    policy = planned("best_variant", bounds={"plain": (0.25, 1.0)})
    assert asked(policy, counts, sums, sums)[0] == pytest.approx(0.25)


def test_no_policy() -> None:
    with pytest.raises(PolicyError, match="no policy 'squarebc'"):
        planned("squarebc")
