"""The probability that each of several independent unknowns is the largest: P(i) = ∫ f_i(x) · Π_{j≠i} F_j(x) dx.

This is what Thompson sampling would choose, computed instead of counted from samples. One composite Gauss–Legendre grid
serves all unknowns. It holds their densities only: each F is integrated from its density on the same grid, which
costs a matrix product instead of an incomplete beta function a node.

What makes the grid small: left of `start`, the largest of all left ends, some F is 0. Every unknown that still matters
there has begun, so the finest scale among those that have not ended yet can only grow to the right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy import special

from policies.base import normalise
from policies.types import Pmf

Floats = NDArray[np.float64]

TAIL = 30.0
"""An unknown begins and ends where at most exp(-TAIL), 1e-13, of its mass is beyond."""

_NODES = 16
_PANEL = 1.5  # width of a panel in standard deviations of the finest unknown in it
_TOLERANCE = 1e-8  # what the raw probabilities may miss 1 by; seen: 1e-12


class Unknowns(Protocol):
    """k independent unknowns on one axis, one row of parameters each. All arrays are (k,) unless said otherwise."""

    def __len__(self) -> int: ...

    @property
    def left(self) -> Floats:
        """Where each begins."""
        ...

    @property
    def right(self) -> Floats:
        """Where each ends."""
        ...

    @property
    def scale(self) -> Floats:
        """How far apart its density changes: about its standard deviation, positive."""
        ...

    def shape(self, x: Floats) -> Floats:
        """(k, n) each density at (n,) points, up to a factor of its own."""
        ...

    def below(self, x: float) -> Floats:
        """F(x)."""
        ...


@dataclass(frozen=True)
class Betas:
    """Beta(a, b) on the axis t = log(x / (1 - x)), where the density x^a (1-x)^b is smooth whatever a and b > 0 are."""

    a: Floats
    b: Floats

    def __len__(self) -> int:
        return self.a.size

    @cached_property
    def _centre(self) -> Floats:
        return np.asarray(special.psi(self.a) - special.psi(self.b))

    @cached_property
    def scale(self) -> Floats:
        return np.asarray(np.sqrt(special.zeta(2.0, self.a) + special.zeta(2.0, self.b)))

    # t is the difference of two log-gammas: sub-gamma with factor 1/a to the left, 1/b to the right
    # (Boucheron, Lugosi and Massart 2013, section 2.4)

    @cached_property
    def left(self) -> Floats:
        return self._centre - (np.sqrt(2.0 * TAIL) * self.scale + TAIL / self.a)

    @cached_property
    def right(self) -> Floats:
        return self._centre + (np.sqrt(2.0 * TAIL) * self.scale + TAIL / self.b)

    def shape(self, x: Floats) -> Floats:
        # relative to the mode: a · log x alone would lose as many digits as a has
        mean = (self.a / (self.a + self.b))[:, None]
        offset = x - np.log(self.a / self.b)[:, None]
        gain = np.log1p((1.0 - mean) * np.expm1(-offset))
        loss = np.log1p(mean * np.expm1(offset))
        return np.asarray(np.exp(-self.a[:, None] * gain - self.b[:, None] * loss))

    def below(self, x: float) -> Floats:
        return np.asarray(special.betainc(self.a, self.b, special.expit(x)))


@dataclass(frozen=True)
class Normals:
    """Normal(mean, scale²)."""

    mean: Floats
    scale: Floats

    def __len__(self) -> int:
        return self.mean.size

    @cached_property
    def left(self) -> Floats:
        return self.mean - np.sqrt(2.0 * TAIL) * self.scale

    @cached_property
    def right(self) -> Floats:
        return self.mean + np.sqrt(2.0 * TAIL) * self.scale

    def shape(self, x: Floats) -> Floats:
        z = (x - self.mean[:, None]) / self.scale[:, None]
        return np.asarray(np.exp(-0.5 * z * z))

    def below(self, x: float) -> Floats:
        return np.asarray(special.ndtr((x - self.mean) / self.scale))
