"""The rows of a CSV or Parquet file, a chunk at a time: a file may be larger than the memory."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from server.errors import InvalidRequest
from simulator.sources.parquet import open_parquet

CSV, PARQUET = ".csv", ".parquet"
CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row. `number` counts rows from 1; `line` is where it ends in a CSV file, its number in a Parquet file.

    Cells are texts in a CSV file, whatever the column holds in a Parquet file. `problem` says why the row can't be
    read, if it can't.
    """

    number: int
    line: int
    cells: Mapping[str, Any]
    problem: str = ""


def kind_of(path: Path) -> str:
    """CSV or PARQUET. Raises InvalidRequest for a name that ends otherwise."""
    suffix = path.suffix.lower()
    if suffix not in (CSV, PARQUET):
        raise InvalidRequest(f"{path}: expected a name that ends in {CSV} or {PARQUET}")
    return suffix


def columns_of(path: Path) -> list[str]:
    """The names of the columns, in order. Raises InvalidRequest, ParquetError, OSError."""
    if kind_of(path) == PARQUET:
        file = open_parquet(path)
        with file:
            return list(file.schema_arrow.names)
    with _csv_lines(path) as lines:
        header = next(lines, None)
    if header is None:
        raise InvalidRequest(f"{path} is empty: expected a header")
    if len(set(header[1])) != len(header[1]):
        raise InvalidRequest(f"{path}: the header names a column twice: {', '.join(header[1])}")
    return header[1]


def read_rows(path: Path) -> Iterator[FileRow]:
    """Every row, in order. Raises InvalidRequest, ParquetError, OSError."""
    return _parquet_rows(path) if kind_of(path) == PARQUET else _csv_rows(path)


def chunked(rows: Iterator[FileRow], size: int = CHUNK) -> Iterator[list[FileRow]]:
    """The rows in lists of `size`."""
    chunk: list[FileRow] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def listed(names: Iterable[str]) -> str:
    """Names for a sentence: 'a', 'b'."""
    return ", ".join(map(repr, names))


def as_text(value: Any) -> str:
    """A cell as a CSV file would hold it: nothing is an empty text, times are ISO 8601."""
    match value:
        case None:
            return ""
        case str():
            return value
        case datetime():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8")
        case _:
            return str(value)


def _parquet_rows(path: Path) -> Iterator[FileRow]:
    file = open_parquet(path)
    number = 0
    with file:
        for batch in file.iter_batches(batch_size=CHUNK):
            for cells in batch.to_pylist():
                number += 1
                yield FileRow(number, number, cells)


def _csv_rows(path: Path) -> Iterator[FileRow]:
    with _csv_lines(path) as lines:
        _, header = next(lines, (0, []))
        for number, (line, cells) in enumerate(lines, start=1):
            problem = "" if len(cells) == len(header) else f"{len(cells)} cells, expected {len(header)}"
            yield FileRow(number, line, dict(zip(header, cells, strict=False)), problem)


@contextmanager
def _csv_lines(path: Path) -> Iterator[Iterator[tuple[int, list[str]]]]:
    # utf-8-sig: spreadsheets write a mark before the first name
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield _lines(path, csv.reader(file, strict=True))


def _lines(path: Path, reader: Any) -> Iterator[tuple[int, list[str]]]:
    try:
        for cells in reader:
            if cells:  # a blank line at the end is no row
                yield reader.line_num, cells
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{path}, after line {reader.line_num}: expected UTF-8: {error.reason}") from error
    except csv.Error as error:
        raise InvalidRequest(f"{path}, line {reader.line_num}: {error}") from error
