"""Contexts as points: each distance by hand, and what is kept of a context."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from policies.people import MAX_COLUMNS, MAX_KEYS, MAX_LETTERS, MAX_TEXTS, Encoding, fit_encoding, person_of
from policies.types import Features

CROWD: list[Features] = [
    {
        "country": "ES" if n % 2 else "PT",
        "vip": n % 3 == 0,
        "likes": ("jazz", "folk") if n % 2 else ("jazz", "rock", "pop"),
        "orders": float(n),
    }
    for n in range(101)
]


def encoding(crowd: Sequence[Features] = CROWD) -> Encoding:
    return fit_encoding([person_of(context) for context in crowd])


def squared(one: Features, other: Features, *, crowd: Sequence[Features] = CROWD) -> float:
    a, b = encoding(crowd).matrix([person_of(one), person_of(other)])
    return float(((a - b) ** 2).sum())


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"country": "ES"}, {"country": "PT"}, 1.0),
        ({"vip": True}, {"vip": False}, 1.0),
        ({"vip": True}, {"vip": "true"}, 0.5),  # a text, and none that is known: as if it were missing
        ({"country": "ES"}, {}, 0.5),
        ({"vip": False}, {}, 0.5),
        ({"likes": ("jazz", "folk")}, {"likes": ("folk", "jazz", "jazz")}, 0.0),
        ({"likes": ("jazz", "folk")}, {"likes": ("rock", "pop")}, 1.0),
        ({"likes": ("jazz", "folk")}, {"likes": ("jazz", "rock", "pop")}, 1 - 1 / math.sqrt(6)),
        ({"likes": ()}, {}, 0.0),
        ({"orders": 25.0}, {"orders": 75.0}, 1.0),  # the quartiles
        ({"orders": 50.0}, {}, 0.5),
        ({"orders": 75.0}, {}, 0.75),
        ({"orders": 50.0}, {"orders": 1e300}, 4.0),
        ({"orders": 50.0}, {"orders": math.nan}, 0.5),
        ({"orders": 25.0, "country": "ES"}, {"orders": 75.0, "country": "PT"}, 2.0),
        ({"never seen": "x", "n": 3.0}, {}, 0.0),
    ],
)
def test_distances(one: Features, other: Features, expected: float) -> None:
    assert squared(one, other) == pytest.approx(expected)


def test_a_number_that_is_mostly_one_value_has_a_wider_scale() -> None:
    crowd: list[Features] = [{"orders": float(n) if n > 80 else 0.0} for n in range(101)]
    assert encoding(crowd).numbers["orders"].width == 90.0  # from 10 % to 90 % of the people
    assert encoding([{"orders": 7.0}] * 5).numbers["orders"].width == 1.0


def test_numbers_beyond_any_scale() -> None:
    crowd: list[Features] = [{"n": value} for value in (-1.7e308, 1.7e308, 5e-324, 0.0, math.inf)]
    with np.errstate(over="raise", invalid="raise"):
        points = encoding(crowd).matrix([person_of(context) for context in crowd])
    assert np.isfinite(points).all()


def test_rare_texts_are_not_told_apart() -> None:
    crowd: list[Features] = [{"id": str(n), "page": "home" if n else "rare"} for n in range(200)]
    assert [token for _, token in encoding(crowd).tokens] == ["=home"]
    assert squared({"id": "1"}, {"id": "2"}, crowd=crowd) == 0.0


def test_what_is_kept_is_bounded() -> None:
    long: Features = {f"key {n:03}" + "x" * 1000: ("y" * 10_000, *map(str, range(100))) for n in range(200)}
    kept = person_of(long)
    assert len(kept) == MAX_KEYS
    for key, value in kept.items():
        assert len(key) <= 3 * MAX_LETTERS
        assert isinstance(value, tuple)
        assert len(value) == MAX_TEXTS
        assert max(map(len, value)) <= 3 * MAX_LETTERS
    found = fit_encoding([person_of({**long, **{f"n{n}": 1.0 for n in range(200)}})] * 3)
    assert found.width <= MAX_COLUMNS


def test_what_is_ours_says_nothing_of_a_person() -> None:
    context: Features = {"slot.headline": "hours", "elige.segment": "3", "time.hours": "08-12", "slot": "mine"}
    assert person_of(context) == {"slot": ("=mine",)}


def test_the_order_of_the_keys_changes_nothing() -> None:
    context = CROWD[0]
    assert list(person_of(context)) == list(person_of(dict(reversed(context.items())))) == sorted(context)


def test_document() -> None:
    assert Encoding.from_document(encoding().document()) == encoding()
