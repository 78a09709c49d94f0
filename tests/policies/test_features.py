"""Text stays text: whatever a feature holds, Vowpal Wabbit reads exactly the features we meant."""

import re

import pytest
import vowpalwabbit
from hypothesis import given
from hypothesis import strategies as st

from policies.features import action_line, context_line, escape, squash
from policies.types import Action

HOSTILE = [
    "a b",
    "a|b",
    "a:b",
    "a\tb",
    "a\nb",
    "a\r\nb",
    "🦊",
    "",
    "x" * 10_000,
    "a=b",
    "100%",
    "%20",
    "\x00",
    "\ud800",
    "ñ",
]


@given(st.text(), st.text())
def test_escaping_keeps_different_texts_different(one: str, two: str) -> None:
    assert (escape(one) == escape(two)) == (one == two)


@given(st.text())
def test_nothing_that_means_something_to_vowpal_wabbit_is_left(text: str) -> None:
    assert not re.search(r"[\x00-\x20|:=]", escape(text))
    escape(text).encode()  # no lone surrogate is left


def test_letters_of_any_script_stay_readable() -> None:
    assert escape("Año_nuevo-日本") == "Año_nuevo-日本"


@pytest.mark.parametrize("text", HOSTILE)
def test_one_hostile_text_is_one_feature(text: str) -> None:
    """Counted by Vowpal Wabbit itself: the name, and the value, are one feature beside the constant."""
    workspace = vowpalwabbit.Workspace("--quiet --cb_explore_adf --hash all")
    for context in ({text: "v"}, {"k": text}, {text: 2.0}, {text: True}, {"k": (text,)}):
        shared, action = workspace.parse([context_line(context), action_line(Action("a"))])  # type: ignore[misc]
        assert shared.num_features_in("c") == 1, context
        assert action.num_features_in("a") == 1
        workspace.finish_example([shared, action])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_ids_and_declared_features_are_one_feature_each(text: str) -> None:
    workspace = vowpalwabbit.Workspace("--quiet --cb_explore_adf --hash all")
    lines = [context_line({}), action_line(Action(text, {text: text, "other": (text, "b")}))]
    shared, action = workspace.parse(lines)  # type: ignore[misc]
    assert action.num_features_in("a") == 4  # id, one text, two of a list
    workspace.finish_example([shared, action])


def test_a_declared_feature_named_id_is_not_the_id() -> None:
    assert action_line(Action("a", {"id": "b"})) != action_line(Action("b", {"id": "a"}))
    assert "=id=a" in action_line(Action("a"))
    assert action_line(Action("a", {"": "id=b"})).count("=id=") == 1


def test_the_order_in_which_names_are_sent_changes_nothing() -> None:
    assert context_line({"a": 1.0, "b": "x"}) == context_line({"b": "x", "a": 1.0})


def test_kinds_of_value() -> None:
    line = context_line({"t": "x", "n": 10_000.0, "z": 0.0, "yes": True, "no": False, "l": ("a", "b"), "empty": ()})
    assert line == "shared |c l=a l=b n:9.210440 no=false t=x yes=true z=0"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_never_enters(number: float) -> None:
    assert context_line({"n": number, "a": "x"}) == "shared |c a=x"


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_squash_keeps_order_and_sign(one: float, two: float) -> None:
    if one < two:
        assert squash(one) <= squash(two)
    assert squash(-one) == -squash(one)
    assert abs(squash(one)) < 710.0
