"""Contexts as points in a space where distance means something, whatever they hold: for k-means.

What differs between two people adds up, key by key, as a squared distance:

- two different texts, or yes and no: 1;
- two lists of texts: 1 - cosine, from 0 for the same texts to 1 for none in common;
- two numbers: the square of their difference in interquartile ranges. A number counts as at most two of these from the
  median, so that an order value of 10,000 is large and no more;
- a value and none: 1/2 from any text or flag, and from the median of a number. Missing lies between all values,
  as far from each.

Texts that fewer than one person in a hundred has are not told apart: they count as missing.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from policies.features import escape
from policies.kmeans import Floats
from policies.types import Features, Value

TEXT, LISTED, YES, NO = "=", "+", "true", "false"

Person = Mapping[str, float | tuple[str, ...]]
"""A context as it is kept: number, or tokens, by escaped key, in the order of the keys. `=ES` is a text, `+jazz` is one
text of a list, `true` and `false` are flags: these never meet, whatever a text says."""

OURS = ("slot.", "elige.", "time.")
"""Keys that begin so hold what the slots before chose, what we found, and when it was; not what was told of the person.
No declared name begins so: it would have a dot."""

MAX_KEYS, MAX_TEXTS, MAX_LETTERS = 64, 32, 100
"""Of one context: keys, texts of a list, letters of a text that are kept, the first ones."""
MAX_COLUMNS = 256

_MAX_NUMBER = 1e100  # whose square is still a number
_ENDS = 2.0
_HALF = math.sqrt(0.5)
_RARE = 0.01
_RANGES = (0.25, 0.1, 0.01, 0.0)


def person_of(context: Features) -> Person:
    """What is kept of a context: bounded, and free of what is not about the person."""
    person: dict[str, float | tuple[str, ...]] = {}
    for key in sorted(key for key in context if not key.startswith(OURS))[:MAX_KEYS]:
        if (kept := _kept(context[key])) is not None:
            person[escape(key[:MAX_LETTERS])] = kept
    return person


def _kept(value: Value) -> float | tuple[str, ...] | None:
    if isinstance(value, str):
        return (TEXT + escape(value[:MAX_LETTERS]),)
    if isinstance(value, bool):
        return (YES if value else NO,)
    if isinstance(value, tuple):
        return tuple(sorted({LISTED + escape(text[:MAX_LETTERS]) for text in value[:MAX_TEXTS]})) or None
    return max(-_MAX_NUMBER, min(_MAX_NUMBER, float(value))) if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Scale:
    """How a number is measured: from its median, in widths; in this column, and whether it is missing in the next."""

    column: int
    median: float
    width: float


@dataclass(frozen=True, slots=True)
class Encoding:
    """From a person to a point. tokens: the column of each token of each key; numbers: the scale of each key."""

    tokens: Mapping[tuple[str, str], int]
    numbers: Mapping[str, Scale]
    width: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", len(self.tokens) + 2 * len(self.numbers))

    def of(self, person: Person) -> tuple[list[int], list[float]]:
        """The columns in which the person's point is not 0, and its values there."""
        columns, values = [], []
        for key, value in person.items():
            if isinstance(value, tuple):
                known = [column for token in value if (column := self.tokens.get((key, token))) is not None]
                columns += known
                values += [_HALF / math.sqrt(len(value))] * len(known)
        for key, scale in self.numbers.items():
            number = person.get(key)
            if isinstance(number, float):
                columns.append(scale.column)
                values.append(max(-_ENDS, min(_ENDS, (number - scale.median) / scale.width)))
            else:
                columns.append(scale.column + 1)
                values.append(_HALF)
        return columns, values

    def matrix(self, people: Sequence[Person]) -> Floats:
        """(n, width) the points of n people."""
        points = np.zeros((len(people), self.width))
        for row, person in enumerate(people):
            columns, values = self.of(person)
            points[row, columns] = values
        return points

    def document(self) -> list[Any]:
        """Plain values for JSON, in the order of the columns."""
        scales = [[key, scale.median, scale.width] for key, scale in self.numbers.items()]
        return [list(self.tokens), scales]

    @classmethod
    def from_document(cls, document: Any) -> "Encoding":
        tokens, scales = document
        return _encoding([(str(key), str(token)) for key, token in tokens], scales)


def fit_encoding(people: Sequence[Person]) -> Encoding:
    """Of n ≥ 1 people: a column for each token that enough of them have, the most common first, and the scales."""
    counts: Counter[tuple[str, str]] = Counter()
    numbers: dict[str, list[float]] = {}
    for person in people:
        for key, value in person.items():
            if isinstance(value, tuple):
                counts.update((key, token) for token in value)
            else:
                numbers.setdefault(key, []).append(value)
    enough = _RARE * len(people)
    common = sorted((key for key in numbers if len(numbers[key]) >= enough), key=lambda key: (-len(numbers[key]), key))
    scales = [(key, *_scale(np.array(numbers[key]))) for key in common[: MAX_COLUMNS // 4]]
    told = [at for at, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if count >= enough]
    return _encoding(told[: MAX_COLUMNS - 2 * len(scales)], scales)


def _encoding(tokens: Sequence[tuple[str, str]], scales: Sequence[Sequence[Any]]) -> Encoding:
    first = len(tokens)
    return Encoding(
        {at: column for column, at in enumerate(tokens)},
        {
            str(key): Scale(first + 2 * place, float(median), float(width))
            for place, (key, median, width) in enumerate(scales)
        },
    )


def _scale(values: Floats) -> tuple[float, float]:
    """Median and interquartile range; where that is 0, the narrowest of wider ranges that is not; 1 for a constant."""
    return float(np.median(values)), next(_widths(values), 1.0)


def _widths(values: Floats) -> Iterator[float]:
    for share in _RANGES:
        low, high = np.quantile(values, (share, 1.0 - share))
        if high > low:
            yield float(high - low)
