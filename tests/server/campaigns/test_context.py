"""The context of a request: declared kinds are kept, everything else is dropped and told."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.campaigns.context import clock, read_context
from server.campaigns.fields import ContextKind

DECLARED: dict[str, ContextKind] = {"country": "text", "orders": "number", "returning": "flag", "interests": "texts"}
Declared = dict[str, ContextKind] | Literal["any"]


def test_declared_kinds_are_kept() -> None:
    sent = {"country": "ES", "orders": 3, "returning": False, "interests": ["art", "sea"]}
    features, ignored = read_context(DECLARED, sent)
    assert features == {"country": "ES", "orders": 3.0, "returning": False, "interests": ("art", "sea")}
    assert type(features["orders"]) is float
    assert ignored == ()


WRONG: dict[str, list[Any]] = {
    "country": [3, 3.0, True, ["ES"], {"a": "b"}],
    "orders": ["3", True, [3], float("nan"), float("inf"), 10**400, {}],
    "returning": ["true", 1, 0.0, []],
    "interests": ["art", ["art", 1], [["art"]], [None], {"art": 1}, True],
    "unknown": ["x", 1, True, ["x"]],
    "slot.headline": ["hours"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_everything_else_is_ignored_and_told(name: str, value: Any) -> None:
    assert read_context(DECLARED, {name: value}) == ({}, (name,))


@pytest.mark.parametrize("declared", [DECLARED, "any"])
def test_null_is_missing_and_an_empty_list_is_not(declared: Declared) -> None:
    sent: dict[str, Any] = {"country": None, "unknown": None, "interests": [], "orders": 0, "returning": False}
    assert read_context(declared, sent) == ({"interests": (), "orders": 0.0, "returning": False}, ())


def test_any_takes_values_for_what_they_are() -> None:
    sent = {"a": "x", "b": 1, "c": True, "d": ["x", "y"], "e.f": "dots"}
    features, ignored = read_context("any", sent)
    assert features == {"a": "x", "b": 1.0, "c": True, "d": ("x", "y"), "e.f": "dots"}
    assert features["c"] is True
    assert ignored == ()


def test_any_ignores_what_can_be_no_feature_and_what_is_ours() -> None:
    ours = {"slot.headline": "hours", "elige.segment": "3", "text.words": ["a"], "time.hours": "08-12"}
    sent = {"a": {"b": 1}, "c": float("nan"), "d": [1], "e": object(), **ours, "slot": "mine"}
    assert read_context("any", sent) == ({"slot": "mine"}, ("a", "c", "d", "e", *ours))


def test_what_was_sent_is_not_kept_alive_or_changed() -> None:
    interests = ["art"]
    features, _ = read_context(DECLARED, {"interests": interests})
    interests.append("sea")
    assert features["interests"] == ("art",)


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
)


@given(
    st.sampled_from([DECLARED, "any"]),
    st.dictionaries(st.one_of(st.sampled_from([*DECLARED, "slot.x", "other"]), st.text()), ANYTHING, max_size=6),
)
def test_every_key_is_a_feature_or_ignored_or_null(declared: Declared, sent: dict[str, Any]) -> None:
    features, ignored = read_context(declared, sent)
    assert not features.keys() & set(ignored)
    assert features.keys() | set(ignored) == {name for name, value in sent.items() if value is not None}
    assert not any(name.startswith("slot.") for name in features)
    assert declared == "any" or features.keys() <= declared.keys()


@pytest.mark.parametrize(
    ("at", "zone", "hours", "weekday"),
    [
        ("2026-03-01T11:59:59Z", None, "08-12", "sun"),
        ("2026-03-01T12:00:00Z", None, "12-16", "sun"),
        ("2026-03-01T23:30:00Z", None, "20-24", "sun"),
        ("2026-03-01T23:30:00Z", "Europe/Madrid", "00-04", "mon"),
        ("2026-03-01T03:30:00Z", "America/Mexico_City", "20-24", "sat"),
        # summer time begins in Madrid on the 29th: half past six in UTC is half past seven, and then half past eight
        ("2026-03-28T06:30:00Z", "Europe/Madrid", "04-08", "sat"),
        ("2026-03-29T06:30:00Z", "Europe/Madrid", "08-12", "sun"),
        ("2026-03-01T23:30:00Z", "Mars/Olympus", "20-24", "sun"),
    ],
)
def test_the_clock_is_that_of_the_person(at: str, zone: str | None, hours: str, weekday: str) -> None:
    assert clock(datetime.fromisoformat(at), zone) == {"time.hours": hours, "time.weekday": weekday}


def test_the_clock_has_six_parts_and_seven_days() -> None:
    times = [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(7 * 24)]
    assert len({tuple(sorted(clock(at, None).items())) for at in times}) == 6 * 7
