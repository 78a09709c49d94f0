"""The installation's key of a person beside the person: what joins a warehouse with `decisions.person`."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from server.errors import InvalidRequest
from server.files.rows import CHUNK, CSV, chunked, columns_of, kind_of, listed, read_rows
from server.files.writing import replacing
from server.ids import person_key
from simulator.sources.parquet import load_arrow, load_parquet, open_parquet

KEY = "person_key"


def add_person_keys(
    path: Path,
    out: Path,
    *,
    secret: bytes,
    column: str,
    into: str = KEY,
    progress: Callable[[int], None] = lambda rows: None,
) -> int:
    """Write `path` again as `out`, of the same kind, with a column more: the key under which decisions name the person.

    The key is of the text in `column` exactly as it stands there, as a caller would send it: no trimming, no lower
    case. No person, no key. `secret`: the installation's, without which nobody can make the key from a person.
    Returns the number of rows. Raises InvalidRequest, ParquetError, OSError.
    """
    kind = kind_of(path)
    if kind_of(out) != kind:
        raise InvalidRequest(f"{out}: expected a name that ends in {kind}, as the file that is read")
    if out.exists() and out.samefile(path):
        raise InvalidRequest(f"{out} is the file to read: name another one")
    header = columns_of(path)
    if column not in header:
        raise InvalidRequest(f"{path} has no column {column!r}; it has {listed(header)}")
    if into in header:
        raise InvalidRequest(f"{path} has a column {into!r} already: name another one for the key")
    copy = _copy_csv if kind == CSV else _copy_parquet
    return copy(path, out, lambda person: person_key(secret, person), column, into, progress)


def _copy_csv(
    path: Path, out: Path, key: Callable[[str], str], column: str, into: str, progress: Callable[[int], None]
) -> int:
    rows = 0
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*columns_of(path), into])
        for chunk in chunked(read_rows(path)):
            for row in chunk:
                if row.problem:
                    raise InvalidRequest(f"{path}, line {row.line}: {row.problem}")
                person = row.cells[column]
                writer.writerow([*row.cells.values(), key(person) if person else ""])
            rows += len(chunk)
            progress(rows)
    return rows


def _copy_parquet(
    path: Path, out: Path, key: Callable[[str], str], column: str, into: str, progress: Callable[[int], None]
) -> int:
    arrow, parquet = load_arrow(), load_parquet()
    rows = 0
    with open_parquet(path) as file, replacing(out) as temporary:
        kind = file.schema_arrow.field(column).type
        schema = file.schema_arrow.append(arrow.field(into, arrow.string()))
        _check_kind(arrow, path, column, kind)
        with parquet.ParquetWriter(temporary, schema) as writer:
            for batch in file.iter_batches(batch_size=CHUNK):
                keys = [_key_of(person, key) for person in batch.column(column).to_pylist()]
                added = arrow.array(keys, arrow.string())
                writer.write_batch(arrow.record_batch([*batch.columns, added], schema=schema))
                rows += len(keys)
                progress(rows)
    return rows


def _check_kind(arrow: Any, path: Path, column: str, kind: Any) -> None:
    held = kind.value_type if arrow.types.is_dictionary(kind) else kind
    good = (arrow.types.is_string, arrow.types.is_large_string, arrow.types.is_string_view, arrow.types.is_integer)
    if not any(test(held) for test in good):
        # a customer number as 1234.0 would be hashed with its decimals, and match nobody
        raise InvalidRequest(f"{path}: column {column!r} holds {kind}, expected texts or whole numbers")


def _key_of(person: Any, key: Callable[[str], str]) -> str | None:
    return None if person is None or person == "" else key(str(person))
