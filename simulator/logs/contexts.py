"""The contexts of a log as columns: rows are made when somebody asks for one.

A row as a dict takes some hundred bytes and more; as columns it takes four bytes a text and eight a number.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from policies.types import Features, Value

Rows = NDArray[np.bool_] | NDArray[np.intp] | slice
Codes32 = NDArray[np.int32]

BLOCK = 4_096
"""Rows made at once while iterating."""


class UnfitValue(ValueError):
    """A value that is no feature. what: which one it was to be."""

    def __init__(self, what: str, value: object, expected: str) -> None:
        self.what, self.value, self.expected = what, value, expected
        super().__init__(f"{what}: {value!r}, expected {expected}")


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A feature that is a number wherever it is known. values: (n,) float64, nan where a row has no such feature."""

    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def known(self) -> NDArray[np.bool_]:
        """(n,) which rows have it."""
        return ~np.isnan(self.values)

    def take(self, rows: Rows) -> "Numbers":
        """The same feature of these rows."""
        return Numbers(_frozen(self.values[rows]))

    def at(self, row: int) -> Value | None:
        """Its value in one row; None where there is none."""
        value = self.values.item(row)
        return None if value != value else value

    def values_of(self, rows: slice) -> list[Value | None]:
        """Its values in some rows, None where there is none."""
        return [None if value != value else value for value in self.values[rows].tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A feature of any kind, texts above all. codes: (n,) int32 into `levels`, -1 where a row has no such feature.

    levels: its values, each once; a number beside texts is one of them.
    """

    codes: Codes32
    levels: tuple[Value, ...]

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def known(self) -> NDArray[np.bool_]:
        """(n,) which rows have it."""
        return self.codes >= 0

    def take(self, rows: Rows) -> "Coded":
        """The same feature of these rows, over the same levels."""
        return Coded(_frozen(self.codes[rows]), self.levels)

    def at(self, row: int) -> Value | None:
        """Its value in one row; None where there is none."""
        code = self.codes.item(row)
        return None if code < 0 else self.levels[code]

    def values_of(self, rows: slice) -> list[Value | None]:
        """Its values in some rows, None where there is none."""
        found = (*self.levels, None)  # -1 is the last
        return [found[code] for code in self.codes[rows].tolist()]


Column = Numbers | Coded


class Contexts(Sequence[Features]):
    """(n,) the features of each round, kept as one column a feature. Immutable.

    An item is a row, made anew each time it is asked for: two askings give equal dicts, not the same one. A slice, or
    `take` with an array of rows or of flags, gives contexts that share the levels of these.
    """

    __slots__ = ("_columns", "_n")

    def __init__(self, columns: Mapping[str, Column], n: int) -> None:
        """Raises ValueError for a column that has not n rows."""
        for name, column in columns.items():
            if len(column) != n:
                raise ValueError(f"context {name!r}: {len(column)} rows, expected {n}")
        self._columns = dict(columns)
        self._n = n

    @classmethod
    def of(cls, rows: Iterable[Features]) -> "Contexts":
        """From rows, read once and not kept. A number that is nan is no feature. Raises UnfitValue."""
        if isinstance(rows, Contexts):
            return rows
        building = ContextsBuilder()
        for row in rows:
            building.add(row)
        return building.done()

    @classmethod
    def joined(cls, parts: Sequence["Contexts"]) -> "Contexts":
        """The rows of the first, then those of the second, and so on."""
        names = dict.fromkeys(name for part in parts for name in part._columns)
        columns = {name: _joined([part._columns.get(name, _nothing(len(part))) for part in parts]) for name in names}
        return cls(columns, sum(map(len, parts)))

    @property
    def columns(self) -> Mapping[str, Column]:
        """By feature, in the order in which they were first seen. A feature may be known of no row of these."""
        return self._columns

    @property
    def keys(self) -> list[str]:
        """The features that at least one row has, sorted."""
        return sorted(name for name, column in self._columns.items() if column.known.any())

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, row: int) -> Features: ...
    @overload
    def __getitem__(self, row: slice) -> "Contexts": ...
    def __getitem__(self, row: int | slice) -> "Features | Contexts":
        if isinstance(row, slice):
            return self.take(row)
        if not -self._n <= row < self._n:
            raise IndexError(f"row {row} of {self._n}")
        return {name: value for name, column in self._columns.items() if (value := column.at(row)) is not None}

    def __iter__(self) -> Iterator[Features]:
        for start in range(0, self._n, BLOCK):
            rows = slice(start, min(start + BLOCK, self._n))
            columns = [column.values_of(rows) for column in self._columns.values()]
            if not columns:
                yield from ({} for _ in range(rows.stop - start))
                continue
            for values in zip(*columns, strict=True):
                yield {name: value for name, value in zip(self._columns, values, strict=True) if value is not None}

    def take(self, rows: Rows) -> "Contexts":
        """The contexts of these rows: a slice, an array of rows, or one of flags."""
        taken = {name: column.take(rows) for name, column in self._columns.items()}
        n = len(next(iter(taken.values()))) if taken else len(np.arange(self._n)[rows])
        return Contexts(taken, n)

    def values(self, key: str) -> list[Value | None]:
        """(n,) one feature, None where a row has none."""
        column = self._columns.get(key)
        return [None] * self._n if column is None else column.values_of(slice(None))

    def where(self, predicate: Callable[[Features], bool]) -> NDArray[np.bool_]:
        """(n,) the rows of which it holds."""
        return np.fromiter((bool(predicate(row)) for row in self), dtype=bool, count=self._n)

    def same_rows(self) -> NDArray[np.int64]:
        """(n,) a code for each different row: equal rows have equal codes."""
        codes = np.zeros(self._n, dtype=np.int64)
        for column in self._columns.values():
            values = column.values if isinstance(column, Numbers) else column.codes
            _, own = np.unique(values, return_inverse=True)  # nan equals nan here, as it should
            _, codes = np.unique(codes * (int(own.max(initial=0)) + 1) + own.reshape(-1), return_inverse=True)
            codes = codes.reshape(-1)
        return codes

    def __repr__(self) -> str:
        return f"Contexts({self._n:,} rows of {', '.join(self._columns) or 'nothing'})"


class ContextsBuilder:
    """Contexts under way: told row by row, none of which it keeps."""

    def __init__(self) -> None:
        self._columns: dict[str, _Building] = {}
        self._n = 0

    def add(self, features: Features) -> None:
        """The next row. Raises UnfitValue."""
        for name, value in features.items():
            column = self._columns.get(name)
            if column is None:
                column = self._columns[name] = _Building()
            try:
                column.add(self._n, value)
            except (TypeError, OverflowError) as error:
                raise UnfitValue(f"context {name!r}", value, "a text, a number, a flag, or a list of texts") from error
        self._n += 1

    def done(self) -> Contexts:
        """All rows told so far."""
        return Contexts({name: column.done(self._n) for name, column in self._columns.items()}, self._n)


class _Building:
    """One column under way: its numbers in one array, whatever else in another."""

    def __init__(self) -> None:
        self._numbers = array("d")
        self._codes = array("i")
        self._levels: dict[tuple[type, Value], int] = {}  # True is 1 to a dict, and to nobody else

    def add(self, row: int, value: Value) -> None:
        if isinstance(value, (float, int, np.number)) and not isinstance(value, bool):
            _pad(self._numbers, nan, row)
            self._numbers.append(float(value))
            return
        _pad(self._codes, -1, row)
        self._codes.append(self._code(_plain(value)))

    def _code(self, value: Value) -> int:
        return self._levels.setdefault((type(value), value), len(self._levels))

    def done(self, n: int) -> Column:
        if not self._codes:
            _pad(self._numbers, nan, n)
            return Numbers(_frozen(np.array(self._numbers, dtype=np.float64)))
        _pad(self._codes, -1, n)
        codes = np.array(self._codes, dtype=np.int32)
        if self._numbers:
            _pad(self._numbers, nan, n)
            for row in np.flatnonzero(~np.isnan(np.array(self._numbers))):
                codes[row] = self._code(self._numbers[row])
        return Coded(_frozen(codes), tuple(value for _, value in self._levels))


def _nothing(n: int) -> Column:
    return Numbers(np.full(n, nan))


def _joined(parts: Sequence[Column]) -> Column:
    """One feature of the rows of all parts. Numbers beside texts become levels, each once."""
    if all(isinstance(part, Numbers) for part in parts):
        return Numbers(_frozen(np.concatenate([part.values for part in parts if isinstance(part, Numbers)])))
    levels: dict[tuple[type, Value], int] = {}  # True is 1 to a dict, and to nobody else
    codes = []
    for part in parts:
        if isinstance(part, Numbers):
            values, own = np.unique(part.values[part.known], return_inverse=True)
            found = np.full(len(part), -1, dtype=np.int32)
            places = [levels.setdefault((float, value), len(levels)) for value in values.tolist()]
            found[part.known] = np.array(places, dtype=np.int32)[own.reshape(-1)]
        else:
            places = [levels.setdefault((type(level), level), len(levels)) for level in part.levels]
            found = np.array([*places, -1], dtype=np.int32)[part.codes]  # -1 is the last
        codes.append(found)
    return Coded(_frozen(np.concatenate(codes)), tuple(value for _, value in levels))


def _pad(values: "array[Any]", missing: float, length: int) -> None:
    if short := length - len(values):
        values.extend([missing] * short)


def _plain(value: Any) -> Value:
    """What may be a level: hashable, and of no other library. Raises TypeError for what a list may not hold."""
    if isinstance(value, np.bool_):
        return bool(value)
    if not isinstance(value, (tuple, list)):
        single: Value = value
        return single
    if any(isinstance(one, (dict, list, set, tuple)) for one in value):
        raise TypeError(f"{value!r}: a list of more than single values")
    return tuple(str(one) for one in value)


def _frozen(values: NDArray[Any]) -> NDArray[Any]:
    values.flags.writeable = False
    return values
