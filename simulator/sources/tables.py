"""CSV files read cell by cell: every cell that can't be read is reported with line, column, value and expectation."""

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

SHOWN = 10
"""Problems spelled out one by one; the rest is counted."""

TRUE, FALSE = ("1", "true", "t", "yes", "y"), ("0", "false", "f", "no", "n")


class SourceError(ValueError):
    """A file that can't be read as a log. `problems`: the first ones, spelled out; `count`: how many there are."""

    def __init__(self, path: Path, problems: Sequence[str], *, count: int | None = None) -> None:
        self.problems = tuple(problems[:SHOWN])
        self.count = len(problems) if count is None else count
        more = f"\n  … and {self.count - len(self.problems):,} more" if self.count > len(self.problems) else ""
        noun = "problem" if self.count == 1 else "problems"
        super().__init__(f"{path}: {self.count:,} {noun}\n  " + "\n  ".join(self.problems) + more)


class Row:
    """One line of a table."""

    def __init__(self, table: "Table", line: int, cells: dict[str, str]) -> None:
        self._table, self._line, self.cells = table, line, cells

    def read(self, column: str, reader: Callable[[str], T], expected: str) -> T | None:
        """The cell as `reader` gives it; None, and reported, when the reader raises ValueError."""
        try:
            return reader(self.cells[column])
        except ValueError:
            self._table.report(f"line {self._line}, column {column!r}: {self.cells[column]!r}, expected {expected}")
            return None


class Table:
    """A CSV file with a header. Iterate its rows, then call `finish`, which raises if anything was wrong."""

    def __init__(self, path: Path, *, columns: Sequence[str], encoding: str = "utf-8", delimiter: str = ",") -> None:
        """Raises SourceError when the file is missing or empty, or lacks one of `columns`."""
        self._path, self._encoding, self._delimiter = path, encoding, delimiter
        self._problems: list[str] = []
        self._count = 0
        self.header = next((cells for _, cells in self._lines()), [])
        missing = [column for column in dict.fromkeys(columns) if column not in self.header]
        if missing:
            raise SourceError(path, [f"no column {', '.join(map(repr, missing))}; the header has: {self.header}"])

    def __iter__(self) -> Iterator[Row]:
        lines = self._lines()
        next(lines)
        for line, cells in lines:
            if len(cells) != len(self.header):
                self.report(f"line {line}: {len(cells)} cells, expected {len(self.header)}")
            else:
                yield Row(self, line, dict(zip(self.header, cells, strict=True)))

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        # utf-8-sig: spreadsheets write a mark before the first name
        encoding = "utf-8-sig" if self._encoding.lower().replace("_", "-") in ("utf-8", "utf8") else self._encoding
        try:
            with self._path.open(encoding=encoding, newline="") as file:
                reader = csv.reader(file, delimiter=self._delimiter, strict=True)
                for cells in reader:
                    if cells:  # a blank line at the end is no row
                        yield reader.line_num, cells
        except FileNotFoundError as error:
            raise SourceError(self._path, ["no such file"]) from error
        except UnicodeDecodeError as error:
            byte = f"{error.object[error.start]:#04x}"
            text = f"byte {byte} is not {self._encoding}; say the file's encoding in the mapping, as encoding: latin-1"
            raise SourceError(self._path, [text]) from error
        except (csv.Error, OSError) as error:
            raise SourceError(self._path, [str(error)]) from error

    def report(self, problem: str) -> None:
        """Note a problem; the first ones are kept."""
        self._count += 1
        if len(self._problems) < SHOWN:
            self._problems.append(problem)

    def finish(self) -> None:
        """Raise SourceError if any problem was reported."""
        if self._count:
            raise SourceError(self._path, self._problems, count=self._count)


def read_number(text: str) -> float:
    """A finite number. Raises ValueError."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text!r}: expected a finite number")
    return number


def read_propensity(text: str) -> float:
    """A number in (0, 1], also written as a fraction: 1/3. Raises ValueError."""
    try:
        number = float(Fraction(text.strip()))
    except ZeroDivisionError:
        number = 0.0
    if not 0.0 < number <= 1.0:
        raise ValueError(f"{text!r}: expected a number in (0, 1]")
    return number


def read_flag(text: str) -> bool:
    """1, true, t, yes, y or 0, false, f, no, n, in any case. Raises ValueError."""
    lowered = text.strip().lower()
    if lowered not in (*TRUE, *FALSE):
        raise ValueError(f"{text!r}: expected one of {', '.join((*TRUE, *FALSE))}")
    return lowered in TRUE


def read_time(text: str) -> float:
    """Unix seconds, from ISO 8601 (UTC when it names no zone) or from unix seconds. Raises ValueError."""
    try:
        return read_number(text)
    except ValueError:
        time = datetime.fromisoformat(text.strip())
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def one_of(allowed: Sequence[str]) -> Callable[[str], str]:
    """A reader of exactly these texts."""
    known = frozenset(allowed)

    def read(text: str) -> str:
        if text not in known:
            raise ValueError(f"{text!r}: expected one of {sorted(known)}")
        return text

    return read
