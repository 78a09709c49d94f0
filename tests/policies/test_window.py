"""What a sliding window remembers, to the example; with a learner that keeps what it learned."""

from collections.abc import Iterable, Sequence

import numpy as np
import orjson
import pytest

from policies.base import Learner, UnreadableSnapshot, uniform
from policies.registry import PolicySpec, create, load
from policies.types import Action, Features, Pmf, RewardRange, TrainingExample
from policies.window import Windowed

ACTIONS = (Action("a"), Action("b"))


class Memory:
    """Learns the rewards by heart."""

    def __init__(self, state: bytes | None) -> None:
        self.rewards: list[float] = orjson.loads(state) if state else []
        self.arguments = "memory"

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        return uniform(len(actions))

    def learn(self, examples: Iterable[TrainingExample]) -> None:
        self.rewards += [example.reward for example in examples]

    def dump(self) -> bytes:
        return orjson.dumps(self.rewards)


def example(reward: float, chosen: int = 0) -> TrainingExample:
    return TrainingExample({}, ACTIONS, np.full(2, 0.5), chosen, reward)


def serving(learner: Windowed) -> list[float]:
    memory = learner._serving
    assert isinstance(memory, Memory)
    return memory.rewards


def test_what_serves_has_learned_the_last_n_to_2n_examples_and_nothing_else() -> None:
    learner = Windowed(Memory, window=3)
    first = [0, 0, 0, 0, 0, 0, 3, 3, 3, 6, 6, 6, 9]  # the oldest example that is remembered, after 0, 1, 2, … of them
    for n, oldest in enumerate(first):
        assert serving(learner) == [float(i) for i in range(oldest, n)]
        assert learner.examples == n
        learner.learn([example(float(n))])


@pytest.mark.parametrize("window", [1, 2, 7, 2_500])
def test_it_does_not_matter_how_the_calls_are_cut(window: int) -> None:
    examples = [example(float(i)) for i in range(6_007)]
    at_once, in_parts, reloaded = (Windowed(Memory, window=window) for _ in range(3))
    at_once.learn(iter(examples))
    for start in range(0, len(examples), 997):
        in_parts.learn(examples[start : start + 997])
        reloaded = Windowed(Memory, window=window, state=reloaded.dump())
        reloaded.learn(examples[start : start + 997])
    assert at_once.dump() == in_parts.dump() == reloaded.dump()
    assert at_once.examples == len(examples)
    assert window <= len(serving(at_once)) <= 2 * window
    assert serving(at_once)[-1] == 6_006.0


def test_the_window_is_named_in_the_arguments() -> None:
    assert Windowed(Memory, window=50).arguments == "--retrained_over_the_last 50..100 memory"


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (b"", "expected a state"),
        (Windowed(Memory, window=4).dump(), "expected one of '--retrained_over_the_last 3..6'"),
        (Windowed(Memory, window=3).dump().replace(b'"examples":0', b'"examples":-'), "expected a state"),
        (Windowed(Memory, window=3).dump().replace(b'"examples":0', b'"examples":"0"'), "the number of examples"),
        (Windowed(Memory, window=3).dump().replace(b"[2,2]", b"[4]"), "1 learners: expected the one that serves"),
    ],
)
def test_other_bytes_are_refused(state: bytes, message: str) -> None:
    with pytest.raises(UnreadableSnapshot, match=message):
        Windowed(Memory, window=3, state=state)


def new(spec: str) -> Learner:
    learner = create(PolicySpec.parse(spec), default="", reward_range=RewardRange())
    assert isinstance(learner, Learner)
    return learner


def liking(chosen: int, n: int) -> list[TrainingExample]:
    """People who like one of the two, each tried as often as the other."""
    return [example(float(i % 2 == chosen), i % 2) for i in range(n)]


def test_what_people_liked_long_ago_is_forgotten() -> None:
    """With a low learning rate, what was learned long ago goes on to weigh."""
    windowed, plain = (new(f"squarecb:learning_rate=0.01{rest}") for rest in (",window=200", ""))
    for learner in (windowed, plain):
        learner.learn(liking(0, 10_000))
        assert learner.pmf({}, ACTIONS).argmax() == 0
        learner.learn(liking(1, 400))
    assert windowed.pmf({}, ACTIONS).argmax() == 1
    assert plain.pmf({}, ACTIONS).argmax() == 0


def test_what_serves_is_a_learner_of_the_window_alone() -> None:
    windowed, fresh = new("bag:window=200"), new("bag")
    windowed.learn(liking(0, 400))
    windowed.learn(liking(1, 300))
    fresh.learn([*liking(0, 400)[200:], *liking(1, 300)][200:])  # since 400, the last time that one took over at 700
    np.testing.assert_array_equal(windowed.pmf({}, ACTIONS), fresh.pmf({}, ACTIONS))


def test_two_learners_in_one_snapshot() -> None:
    learner = new("squarecb:window=100")
    learner.learn(liking(0, 350))
    again = load(PolicySpec.parse("squarecb:window=100"), learner.dump(), default="", reward_range=RewardRange())
    assert isinstance(again, Windowed)
    assert again.examples == 350
    assert again.arguments.startswith("--retrained_over_the_last 100..200 --cb_explore_adf --squarecb")
    assert again.pmf({}, ACTIONS).tolist() == learner.pmf({}, ACTIONS).tolist()
