import numpy as np
import pytest

from policies.types import Action
from policies.vowpal_regression import VowpalRegression

ACTIONS = (Action("a"), Action("b|x:9 \n"))


@pytest.mark.parametrize("logistic", [True, False])
def test_it_learns_what_each_audience_likes(logistic: bool) -> None:
    rng = np.random.default_rng(0)
    truth = {("es", 0): 0.7, ("es", 1): 0.2, ("en", 0): 0.1, ("en", 1): 0.6}
    rewards = []
    for _ in range(3_000):
        lang, place = str(rng.choice(["es", "en"])), int(rng.integers(2))
        rewards.append(({"lang": lang}, ACTIONS[place], float(rng.random() < truth[lang, place])))
    model = VowpalRegression(logistic=logistic, seed=0)
    model.learn(rewards)
    for lang in ("es", "en"):
        found = model.expected({"lang": lang}, ACTIONS)
        assert found == pytest.approx([truth[lang, 0], truth[lang, 1]], abs=0.1)


def test_the_same_seed_gives_the_same_numbers_and_large_rewards_are_met() -> None:
    rewards = [({"age": float(i % 5)}, ACTIONS[i % 2], 40.0 + 10.0 * (i % 2)) for i in range(500)]
    first, second = VowpalRegression(logistic=False, seed=1), VowpalRegression(logistic=False, seed=1)
    for model in (first, second):
        model.learn(rewards)
    assert first.expected({"age": 2.0}, ACTIONS) == pytest.approx([40.0, 50.0], abs=1.0)
    assert np.array_equal(first.expected({"age": 2.0}, ACTIONS), second.expected({"age": 2.0}, ACTIONS))
