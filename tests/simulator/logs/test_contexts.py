"""Contexts as columns, and back."""

import tracemalloc
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policies.types import Value
from simulator.logs.contexts import Coded, Contexts, Numbers

VALUES = st.one_of(
    st.text(max_size=3),
    st.booleans(),
    st.floats(allow_nan=False),
    st.lists(st.text(max_size=2), max_size=3).map(tuple),
)
ROWS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), VALUES), max_size=12)


@given(ROWS)
@example([{"a": True}, {"a": 1.0}, {"a": "True"}, {"a": 0.0}, {"a": False}])
def test_rows_come_back_as_they_were(rows: list[Mapping[str, Value]]) -> None:
    """Every kind of value in every column, missing ones, a flag beside the number that equals it."""
    contexts = Contexts.of(iter(rows))
    assert list(contexts) == rows
    assert [contexts[row] for row in range(len(rows))] == rows
    assert [[type(value) for value in row.values()] for row in map(_sorted, contexts)] == [
        [type(value) for value in row.values()] for row in map(_sorted, rows)
    ]
    assert contexts.keys == sorted({name for row in rows for name in row})
    assert [contexts.values("a")[row] for row in range(len(rows))] == [row.get("a") for row in rows]


@given(ROWS, st.data())
def test_any_selection_is_that_of_the_rows(rows: list[Mapping[str, Value]], data: st.DataObject) -> None:
    contexts = Contexts.of(rows)
    flags = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    kept = [row for row, flag in zip(rows, flags, strict=True) if flag]
    assert list(contexts.take(np.array(flags, dtype=bool))) == kept
    assert list(contexts.take(np.flatnonzero(flags))) == kept
    assert list(contexts[1:5]) == rows[1:5]
    assert contexts.where(lambda row: "a" in row).tolist() == ["a" in row for row in rows]


@given(ROWS)
def test_equal_rows_have_equal_codes(rows: list[Mapping[str, Value]]) -> None:
    codes = Contexts.of(rows).same_rows()
    for i, one in enumerate(rows):
        for j, other in enumerate(rows):
            assert (codes[i] == codes[j]) == (_typed(one) == _typed(other))


def test_what_a_key_is_kept_as() -> None:
    contexts = Contexts.of(
        [{"lang": "es", "age": 3, "vip": np.True_}, {"age": np.int64(4)}, {"lang": "es", "age": 5.5}]
    )
    lang, age, vip = (contexts.columns[name] for name in ("lang", "age", "vip"))
    assert isinstance(lang, Coded)
    assert (lang.codes.tolist(), lang.levels) == ([0, -1, 0], ("es",))
    assert isinstance(age, Numbers)
    assert age.values.tolist() == [3.0, 4.0, 5.5]
    assert isinstance(vip, Coded)
    assert vip.levels == (True,)
    assert contexts.keys == ["age", "lang", "vip"]
    assert contexts.take(slice(1, 2)).keys == ["age"], "of a part, only what it knows"
    assert contexts.values("absent") == [None, None, None]
    with pytest.raises(IndexError, match="row 3 of 3"):
        contexts[3]
    assert contexts[-1] == contexts[2]
    with pytest.raises(ValueError, match="context 'lang': 3 rows, expected 2"):
        Contexts({"lang": lang}, 2)
    with pytest.raises(ValueError, match="read-only"):
        age.values[0] = 1.0


def test_memory_is_a_small_multiple_of_the_data() -> None:
    """Four texts and flags of four bytes, one number of eight: 24 bytes a round; as dicts some 250."""
    n = 20_000
    rows = ({"age": float(i), "lang": "es", "city": f"c{i % 50}", "vip": bool(i % 2), "when": "now"} for i in range(n))
    tracemalloc.start()
    contexts = Contexts.of(rows)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(contexts) == n
    assert held < 30 * n


def _sorted(row: Mapping[str, Value]) -> Mapping[str, Value]:
    return dict(sorted(row.items()))


def _typed(row: Mapping[str, Value]) -> dict[str, tuple[type, Value]]:
    return {name: (type(value), value) for name, value in row.items()}


def test_contexts_one_after_the_other() -> None:
    """Whatever kinds their columns are in each part: the rows stay what they were."""
    parts = [
        [{"n": 1.0, "t": "x"}, {"t": "y", "only": True}],
        [{}, {"n": "text now", "t": "x"}],
        [{"n": 2.5, "t": ("x", "y"), "only": 1.0}, {"n": 2.5}],
    ]
    joined = Contexts.joined([Contexts.of(rows) for rows in parts])
    assert list(joined) == [row for rows in parts for row in rows]
    assert joined[1]["only"] is True
    numbers = Contexts.joined([Contexts.of([{"n": 1.0}]), Contexts.of([{}]), Contexts.of([{"n": 3.0}])])
    assert isinstance(numbers.columns["n"], Numbers)
    assert list(numbers) == [{"n": 1.0}, {}, {"n": 3.0}]
