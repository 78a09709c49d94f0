"""Rows of files, a chunk at a time."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from server.errors import InvalidRequest
from server.files.rows import FileRow, as_text, chunked, columns_of, read_rows
from simulator.sources.parquet import ParquetError


def test_csv_rows_keep_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('\ufeffid,note\n1,"two\nlines"\n\n2,plain\n3\n', encoding="utf-8")
    assert columns_of(path) == ["id", "note"]
    assert list(read_rows(path)) == [
        FileRow(1, 3, {"id": "1", "note": "two\nlines"}),
        FileRow(2, 5, {"id": "2", "note": "plain"}),
        FileRow(3, 6, {"id": "3"}, "1 cells, expected 2"),
    ]


def test_parquet_rows_keep_their_types(tmp_path: Path) -> None:
    path = tmp_path / "a.PARQUET"
    at = datetime(2026, 3, 1, tzinfo=UTC)
    pq.write_table(pa.table({"id": ["a", None], "at": pa.array([at, None], pa.timestamp("us", "UTC"))}), path)
    assert columns_of(path) == ["id", "at"]
    first, second = read_rows(path)
    assert (first.number, first.line, first.cells["id"], first.cells["at"]) == (1, 1, "a", at)
    assert second.cells == {"id": None, "at": None}


def test_chunks_hold_no_more_than_was_asked_for() -> None:
    rows = (FileRow(i, i, {}) for i in range(5))
    assert [[row.number for row in chunk] for chunk in chunked(rows, 2)] == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", b"", "expected a name that ends in .csv or .parquet"),
        ("a.csv", b"", "is empty: expected a header"),
        ("a.csv", b"a,a\n", "names a column twice"),
        ("a.csv", b"a\n\xff\n", "expected UTF-8"),
        ("a.csv", b'a\n"x"y\n', "line 2"),
    ],
)
def test_files_that_cant_be_read(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidRequest, match=message):
        print(columns_of(path), *read_rows(path))


def test_a_file_that_only_says_parquet(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("a,b\n1,2\n")
    with pytest.raises(ParquetError, match="is no Parquet file"):
        columns_of(tmp_path / "a.parquet")


def test_cells_as_texts() -> None:
    told = (None, "a", 3, b"x", datetime(2026, 3, 1, tzinfo=UTC))
    assert [as_text(cell) for cell in told] == ["", "a", "3", "x", "2026-03-01T00:00:00+00:00"]
