import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from policies.auto import AutoLearner, Rival
from policies.base import Learner, UnreadableSnapshot, sample, with_exploration
from policies.baselines import Fixed
from policies.judge import doubly_robust
from policies.registry import PolicySpec, create
from policies.types import Action, Features, RewardRange, TrainingExample

ACTIONS = (Action("a"), Action("b"), Action("c"))
RANGE = RewardRange(0.0, 1.0)
Truth = Callable[[Features], tuple[float, ...]]


def always(*variants: str, doubt: float = 1.0) -> dict[str, Rival]:
    return {one: Rival(lambda state, one=one: Fixed(one, one), doubt=doubt) for one in variants}  # type: ignore[misc]


def judging(rivals: Mapping[str, Rival], *, judging: float = 0.02, half_life: float = 0.0) -> AutoLearner:
    return AutoLearner(rivals, reward_range=RANGE, judging=judging, half_life=half_life)


def live(
    policy: Learner, truth: Truth, n: int, *, seed: int, explore: float = 0.05, segment: int = 100
) -> tuple[np.ndarray, np.ndarray]:
    """Serve n visitors of two kinds, learning in segments: (n,) what was expected of what was served, and (n,) doubly
    robust estimates of how much more that earned than the best single variant.
    """
    rng = np.random.default_rng(seed)
    worths = np.array([truth({"kind": kind}) for kind in "xy"])
    best = int(worths.mean(axis=0).argmax())
    served, gains, waiting = [], [], []
    for i in range(n):
        kind = int(rng.integers(2))
        context = {"kind": "xy"[kind]}
        pmf = with_exploration(policy.pmf(context, ACTIONS), explore)
        chosen = sample(pmf, rng.random())
        reward = float(rng.random() < worths[kind][chosen])
        waiting.append(TrainingExample(context, ACTIONS, pmf, chosen, reward))
        earned = doubly_robust(worths.mean(axis=0), chosen=chosen, propensity=float(pmf[chosen]), reward=reward)
        served.append(float(pmf @ worths[kind]))
        gains.append(float(pmf @ earned - earned[best]))
        if len(waiting) == segment or i == n - 1:
            policy.learn(waiting)
            waiting = []
    return np.array(served), np.array(gains)


def examples(n: int, rewards: tuple[float, ...], *, propensity: float) -> list[TrainingExample]:
    """`a` is served, and each other variant with this probability."""
    pmf = np.array([1.0 - 2.0 * propensity, propensity, propensity])
    rng = np.random.default_rng(2)
    return [
        TrainingExample({}, ACTIONS, pmf, chosen, float(rng.random() < rewards[chosen]))
        for chosen in (sample(pmf, rng.random()) for _ in range(n))
    ]


def test_the_favourite_serves_until_there_is_evidence() -> None:
    auto = judging(always("a", "b", "c"), judging=0.02)
    auto.learn(examples(3, (0.0, 0.0, 0.0), propensity=0.1))
    assert auto.names == ("a", "b", "c")
    np.testing.assert_allclose(auto.shares, [0.98, 0.01, 0.01])
    np.testing.assert_allclose(auto.pmf({}, ACTIONS), [0.98, 0.01, 0.01])


def test_one_lucky_reward_overthrows_nobody() -> None:
    auto = judging(always("a", "b"))
    plain = [*examples(60, (0.2, 0.0, 0.0), propensity=0.01)]
    lucky = TrainingExample({}, ACTIONS, np.array([0.98, 0.01, 0.01]), 1, 1.0)
    auto.learn([*plain, lucky])
    assert auto.judge.difference(1, 0).mean > 1.0  # by the estimate alone it is far ahead
    assert auto.shares[0] > 0.9


def test_the_evidence_overthrows_the_favourite() -> None:
    auto = judging(always("a", "b", "c"))
    auto.learn(examples(3_000, (0.1, 0.4, 0.1), propensity=0.1))
    gain = auto.judge.difference(1, 0)
    assert gain.mean - gain.half_width() > 0.0
    assert auto.shares.tolist() == [0.0, 1.0, 0.0]  # beaten beyond doubt, the others need no share of their own
    assert auto.pmf({}, ACTIONS).tolist() == [0.0, 1.0, 0.0]


def test_of_two_that_the_log_can_not_tell_apart_the_harmless_one_serves() -> None:
    log = examples(4_000, (0.2, 0.21, 0.0), propensity=0.3)
    for doubt, serving in ((0.0, "b"), (3.0, "a")):
        auto = judging({**always("a"), **always("b", doubt=doubt)})
        auto.learn(log)
        gain = auto.judge.difference(1, 0)
        assert 0.0 < gain.mean < 2.0 * gain.standard_error
        assert auto.findings()[0].startswith(serving)


def test_what_may_still_be_the_best_keeps_a_share() -> None:
    auto = judging(always("a", "b", "c"), judging=0.1)
    auto.learn(examples(400, (0.3, 0.3, 0.0), propensity=0.2))
    assert auto.shares[:2].min() == pytest.approx(0.05)
    assert auto.shares[2] == 0.0


def test_what_needs_no_share_gets_none_and_is_judged_all_the_same() -> None:
    quiet = {name: replace(one, shown=False) for name, one in always("b").items()}
    auto = judging({**always("a"), **quiet, **always("c")}, judging=0.1)
    assert auto.shares.tolist() == pytest.approx([0.95, 0.0, 0.05])
    auto.learn(examples(3_000, (0.1, 0.4, 0.1), propensity=0.1))
    assert auto.shares[1] > 0.8


