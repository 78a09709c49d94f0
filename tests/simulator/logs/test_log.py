from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from policies.types import Action, RewardRange
from simulator import Log, LogError, Round

MakeLog = Callable[..., Log]
A, B = Action("a"), Action("b", {"hour": 8.0})


def a_round(**changes: object) -> Round:
    base = Round(
        context={"lang": "es"}, actions=(A, B), chosen="a", propensity=0.25, reward=1.0, time=0.0,
        probabilities=[0.25, 0.75],
    )  # fmt: skip
    return replace(base, **changes)


def test_rounds_become_columns_in_time_order() -> None:
    log = Log.from_rounds(
        [
            a_round(time=20.0, person="ana"),
            a_round(time=10.0, chosen="b", propensity=0.75, reward=0.0),
            a_round(time=10.0, person="eva", reward=0.5),
            a_round(time=30.0, person="ana"),
        ]
    )
    assert log.times.tolist() == [10.0, 10.0, 20.0, 30.0]
    assert [log.actions[i].id for i in log.chosen] == ["b", "a", "a", "a"], "equal times keep their order"
    assert log.persons[2] == log.persons[3] >= 0
    assert log.persons[0] < 0, "an anonymous visit has a code of its own"
    assert len(set(log.persons)) == 3
    assert log.probabilities is not None
    assert log.probabilities[0].tolist() == [0.25, 0.75]


def test_one_variant_with_other_features_is_another_action_of_the_same_id() -> None:
    later = Action("b", {"hour": 9.0})
    log = Log.from_rounds([a_round(), a_round(time=1.0, actions=(later, A), probabilities=[0.75, 0.25])])
    assert [action.features.get("hour") for action in log.actions] == [None, 8.0, 9.0]
    assert log.ids == ("a", "b")
    assert log.eligible.tolist() == [[True, True, False], [True, False, True]]
    examples = list(log.examples())
    assert {action.id: p for action, p in zip(examples[1].actions, examples[1].probabilities, strict=True)} == {
        "a": 0.25,
        "b": 0.75,
    }
    assert examples[1].actions[examples[1].chosen].id == "a"


def test_probabilities_are_kept_only_if_every_round_has_them() -> None:
    log = Log.from_rounds([a_round(), a_round(time=1.0, probabilities=None)])
    assert log.probabilities is None
    example = list(log.examples())[1]
    assert example.propensity == 0.25
    assert example.probabilities.sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"propensities": np.zeros(600)}, r"propensities: 600 of 600 rows, first row 0 has 0.0, expected a number in"),
        ({"propensities": np.full(600, np.nan)}, "propensities: 600 of 600 rows.*without them is no evidence"),
        ({"propensities": np.full(600, 1e-31)}, "propensities: 600 of 600 rows.*at least 1e-30"),
        ({"probabilities": np.full((600, 3), 1e-31)}, "probabilities: 600 of 600 rows.*0, or at least 1e-30"),
        ({"chosen": np.full(600, 7)}, "chosen: 600 of 600 rows, first row 0 has 7, expected an index from 0 to 2"),
        ({"rewards": np.r_[np.zeros(599), np.inf]}, "rewards: 1 of 600 rows, first row 599 has inf"),
        ({"rewards": np.r_[np.zeros(599), -1e101]}, r"599 has -1e\+101, expected a number from -1e\+100 to 1e\+100"),
        ({"rewards": np.r_[np.zeros(599), -1e-101]}, "rewards: 1e-101 is the largest; expected at least 1e-100"),
        ({"reward_range": RewardRange(0.0, 1e308)}, r"reward range \[0, 1e\+308\]: expected bounds from -1e\+100"),
        ({"times": np.arange(600.0)[::-1]}, "times: 599 of 600 rows, first row 1 has 598.0"),
        ({"times": 1.7e12 + np.arange(600.0)}, "times: 600 of 600 rows.*the years 1 to 9999; milliseconds are 1,000"),
        ({"times": np.zeros(3)}, r"times: shape \(3,\), expected \(600,\)"),
        ({"eligible": np.zeros((600, 3), dtype=bool)}, "at least one eligible action.*an eligible action"),
        ({"probabilities": np.full((600, 3), 0.4)}, "a sum of 1 within 1e-06.*the propensity, for the chosen action"),
        ({"probabilities": np.full((600, 3), 1 / 3)}, "probabilities: 600 of 600 rows.*the propensity"),
        ({"contexts": ()}, "no rounds"),
    ],
)
def test_every_violation_is_named_with_count_and_first_row(
    make_log: MakeLog, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(LogError, match=message):
        make_log(**changes)


def test_probability_outside_the_eligible_actions_is_refused(make_log: MakeLog) -> None:
    eligible = np.ones((600, 3), dtype=bool)
    eligible[5] = [True, False, False]
    with pytest.raises(LogError, match=r"probabilities: 1 of 600 rows, first row 5 .*0 outside the eligible") as caught:
        make_log(eligible=eligible, chosen=np.zeros(600, dtype=int))
    assert len(caught.value.problems) >= 2, "all kinds at once"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chosen": "z"}, r"chosen: 1 of 1 rows, first row 0 has 'z', expected one of \['a', 'b'\]"),
        ({"actions": (A, A)}, "actions: .*ids that differ"),
        ({"probabilities": [1.0]}, "probabilities: .*has 1, expected 2 numbers"),
        (
            {"context": {"lang": {"es": 1}}},
            r"context 'lang': 1 of 1 rows, first row 0 has \{'es': 1\}, expected a text",
        ),
        ({"context": {"seen": [{"id": 1}]}}, r"context 'seen': .*has \[\{'id': 1\}\], expected .* a list of texts"),
        ({"context": {"seen": {"a"}}}, r"context 'seen': .*has \{'a'\}, expected"),
        ({"context": {"seen": 10**400}}, "context 'seen': .*expected a text, a number"),
        (
            {"actions": (A, Action("b", {"tags": ["x"]}))},
            r"row 0, feature 'tags' of action 'b': \['x'\], expected .*tuple",
        ),
        ({"actions": (A, Action("b", {"tags": ({},)}))}, r"row 0, feature 'tags' of action 'b': \(\{\},\), expected"),
    ],
)
def test_rounds_that_make_no_sense(changes: dict[str, object], message: str) -> None:
    with pytest.raises(LogError, match=message):
        Log.from_rounds([a_round(**changes)])


