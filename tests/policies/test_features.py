"""Text stays text: whatever a feature holds, Vowpal Wabbit reads exactly the features we meant."""

import re

import pytest
import vowpalwabbit
from hypothesis import given
from hypothesis import strategies as st

from policies.features import action_line, context_line, escape, numbers_of
from policies.scales import Scales
from policies.types import Action, Features

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


def after(*contexts: Features) -> Scales:
    """What is known of numbers after these contexts."""
    scales = Scales()
    for context in contexts:
        scales.learn(numbers_of(context))
    return scales


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
    scales = after({text: 1.0}, {text: 3.0})
    for context, features in (
        ({text: "v"}, 1),
        ({"k": text}, 1),
        ({text: 2.5}, 2),
        ({text: True}, 1),
        ({"k": (text,)}, 1),
    ):
        shared, action = workspace.parse([context_line(context, scales), action_line(Action("a"))])  # type: ignore[misc]
        assert shared.num_features_in("c") == features, context
        assert action.num_features_in("a") == 1
        workspace.finish_example([shared, action])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_ids_and_declared_features_are_one_feature_each(text: str) -> None:
    workspace = vowpalwabbit.Workspace("--quiet --cb_explore_adf --hash all")
    lines = [context_line({}, Scales()), action_line(Action(text, {text: text, "other": (text, "b")}))]
    shared, action = workspace.parse(lines)  # type: ignore[misc]
    assert action.num_features_in("a") == 4  # id, one text, two of a list
    workspace.finish_example([shared, action])


def test_a_declared_feature_named_id_is_not_the_id() -> None:
    assert action_line(Action("a", {"id": "b"})) != action_line(Action("b", {"id": "a"}))
    assert "=id=a" in action_line(Action("a"))
    assert action_line(Action("a", {"": "id=b"})).count("=id=") == 1


def test_the_order_in_which_names_are_sent_changes_nothing() -> None:
    scales = after({"a": 1.0, "b": 7.0})
    assert context_line({"a": 1.0, "b": "x"}, scales) == context_line({"b": "x", "a": 1.0}, scales)


def test_kinds_of_value() -> None:
    features: Features = {"t": "x", "n": 10_000.0, "z": 0.0, "yes": True, "no": False, "l": ("a", "b"), "empty": ()}
    assert action_line(Action("v", features)) == "|a =id=v l=a l=b n:9.210440 no=false t=x yes=true z=0"
    scales = after({"n": 10_000.0, "z": 0.0}, {"n": 10.0, "z": 1.0})
    line = "shared |c l=a l=b n:0.707107 n==1 no=false t=x yes=true z:-0.707107 z==-2"
    assert context_line(features, scales) == line


def test_missing_is_missing_and_not_zero() -> None:
    scales = after({"n": 0.0}, {"n": 5.0})
    assert context_line({}, scales) == "shared |c"
    assert context_line({"n": 0.0}, scales) == context_line({"n": -0.0}, scales) == "shared |c n:-0.707107 n==-2"
    assert context_line({"yes": False, "t": "", "l": ()}, scales) == "shared |c t= yes=false"
    assert action_line(Action("v", {"n": 0.0})) == action_line(Action("v", {"n": 1e-9})) == "|a =id=v n=0"


def test_no_feature_of_value_0_is_ever_written() -> None:
    assert context_line({"n": 4.0}, after({"n": 4.0}, {"n": 4.0})) == "shared |c n==0"


def test_a_number_that_was_never_seen_is_no_feature() -> None:
    assert context_line({"n": 4.0}, after({"m": 4.0})) == "shared |c"


@pytest.mark.parametrize(
    ("number", "written"), [(1.0, "0.693147"), (-1.0, "-0.693147"), (10_000.0, "9.210440"), (1e300, "690.775528")]
)
def test_numbers_of_variants_are_squashed(number: float, written: str) -> None:
    assert action_line(Action("a", {"n": number})) == f"|a =id=a n:{written}"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_never_enters(number: float) -> None:
    assert context_line({"n": number, "a": "x"}, after({"n": number}, {"n": 1.0})) == "shared |c a=x"
    assert action_line(Action("v", {"n": number})) == "|a =id=v"


def test_a_text_is_no_half_of_a_deviation() -> None:
    assert "n==0" not in context_line({"n": "=0"}, Scales())


def test_halves_of_deviations_can_be_left_out() -> None:
    scales = after({"n": 10_000.0}, {"n": 10.0})
    assert context_line({"n": 10_000.0, "t": "x"}, scales, halves=False) == "shared |c n:0.707107 t=x"
