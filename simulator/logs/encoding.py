"""Features as the columns of a sparse matrix, for the linear models of rewards and of propensities."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from policies.types import Features, Value
from simulator.logs.contexts import Column, Contexts, Numbers

LEVELS = 200
"""Texts kept per feature, the most frequent ones; the others share one column."""

RANGES = 8
"""Ranges a number is cut into, of about equal counts."""


def encode(rows: Sequence[Features], *, ranges: int = RANGES) -> sparse.csr_array:
    """(n, d) features as columns: a constant 1, numbers standardised and in ranges, texts and flags as 0 and 1.

    ranges: how many a number is cut into, so that a linear model may bend; 1: it can not. A missing feature is 0 in all
    its columns. Columns depend on the rows only, in the order of the names.
    """
    contexts = Contexts.of(rows)
    return Encoder.fit(contexts, ranges=ranges).transform(contexts)


@dataclass(frozen=True, slots=True)
class Encoder:
    """Which columns `encode` makes, once found out from some rows, to make the same of others. numbers: how each is
    scaled, by feature; texts: those that have a column of their own. A feature may be in both.
    """

    numbers: Mapping[str, "Scale"]
    texts: Mapping[str, tuple[str, ...]]

    @classmethod
    def fit(cls, rows: Sequence[Features], *, ranges: int = RANGES) -> "Encoder":
        """The columns for these rows."""
        contexts = Contexts.of(rows)
        numbers, texts = {}, {}
        for name in contexts.keys:
            (_, values), (places, codes, levels) = _parted(contexts.columns[name])
            if values.size:
                numbers[name] = Scale.fit(values, ranges=ranges)
            if places.size:
                texts[name] = _commonest(codes, levels)
        return cls(numbers, texts)

    def transform(self, rows: Sequence[Features]) -> sparse.csr_array:
        """(n, d) these rows in those columns: a text without one shares the last of its feature, a feature that was
        never seen has none.
        """
        contexts = Contexts.of(rows)
        n = len(contexts)
        blocks = [sparse.csr_array(np.ones((n, 1)))]
        for name in sorted({*self.numbers, *self.texts}):
            (places, values), (others, codes, levels) = _parted(contexts.columns.get(name, _MISSING))
            if name in self.numbers:
                blocks.append(self.numbers[name].columns(places, values, n))
            if name in self.texts:
                blocks.append(_text_columns(others, codes, levels, self.texts[name], n))
        return sparse.hstack(blocks, format="csr")


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """How a number is made into columns: what is its mean, its spread, and where its ranges are cut."""

    mean: float
    spread: float
    cuts: NDArray[np.float64]

    @classmethod
    def fit(cls, values: NDArray[np.float64], *, ranges: int = RANGES) -> "Scale":
        """From (m,) values."""
        values = _squarable(values)
        cuts = np.unique(np.quantile(values, np.linspace(0.0, 1.0, ranges + 1)[1:-1]))
        return cls(float(values.mean()), float(values.std()), cuts)

    def columns(self, rows: NDArray[np.intp], values: NDArray[np.float64], n: int) -> sparse.csr_array:
        """(n, 1 + ranges) of the (m,) values that these rows have."""
        values = _squarable(values)
        # far outliers would otherwise rule the fit
        scaled = np.clip((values - self.mean) / self.spread, -4.0, 4.0) if self.spread > 0.0 else np.zeros_like(values)
        ranges = np.searchsorted(self.cuts, values, side="left") + 1
        data = np.concatenate([scaled, np.ones_like(values)])
        places = np.concatenate([np.zeros_like(ranges), ranges])
        return sparse.csr_array((data, (np.concatenate([rows, rows]), places)), shape=(n, self.cuts.size + 2))


def _squarable(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Within what can be squared; beyond it the ranges still tell the numbers apart."""
    return np.clip(values, -1e150, 1e150)


_Numbers = tuple[NDArray[np.intp], NDArray[np.float64]]
_Texts = tuple[NDArray[np.intp], NDArray[np.int32], Sequence[Value]]

_MISSING = Numbers(np.zeros(0))


def _parted(column: Column) -> tuple[_Numbers, _Texts]:
    """Where a feature is a number, and which; and where it is a text or a list of them, and which of the levels."""
    places = np.flatnonzero(column.known)
    if isinstance(column, Numbers):
        return (places, column.values[places]), (places[:0], np.zeros(0, dtype=np.int32), ())
    codes = column.codes[places]
    is_number = np.array([_is_number(level) for level in column.levels], dtype=bool)
    values = np.array([float(level) if _is_number(level) else 0.0 for level in column.levels])  # type: ignore[arg-type]
    number = is_number[codes]
    return (places[number], values[codes[number]]), (places[~number], codes[~number], column.levels)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _texts(value: Value) -> Iterable[str]:
    return value if isinstance(value, tuple) else (str(value),)


def _commonest(codes: NDArray[np.int32], levels: Sequence[Value]) -> tuple[str, ...]:
    """The texts that have a column of their own. codes: (m,) into the levels."""
    counts: dict[str, int] = {}
    for code, seen in enumerate(np.bincount(codes, minlength=len(levels)).tolist()):
        for text in _texts(levels[code]) if seen else ():
            counts[text] = counts.get(text, 0) + seen
    return tuple(sorted(counts, key=lambda text: (-counts[text], text))[:LEVELS])


def _text_columns(
    rows: NDArray[np.intp], codes: NDArray[np.int32], levels: Sequence[Value], kept: Sequence[str], n: int
) -> sparse.csr_array:
    """rows, codes: (m,) where there is a text, or a list of them, and which of `levels`."""
    place = {text: column for column, text in enumerate(kept)}
    texts = [tuple(_texts(level)) for level in levels]
    sizes = np.array([len(told) for told in texts], dtype=np.intp)
    columns = np.array([place.get(text, len(kept)) for told in texts for text in told], dtype=np.intp)
    starts = np.cumsum(sizes) - sizes
    repeats = sizes[codes]  # each row has as many entries as its level has texts
    within = np.arange(int(repeats.sum())) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    found = columns[np.repeat(starts[codes], repeats) + within]
    return sparse.csr_array((np.ones(len(found)), (np.repeat(rows, repeats), found)), shape=(n, len(kept) + 1))
