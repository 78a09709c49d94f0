"""What a column of a frame says: numbers, texts, moments, persons, features."""

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.logs.contexts import Coded, Column, Numbers
from simulator.logs.problems import Problems
from simulator.sources.columns import EXACT, Cells, Levels, Lists, Numeric, coded
from simulator.sources.tables import read_flag, read_number, read_propensity, read_time

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def numbers(cells: Cells, *, read: Callable[[Any], float] | None = None) -> Floats:
    """(n,) nan where there is no number. read: of one level, raising ValueError or TypeError."""
    match cells:
        case Numeric():
            return cells.values
        case Levels():
            return _by_level(cells, read or _number)
        case Lists():
            return np.full(len(cells), np.nan)


def propensities(cells: Cells) -> Floats:
    """(n,) also from fractions, 1/3; nan where there is none."""
    return numbers(cells, read=lambda level: read_propensity(str(level)))


def seconds(cells: Cells) -> Floats:
    """(n,) unix seconds: from times, from ISO 8601 (UTC where no zone is named), or from seconds; nan elsewhere."""
    return numbers(cells, read=_moment)


def texts(cells: Numeric | Levels) -> Levels:
    """(n,) over texts, each once; an empty one is nothing. Whole numbers are written as such: 1, not 1.0."""
    if isinstance(cells, Numeric):
        levels, codes = np.unique(cells.values, return_inverse=True)
        cells = Levels(np.where(cells.missing, -1, codes.reshape(-1)), levels.tolist())
    names = coded(_text(level) or None for level in cells.levels)
    return Levels(np.append(names.codes, -1)[cells.codes], names.levels)


def persons(cells: Cells) -> Codes:
    """(n,) a code that depends on the person alone, whatever table they are in: a whole number itself, also where it is
    written as a text, and of any other name 63 bits of a hash; anonymous rows have -1, -2, -3 …
    """
    alone = -1 - np.arange(len(cells))
    if isinstance(cells, Lists):
        return alone
    if isinstance(cells, Levels):
        return np.where((named := texts(cells)).missing, alone, _codes(named))
    values, missing = cells.values, cells.missing
    with np.errstate(invalid="ignore"):
        whole = (values >= 0.0) & (values < EXACT) & (values == np.floor(values))
    found = np.where(whole, values, 0.0).astype(np.int64)
    if (others := ~whole & ~missing).any():
        found[others] = _codes(texts(Numeric(values[others])))
    return np.where(missing, alone, found)


def rounded(cells: Cells) -> NDArray[np.bool_]:
    """(n,) numbers that a column of floats has rounded: names that differ may be one there."""
    return np.abs(cells.values) > EXACT if isinstance(cells, Numeric) else np.zeros(len(cells), dtype=bool)


def ids(cells: Cells) -> Codes:
    """(n,) a code for each id; -1 where there is none."""
    return np.full(len(cells), -1) if isinstance(cells, Lists) else texts(cells).codes.astype(np.int64)


def kind_of(cells: Cells) -> str:
    """What kind of feature a column looks like."""
    if isinstance(cells, Lists):
        return "texts"
    if isinstance(cells, Numeric):
        return "number"
    for kind, types in (("flag", (bool, np.bool_)), ("number", (int, float, np.number))):
        if cells.levels and all(isinstance(level, types) for level in cells.levels):
            return kind
    return "text"


def feature(cells: Cells, kind: str, problems: Problems, label: str) -> Column:
    """A column of the context; an empty cell is a missing feature."""
    if isinstance(cells, Lists) or kind == "texts":
        if isinstance(cells, Lists) and isinstance(cells.items, Levels) and kind == "texts":
            return _lists(cells)
        problems.check(label, ~cells.missing, cells, "a list of texts" if kind == "texts" else f"a {kind}")
        return Coded(np.full(len(cells), -1, dtype=np.int32), ())
    if kind == "number":
        values = numbers(cells)
        problems.check(label, ~_empty(cells) & ~np.isfinite(values), cells, "a finite number or nothing")
        return Numbers(values)
    if kind == "flag":
        flags = _flags(cells)
        problems.check(label, ~_empty(cells) & np.isnan(flags), cells, "1, true, yes or 0, false, no, or nothing")
        return Coded(np.where(np.isnan(flags), -1, flags).astype(np.int32), (False, True))
    named = texts(cells)
    return Coded(named.codes.astype(np.int32), tuple(named.levels))


def _lists(cells: Lists) -> Coded:
    assert isinstance(cells.items, Levels)
    codes, ends = cells.items.codes, np.cumsum(cells.sizes)
    rows = zip((ends - cells.sizes).tolist(), ends.tolist(), cells.missing.tolist(), strict=True)
    found = coded(None if missing else tuple(codes[start:end].tolist()) for start, end, missing in rows)
    levels = tuple(tuple(_text(cells.items.levels[code]) for code in level if code >= 0) for level in found.levels)
    return Coded(found.codes.astype(np.int32), levels)


def _flags(cells: Numeric | Levels) -> Floats:
    if isinstance(cells, Numeric):
        return np.where(np.isin(cells.values, (0.0, 1.0)), cells.values, np.nan)
    return _by_level(cells, lambda level: float(read_flag(_text(level))))


def _empty(cells: Numeric | Levels) -> NDArray[np.bool_]:
    """(n,) nothing, or an empty text, which is the nothing of a CSV file."""
    if isinstance(cells, Numeric):
        return cells.missing
    return np.array([*(_text(level) == "" for level in cells.levels), True])[cells.codes]


def _by_level(cells: Levels, read: Callable[[Any], float]) -> Floats:
    found = np.full(len(cells.levels) + 1, np.nan)  # the last for -1
    for code, level in enumerate(cells.levels):
        try:
            found[code] = read(level)
        except (ValueError, TypeError):
            continue  # it stays nan, which the caller notes
    return found[cells.codes]


def _number(level: Any) -> float:
    return read_number(level) if isinstance(level, str) else float(level)


def _moment(level: Any) -> float:
    if isinstance(level, datetime):
        return (level if level.tzinfo else level.replace(tzinfo=UTC)).timestamp()
    if isinstance(level, date):
        return datetime.combine(level, time(), tzinfo=UTC).timestamp()
    return read_time(level) if isinstance(level, str) else float(level)


def _text(value: Any) -> str:
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _codes(named: Levels) -> Codes:
    """(n,) of each person; 0 of nobody."""
    codes = [int(name) if _is_whole(name) else _hash(name) for name in named.levels]
    return np.array([*codes, 0], dtype=np.int64)[named.codes]


def _is_whole(name: str) -> bool:
    """Whether it is a whole number as such are written, which a float does not round."""
    return (
        name.isascii() and name.isdecimal() and (name == "0" or name[0] != "0") and len(name) < 17 and int(name) < EXACT
    )


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") >> 1
