"""Rows of a file as outcomes that can be told twice."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from server.errors import InvalidRequest
from server.files.outcomes import Answer, Columns, Item, Rejected, read_columns, read_item, send_outcomes
from server.files.rows import FileRow

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
OWN = Columns((), {field: field for field in ("decision_id", "metric", "value", "at", "key", "slot")})


def item(number: int = 1, **cells: Any) -> Item:
    every = {**dict.fromkeys(OWN.by_field), "decision_id": "d", **cells}
    return read_item(FileRow(number, number, every), OWN)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "outcomes.csv"


def test_what_is_not_said_is_left_to_the_protocol() -> None:
    assert set(item()) == {"decision_id", "key"}
    assert item(metric="sale", value="2.5", at="2026-03-01T13:00+01:00", key="k", slot="cta") == {
        "decision_id": "d",
        "metric": "sale",
        "value": 2.5,
        "at": AT,
        "key": "k",
        "slot": "cta",
    }


@pytest.mark.parametrize(
    "at", ["2026-03-01 12:00", AT, AT.replace(tzinfo=None), str(AT.timestamp()), int(AT.timestamp())]
)
def test_times_are_utc_unless_they_say_otherwise(at: Any) -> None:
    assert item(at=at)["at"] == AT


def test_a_day_is_its_first_moment() -> None:
    assert item(at=date(2026, 3, 1))["at"] == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"decision_id": ""}, "decision_id: missing"),
        ({"value": "much"}, "value: 'much', expected a number"),
        ({"at": "soon"}, "at: 'soon', expected an ISO 8601 time"),
        ({"at": "1e30"}, "at: '1e30', expected an ISO 8601 time"),
    ],
)
def test_cells_that_cant_be_read(cells: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        item(**cells)


def of_person(of_others: str | None = None, /, **cells: str) -> Any:
    columns = Columns(tuple(cells), {name: name for name in cells}, of_others)
    return read_item(FileRow(1, 2, cells), columns)


def test_a_row_names_a_decision_or_a_person() -> None:
    both = {"decision_id": "d", "person": "", "campaign": "hero"}
    assert of_person(**both).keys() == {"decision_id", "key"}
    named = of_person(decision_id="", person="ana", campaign="hero")
    assert (named["person"], named["campaign"]) == ("ana", "hero")
    assert of_person("hero", person="ana")["campaign"] == "hero"
    assert of_person("other", person="ana", campaign="hero")["campaign"] == "hero"
    for cells, message in (
        ({**both, "person": "ana"}, "expected only one of the two"),
        ({**both, "decision_id": ""}, "person: missing"),
        ({"person": "ana", "campaign": ""}, "campaign: missing"),
    ):
        with pytest.raises(InvalidRequest, match=message):
            of_person(**cells)


def test_own_keys_tell_rows_apart_and_files_not() -> None:
    """Two purchases of one price at one moment are two rows; a number or a text with the same value are one."""
    assert item(1, value="2")["key"] == item(1, value=2.0)["key"]
    different = [item(1), item(2), item(1, value=2), item(1, metric="2"), item(1, slot="2"), item(1, at=AT)]
    assert len({one["key"] for one in different}) == len(different)


def test_columns_by_their_own_names_and_by_others(file: Path) -> None:
    file.write_text("decision,amount,key,day,rejected_line\n")
    found = read_columns(file, named={"decision_id": "decision", "value": "amount"}, ignored=["day"])
    assert found.by_field == {"decision_id": "decision", "value": "amount", "key": "key"}
    assert found.rejects_header == ["decision", "amount", "key", "day", "rejected_line", "rejected_because"]


def test_a_column_is_one_thing(file: Path) -> None:
    file.write_text("decision_id,value,key\n")
    found = read_columns(file, named={"metric": "value"}, ignored=["key"])
    assert found.by_field == {"decision_id": "decision_id", "metric": "value"}


@pytest.mark.parametrize(
    ("header", "given", "message"),
    [
        ("decision_id,vlaue,x", {}, "nobody knows the column 'vlaue', 'x'"),
        ("decision", {}, "no column is the decision_id or the person; it has 'decision'"),
        ("person,metric", {}, "no column is the campaign in which persons were shown something"),
        ("decision_id", {"named": {"price": "decision_id"}}, "no field 'price'; expected 'decision_id', 'person'"),
        ("decision_id", {"named": {"value": "amount"}}, "has no column 'amount'; it has 'decision_id'"),
        ("decision_id", {"ignored": ["x"]}, "has no column 'x'"),
    ],
)
def test_columns_that_cant_be_right(file: Path, header: str, given: dict[str, Any], message: str) -> None:
    file.write_text(header + "\n")
    with pytest.raises(InvalidRequest, match=message):
        read_columns(file, **given)


def test_a_large_file_is_sent_chunk_by_chunk(file: Path) -> None:
    file.write_text("decision_id,value\n" + "".join(f"d{i},{'x' if i == 7_000 else i}\n" for i in range(12_000)))
    sent: list[int] = []
    rejected: list[Rejected] = []

    def send(items: Sequence[Item]) -> list[Answer]:
        sent.append(len(items))
        return [Answer("", "no") if one["value"] == 3.0 else Answer("accepted") for one in items]

    columns = read_columns(file)
    steps = [so_far.copy() for so_far in send_outcomes(file, columns, send=send, reject=rejected.append)]
    assert sent == [5_000, 4_999, 2_000]
    assert [step["accepted"] for step in steps] == [4_999, 9_998, 11_998]
    assert steps[-1]["refused"] == 2
    assert [(one.line, one.because) for one in rejected] == [(5, "no"), (7_002, "value: 'x', expected a number")]
    assert rejected[0].cells["key"].startswith("row-")  # sent again it is the same outcome, whatever became of it
