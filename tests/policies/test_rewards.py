"""How rewards reach a learner: scaled by the declared range, clipped at its ends, as costs for Vowpal Wabbit."""

import numpy as np
import pytest

from policies.base import Learner
from policies.registry import PolicySpec, create
from policies.types import Action, RewardRange, TrainingExample

ACTIONS = (Action("a"), Action("b"))


def learned(policy: str, rewards: list[float], reward_range: RewardRange) -> Learner:
    learner = create(PolicySpec.parse(policy), default="a", reward_range=reward_range)
    assert isinstance(learner, Learner)
    half = np.array([0.5, 0.5])
    learner.learn(TrainingExample({}, ACTIONS, half, i % 2, reward) for i, reward in enumerate(rewards))
    return learner


@pytest.mark.parametrize(
    ("reward", "scaled"), [(-20.0, 0.0), (1.0, 1.0), (0.0, 20 / 21), (-9.5, 0.5), (-1e9, 0.0), (7.0, 1.0)]
)
def test_rewards_are_scaled_by_the_declared_range_and_clipped(reward: float, scaled: float) -> None:
    assert RewardRange(-20.0, 1.0).scaled(reward) == pytest.approx(scaled, abs=1e-15)


@pytest.mark.parametrize("policy", ["squarecb", "regcb", "epsilon"])
def test_only_the_place_inside_the_range_counts(policy: str) -> None:
    """Also for the clipped ones: no larger cost reaches Vowpal Wabbit than the range allows."""
    narrow = learned(policy, [0.0, 1.0, 0.25, 0.75, 0.0, 1.0], RewardRange())
    wide = learned(policy, [-100.0, 300.0, 0.0, 200.0, -1e9, 1e9], RewardRange(-100.0, 300.0))
    assert narrow.dump() == wide.dump()


@pytest.mark.parametrize("policy", ["squarecb", "regcb"])
def test_explorations_that_need_the_range_of_costs_are_given_it(policy: str) -> None:
    assert "--cb_min_cost -1 --cb_max_cost 0" in learned(policy, [], RewardRange(-20.0, 1.0)).arguments


@pytest.mark.parametrize("policy", ["squarecb", "epsilon", "softmax"])
def test_more_reward_is_less_cost(policy: str) -> None:
    a, b = learned(policy, [-20.0, 1.0] * 50, RewardRange(-20.0, 1.0)).pmf({}, ACTIONS)
    assert b > 0.9 > 0.1 > a