def test_a_decision_is_judged_before_it_is_learned() -> None:
    """A learner that knows by heart what it has learned must not look like one that knows what comes."""

    class ByHeart:
        arguments = "by heart"

        def __init__(self) -> None:
            self.seen: set[float] = set()

        def pmf(self, context: Features, actions: tuple[Action, ...]) -> np.ndarray:
            return np.array([0.0, 1.0] if context["i"] in self.seen else [1.0, 0.0])

        def learn(self, rows: list[TrainingExample]) -> None:
            self.seen |= {row.context["i"] for row in rows}  # type: ignore[misc]

        def dump(self) -> bytes:
            return b""

    auto = judging({**always("a"), "by heart": Rival(lambda state: ByHeart())})  # type: ignore[arg-type,return-value]
    pmf = np.array([0.5, 0.5])
    auto.learn([TrainingExample({"i": float(i)}, ACTIONS[:2], pmf, i % 2, float(i % 2)) for i in range(500)])
    assert auto.judge.difference(1, 0).mean == 0.0


def test_what_was_long_ago_counts_less() -> None:
    early, late = examples(1_000, (0.3, 0.0, 0.0), propensity=0.3), examples(1_000, (0.0, 0.3, 0.0), propensity=0.3)
    gains = []
    for half_life in (0.0, 200.0):
        auto = judging(always("a", "b"), half_life=half_life)
        auto.learn([*early, *late])
        gains.append(auto.judge.difference(1, 0).mean)
    assert 0.05 < gains[0] < 0.25 < gains[1]  # 0 if all counted alike, 0.3 if only the second half did


@pytest.mark.parametrize("seed", range(3))
def test_where_the_visitor_matters_it_serves_what_knows_him(seed: int) -> None:
    def truth(context: Features) -> tuple[float, ...]:
        return (0.4, 0.1, 0.1) if context["kind"] == "x" else (0.1, 0.1, 0.4)

    auto = create(PolicySpec("auto"), default="b", reward_range=RANGE)
    assert isinstance(auto, AutoLearner)
    served, _ = live(auto, truth, 4_000, seed=seed)
    assert served[-2_000:].mean() > 0.36  # the best single variant earns 0.25, uniform 0.2
    assert {auto.names[int(auto.shares.argmax())]} <= {"linear", "squarecb"}


@pytest.mark.parametrize("seed", range(2))
def test_where_he_does_not_it_does_no_harm(seed: int) -> None:
    """After warm-up: at most the explore share and one half-width below the best single variant."""
    explore, n = 0.05, 10_000
    auto = create(PolicySpec("auto"), default="b", reward_range=RANGE)
    assert isinstance(auto, AutoLearner)
    served, gains = live(auto, lambda context: (0.02, 0.03, 0.015), n, seed=seed, explore=explore)
    late = gains[n // 2 :]
    half_width = 1.96 * late.std() / math.sqrt(late.size)
    assert late.mean() >= -explore * 0.0083 - half_width  # what uniform earns less
    assert served[n // 2 :].mean() > 0.027  # uniform earns 0.0217, the best 0.03


def test_arguments_are_those_of_every_learner() -> None:
    lines = create(PolicySpec("auto"), default="a", reward_range=RANGE).arguments.splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "auto --judging 0.02 --head_start 10.0"
    assert [line.partition(":")[0] for line in lines[1:]] == ["linear", "best_variant", "squarecb"]
    assert "--cb_explore_adf --squarecb" in lines[3]


def test_findings_tell_who_serves_and_how_the_others_stand() -> None:
    auto = judging(always("a", "b", "c"))
    assert auto.findings()[0] == "a serves, the best of those judged on 0 decisions"
    auto.learn(examples(3_000, (0.1, 0.4, 0.1), propensity=0.1))
    first, a, c = auto.findings()
    assert first == "b serves, the best of those judged on 3,000 decisions"
    assert re.fullmatch(r"a: -0\.[23]\d+ ± 0\.\d+ a decision, not shown", a)
    assert c.startswith("c: -0.")
    told, a, c = auto.findings("es")
    assert told == "sirve b, la mejor de las que se juzgaron con 3.000 decisiones"
    assert re.fullmatch(r"a: -0,[23]\d+ ± 0,\d+ por decisión, no se muestra", a)


def test_states_of_others_are_refused() -> None:
    auto = judging(always("a", "b"))
    auto.learn(examples(10, (0.1, 0.1, 0.1), propensity=0.1))
    state = auto.dump()
    with pytest.raises(UnreadableSnapshot, match=r"shape \(2,\): expected \(3,\)"):
        AutoLearner(always("a", "b", "c"), reward_range=RANGE, state=state)
    with pytest.raises(UnreadableSnapshot, match="judging"):
        AutoLearner(always("a", "b"), reward_range=RANGE, judging=0.5, state=state)
    with pytest.raises(UnreadableSnapshot):
        AutoLearner(always("a", "b"), reward_range=RANGE, state=state[:-1])


def test_any_id_can_be_dumped() -> None:
    rivals = always("\ud800", "b")
    auto = judging(rivals)
    actions = (Action("\ud800"), Action("b"))
    auto.learn([TrainingExample({}, actions, np.array([0.5, 0.5]), 0, 1.0)] * 3)
    assert AutoLearner(rivals, reward_range=RANGE, state=auto.dump()).tallies.of("%ED%A0%80").n == 3.0
