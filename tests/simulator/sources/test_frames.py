"""A data frame or a Parquet file to a log."""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from policies.types import Action
from simulator import ColumnMapping, Log, LogError, MappingError, csv_log, evaluate, frame_log, parquet_log
from simulator.sources.frames import log_of_table
from simulator.sources.mapping import ESTIMATE

Frame = Callable[[Mapping[str, object]], object]
COLUMNS: dict[str, list[object]] = {
    "when": ["2024-05-01T10:00:00+02:00", "2024-05-01T09:00:00+02:00", "2024-05-01T08:00:00Z"],
    "who": ["ana", None, "ana"],
    "arm": ["blue", "red", "red"],
    "p": [0.25, 0.75, 0.75],
    "bought": [1.0, 0.0, 0.5],
    "country": ["ES", None, "PT"],
    "age": [31.0, None, 40.5],
    "new": [True, False, False],
    "likes": [["tea", "rum"], [], None],
    "shown": [["red", "blue"], ["red", "blue"], ["red"]],
    "chances": [[0.75, 0.25], [0.75, 0.25], [1.0]],
    "p_red": [0.75, 0.75, 1.0],
    "p_blue": [0.25, 0.25, None],
    "key": ["d1", "d2", "d1"],
}
NAMED = {"variant": "arm", "reward": "bought", "time": "when"}


def pandas_frame(columns: Mapping[str, object]) -> object:
    return pd.DataFrame(dict(columns))


def arrow_table(columns: Mapping[str, object]) -> object:
    """In two chunks, as files of several row groups are."""
    whole = pa.table(dict(columns))
    return pa.concat_tables([whole.slice(0, 1), whole.slice(1)])


@pytest.fixture(params=[pandas_frame, arrow_table], ids=["pandas", "arrow"])
def frame(request: pytest.FixtureRequest) -> Frame:
    """Columns as a frame of either library."""
    return request.param  # type: ignore[no-any-return]


def test_a_frame_in_a_line(frame: Frame) -> None:
    log = frame_log(
        frame(COLUMNS), **NAMED, propensity="p", person="who", context=["country", "age", "new", "likes"], default="red"
    )
    assert list(log.contexts) == [
        {"new": False, "likes": ()},
        {"country": "ES", "age": 31.0, "new": True, "likes": ("tea", "rum")},
        {"country": "PT", "age": 40.5, "new": False},
    ]
    assert log.times.tolist() == [1714546800.0, 1714550400.0, 1714550400.0]
    assert [log.actions[i].id for i in log.chosen] == ["red", "blue", "red"]
    assert log.propensities.tolist() == [0.75, 0.25, 0.75]
    assert log.probabilities is None
    assert log.rewards.tolist() == [0.0, 1.0, 0.5]
    assert log.persons[0] < 0 <= log.persons[1] == log.persons[2]
    assert (log.slot, log.default, log.timed, log.propensities_estimated) == ("variant", "red", True, False)


def test_a_frame_says_what_the_same_csv_says(frame: Frame, tmp_path: Path) -> None:
    kept = ("when", "who", "arm", "p", "bought", "country", "age", "new")
    table = {name: COLUMNS[name] for name in kept}
    pd.DataFrame(table).to_csv(tmp_path / "a.csv", index=False)
    mapping = ColumnMapping.from_dict(
        {**NAMED, "propensity": "p", "person": "who", "context": {"country": "text", "age": "number", "new": "flag"}}
    )
    filed, framed = csv_log(tmp_path / "a.csv", mapping), log_of_table(frame(table), mapping)
    for column in ("chosen", "propensities", "rewards", "times", "eligible"):
        np.testing.assert_array_equal(getattr(filed, column), getattr(framed, column), err_msg=column)
    assert list(filed.contexts) == list(framed.contexts)
    assert filed.actions == framed.actions


@pytest.mark.parametrize(
    "told",
    [
        {"probabilities": "chances", "eligible": "shown"},
        {"probabilities": {"red": "p_red", "blue": "p_blue"}},
        {"probabilities": {"red": "p_red", "blue": "p_blue"}, "eligible": "shown", "propensity": "p_told"},
    ],
)
def test_all_probabilities_of_what_was_eligible(frame: Frame, told: Mapping[str, Any]) -> None:
    log = frame_log(frame({**COLUMNS, "p_told": [0.25, 0.75, 1.0]}), variant="arm", reward="bought", **told)
    by_id = {action.id: column for column, action in enumerate(log.actions)}
    order = [by_id["red"], by_id["blue"]]
    assert log.eligible[:, order].tolist() == [[True, True], [True, True], [True, False]]
    assert log.probabilities is not None
    assert log.probabilities[:, order].tolist() == [[0.75, 0.25], [0.75, 0.25], [1.0, 0.0]]
    assert log.propensities.tolist() == [0.25, 0.75, 1.0]
    assert not log.timed
    assert log.times.tolist() == [0.0, 1.0, 2.0]


