"""Logs as Vowpal Wabbit reads them with --dsjson."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from policies.types import Action, RewardRange
from simulator.sources.dsjson import DANGLING, NOT_SHOWN, REPEATED, dsjson_log, read_dsjson
from simulator.sources.tables import SourceError

Write = Callable[..., Path]


def event(**given: Any) -> dict[str, Any]:
    """A decision as Personalizer wrote it; `None` leaves a field out."""
    whole: dict[str, Any] = {
        "_label_cost": -1.0,
        "_label_probability": 0.8,
        "_label_Action": 2,
        "_labelIndex": 1,
        "o": [{"v": 1.0, "EventId": "e", "ActionTaken": False}],
        "Timestamp": "2026-03-01T10:00:00.1234567Z",
        "Version": "1",
        "EventId": "e",
        "a": [2, 1, 3],
        "c": {
            "User": [{"tier": "pro", "age": 30}, {"likes": ["tea", "bread"], "_secret": 1}],
            "Geo": {"scores": [1, 2.5], "home": True, "gone": None},
            "_synthetic": False,
            "_multi": [
                {"_tag": "news", "i": {"constant": 1, "id": "news"}, "j": [{"Topic": {"kind": "news"}}]},
                {"i": {"constant": 1, "id": "sports"}, "j": [{"length": 3}]},
                {"id": "music"},
            ],
        },
        "p": [0.8, 0.1, 0.1],
        "VWState": {"m": "model"},
    }
    return {name: value for name, value in {**whole, **given}.items() if value is not None}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*events: Any) -> Path:
        path = tmp_path / "log.json"
        path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in events))
        return path

    return write


def test_a_decision_as_it_was_logged(write: Write) -> None:
    source = read_dsjson(write(event())).source
    (one,) = source.rounds
    assert one.actions == (
        Action("news", {"j_Topic_kind": "news"}),
        Action("sports", {"j_length": 3.0}),
        Action("music"),
    )
    assert (one.chosen, one.propensity, one.reward) == ("sports", 0.8, 1.0)
    assert one.probabilities == [0.1, 0.8, 0.1]  # in the order of the actions, not of their ranks
    assert one.context == {
        "User_tier": "pro",
        "User_age": 30.0,
        "User_likes": ("tea", "bread"),
        "Geo_scores_0": 1.0,
        "Geo_scores_1": 2.5,
        "Geo_home": True,
    }
    assert one.time == 1772359200.123456


def test_probabilities_are_normalised_once(write: Write) -> None:
    log = dsjson_log(write(event(p=[0.8000001, 0.1, 0.1], _label_probability=0.8000001)))
    assert log.probabilities is not None
    np.testing.assert_allclose(log.probabilities.sum(axis=1), 1.0, atol=1e-12)
    assert log.propensities[0] == log.probabilities[0, log.chosen[0]]


def test_without_probabilities_the_propensity_is_known(write: Write) -> None:
    (one,) = read_dsjson(write(event(p=None, a=None))).source.rounds
    assert (one.propensity, one.probabilities) == (0.8, None)


def test_no_reward_is_zero_and_not_minus_zero(write: Write) -> None:
    (one,) = read_dsjson(write(event(_label_cost=0))).source.rounds
    assert str(one.reward) == "0.0"


def test_what_holds_no_evidence_is_counted(write: Write) -> None:
    dangling = {"RewardValue": 1.0, "EnqueuedTimeUtc": "2026-03-01T10:00:00Z", "EventId": "x"}
    skipped = {"_skipLearn": True, "EventId": "y", "c": {"_multi": []}, "a": [], "p": []}
    found = read_dsjson(write(event(), "", dangling, event(), skipped, dangling, event(EventId="f")))
    assert found.left_out == {DANGLING: 2, REPEATED: 1, NOT_SHOWN: 1}
    assert len(found.source.rounds) == 2


def test_features_that_change_are_named_and_kept_in_the_log(write: Write) -> None:
    other = event(EventId="f")
    other["c"]["_multi"][1]["j"] = [{"length": 4}]
    path = write(event(), other)
    found = read_dsjson(path)
    assert found.changed == ("sports",)
    assert {action.id: action.features for action in found.source.actions}["sports"] == {"j_length": 4.0}
    sports = [action.features for action in dsjson_log(path).actions if action.id == "sports"]
    assert sports == [{"j_length": 3.0}, {"j_length": 4.0}]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"_label_Action": 4}, "_label_Action: 4, expected 1 to 3"),
        ({"_label_Action": None}, "no '_label_Action'"),
        ({"_label_probability": 0}, r"_label_probability: 0.0, expected a number in \(0, 1\]"),
        ({"_label_probability": 0.5}, "_label_probability: 0.5, but p gives that action 0.8"),
        ({"_label_cost": -2}, "which is a reward of 2, expected one from 0 to 1"),
        ({"_label_cost": float("nan")}, "_label_cost: nan, expected a finite number"),
        ({"p": [0.8, 0.1]}, "expected each of the 3 actions of _multi once"),
        ({"a": [2, 2, 3]}, "expected each of the 3 actions of _multi once"),
        ({"p": [0.8, 0.1, 0.3]}, "expected probabilities that sum to 1"),
        ({"Timestamp": "soon"}, "soon"),
        ({"_outcomes": []}, "several slots in one decision"),
        ({"c": {"_multi": [{"x": 1}]}, "_label_Action": 1}, "has no name"),
    ],
)
def test_bad_lines_are_named(write: Write, given: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError, match=f"line 2: .*{message}"):
        read_dsjson(write(event(EventId="first"), event(**given)))


def test_other_files(write: Write, tmp_path: Path) -> None:
    for content, message in (("no json", "line 1"), ("[1]", "expected a JSON object"), ("", "no decision in it")):
        with pytest.raises(SourceError, match=message):
            read_dsjson(write(content))
    with pytest.raises(SourceError, match="no such file"):
        read_dsjson(tmp_path / "none.json")
    with pytest.raises(SourceError, match=r"12 problems(?s:.)*and 2 more"):
        read_dsjson(write(*["x"] * 12))
    with pytest.raises(SourceError, match=r"pdrop: 0, 0\.5; a log thinned out unevenly"):
        read_dsjson(write(event(), event(EventId="f", pdrop=0.5)))


def test_the_range_of_rewards_can_be_told(write: Write) -> None:
    path = write(event(_label_cost=3))
    source = read_dsjson(path, reward_range=RewardRange(-5.0, 5.0)).source
    assert source.rounds[0].reward == -3.0
    assert source.reward_range == RewardRange(-5.0, 5.0)
