"""What we hand to Vowpal Wabbit is what anybody would write by hand."""

import numpy as np
import pytest
import vowpalwabbit

from policies.registry import PolicySpec, create
from policies.types import Action, RewardRange, TrainingExample
from policies.vowpal import VowpalLearner


@pytest.mark.parametrize("spec", ["epsilon:epsilon=0.2", "squarecb"])
def test_probabilities_equal_vowpal_wabbits_own_on_the_equivalent_text(spec: str) -> None:
    learner = create(PolicySpec.parse(spec), default="", reward_range=RewardRange(0.0, 2.0))
    assert isinstance(learner, VowpalLearner)
    own = vowpalwabbit.Workspace(f"--quiet --hash all {learner.arguments}")
    rng = np.random.default_rng(3)
    actions = tuple(Action(name) for name in "abc")
    for _ in range(400):
        country, chosen = str(rng.choice(["ES", "PT"])), int(rng.integers(3))
        reward = 2.0 * float(rng.random() < 0.2 + 0.2 * chosen)
        lines = [f"shared |c country={country}", "|a =id=a", "|a =id=b", "|a =id=c"]
        # a reward of 2 of at most 2 costs −1, a reward of 0 costs 0
        lines[chosen + 1] = f"0:{-reward / 2}:0.333333343 {lines[chosen + 1]}"
        own.learn(lines)
        pmf = np.full(3, np.float64(0.333333343))
        learner.learn([TrainingExample({"country": country}, actions, pmf, chosen, reward)])
    for country in ("ES", "PT", "FR"):
        expected = own.predict([f"shared |c country={country}", "|a =id=a", "|a =id=b", "|a =id=c"])
        np.testing.assert_allclose(learner.pmf({"country": country}, actions), expected, atol=1e-6)


def test_better_rewards_are_preferred() -> None:
    """The sign of the costs: a learner that minimised the reward would pass every other test."""
    learner = create(PolicySpec.parse("epsilon:epsilon=0.1"), default="", reward_range=RewardRange(-5.0, 5.0))
    assert isinstance(learner, VowpalLearner)
    actions = (Action("good"), Action("bad"))
    pmf = np.full(2, 0.5)
    learner.learn([TrainingExample({}, actions, pmf, i % 2, 4.0 if i % 2 == 0 else -4.0) for i in range(100)])
    assert learner.pmf({}, actions).argmax() == 0
