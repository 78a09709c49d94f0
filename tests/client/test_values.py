"""Python values through the well-known types."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from elige.client.values import duration, fill, timestamp, to_dict

texts = st.text(st.characters(exclude_categories=["Cs"]))  # UTF-8 has no surrogates
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


def struct(values: dict[str, Any]) -> Struct:
    filled = Struct()
    fill(filled, values, name="context")
    return filled


@given(st.dictionaries(texts, json_values, max_size=5))
def test_a_dict_comes_back_and_is_what_the_library_would_make(values: dict[str, Any]) -> None:
    expected = json_format.ParseDict(values, Struct())
    assert struct(values) == expected
    # through bytes: what is set but empty must survive, too
    assert to_dict(Struct.FromString(struct(values).SerializeToString())) == values


def test_tuples_are_lists_and_numbers_of_other_libraries_are_numbers() -> None:
    values = {"a": ("x", ()), "b": np.int64(3), "c": np.float32(0.5), "d": Decimal("1.5")}
    assert to_dict(struct(values)) == {"a": ["x", []], "b": 3, "c": 0.5, "d": 1.5}


def test_whole_numbers_are_int_and_others_float() -> None:
    back = to_dict(struct({"percent": 10.0, "ratio": 0.5, "huge": 1e300, "flag": True}))
    assert {key: type(value) for key, value in back.items()} == {
        "percent": int,
        "ratio": float,
        "huge": float,
        "flag": bool,
    }


def test_what_is_not_finite_is_left_to_the_service() -> None:
    back = to_dict(struct({"nan": math.nan, "inf": -math.inf}))
    assert math.isnan(back["nan"])
    assert back["inf"] == -math.inf


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 10**400, np.int64(2**53 + 1)])
def test_a_whole_number_that_no_double_holds_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=rf"context\['a'\]\[1\]: {number} is more than a double holds exactly"):
        struct({"a": ["x", number]})


def test_times_keep_their_microseconds() -> None:
    at = datetime(2026, 3, 29, 1, 59, 59, 999999, tzinfo=UTC)
    assert timestamp(at, name="at").ToDatetime(tzinfo=UTC) == at
    assert duration(timedelta(days=90, microseconds=1)).ToTimedelta() == timedelta(days=90, microseconds=1)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at: 2026-01-01T00:00:00 has no time zone"):
        timestamp(datetime(2026, 1, 1), name="at")
