"""What goes into an outbox comes out of it as it was."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import InvalidRequest
from server.records import Activation, Candidate, Decision, Outcome
from server.store.payloads import decode, encode

AT = datetime(2026, 3, 1, 12, 0, 0, 17, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.one_of(TEXTS, NUMBERS, st.booleans(), st.lists(TEXTS).map(tuple))


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_decision_comes_back_but_for_what_its_campaign_says(make: Callable[..., list[Decision]]) -> None:
    (made,) = make(request_id="r", request_hash="h", labels={"send": {"n": [1, "2", None, 2.5]}})
    candidate = Candidate(
        "z", {"text": "¡Ya!", "deep": [{"a": None}]}, {"angle": "price", "tags": ("a", "b"), "n": 3.0}
    )
    made = replace(made, choices=(replace(made.choices[0], candidates=(candidate,)), *made.choices[1:]))
    back = decode("decision", encode(made))
    assert back == replace(made, choices=tuple(replace(choice, content={}) for choice in made.choices))
    assert any(choice.content for choice in made.choices)


@given(context=st.dictionaries(TEXTS, VALUES), value=NUMBERS)
def test_features_and_values_keep_their_types(context: dict[str, Any], value: float) -> None:
    outcome = Outcome("d", "hero", "click", value, AT, AT)
    assert decode("outcome", encode(outcome)) == outcome
    candidate = Candidate("z", {}, context)
    back = orjson.loads(orjson.dumps(candidate))["features"]
    assert {name: tuple(one) if isinstance(one, list) else one for name, one in back.items()} == context


def test_an_activation_comes_back() -> None:
    activation = Activation("d", "hero", ("headline", "cta"), AT, timedelta(seconds=5))
    assert decode("activation", encode(activation)) == activation


def test_bytes_of_a_version_that_knew_fewer_fields_are_read() -> None:
    document = orjson.loads(encode(Outcome("d", "hero", "click", 1.0, AT, AT, key="k")))
    del document["key"], document["slot"]
    assert decode("outcome", orjson.dumps({**document, "of a later one": 1})) == Outcome(
        "d", "hero", "click", 1.0, AT, AT
    )


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_the_database_could_not_hold_is_refused(make: Callable[..., list[Decision]]) -> None:
    (made,) = make()
    for bad in (
        replace(made, request_id="a\0b"),
        replace(made, choices=(replace(made.choices[0], variant="\0"),)),
        Outcome("d", "hero", "click", 1.0, AT, AT, key="\0"),
    ):
        with pytest.raises(InvalidRequest, match="NUL"):
            encode(bad)
    for bad in (replace(made, labels={"x": object()}), replace(made, labels={"x": "\ud800"})):
        with pytest.raises(TypeError):
            encode(bad)
    encode(replace(made, labels={"x": "a\0b", "y": "\\u0000"}))  # JSON holds it
