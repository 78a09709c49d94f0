"""Keys of persons beside the persons."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from server.errors import InvalidRequest
from server.files.persons import add_person_keys
from server.ids import person_key

SECRET = b"s" * 32
ANA = person_key(SECRET, "ana@example.org")


def add(path: Path, out: Path, **given: Any) -> int:
    return add_person_keys(path, out, secret=SECRET, **{"column": "mail", **given})


def test_csv(tmp_path: Path) -> None:
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text('mail,note\nana@example.org,"a, b"\n,nobody\nAna@example.org,\n', encoding="utf-8")
    seen: list[int] = []
    assert add(path, out, progress=seen.append) == 3
    other = person_key(SECRET, "Ana@example.org")
    assert out.read_text() == (
        f'mail,note,person_key\nana@example.org,"a, b",{ANA}\n,nobody,\nAna@example.org,,{other}\n'
    )
    assert seen == [3]


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    path, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    table = pa.table({"mail": ["ana@example.org", None, ""], "n": pa.array([1, 2, None], pa.int8())})
    pq.write_table(table, path)
    assert add(path, out, into="key") == 3
    read = pq.read_table(out)
    assert read.select(["mail", "n"]).equals(table)
    assert read.column("key").to_pylist() == [ANA, None, None]


def test_whole_numbers_are_persons_too(tmp_path: Path) -> None:
    pq.write_table(pa.table({"mail": [12, 34]}), tmp_path / "in.parquet")
    add(tmp_path / "in.parquet", tmp_path / "out.parquet")
    keys = pq.read_table(tmp_path / "out.parquet").column("person_key").to_pylist()
    assert keys == [person_key(SECRET, "12"), person_key(SECRET, "34")]


def test_numbers_with_decimals_are_not(tmp_path: Path) -> None:
    pq.write_table(pa.table({"mail": [12.0]}), tmp_path / "in.parquet")
    with pytest.raises(InvalidRequest, match="column 'mail' holds double, expected texts or whole numbers"):
        add(tmp_path / "in.parquet", tmp_path / "out.parquet")


@pytest.mark.parametrize(
    ("content", "out", "given", "message"),
    [
        ("mail\na\n", "out.parquet", {}, "expected a name that ends in .csv"),
        ("mail\na\n", "in.csv", {}, "is the file to read"),
        ("who\na\n", "out.csv", {}, "has no column 'mail'; it has 'who'"),
        ("mail,x\na,1\n", "out.csv", {"into": "x"}, "has a column 'x' already"),
        ("mail,x\na,1\nb\n", "out.csv", {}, "line 3: 1 cells, expected 2"),
    ],
)
def test_what_is_refused_leaves_nothing(
    tmp_path: Path, content: str, out: str, given: dict[str, Any], message: str
) -> None:
    (tmp_path / "in.csv").write_text(content)
    with pytest.raises(InvalidRequest, match=message):
        add(tmp_path / "in.csv", tmp_path / out, **given)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]
    assert (tmp_path / "in.csv").read_text() == content
