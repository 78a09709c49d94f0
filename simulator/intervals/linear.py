"""Influences that are sums of columns, so that of millions of rounds only a few totals need be kept."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from simulator.logs.log import Floats

BLOCK = 4_096
"""Numbers whose products are summed together."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """What is kept of c columns over n rounds of G clusters of people.

    totals: (G, c) their sums by cluster. visits: (G,) rounds of each. moments: (c, c) Σ over rounds of the products of
    each two.
    """

    n: int
    totals: Floats
    visits: Floats
    moments: Floats

    def form(self, place: int, factor: float = 1.0) -> "Linear":
        """The column at this place, times the factor."""
        coefficients = np.zeros(self.moments.shape[0])
        coefficients[place] = factor
        return Linear(self, coefficients)


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """Σ_j coefficient_j · column_j: (n,) numbers of which only sums by cluster and squares can be asked. It may be
    added to, taken from another over the same columns, multiplied and divided: what is done to an influence.
    """

    columns: Columns
    coefficients: Floats

    __array_ufunc__ = None  # a NumPy number times this is asked of this, not of NumPy

    def __len__(self) -> int:
        return self.columns.n

    def __add__(self, other: "Linear") -> "Linear":
        return replace(self, coefficients=self.coefficients + other.coefficients)

    def __sub__(self, other: "Linear") -> "Linear":
        return replace(self, coefficients=self.coefficients - other.coefficients)

    def __mul__(self, factor: float) -> "Linear":
        return replace(self, coefficients=self.coefficients * factor)

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> "Linear":
        return replace(self, coefficients=self.coefficients / divisor)

    def by_cluster(self) -> Floats:
        """(G,) its sums by cluster."""
        found: Floats = self.columns.totals @ self.coefficients
        return found

    def sum(self) -> float:
        """Its sum over the rounds."""
        return float(self.by_cluster().sum())

    def sum_of_squares(self) -> float:
        """The sum of its squares over the rounds."""
        # at least 0: what is left of cancelled rounding is no square
        return max(0.0, float(self.coefficients @ self.columns.moments @ self.coefficients))

    def influence(self) -> Floats:
        """This, where an influence of n numbers is expected: nothing but what is above is done to one."""
        return cast(Floats, self)


def sum_of_squares(influence: Floats | Linear) -> float:
    """Σψ² over the rounds."""
    return influence.sum_of_squares() if isinstance(influence, Linear) else sum_of_products(influence, influence)


def sum_of_products(x: Floats, y: Floats) -> float:
    """Σxy of two (n,) columns, with no third one between; summed in blocks, to be as exact as a plain sum."""
    return sum(
        float(np.einsum("i,i->", x[start : start + BLOCK], y[start : start + BLOCK]))
        for start in range(0, x.size, BLOCK)
    )