def test_probabilities_in_single_precision_are_normalised(frame: Frame) -> None:
    thirds = [np.float32(1 / 3)] * 3
    log = frame_log(
        frame({"arm": ["a", "b"], "y": [1.0, 0.0], "p": [thirds, thirds]}),
        variant="arm", reward="y", probabilities="p", variants=["a", "b", "c"],
    )  # fmt: skip
    assert log.probabilities is not None
    assert log.probabilities.sum(axis=1).tolist() == pytest.approx([1.0, 1.0], abs=1e-15)
    assert log.propensities[0] == log.probabilities[0, 0]


@pytest.mark.parametrize(
    ("told", "propensities", "known"),
    [
        ({"shares": "equal"}, [0.5, 0.5, 0.5], True),
        ({"shares": "equal", "eligible": "shown"}, [0.5, 0.5, 1.0], True),
        ({"shares": {"blue": 0.2, "red": 0.8}}, [0.2, 0.8, 0.8], True),
        ({"shares": 0.4}, [0.4, 0.4, 0.4], False),
        ({"shares": "1/2"}, [0.5, 0.5, 0.5], True),
    ],
)
def test_chances_from_the_design(frame: Frame, told: Mapping[str, Any], propensities: object, known: bool) -> None:
    log = frame_log(frame(COLUMNS), variant="arm", reward="bought", **told)
    assert log.propensities.tolist() == propensities
    assert (log.probabilities is not None) == known


def test_every_violation_is_counted_and_named_all_kinds_at_once(frame: Frame) -> None:
    wrong = {
        "arm": ["a", "b", None, "z"],
        "p": ["1/2", "0", "nothing", "2"],
        "y": [1.0, float("nan"), 7.0, 8.0],
        "t": ["2024-05-01", "yesterday", "1714546800", None],
        "age": ["3", "old", None, "inf"],
        "new": ["yes", "no", "maybe", ""],
    }
    with pytest.raises(LogError) as caught:
        frame_log(
            frame(wrong), variant="arm", reward="y", propensity="p", time="t", variants=["a", "b"],
            context={"age": "number", "new": "flag"}, name="trial",
        )  # fmt: skip
    assert set(caught.value.problems) == {
        "column 'arm' (variant): 1 of 4 rows, first row 2 has None, expected a variant",
        "column 'arm' (variant): 1 of 4 rows, first row 3 has 'z', expected one of ['a', 'b']",
        "column 'p' (propensity): 3 of 4 rows, first row 1 has '0', expected a number in (0, 1]",
        "column 'y' (reward): 1 of 4 rows, first row 1 has nan, expected a finite number",
        "column 'y' (reward): 2 of 4 rows, first row 2 has 7.0, expected a number from 0 to 1 (reward_range)",
        "column 't' (time): 2 of 4 rows, first row 1 has 'yesterday', expected a time, ISO 8601, or unix seconds",
        "column 'age' (context): 2 of 4 rows, first row 1 has 'old', expected a finite number or nothing",
        "column 'new' (context): 1 of 4 rows, first row 2 has 'maybe', "
        "expected 1, true, yes or 0, false, no, or nothing",
    }
    assert str(caught.value).startswith("log 'trial': ")


