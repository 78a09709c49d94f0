"""Specifications: what can be written, what comes of it, and what mistakes are told."""

import pytest

from policies.base import UnreadableSnapshot
from policies.registry import MENU, PolicyError, PolicySpec, check, create, load
from policies.types import Action, RewardRange
from policies.vowpal import VowpalLearner

RANGE = RewardRange()


@pytest.mark.parametrize(
    "text",
    [
        "uniform",
        "fixed",
        "fixed:hours",
        "fixed:a:b=c,d",
        "rules:country == 'ES' -> b; -> a 1, c 3",
        "weighted:a=1,b=2.5",
        "epsilon:epsilon=0.1",
        "squarecb:bits=20",
    ],
)
def test_a_specification_is_written_as_it_is_read(text: str) -> None:
    spec = PolicySpec.parse(text)
    check(spec)
    assert str(spec) == text
    assert PolicySpec.parse(str(spec)) == spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sqarecb", "did you mean 'squarecb'"),
        ("", "no policy ''"),
        ("epsilon:0.1", "'0.1' is not a parameter"),
        ("epsilon:epsilon=2", "2.0 is not a number from 0 to 1"),
        ("epsilon:epsilon=nan", "nan is not a number"),
        ("epsilon:epsilon=much", "'much' is not a number"),
        ("epsilon:epsilon=0.1,epsilon=0.2", "given twice"),
        ("epsilon:gamma_scale=3", "it has: epsilon, max_actions, learning_rate, bits, interactions"),
        ("squarecb:bits=18.5", "not a whole number from 10 to 28"),
        ("squarecb:interactions=some", "not one of default, quadratic, ignore"),
        ("squarecb:cost=dr", "'dr' is not one of mtr"),
        ("regcb:cost=ips", "'ips' is not one of mtr"),
        ("cover:cost=dm", "'dm' is not one of mtr, dr, ips"),
        ("bag:cost=sm", "'sm' is not one of mtr, dr, ips, dm"),
        ("bag:models=1", "1.0 is not a whole number from 2"),
        ("regcb:bound=none", "not one of elimination, optimistic"),
        ("uniform:a=1", "it has: none"),
        ("rules", "needs rules such as country == 'ES' -> price; -> hours"),
        ("weighted", "needs at least one weight above 0"),
        ("weighted:a=0", "needs at least one weight above 0"),
        ("weighted:a=-1", "-1.0 is not a number from 0"),
    ],
)
def test_mistakes_say_what_would_be_right(text: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        check(PolicySpec.parse(text))


def test_every_policy_has_a_summary() -> None:
    assert all(entry.summary for entry in MENU.values())


def test_fixed_falls_back_to_the_default_and_then_to_uniform() -> None:
    policy = create(PolicySpec.parse("fixed:b"), default="a", reward_range=RANGE)
    a, b, c = Action("a"), Action("b"), Action("c")
    assert policy.pmf({}, [a, b]).tolist() == [0.0, 1.0]
    assert policy.pmf({}, [c, a]).tolist() == [0.0, 1.0]
    assert policy.pmf({}, [c, Action("d")]).tolist() == [0.5, 0.5]


def test_weighted_shares() -> None:
    policy = create(PolicySpec.parse("weighted:a=1,b=3"), default="a", reward_range=RANGE)
    assert policy.pmf({}, [Action("b"), Action("c"), Action("a")]).tolist() == [0.75, 0.0, 0.25]
    assert policy.pmf({}, [Action("c"), Action("d")]).tolist() == [0.5, 0.5]


def test_the_exact_arguments_are_known() -> None:
    learner = create(PolicySpec.parse("epsilon:epsilon=0.1,learning_rate=0.25"), default="", reward_range=RANGE)
    assert isinstance(learner, VowpalLearner)
    assert learner.arguments == (
        "--cb_explore_adf --epsilon 0.1 --cb_type mtr --quadratic ca --learning_rate 0.25 --bit_precision 18 "
        "--random_seed 0"
    )


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        ("epsilon:l1=1e-7,l2=0.001", "--bit_precision 18 --l1 1e-07 --l2 0.001"),
        ("epsilon_decay:epsilon=0.5,models=4", "--epsilon_decay --initial_epsilon 0.5 --model_count 4"),
        ("bag:models=8,cost=dr", "--bag 8 --cb_type dr"),
        ("cover:models=3,psi=0.1", "--cover 3 --psi 0.1"),
        ("regcb", "--regcb --mellowness 0.1 --cb_min_cost -1 --cb_max_cost 0"),
        ("regcb:bound=optimistic", "--regcbopt --mellowness 0.1 --cb_min_cost -1 --cb_max_cost 0"),
        ("softmax:lambda=20", "--softmax --lambda 20"),
    ],
)
def test_parameters_become_arguments(spec: str, part: str) -> None:
    learner = create(PolicySpec.parse(spec), default="", reward_range=RANGE)
    assert isinstance(learner, VowpalLearner)
    assert f" {part} " in learner.arguments


@pytest.mark.parametrize("state", [b"", b"short", b"\x01" * 8 + b"no model at all"])
def test_bytes_that_are_no_snapshot_are_refused(state: bytes) -> None:
    with pytest.raises(UnreadableSnapshot):
        load(PolicySpec("squarecb"), state, default="", reward_range=RANGE)


def test_what_does_not_learn_has_no_snapshots() -> None:
    with pytest.raises(PolicyError, match="does not learn"):
        load(PolicySpec("uniform"), b"", default="", reward_range=RANGE)


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_a_reward_range_has_two_ends(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="expected two finite numbers"):
        RewardRange(low, high)


def test_rewards_are_scaled_by_the_declared_range_and_clipped() -> None:
    wide = RewardRange(-20.0, 1.0)
    assert [wide.scaled(r) for r in (-20.0, -9.5, 1.0, 5.0, -100.0)] == [0.0, 0.5, 1.0, 1.0, 0.0]