def test_contexts_that_are_no_features(make_log: MakeLog) -> None:
    with pytest.raises(LogError, match=r"context 'lang': \{'es': 1\}, expected a text, a number, a flag"):
        make_log(contexts=({"lang": {"es": 1}},) * 600)


def test_what_was_validated_can_not_change(make_log: MakeLog) -> None:
    rewards = np.ones(600)
    log = make_log(rewards=rewards)
    rewards[0] = np.nan
    assert log.rewards[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        log.rewards[0] = 2.0


def test_split_never_parts_equal_times(make_log: MakeLog) -> None:
    log = make_log(times=np.repeat([1.0, 2.0, 3.0], [100, 350, 150]))
    early, late = log.split(0.5)
    assert (len(early), len(late)) == (450, 150), "450 is nearer to 300 than 100 is"
    assert early.times[-1] < late.times[0]
    with pytest.raises(LogError, match="all 600 rounds have the same time"):
        make_log(times=np.ones(600)).split(0.5)


def test_selection(make_log: MakeLog) -> None:
    log = make_log()
    spanish = log.where(lambda context: context["lang"] == "es")
    assert {context["lang"] for context in spanish.contexts} == {"es"}
    assert len(spanish) == sum(context["lang"] == "es" for context in log.contexts)
    assert spanish.actions == log.actions
    assert log[:10].summary().n == 10
    with pytest.raises(LogError, match="0 of 600 rounds are left"):
        log[log.times < 0]


def test_a_selection_keeps_the_order_of_time_or_is_refused(make_log: MakeLog) -> None:
    log = make_log(20)
    assert log[np.ones(20, dtype=bool)] is log, "all rounds are the same log"
    assert log.eligible_sets
    part = log[np.array([3, 5, 8])]
    assert part.times.tolist() == log.times[[3, 5, 8]].tolist()
    assert [*part.contexts] == [log.contexts[row] for row in (3, 5, 8)]
    assert len(part.eligible_sets[1]) == 3, "nothing of the whole is remembered"
    assert not part.rewards.flags.writeable
    with pytest.raises(LogError, match="a time not before that of the row above"):
        log[np.array([8, 3])]


def test_eligible_sets(make_log: MakeLog) -> None:
    eligible = np.ones((600, 3), dtype=bool)
    eligible[::2, 1] = False
    log = make_log(known=False, eligible=eligible, chosen=np.zeros(600, dtype=int))
    sets, which = log.eligible_sets
    assert [sets[which[row]].tolist() for row in (0, 1)] == [[0, 2], [0, 1, 2]]


def test_duplicates_and_the_future_are_counted(make_log: MakeLog) -> None:
    """The same person at one moment, all else being the same; an anonymous visit is like no other."""
    twice = [a_round(person="ana"), a_round(person="eva"), a_round(person="ana"), a_round(person="ana")]
    log = Log.from_rounds(twice)
    assert (len(log), log.duplicates, log.future) == (4, 2, 0)
    others = [
        a_round(), a_round(), a_round(person="ana"), a_round(person="ana", time=1.0),
        a_round(person="ana", reward=0.0), a_round(person="ana", context={"lang": "en"}),
        a_round(person="ana", context={}), a_round(person="ana", chosen="b", propensity=0.75),
    ]  # fmt: skip
    assert Log.from_rounds(others).duplicates == 0
    later = make_log().as_of(now=599 * 60.0 - 1.0)
    assert later.future == 1
    assert later[:5].future == 1, "what was found when the whole log was read"
    assert make_log(timed=False).as_of(now=-1.0).future == 0, "the order of rows is no time"
    assert (later.summary().duplicates, later.summary().future) == (0, 1)


def test_rounds_are_read_once_and_not_kept() -> None:
    """A generator will do, and actions made anew each time are still the same."""
    log = Log.from_rounds(
        a_round(time=float(-n), actions=(Action("a"), Action("b", {"hour": 8.0})), context={"n": float(n)})
        for n in range(5)
    )
    assert log.actions == (A, B)
    assert [context["n"] for context in log.contexts] == [4.0, 3.0, 2.0, 1.0, 0.0]
    assert log.probabilities is not None
    assert log.probabilities.tolist() == [[0.25, 0.75]] * 5
    with pytest.raises(LogError, match="no rounds; expected at least 1"):
        Log.from_rounds(iter(()))
