"""What we hand to Vowpal Wabbit is what anybody would write by hand."""

import resource
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import vowpalwabbit

from policies import vowpal
from policies.base import InvalidPmf, Policy, UnreadableSnapshot
from policies.features import action_line, context_line
from policies.registry import PolicySpec, create, load
from policies.scales import Scales
from policies.types import Action, RewardRange, TrainingExample
from policies.vowpal import MAX_AT_ONCE, MAX_PARSED, VowpalLearner
from policies.vowpal_menu import COSTS


@pytest.mark.parametrize(
    "spec",
    [
        "epsilon:epsilon=0.2",
        "epsilon:cost=dr,l1=1e-7,l2=1e-6",
        "epsilon_decay",
        "bag",
        "bag:cost=ips",
        "cover",
        "squarecb",
        "regcb",
        "regcb:bound=optimistic",
        "softmax:cost=dm",
    ],
)
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


def log_rows(n: int) -> list[TrainingExample]:
    """People of three kinds, of whom each likes another of five actions."""
    rng = np.random.default_rng(8)
    actions = tuple(Action(str(i), {"price": float(i)}) for i in range(5))
    rows = []
    for i in range(n):
        chosen = int(rng.integers(5))
        rows.append(TrainingExample({"n": float(i % 3)}, actions, np.full(5, 0.2), chosen, float(chosen == i % 3)))
    return rows


def new(spec: str) -> VowpalLearner:
    learner = create(PolicySpec.parse(spec), default="", reward_range=RewardRange())
    assert isinstance(learner, VowpalLearner)
    return learner


def again(spec: str, learner: VowpalLearner) -> VowpalLearner:
    """Saved, closed and read again."""
    reloaded = load(PolicySpec.parse(spec), learner.dump(), default="", reward_range=RewardRange())
    assert isinstance(reloaded, VowpalLearner)
    return reloaded


def trained(spec: str = "squarecb") -> VowpalLearner:
    learner = new(spec)
    learner.learn(log_rows(500))
    return learner


def test_actions_that_are_kept_parsed_give_what_text_gives() -> None:
    learner = trained()
    actions = [Action(str(i), {"price": float(i)}) for i in range(5)]
    first = learner.pmf({"n": 1.0}, actions)
    np.testing.assert_array_equal(learner.pmf({"n": 1.0}, actions), first)  # now they are kept
    np.testing.assert_array_equal(trained().pmf({"n": 1.0}, actions), first)
    changed = [*actions[:4], Action("4", {"price": 0.0})]
    expected = trained().pmf({"n": 1.0}, changed)
    np.testing.assert_array_equal(learner.pmf({"n": 1.0}, changed), expected)
    assert not np.array_equal(expected, first)
    np.testing.assert_array_equal(learner.pmf({"n": 1.0}, actions), first)
    # equal in Python, other features for a learner
    flagged, numbered = ([*actions[:4], Action("4", {"price": value})] for value in (True, 1.0))
    assert flagged == numbered
    learner.pmf({"n": 1.0}, flagged)
    np.testing.assert_array_equal(learner.pmf({"n": 1.0}, numbered), trained().pmf({"n": 1.0}, numbered))


EXPLORATIONS = [
    *(f"{name}:cost={cost}" for name in ("epsilon", "epsilon_decay", "bag", "softmax") for cost in COSTS),
    *(f"cover:cost={cost}" for cost in ("mtr", "dr", "ips")),
    "squarecb",
    "regcb",
    "regcb:bound=optimistic",
    "bag:interactions=quadratic",
    "squarecb:interactions=ignore",
    "squarecb:max_actions=3,bits=12",
]
"""Every exploration with every kind of cost."""


def changing_rows(n: int, *, seed: int = 5) -> list[TrainingExample]:
    """Another set of variants in another order each time, of one to seven; now and then one with other features."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        k = int(rng.integers(1, 8))
        ids = rng.permutation(8)[:k]
        actions = tuple(Action(f"v{j}", {"price": float(i % 3 if i % 10 == 0 else j)}) for j in ids)
        kind, chosen = int(rng.integers(4)), int(rng.integers(k))
        reward = float(rng.random() < (0.7 if ids[chosen] == kind else 0.1))
        rows.append(TrainingExample({"kind": str(kind)}, actions, rng.dirichlet(np.full(k, 3.0)), chosen, reward))
    return rows


def learn_text(own: vowpalwabbit.Workspace, rows: Iterable[TrainingExample]) -> None:
    """As the package's documentation shows it."""
    for row in rows:
        lines = [action_line(action) for action in row.actions]
        lines[row.chosen] = f"0:{-row.reward:.9g}:{row.propensity:.9g} {lines[row.chosen]}"
        own.learn([context_line(row.context, Scales()), *lines])  # no numbers there