@pytest.mark.parametrize(
    ("changes", "told", "message"),
    [
        (
            {"arm": ["blue", "red", "blue"]},
            {"eligible": "shown"},
            r"1 of 3 rows, first row 2 has 'blue', expected one of those eligible",
        ),
        (
            {"shown": [["red"], ["red", "ink"], ["red"]], "arm": ["red"] * 3, "p": [1.0] * 3},
            {"eligible": "shown", "variants": ["red", "blue"]},
            r"'shown' \(eligible\): 1 of 3 rows, first row 1 has \['red', 'ink'\], expected some of",
        ),
        (
            {"shown": [["red", "blue"], None, ["red"]]},
            {"eligible": "shown"},
            r"'shown' \(eligible\): 1 of 3 rows, first row 1 has None, expected a list",
        ),
        (
            {"chances": [[0.75, 0.25], [0.75, 0.2], [1.0]]},
            {"eligible": "shown", "probabilities": "chances"},
            r"first row 1 has 0.95, expected a sum of 1",
        ),
        (
            {"chances": [[0.75, 0.25], [1.0], [1.0]]},
            {"eligible": "shown", "probabilities": "chances"},
            r"first row 1 has \[1.0\], expected as many numbers",
        ),
        (
            {"chances": [[0.75, 0.25], [-0.5, 1.5], [1.0]]},
            {"eligible": "shown", "probabilities": "chances"},
            "numbers of at least 0",
        ),
        (
            {"p": [0.5, 0.75, 1.0]},
            {"eligible": "shown", "probabilities": "chances"},
            r"'p' \(propensity\): 1 of 3 rows, first row 0 has 0.5, expected what the probabilities say",
        ),
        ({}, {"eligible": "shown"}, r"first row 2 has 0.75, expected 1, since only one variant is eligible"),
        ({"p": [["x"]] * 3}, {}, "expected one value, not a list"),
        ({}, {"eligible": "country"}, "expected a list of variants"),
        ({}, {"context": {"likes": "number"}}, r"'likes' \(context\): 2 of 3 rows, .* expected a number"),
        (
            {},
            {"context": {"country": "texts"}},
            r"'country' \(context\): 2 of 3 rows, first row 0 has 'ES', expected a list of texts",
        ),
        ({}, {"context": ["colour"]}, "no column 'colour'; there are: "),
        ({}, {"time": "hour"}, "no column 'hour'; there are: "),
    ],
)
def test_what_makes_no_sense_together(
    frame: Frame, changes: Mapping[str, object], told: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(LogError, match=message):
        frame_log(frame({**COLUMNS, **changes}), variant="arm", reward="bought", propensity="p", **told)


def test_mistakes_in_the_words(frame: Frame) -> None:
    table = frame(COLUMNS)
    with pytest.raises(MappingError, match="without the probability of each choice can't be evaluated"):
        frame_log(table, variant="arm", reward="bought")
    with pytest.raises(MappingError, match="to say which number is whose"):
        frame_log(table, variant="arm", reward="bought", probabilities="chances")
    with pytest.raises(MappingError, match="what is the share where one is missing"):
        frame_log(table, variant="arm", reward="bought", shares={"red": 0.5, "blue": 0.5}, eligible="shown")
    with pytest.raises(LogError, match="no rows"):
        frame_log(frame({"arm": [], "y": []}), variant="arm", reward="y", shares="equal")
    with pytest.raises(TypeError, match="list: expected a pandas data frame, or an Arrow table"):
        frame_log([1, 2], variant="arm", reward="y", shares="equal")
    with pytest.raises(LogError, match=r"default 'ink' is never shown; variants are: \['blue', 'red'\]"):
        frame_log(table, variant="arm", reward="bought", shares="equal", default="ink")
    with pytest.raises(LogError, match="ids that differ"):
        frame_log(table, variant="arm", reward="bought", shares="equal", actions=[Action("red"), Action("red")])


def test_duplicates_and_the_future_are_counted_not_dropped(frame: Frame) -> None:
    table = frame({**COLUMNS, "bought": [1.0, 0.0, 1.0], "arm": ["red"] * 3, "country": ["ES"] * 3})
    log = frame_log(table, **NAMED, shares="equal", variants=["red", "blue"], person="who", context=["country"])
    assert (len(log), log.duplicates, log.future) == (3, 1, 0), "ana, twice at ten o'clock, in all the same"
    by_age = frame_log(table, **NAMED, shares="equal", variants=["red", "blue"], person="who", context=["age"])
    assert by_age.duplicates == 0, "another context"
    later = frame_log(table, **NAMED, shares="equal", variants=["red", "blue"], id="key", now=1714550399.0)
    assert (later.duplicates, later.future) == (1, 2)
    assert (later.summary().duplicates, later.summary().future) == (1, 2)
    assert later[:1].future == 2, "what was found when the whole log was read"


def test_numbers_as_names_and_kinds_of_columns() -> None:
    frame = pd.DataFrame(
        {
            "arm": [1.0, 2.0, 1.0],
            "who": [7, 7, 8],
            "y": [True, False, True],
            "day": pd.to_datetime(["2024-05-01", "2024-05-02", "2024-05-03"]),
            "kind": pd.Categorical(["x", None, "y"]),
            "n": pd.array([1, None, 3], dtype="Int64"),
        }
    )
    log = frame_log(
        frame, variant="arm", reward="y", shares="equal", time="day", person="who", context=["kind", "n"]
    )  # fmt: skip
    assert log.ids == ("1", "2")
    assert log.rewards.tolist() == [1.0, 0.0, 1.0]
    assert log.times[0] == 1714521600.0
    assert log.persons.tolist() == [7, 7, 8]
    assert list(log.contexts) == [{"kind": "x", "n": 1.0}, {}, {"kind": "y", "n": 3.0}]
    table = pa.Table.from_pandas(frame)
    same = frame_log(table, variant="arm", reward="y", shares="equal", time="day", person="who", context=["kind", "n"])
    assert list(same.contexts) == list(log.contexts)
    assert same.times.tolist() == log.times.tolist()


def test_what_other_frames_hand_over_as_arrow() -> None:
    """As Polars does: a stream, texts as views, lists of a fixed size."""

    class Foreign:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            texts = pa.array(["a", "b", None]).cast(pa.string_view())
            pairs = pa.array([[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]], pa.list_(pa.float32(), 2))
            arms = pa.array(["a", "b", "a"]).dictionary_encode()
            whole = pa.table({"arm": arms, "seen": texts, "p": pairs, "y": pa.array([0, 1, 1], pa.uint8())})
            return whole.__arrow_c_stream__(requested_schema)

    log = frame_log(Foreign(), variant="arm", reward="y", probabilities="p", variants=["a", "b"], context=["seen"])
    assert list(log.contexts) == [{"seen": "a"}, {"seen": "b"}, {}]
    assert log.propensities.tolist() == [0.5, 0.75, 1.0]
    assert log.rewards.tolist() == [0.0, 1.0, 1.0]


def test_columns_of_one_name() -> None:
    frame = pd.DataFrame([[1, 2, 3.0]], columns=["arm", "arm", "y"])
    with pytest.raises(LogError, match="more than one column 'arm'"):
        frame_log(frame, variant="arm", reward="y", shares="equal")


def test_pieces_of_a_table_agree_about_variants_and_persons() -> None:
    table = pa.table({"arm": ["a", "b", "b", "a"], "who": ["x", "y", "y", None], "y": [0.0, 1.0, 1.0, 0.0]})
    mapping = ColumnMapping(variant="arm", reward="y", shares="equal", person="who")
    actions = [Action("b", {"size": 2.0}), Action("a"), Action("c")]
    whole = log_of_table(table, mapping, actions=actions)
    parts = [log_of_table(batch, mapping, actions=actions) for batch in table.to_batches(max_chunksize=2)]
    assert [part.actions for part in parts] == [tuple(actions)] * 2
    assert np.concatenate([part.chosen for part in parts]).tolist() == whole.chosen.tolist() == [1, 0, 0, 1]
    assert parts[0].persons[1] == parts[1].persons[0] >= 0
    assert parts[1].persons[1] < 0
    assert whole.propensities.tolist() == [1 / 3] * 4


def test_ids_of_64_bits_are_told_apart(frame: Frame) -> None:
    """A float rounds them to one number in 256; they are read as they are."""
    ids = [1_750_000_000_000_000_000 + number // 2 for number in range(6)]
    columns = {"arm": ["a", "b"] * 3, "y": [0.0, 1.0] * 3, "who": ids, "key": [2 * one for one in ids]}
    log = frame_log(frame(columns), variant="arm", reward="y", shares="equal", person="who", id="key")
    assert log.persons[::2].tolist() == log.persons[1::2].tolist()
    assert log.summary().persons == 3
    assert log.duplicates == 3
    if frame is arrow_table:  # as data warehouses export NUMBER(38, 0)
        decimal = pa.table({**columns, "who": pa.array(ids, pa.decimal128(38, 0))})
        again = frame_log(decimal, variant="arm", reward="y", shares="equal", person="who")
        assert again.persons.tolist() == log.persons.tolist()
    rounded = {**columns, "who": [float(one) for one in ids]}
    with pytest.raises(LogError, match=r"'who' \(person\): 6 of 6 rows, .* a column of floats has rounded so great a"):
        frame_log(frame(rounded), variant="arm", reward="y", shares="equal", person="who")


def test_a_person_has_one_code_whatever_else_is_in_the_column() -> None:
    """Pieces of a larger table: one has a person who is no whole number, one has only such, one tells them as texts."""
    great = 2**60
    columns = ([5, -1, great], [5, 7, 7], ["5", "-1", str(great)], [5.0, 7.5, -1.0], ["007", "7", "x"])
    mapping = ColumnMapping(variant="arm", reward="y", shares="equal", person="who")
    codes = [
        log_of_table(pa.table({"arm": ["a", "b", "a"], "y": [0.0, 1.0, 0.0], "who": who}), mapping).persons.tolist()
        for who in columns
    ]
    assert codes[0] == codes[2]
    assert codes[1] == [5, 7, 7]
    assert (codes[3][0], codes[3][2]) == (5, codes[0][1])
    assert codes[4][0] != codes[4][1] == 7
    assert len({*codes[0], *codes[1], *codes[3], *codes[4]}) == 7


def test_parquet(tmp_path: Path) -> None:
    names = [name for name in COLUMNS if name != "who"]
    parquet.write_table(pa.table({name: COLUMNS[name] for name in names}), tmp_path / "log.parquet")
    mapping = ColumnMapping.from_dict(
        {**NAMED, "probabilities": "chances", "eligible": "shown", "context": {"likes": "texts"}}
    )
    log = parquet_log(tmp_path / "log.parquet", mapping, now=0.0)
    assert (log.name, len(log), log.future) == ("log.parquet", 3, 3)
    assert log.contexts[1] == {"likes": ("tea", "rum")}
    with pytest.raises(LogError, match="no column 'who'; there are: "):
        parquet_log(tmp_path / "log.parquet", ColumnMapping("arm", "bought", shares="equal", person="who"))


def test_neither_library_is_needed_for_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise AssertionError("pyarrow, for a frame of pandas")

    told = {**NAMED, "shares": "equal", "context": ["likes", "country"], "eligible": "shown"}
    table = arrow_table(COLUMNS)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pandas", None)
        assert len(frame_log(table, **told)) == 3
    monkeypatch.setattr("simulator.sources.columns.load_arrow", absent)
    assert len(frame_log(pandas_frame(COLUMNS), **told)) == 3


def test_a_frame_to_a_result(make_log: Callable[..., Log]) -> None:
    log = make_log(1000)
    frame = pd.DataFrame(
        {
            "lang": log.contexts.values("lang"),
            "arm": [log.ids[i] for i in log.chosen],
            "p": log.propensities,
            "click": log.rewards,
        }
    )
    again = frame_log(frame, variant="arm", reward="click", propensity="p", context=["lang"])
    told = replace(log, probabilities=None)
    found, expected = (evaluate(one).row("fixed:c").estimates["snips"] for one in (again, told))
    assert found.value == pytest.approx(expected.value, rel=1e-12)


def test_estimated_propensities_are_flagged(make_log: Callable[..., Log]) -> None:
    log = make_log(900)
    frame = pd.DataFrame(
        {"lang": log.contexts.values("lang"), "arm": [log.ids[i] for i in log.chosen], "click": log.rewards}
    )
    guessed = frame_log(frame, variant="arm", reward="click", shares=ESTIMATE, context=["lang"])
    assert guessed.propensities_estimated
    assert guessed.probabilities is None, "never exact support"
    assert guessed.summary().propensities_estimated
    np.testing.assert_allclose(guessed.propensities, log.propensities, atol=0.07)
    found = evaluate(guessed)
    assert any("no hidden confounding" in note for note in found.notes)
    uniform = found.row("uniform").diagnostics
    assert uniform is not None
    assert not uniform.support_exact


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ([{"a": 1}] * 3, "'likes': {'a': 1}; expected texts, numbers"),
        ([[{"a": 1}], [], None], "'likes': {'a': 1} in a list; expected lists of texts or of numbers"),
        ([["x"], [["y"]], None], r"'likes': ['y'] in a list"),
        ([{"a"}, None, None], "'likes': {'a'}; expected texts"),
    ],
)
def test_a_column_of_things_in_things(cells: list[object], says: str) -> None:
    with pytest.raises(LogError, match=re.escape(says)):
        frame_log(pandas_frame(COLUMNS | {"likes": cells}), **NAMED, propensity="p", context=["likes"])
