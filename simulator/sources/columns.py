"""One column of a data frame as arrays, whether pandas or Arrow made the frame. Neither is imported for the other."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.sources.parquet import load_arrow

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


EXACT = 2**53
"""Up to here a float tells every whole number from the next; columns of greater integers are read as `Levels`."""


@dataclass(frozen=True, slots=True, eq=False)
class Numeric:
    """values: (n,), nan where the frame has nothing. moments: they are unix seconds of a column of times."""

    values: Floats
    moments: bool = False

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, row: int) -> object:
        return self.values.item(row)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """(n,) where the frame has nothing."""
        return np.isnan(self.values)


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """codes: (n,) into `levels`, -1 where the frame has nothing. levels: texts, flags, whatever, each once."""

    codes: Indices
    levels: Sequence[Any]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: int) -> object:
        code = self.codes.item(row)
        return None if code < 0 else self.levels[code]

    @property
    def missing(self) -> NDArray[np.bool_]:
        """(n,) where the frame has nothing."""
        return self.codes < 0


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """sizes: (n,) of each row's list, 0 where there is none. missing: (n,) which. items: of all, in their order."""

    sizes: Indices
    missing: NDArray[np.bool_]
    items: Numeric | Levels

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, row: int) -> object:
        start = int(self.sizes[:row].sum())
        return None if self.missing[row] else [self.items[start + place] for place in range(int(self.sizes[row]))]

    @property
    def rows(self) -> Indices:
        """Of each item, the row whose list it is in."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @property
    def places(self) -> Indices:
        """Of each item, its place in its list."""
        return np.arange(int(self.sizes.sum())) - np.repeat(np.cumsum(self.sizes) - self.sizes, self.sizes)


Cells = Numeric | Levels | Lists


def as_frame(frame: Any) -> Any:
    """A pandas frame as it is; an Arrow table, record batch, or whatever hands its data over as Arrow does (Polars,
    DuckDB), as an Arrow table. Raises ParquetError where that needs pyarrow, TypeError for no frame at all.
    """
    if hasattr(frame, "iloc"):
        return frame
    if not (hasattr(frame, "__arrow_c_stream__") or hasattr(frame, "__arrow_c_array__")):
        raise TypeError(f"{type(frame).__name__}: expected a pandas data frame, or an Arrow table")
    arrow = load_arrow()
    if isinstance(frame, arrow.RecordBatch):
        return arrow.Table.from_batches([frame])
    return frame if isinstance(frame, arrow.Table) else arrow.table(frame)


def names_of(frame: Any) -> list[str]:
    """The columns of what `as_frame` gave."""
    return [str(name) for name in (frame.columns if hasattr(frame, "iloc") else frame.column_names)]


def read_column(frame: Any, name: str) -> Cells:
    """One column of what `as_frame` gave. Raises TypeError for one of which nothing can be read."""
    return _of_pandas(frame[name]) if hasattr(frame, "iloc") else _of_arrow(frame.column(name))


def _of_pandas(series: Any) -> Cells:
    kind = series.dtype.kind
    if kind in "iuf" and not (kind in "iu" and _inexact(series.dropna())):
        return Numeric(series.to_numpy(dtype=np.float64, na_value=np.nan))
    if kind == "M":
        return _moments(series.to_numpy(dtype="datetime64[us]"))
    try:
        codes, levels = series.factorize()
    except TypeError:  # lists can't be told apart by their hash
        return _lists(series.to_numpy())
    if any(isinstance(level, (tuple, list)) for level in levels[:1]):
        return _lists(series.to_numpy())
    return Levels(np.asarray(codes, dtype=np.intp), list(levels))


def _inexact(integers: Any) -> bool:
    """Whether a float would round any of them, as the ids are that many systems hand out."""
    return len(integers) > 0 and not -EXACT <= int(integers.min()) <= int(integers.max()) <= EXACT


def _lists(values: NDArray[np.object_]) -> Lists:
    missing = np.array([not isinstance(value, (list, tuple, np.ndarray)) for value in values])
    strange = next((value for value, bad in zip(values, missing, strict=True) if bad and not _nothing(value)), None)
    if isinstance(strange, (dict, set)):
        raise TypeError(f"{strange!r}; expected texts, numbers, flags, times, or lists of texts or numbers")
    if strange is not None:
        raise TypeError(f"{strange!r} beside lists; expected lists alone")
    sizes = np.array([0 if bad else len(value) for value, bad in zip(values, missing, strict=True)], dtype=np.intp)
    items: list[Any] = list(chain.from_iterable(value for value, bad in zip(values, missing, strict=True) if not bad))
    if (inner := next((item for item in items if isinstance(item, (dict, list, set))), None)) is not None:
        raise TypeError(f"{inner!r} in a list; expected lists of texts or of numbers")
    if all(isinstance(item, (float, int, np.number)) for item in items):
        return Lists(sizes, missing, Numeric(np.array(items, dtype=np.float64)))
    return Lists(sizes, missing, coded(items))


def _nothing(value: Any) -> bool:
    return value is None or value != value


def coded(values: Iterable[Hashable]) -> Levels:
    """Values by their levels, in order of appearance; None is nothing."""
    found: dict[Hashable, int] = {}
    codes = [-1 if value is None else found.setdefault(value, len(found)) for value in values]
    return Levels(np.array(codes, dtype=np.intp), list(found))


def _moments(values: NDArray[np.datetime64]) -> Numeric:
    seconds = values.astype(np.int64) / 1e6
    seconds[np.isnat(values)] = np.nan
    return Numeric(seconds, moments=True)


def _of_arrow(column: Any) -> Cells:
    arrow = load_arrow()
    kind, types = column.type, arrow.types
    if types.is_integer(kind) or (types.is_decimal(kind) and kind.scale == 0):
        try:  # a decimal by way of an integer: only then it is said where a float would round
            whole = column if types.is_integer(kind) else column.cast(arrow.int64())
            return Numeric(np.array(whole.cast(arrow.float64()).to_numpy(), dtype=np.float64))
        except arrow.ArrowInvalid:
            return coded(None if one is None else int(one) for one in column.to_pylist())
    if types.is_floating(kind) or types.is_decimal(kind):
        return Numeric(np.array(column.cast(arrow.float64()).to_numpy(), dtype=np.float64))
    if types.is_timestamp(kind) or types.is_date(kind):
        return _moments(column.cast(arrow.timestamp("us"), safe=False).to_numpy().astype("datetime64[us]"))
    if types.is_string_view(kind):  # Polars has only these, and they have no levels
        return _of_arrow(column.cast(arrow.large_string()))
    if types.is_fixed_size_list(kind):
        return _of_arrow(column.cast(arrow.list_(kind.value_type)))
    if types.is_list(kind) or types.is_large_list(kind):
        whole = column.combine_chunks()
        sizes = whole.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.intp)
        items = _of_arrow(arrow.chunked_array([whole.flatten()]))
        if isinstance(items, Lists):
            raise TypeError("lists of lists; expected lists of texts or of numbers")
        return Lists(sizes, whole.is_null().to_numpy(zero_copy_only=False), items)
    if types.is_null(kind):
        return Levels(np.full(len(column), -1, dtype=np.intp), [])
    if types.is_dictionary(kind) or types.is_boolean(kind) or types.is_string(kind) or types.is_large_string(kind):
        whole = (column if types.is_dictionary(kind) else column.dictionary_encode()).unify_dictionaries()
        whole = whole.combine_chunks()
        codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return Levels(codes.astype(np.intp), whole.dictionary.to_pylist())
    raise TypeError(f"a column of type {kind}; expected texts, numbers, flags, times, or lists of texts or numbers")