def shares(learner: Policy) -> list[list[float]]:
    actions = [Action(f"v{j}", {"price": float(j)}) for j in range(9)]
    return [learner.pmf({"kind": str(kind)}, actions).tolist() for kind in range(5)]


@pytest.mark.parametrize("spec", EXPLORATIONS)
def test_learning_from_parsed_actions_is_learning_from_text_bit_by_bit(
    spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vowpal, "MAX_PARSED", 12)  # so that what is parsed is given up now and then, too
    monkeypatch.setattr(vowpal, "MAX_AT_ONCE", 6)  # and now and then nothing
    learner, own = new(spec), new(spec)
    for start in range(0, 600, 150):
        rows = changing_rows(150, seed=start)
        learner.learn(rows)
        learner = again(spec, learner)
        learn_text(own._workspace, rows)
        own.examples += len(rows)
        own = again(spec, own)
    assert learner._workspace.json_weights() == own._workspace.json_weights()
    assert shares(learner) == shares(own)
    assert len(set(shares(own)[0])) > 1


@pytest.mark.parametrize("spec", EXPLORATIONS)
def test_what_was_asked_before_changes_nothing_that_is_learned(spec: str) -> None:
    state = trained(spec).dump()
    asked, two, three = (load(PolicySpec.parse(spec), state, default="", reward_range=RewardRange()) for _ in range(3))
    for i in range(20):
        asked.pmf({"kind": "1"}, [Action(f"v{j}", {"price": float(i % 2)}) for j in range(i % 7 + 1)])
    for learner in (asked, two, three):
        learner.learn(changing_rows(200))
    assert two.dump() == three.dump() != state
    assert shares(asked) == shares(two)


def test_learning_goes_on_after_being_asked() -> None:
    """Handing a parsed action back while Vowpal Wabbit remembers a label would end the process."""
    learner = trained()
    actions = tuple(Action(str(i), {"price": float(i)}) for i in range(5))
    for price in (1.0, 2.0):  # keeps them parsed, then learns, then has to parse them again
        learner.pmf({"n": 1.0}, [Action(action.id, {"price": price}) for action in actions])
        learner.learn([TrainingExample({"n": 1.0}, actions, np.full(5, 0.2), 1, 1.0)])
    learner.pmf({"n": 1.0}, actions)
    learner.learn([TrainingExample({"n": 1.0}, actions, np.full(5, 0.2), 1, 1.0)])
    del learner  # hands back what is left


def test_a_label_is_forgotten_before_few_lines_are_handed_back() -> None:
    """Else what Vowpal Wabbit remembers of 200 lines is looked for in 32, which ends the process."""
    learner = new("squarecb")
    actions = tuple(Action(str(i)) for i in range(200))
    pmf = np.full(200, 1 / 200)
    for start in (0, 100):  # the second time, Vowpal Wabbit uses again what was handed back the first time
        learner.learn(TrainingExample({"n": str(i)}, actions, pmf, i, 1.0) for i in range(start, start + 100))
    assert learner.examples == 200


def test_two_actions_with_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="one id: \\['a', 'a'\\]"):
        trained().pmf({}, [Action("a"), Action("a", {"price": 1.0})])
    with pytest.raises(ValueError, match="one id: \\['a', 'a'\\]"):
        trained().learn([TrainingExample({}, (Action("a"), Action("a")), np.full(2, 0.5), 0, 1.0)])


def test_equal_chances_of_the_optimistic_regcb_are_shared() -> None:
    """Vowpal Wabbit gives 1 to each of those that tie."""
    actions = [Action(name) for name in "abcd"]
    learner = trained("regcb:bound=optimistic,interactions=ignore")
    own = vowpalwabbit.Workspace(f"--quiet --hash all {learner.arguments}")
    own.learn(["shared |c n:0", "0:-1:0.5 |a =id=0", "|a =id=1"])
    assert own.predict(["shared |c n:0", "|a =id=a", "|a =id=b"]) == [1.0, 1.0]
    assert learner.pmf({}, actions).tolist() == [0.25] * 4


