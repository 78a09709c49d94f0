"""What is asked in a way that no evaluation can answer is told in words, and before anything is computed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from policies.types import Action
from simulator import (
    Candidate,
    ColumnMapping,
    EvaluationError,
    Log,
    MappingError,
    evaluate,
    evaluate_grid,
    evaluate_page,
    frame_log,
)
from simulator.pages.page import Page

MakeLog = Callable[..., Log]


class Half:
    def pmf(self, context: object, actions: tuple[Action, ...]) -> np.ndarray:
        return np.full(len(actions), 1 / len(actions))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"policies": "squarecb"}, r"policies: 'squarecb', expected a list, as \['squarecb'\]"),
        ({"estimators": "dr"}, r"estimators: 'dr', expected a list, as \['dr'\]"),
        ({"every": "1d"}, r"stretches of '1d': expected a timedelta, such as timedelta\(days=1\)"),
        ({"policies": [Half()]}, r"policy <.*Half.*>: expected a specification, as 'squarecb', or Candidate"),
        ({"policies": [Half.pmf]}, r"policy <function Half.pmf .*: expected a specification"),
        ({"confidence": 95}, "confidence 95: expected a number from"),
    ],
)
def test_of_a_log(make_log: MakeLog, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(EvaluationError, match=says):
        evaluate(make_log(), **asked)


def test_what_is_no_log() -> None:
    for given in ({"arm": ["a"]}, [1, 2]):
        with pytest.raises(EvaluationError, match=f"{type(given).__name__}: expected a Log, which frame_log makes"):
            evaluate(given)  # type: ignore[arg-type]


def test_of_a_page_and_of_a_grid(make_log: MakeLog) -> None:
    page = Page((make_log(slot="one"), make_log(slot="two")))
    with pytest.raises(EvaluationError, match=r"policies: 'uniform', expected a list"):
        evaluate_page(page, "uniform")
    with pytest.raises(EvaluationError, match=r"grids: 'softmax:lambda=1\|2', expected a list"):
        evaluate_grid(make_log(), "softmax:lambda=1|2")


def test_of_a_frame() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"arm": ["a", "b"], "won": [0, 1], "country": ["ES", "MX"]})
    with pytest.raises(MappingError, match=r"context: 'country', expected a list of columns, as \['country'\]"):
        frame_log(frame, variant="arm", reward="won", shares="equal", context="country")


def test_nobodys_propensities_are_taken_to_be_equal() -> None:
    with pytest.raises(MappingError, match="neither propensity nor shares"):
        ColumnMapping("arm", "won")
    assert ColumnMapping("arm", "won", shares="equal").designed


def test_a_policy_of_the_callers_own_has_a_name(make_log: MakeLog) -> None:
    assert evaluate(make_log(), [Candidate("half", Half())], estimators=["ips"]).row("half").estimates
