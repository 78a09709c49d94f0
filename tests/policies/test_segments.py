"""Segments as a policy and as a feature: what is learned of them, and what they earn where lines can't tell."""

from collections.abc import Sequence

import numpy as np
import pytest

from policies.base import Learner, UnreadableSnapshot, uniform
from policies.registry import PolicySpec, create
from policies.segmentation import FIRST_FIT
from policies.segments import SEGMENT, Segmented, segments
from policies.tallies import segment_of
from policies.types import Action, Features, Pmf, RewardRange, TrainingExample

UNIT = RewardRange()
ACTIONS = (Action("a"), Action("b"))


class Hears:
    """A learner that keeps what it is given."""

    arguments = "hears"

    def __init__(self, state: bytes | None) -> None:
        self.state = state
        self.asked: list[Features] = []
        self.learned: list[TrainingExample] = []

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        self.asked.append(context)
        return uniform(len(actions))

    def learn(self, examples: object) -> None:
        self.learned += examples  # type: ignore[operator]

    def dump(self) -> bytes:
        return b"heard \x00\n it"


def visitors(rng: np.random.Generator, n: int) -> list[tuple[Features, tuple[float, float]]]:
    """Context, and what `a` and `b` earn: `a` pays for those who are young or spend much, but not for who do both or
    neither. No line through age and spending tells the two apart.
    """
    found: list[tuple[Features, tuple[float, float]]] = []
    for _ in range(n):
        young, rich = bool(rng.random() < 0.5), bool(rng.random() < 0.5)
        age, spent = rng.normal(28 if young else 60, 6), np.exp(rng.normal(4.5 if rich else 1.5, 0.5))
        context: Features = {"age": float(age), "device": str(rng.choice(["phone", "desk"]))}
        known: Features = {"spent": float(spent)} if rng.random() < 0.9 else {}
        found.append(({**context, **known}, (0.5, 0.1) if young != rich else (0.1, 0.5)))
    return found


def earned(spec: str, *, rounds: int = 4000, batch: int = 50, seed: int = 0) -> float:
    """Mean true reward of the second half, learning after every batch."""
    rng = np.random.default_rng(seed)
    learner = create(PolicySpec.parse(spec), default="a", reward_range=UNIT)
    assert isinstance(learner, Learner)
    means: list[float] = []
    for _ in range(rounds // batch):
        rows = []
        for context, chances in visitors(rng, batch):
            pmf = learner.pmf(context, ACTIONS)
            chosen = int(rng.random() < pmf[1])
            rows.append(TrainingExample(context, ACTIONS, pmf, chosen, float(rng.random() < chances[chosen])))
            means.append(float(pmf @ np.array(chances)))
        learner.learn(rows)
    return float(np.mean(means[rounds // 2 :]))


@pytest.mark.parametrize("plain", ["squarecb", "linear"])
def test_what_no_line_can_tell_segments_can(plain: str) -> None:
    """0.5 is all that can be earned, and 0.3 what any policy earns that can't tell the two apart."""
    assert earned(plain) < 0.38
    assert earned(f"{plain}:segments=8") > 0.4


@pytest.mark.parametrize("seed", range(2))
def test_the_policy_learns_what_each_segment_likes(seed: int) -> None:
    assert earned("segments", seed=seed) > 0.42
    assert earned("segments:model=gaussian", seed=seed) > 0.42


def rows(n: int, *, kinds: Sequence[str] = ("ES", "PT", "MX"), seed: int = 1) -> list[TrainingExample]:
    rng = np.random.default_rng(seed)
    return [
        TrainingExample({"country": str(kind)}, ACTIONS, uniform(2), int(rng.integers(2)), float(rng.random() < 0.5))
        for kind in rng.choice(kinds, n)
    ]


def test_the_learner_sees_the_segment_and_nobody_can_say_it_for_us() -> None:
    learner = Segmented(Hears, k=3)
    inner = learner.learner
    assert isinstance(inner, Hears)
    learner.pmf({"country": "ES", SEGMENT: "77"}, ACTIONS)
    assert inner.asked == [{"country": "ES"}], "there are no segments yet"
    examples = rows(FIRST_FIT + 50)
    learner.learn(examples)
    assert [SEGMENT in example.context for example in inner.learned] == [False] * FIRST_FIT + [True] * 50
    for example, seen in zip(examples, inner.learned, strict=True):
        label = seen.context.get(SEGMENT, learner.segmentation.label(example.context))
        assert label == learner.segmentation.label(example.context)
        assert (seen.context["country"], seen.reward) == (example.context["country"], example.reward)
    learner.pmf({"country": "ES", SEGMENT: "77"}, ACTIONS)
    assert inner.asked[1] == {"country": "ES", SEGMENT: learner.segmentation.label({"country": "ES"})}


def test_both_go_on_from_the_state() -> None:
    learner = Segmented(Hears, k=3)
    learner.learn(rows(150))
    copy = Segmented(Hears, k=3, state=learner.dump())
    assert isinstance(copy.learner, Hears)
    assert copy.learner.state == b"heard \x00\n it"
    assert copy.segmentation.document() == learner.segmentation.document()
    assert copy.dump() == learner.dump()
    for k, seed, state in ((4, 0, learner.dump()), (3, 1, learner.dump()), (3, 0, b""), (3, 0, learner.dump()[:-1])):
        with pytest.raises(UnreadableSnapshot):
            Segmented(Hears, k=k, seed=seed, state=state)


def test_the_arguments_say_all() -> None:
    assert segments(k=5, reward_range=UNIT).arguments == "--segments 5 thompson --by elige.segment"
    spec = PolicySpec.parse("epsilon:segments=3")
    learner = create(spec, default="", reward_range=UNIT)
    plain = create(PolicySpec.parse("epsilon:segments=0"), default="", reward_range=UNIT)
    assert isinstance(learner, Segmented)
    assert isinstance(plain, Learner)
    assert learner.arguments == f"--segments 3 {plain.arguments}"
    assert not isinstance(plain, Segmented)


def test_bytes_do_not_depend_on_where_learning_stopped() -> None:
    examples = rows(900)
    whole = segments(k=3, reward_range=UNIT)
    whole.learn(examples)
    part = segments(k=3, reward_range=UNIT)
    for first in range(0, 900, 130):
        part.learn(examples[first : first + 130])
        part = segments(k=3, reward_range=UNIT, state=part.dump())
    assert part.dump() == whole.dump()


def test_what_was_learned_of_a_segment_that_is_gone_is_dropped() -> None:
    learner = segments(k=2, reward_range=UNIT)
    learner.learn(rows(300, kinds=("ES", "PT")))
    before = learner.segmentation.labels
    learner.learn(rows(60_000, kinds=("MX", "CL")))
    now = learner.segmentation.labels
    assert len(before - now) == 1, "who is new was first taken for one of those known, and keeps that number"
    tallies = learner.learner.tallies  # type: ignore[attr-defined]
    assert {tallies.of(variant, segment_of(label)).n for variant in "ab" for label in before - now} == {0.0}
    assert min(tallies.of(variant, segment_of(label)).n for variant in "ab" for label in now) > 1000.0
    assert tallies.of().n == 60_300.0, "everybody is remembered"
