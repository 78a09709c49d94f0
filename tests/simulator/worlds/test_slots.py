from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from policies.base import uniform
from policies.registry import PolicySpec, create
from policies.types import RewardRange, TrainingExample
from simulator.worlds import World, landing, newsletter, with_choices


@pytest.fixture(params=[landing, newsletter])
def world(request: pytest.FixtureRequest) -> World:
    made: World = request.param()
    return made


def test_contexts_are_a_distribution_and_visitors_follow_it(world: World) -> None:
    chances = {tuple(context.values()): chance for context, chance in world.contexts()}
    assert sum(chances.values()) == pytest.approx(1.0)
    rng = np.random.default_rng(0)
    n = 3000
    seen = Counter(tuple(world.visitor(rng).context.values()) for _ in range(n))
    assert set(seen) <= set(chances)
    worst = max(abs(seen[key] - n * p) / np.sqrt(n * p) for key, p in chances.items() if n * p > 5)
    assert worst < 4.5


def test_values_are_exact(world: World) -> None:
    """The sum over contexts agrees with a simulation of the uniform policy, within its noise."""
    rng = np.random.default_rng(1)
    clicks = []
    for _ in range(4000):
        choices = {slot: world.actions(slot)[rng.integers(len(world.actions(slot)))].id for slot in world.slots}
        clicks.append(rng.random() < world.expected(world.visitor(rng).context, choices))
    assert np.mean(clicks) == pytest.approx(world.uniform_value(), abs=4 * np.std(clicks) / np.sqrt(4000))


def test_who_looks_matters(world: World) -> None:
    best_fixed = world.best_fixed[1]
    assert 0.12 < world.uniform_value() < 0.25
    assert world.uniform_value() < best_fixed < 0.6 * world.best_value()


def test_values_of_known_policies(world: World) -> None:
    choices, value = world.best_fixed

    def fixed(slot, context, actions):
        return np.array([float(action.id == choices[slot]) for action in actions])

    assert world.value(fixed) == pytest.approx(value)
    assert world.value(fixed) == pytest.approx(world.fixed_value(choices))

    last = list(world.slots)[-1]

    def looks_ahead(slot, context, actions):
        """Earlier slots at random, the last one as well as can be: it must know what was chosen before."""
        if slot != last:
            return uniform(len(actions))
        before = {name: str(context[f"slot.{name}"]) for name in world.slots if name != last}
        worth = [world.expected(context, {**before, last: action.id}) for action in actions]
        return np.eye(len(actions))[int(np.argmax(worth))]

    assert world.uniform_value() < world.value(looks_ahead) < world.best_value()


def test_people_come_back_as_themselves(world: World) -> None:
    rng = np.random.default_rng(2)
    seen: dict[str, dict[str, object]] = {}
    visits = [world.visitor(rng) for _ in range(3000)]
    for visitor in visits:
        lasting = {name: visitor.context[name] for name in world.lasting}
        assert seen.setdefault(visitor.person, lasting) == lasting
    assert len(seen) < 2700


def test_a_learner_finds_most_of_what_there_is() -> None:
    """Three independent learners, trained in steps of 200, close 70 % of the gap between uniform and the best."""
    world, rng = landing(), np.random.default_rng(0)
    learners = {
        slot: create(PolicySpec("squarecb"), default=default, reward_range=RewardRange(), seed=0)
        for slot, default in world.defaults.items()
    }
    waiting: list[tuple[str, TrainingExample]] = []
    for number in range(1, 5001):
        visitor, choices, drawn = world.visitor(rng), {}, []
        for slot in world.slots:
            context, actions = with_choices(visitor.context, choices), world.actions(slot)
            pmf = learners[slot].pmf(context, actions)
            place = int(rng.choice(len(actions), p=pmf))
            choices[slot] = actions[place].id
            drawn.append((slot, context, actions, pmf, place))
        reward = float(rng.random() < world.expected(visitor.context, choices))
        waiting += [(slot, TrainingExample(c, a, p, k, reward)) for slot, c, a, p, k in drawn]
        if number % 200 == 0:
            for slot, learner in learners.items():
                learner.learn([example for name, example in waiting if name == slot])
            waiting.clear()
    value = world.value(lambda slot, context, actions: learners[slot].pmf(context, actions))
    closed = (value - world.uniform_value()) / (world.best_value() - world.uniform_value())
    assert closed > 0.7


def test_mistakes_in_a_world_are_found() -> None:
    world = landing()
    with pytest.raises(ValueError, match="effect of country='FR' on cta:ver meets nothing"):
        replace(world, effects={("country", "FR", "cta", "ver"): 1.0})
    with pytest.raises(ValueError, match=r"chances of 'device' sum to 0.9"):
        replace(world, chances={**world.chances, "device": {"movil": 0.9}})