@pytest.mark.parametrize("raw", [[0.5, 0.7], [1.0, 1.0], [1.5, -0.5], [float("nan"), 1.0], [0.0, 0.0]])
def test_what_is_no_distribution_is_refused(raw: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    learner = trained("epsilon")
    monkeypatch.setattr(learner, "_predict", lambda *_: raw)
    with pytest.raises(InvalidPmf, match="expected non-negative probabilities"):
        learner.pmf({}, [Action("a"), Action("b")])


@pytest.mark.parametrize("raw", [[0.0, 0.0], [1.0, 0.5], [2.0, 0.0], [-1.0, 1.0]])
def test_only_ties_are_shared(raw: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    learner = trained("regcb:bound=optimistic")
    monkeypatch.setattr(learner, "_predict", lambda *_: raw)
    with pytest.raises(InvalidPmf):
        learner.pmf({}, [Action("a"), Action("b")])


def test_a_bag_draws_on_from_where_it_was() -> None:
    """Reloading must not start its random numbers again: the same draws twice would make its models alike."""
    rows = log_rows(600)
    at_once, in_parts = (create(PolicySpec("bag"), default="", reward_range=RewardRange(), seed=5) for _ in range(2))
    assert isinstance(at_once, VowpalLearner)
    assert isinstance(in_parts, VowpalLearner)
    at_once.learn(rows)
    in_parts.learn(rows[:300])
    reloaded = load(PolicySpec("bag"), in_parts.dump(), default="", reward_range=RewardRange(), seed=5)
    reloaded.learn(rows[300:])
    for n in range(3):
        np.testing.assert_array_equal(
            reloaded.pmf({"n": float(n)}, rows[0].actions), at_once.pmf({"n": float(n)}, rows[0].actions)
        )


def test_a_snapshot_is_not_read_under_other_arguments() -> None:
    state = trained("epsilon").dump()
    with pytest.raises(UnreadableSnapshot, match="expected one of"):
        load(PolicySpec.parse("epsilon:cost=dr"), state, default="", reward_range=RewardRange())


def test_more_actions_than_are_kept() -> None:
    learner, fresh = trained(), trained()
    for start in range(0, 3 * MAX_PARSED, MAX_PARSED // 2):
        actions = [Action(str(start + i)) for i in range(MAX_PARSED // 2)]
        np.testing.assert_array_equal(learner.pmf({"n": 2.0}, actions), fresh.pmf({"n": 2.0}, actions))
    for count in (MAX_PARSED + 1, MAX_AT_ONCE + 1):
        many = [Action(str(i)) for i in range(count)]
        np.testing.assert_array_equal(learner.pmf({"n": 2.0}, many), fresh.pmf({"n": 2.0}, many[::-1])[::-1])


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize("spec", ["squarecb:max_actions=20,bits=12", "epsilon:max_actions=5,bits=12,cost=ips"])
def test_of_many_variants_few_are_explored(spec: str) -> None:
    """What was asked before, how many and in which order, changes nothing: with one pass instead of two, it does."""
    learner, most = trained(spec), int(spec.split("max_actions=")[1].split(",")[0])
    actions = [Action(str(i), {"price": float(i % 9)}) for i in range(200)]
    sizes = [3, 6, 21, 25, 40, 200]
    before = {k: learner.pmf({"n": 1.0}, actions[:k]) for k in sizes}
    assert all(np.count_nonzero(before[k]) <= min(k, most + 1) for k in sizes)
    rng = np.random.default_rng(2)
    for k in rng.choice(sizes, 60).tolist():
        learner.pmf({"n": float(rng.integers(3))}, actions[-k:])
        np.testing.assert_array_equal(learner.pmf({"n": 1.0}, actions[:k][::-1])[::-1], before[k])
    reloaded = again(spec, learner)
    for k in sizes:
        np.testing.assert_array_equal(reloaded.pmf({"n": 1.0}, actions[:k]), before[k])


def test_memory_stays_flat() -> None:
    """Learners come and go with every snapshot, candidates with every call."""

    def work(rounds: int) -> None:
        state = trained().dump()
        for i in range(rounds):
            learner = load(PolicySpec("squarecb"), state, default="", reward_range=RewardRange())
            for j in range(10):
                learner.pmf({"n": 1.0}, [Action(f"{i}-{j}-{k}") for k in range(20)])

    work(20)
    before = resident()
    work(60)  # 12,000 candidates: 384 MB, were they kept
    assert resident() - before < 60e6


def test_memory_stays_flat_while_candidates_are_learned() -> None:
    """Candidates of one decision only; the same ones with other features; more than are kept; one alone."""
    learner = new("epsilon")

    def work(rounds: int) -> None:
        for i in range(rounds):
            sizes = (1, 5, 40, MAX_PARSED + 1) if i % 20 == 0 else (1, 5, 40)
            learner.learn(row(f"{i}-{j}" if j % 2 else "same", float(i), size) for j, size in enumerate(sizes))
            learner.pmf({}, row(f"asked-{i}", 1.0, 10).actions)

    def row(name: str, price: float, size: int) -> TrainingExample:
        actions = tuple(Action(f"{name}-{k}", {"price": price}) for k in range(size))
        return TrainingExample({"n": price}, actions, np.full(size, 1 / size), size // 2, 1.0)

    work(60)
    before = resident()
    work(400)  # 28,000 lines: 900 MB, were they kept
    assert learner.examples == 60 * 3 + 400 * 3 + 3 + 20
    assert resident() - before < 60e6
