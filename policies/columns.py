"""A context as the columns of a linear regression that numbers of any scale and origin enter alike.

A number enters as it is, measured from the first value seen, with its square beside it. Sums over such columns are all
that is kept; the regression is solved on standardised numbers, which an affine map of those sums gives exactly. Hence
nothing depends on the units that a caller chose.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from policies.features import escape, numbers_of
from policies.quadrature import Floats
from policies.types import Features

MAX_COLUMNS = 256
"""Columns that have a weight: those of the first features seen. A variant takes at most half a megabyte."""

MAX_SQUARED = 16
"""Numbers whose square is a column: the first ones seen. They cost time that wide contexts do not repay."""

_REACH, _AFTER = 6.0, 10.0  # from the tenth value on, one farther than six deviations from the mean counts as that far
_LARGEST = 1e60  # fourth powers of it are finite


@dataclass(slots=True)
class Number:
    """One key whose values are numbers: Σ 1, Σ u, Σ u² of its values u, measured from `origin`, as of one example.

    always: every example up to the first one without it had it; then missing is what gets a column, else present is.
    """

    origin: float
    always: bool
    n: float = 0.0
    u: float = 0.0
    uu: float = 0.0
    after: int = 0

    def measured(self, value: float) -> float:
        """The value from the origin, pulled in where it lies far outside what was seen."""
        u = min(max(value, -_LARGEST), _LARGEST) - self.origin
        if self.n < _AFTER:
            return u
        mean = self.u / self.n
        reach = _REACH * math.sqrt(max(0.0, self.uu / self.n - mean * mean))
        return min(max(u, mean - reach), mean + reach) if reach else u

    def count(self, u: float, *, decay: float, now: int) -> None:
        left = decay ** (now - self.after)
        self.n, self.u, self.uu = self.n * left + 1.0, self.u * left + u, self.uu * left + u * u
        self.after = now


def marks(context: Features) -> Iterator[str]:
    """Its texts, flags, and each text of its lists, by name: a column of value 1 each."""
    for name in sorted(context):
        key, value = escape(name), context[name]
        if isinstance(value, str):
            yield f"{key}={escape(value)}"
        elif isinstance(value, bool):
            yield f"{key}={'true' if value else 'false'}"
        elif isinstance(value, tuple):
            yield from (f"{key}={text}" for text in sorted({escape(item) for item in value}))


class Columns:
    """Which column has which place, in the order in which they came. The first is the constant."""

    def __init__(self, names: list[str] | None = None, numbers: dict[str, Number] | None = None) -> None:
        self.place = {name: place for place, name in enumerate([""] if names is None else names)}
        self.numbers = {} if numbers is None else numbers

    def learn(self, context: Features, *, decay: float, now: int) -> tuple[list[int], Floats]:
        """Places and values of the `now`-th example's columns that are not 0, after making those that are new."""
        for mark in marks(context):
            if mark not in self.place and self._room() >= 1:
                self._make(mark)
        found = dict(numbers_of(context))
        for key, value in found.items():
            squared = len(self.numbers) < MAX_SQUARED
            if key not in self.numbers and self._room() >= 2 + squared:
                self.numbers[key] = Number(min(max(value, -_LARGEST), _LARGEST), always=now == 1)
                self._make(key)
                if squared:
                    self._make(f"{key}:square")
                if now > 1:
                    self._make(f"{key}:present")
        for key, number in self.numbers.items():
            if key not in found and number.always and f"{key}:missing" not in self.place:
                self._make(f"{key}:missing")
        known = self.known(context)
        for key, value in found.items():
            if (seen := self.numbers.get(key)) is not None:
                seen.count(seen.measured(value), decay=decay, now=now)
        return known

    def known(self, context: Features) -> tuple[list[int], Floats]:
        """Places and values of a context's columns that are not 0."""
        values = {0: 1.0}
        for mark in marks(context):
            if (place := self.place.get(mark)) is not None:
                values[place] = 1.0
        found = dict(numbers_of(context))
        for key, number in self.numbers.items():
            if key in found:
                u = number.measured(found[key])
                values[self.place[key]] = u
                if (place := self.place.get(f"{key}:square")) is not None:
                    values[place] = u * u
            side = "present" if key in found else "missing"
            if (place := self.place.get(f"{key}:{side}")) is not None:
                values[place] = 1.0
        return list(values), np.array(list(values.values()))

    def standardising(self, xx: Floats) -> Floats:
        """(d, d) the map to columns where a number, and its square, has mean 0 and variance 1 over the examples
        that have it, and is 0 where it is missing. xx, (d, d): Σ x xᵀ over all examples.

        A number that never varied becomes 0, and so does a square that says nothing beside its number.
        """
        found = np.eye(xx.shape[0])
        for key in self.numbers:
            sides = [(f"{key}:present", 1.0), (f"{key}:missing", -1.0)]
            present = {self.place[name]: sign for name, sign in sides if name in self.place}
            if f"{key}:present" not in self.place:
                present[0] = 1.0
            at, square = self.place[key], self.place.get(f"{key}:square")
            own = [*present, at] if square is None else [*present, at, square]
            few = xx[np.ix_(own, own)]
            there = np.array([present.get(place, 0.0) for place in own])
            unit = np.eye(len(own))
            n, k = float(there @ few @ there), len(present)
            z = _standard(unit[k], there, few, n)
            found[at, own] = z
            if square is not None:
                mean = float(unit[k] @ few @ there) / n if n > 0.0 else 0.0
                q = _standard(unit[k + 1] - 2.0 * mean * unit[k], there, few, n)
                found[square, own] = q if z.any() else 0.0
        return found

    def squares(self) -> list[int]:
        """Their places."""
        return [place for name, place in self.place.items() if name.endswith(":square")]

    def _make(self, name: str) -> None:
        self.place[name] = len(self.place)

    def _room(self) -> int:
        # a number that was never missing may still need the column that says so
        kept = sum(number.always and f"{key}:missing" not in self.place for key, number in self.numbers.items())
        return MAX_COLUMNS - len(self.place) - kept


def _standard(column: Floats, present: Floats, xx: Floats, n: float) -> Floats:
    """(d,) the column, a combination of columns, minus its mean where it is present, over its deviation there. n: the
    weight of the examples where it is.
    """
    if n <= 0.0:
        return np.zeros_like(column)
    centred = column - float(column @ xx @ present) / n * present
    variance = float(centred @ xx @ centred) / n
    if variance <= 1e-9 * float(np.abs(centred) @ np.abs(xx) @ np.abs(centred)) / n:  # may be rounding alone
        return np.zeros_like(column)
    return np.asarray(centred / math.sqrt(variance))
