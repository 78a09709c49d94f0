"""The probability that each of several independent unknowns is the largest: P(i) = ∫ f_i(x) · Π_{j≠i} F_j(x) dx.

This is how often Thompson sampling would choose each, computed instead of counted from samples. One composite
Gauss–Legendre grid serves all unknowns. It needs their densities only: each F is integrated from its density on the
same grid, which costs a matrix product instead of an incomplete beta function at every node.

What keeps the grid small: left of the largest of all left ends some F is 0, and with it the integrand. Right of it
every unknown has begun, so the finest scale among those that have not ended yet can only grow.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy import special

from policies.base import InvalidPmf, normalise
from policies.types import Pmf

Floats = NDArray[np.float64]

TAIL = 30.0
"""An unknown begins and ends where at most about exp(-TAIL), 1e-13, of its mass lies beyond."""

_NODES = 20  # a panel
_PANEL = 2.0  # its width, in scales of the finest unknown it holds
_TOLERANCE = 1e-8  # what the raw probabilities may miss 1 by; on a thousand unknowns they miss it by 1e-10


class Unknowns(Protocol):
    """k independent unknowns on one axis, in numbers of shape (k,)."""

    @property
    def left(self) -> Floats:
        """(k,) where each begins."""
        ...

    @property
    def right(self) -> Floats:
        """(k,) where each ends."""
        ...

    @property
    def scale(self) -> Floats:
        """(k,) the distance over which its density changes: about a standard deviation."""
        ...

    def shape(self, x: Floats) -> Floats:
        """(k, n) the densities at (n,) points, each up to a factor of its own."""
        ...

    def below(self, x: float) -> Floats:
        """(k,) F(x)."""
        ...


@dataclass(frozen=True)
class Betas:
    """Beta(a, b) with a, b ≥ 1, on the axis t = log(x / (1 - x)), where x^a (1-x)^b has no corners at its ends."""

    a: Floats
    b: Floats

    @cached_property
    def _middle(self) -> Floats:
        return np.asarray(special.psi(self.a) - special.psi(self.b))

    @cached_property
    def scale(self) -> Floats:
        return np.asarray(np.sqrt(special.zeta(2.0, self.a) + special.zeta(2.0, self.b)))

    # t is the difference of two log-gamma variables, hence sub-gamma: with factor 1/a to the left and 1/b to the right
    # (Boucheron, Lugosi and Massart 2013, section 2.4)

    @cached_property
    def left(self) -> Floats:
        return np.asarray(self._middle - np.sqrt(2.0 * TAIL) * self.scale - TAIL / self.a)

    @cached_property
    def right(self) -> Floats:
        return np.asarray(self._middle + np.sqrt(2.0 * TAIL) * self.scale + TAIL / self.b)

    def shape(self, x: Floats) -> Floats:
        # relative to the mode: a · log(x) + b · log(1 - x) would lose as many digits as a and b have
        a, b = self.a[:, None], self.b[:, None]
        mode = a / (a + b)
        offset = x - np.log(a / b)
        return np.asarray(
            np.exp(-a * np.log1p((1.0 - mode) * np.expm1(-offset)) - b * np.log1p(mode * np.expm1(offset)))
        )

    def below(self, x: float) -> Floats:
        return np.asarray(special.betainc(self.a, self.b, special.expit(x)))


@dataclass(frozen=True)
class Normals:
    """Normal(mean, scale²), scale > 0."""

    mean: Floats
    scale: Floats

    @cached_property
    def left(self) -> Floats:
        return np.asarray(self.mean - np.sqrt(2.0 * TAIL) * self.scale)

    @cached_property
    def right(self) -> Floats:
        return np.asarray(self.mean + np.sqrt(2.0 * TAIL) * self.scale)

    def shape(self, x: Floats) -> Floats:
        z = (x - self.mean[:, None]) / self.scale[:, None]
        return np.asarray(np.exp(-0.5 * z * z))

    def below(self, x: float) -> Floats:
        return np.asarray(special.ndtr((x - self.mean) / self.scale))


@dataclass(frozen=True)
class Students:
    """mean + scale · t with so many degrees of freedom, given that it lies in [0, 1]. mean in [0, 1], scale > 0.

    The ends are what a mean of scaled rewards has, and spare the grid the heavy tails.
    """

    mean: Floats
    scale: Floats
    freedom: Floats

    @cached_property
    def _reach(self) -> Floats:
        # where the density, (1 + z²/n)^(-(n+1)/2), has fallen to exp(-TAIL)
        return np.asarray(
            self.scale * np.sqrt(self.freedom * np.expm1(np.minimum(2.0 * TAIL / (self.freedom + 1.0), 60.0)))
        )

    @cached_property
    def left(self) -> Floats:
        return np.maximum(self.mean - self._reach, 0.0)

    @cached_property
    def right(self) -> Floats:
        return np.minimum(self.mean + self._reach, 1.0)

    def shape(self, x: Floats) -> Floats:
        z = (x - self.mean[:, None]) / self.scale[:, None]
        freedom = self.freedom[:, None]
        return np.asarray(np.exp(-0.5 * (freedom + 1.0) * np.log1p(z * z / freedom)))

    def below(self, x: float) -> Floats:
        zero, at, one = (special.stdtr(self.freedom, (point - self.mean) / self.scale) for point in (0.0, x, 1.0))
        return np.asarray((at - zero) / (one - zero))


def chances_of_being_best(unknowns: Unknowns) -> Pmf:
    """(k,) P(i is the largest), to 1e-10, normalised. Equal unknowns get equal chances.

    Raises InvalidPmf where a parameter is not finite.
    """
    panels = _panels(unknowns)
    points, weights, integrals = _rule()
    half = 0.5 * np.diff(panels)
    middle = 0.5 * (panels[1:] + panels[:-1])
    density = unknowns.shape((middle[:, None] + half[:, None] * points).ravel())
    density = density.reshape(density.shape[0], half.size, _NODES)
    density *= half[:, None]

    # F at every node: what lies before the grid, in the panels before, and in its own panel up to the node
    before = unknowns.below(float(panels[0]))
    in_panel = density @ weights
    through = np.cumsum(in_panel, axis=1)
    total = through[:, -1]
    factor = np.divide(1.0 - before, total, out=np.zeros_like(total), where=total > 0.0)
    below = density @ integrals
    below += (through - in_panel)[:, :, None]
    below *= factor[:, None, None]
    below += before[:, None, None]

    # f_i · Π_{j≠i} F_j as f_i / F_i · Π F_j: the floor cancels, and where it is reached f is as good as 0
    np.maximum(below, 1e-30, out=below)
    product = below.prod(axis=0) * weights
    density /= below
    return normalise(factor * np.einsum("kpn,pn->k", density, product), tolerance=_TOLERANCE)


def _panels(unknowns: Unknowns) -> Floats:
    """(m + 1,) the edges of the panels: about _PANEL times the finest scale among the unknowns not ended yet."""
    start = unknowns.left.max()
    alive = np.flatnonzero(unknowns.right > start)
    if alive.size == 0:
        raise InvalidPmf(f"expected finite parameters, got {unknowns}")
    alive = alive[np.argsort(unknowns.right[alive], kind="stable")]
    ends = np.concatenate(([start], unknowns.right[alive]))
    finest = np.minimum.accumulate(unknowns.scale[alive][::-1])[::-1]
    # panels needed up to each end; edges are where this count is spread evenly
    needed = np.concatenate(([0.0], np.cumsum(np.diff(ends) / (_PANEL * finest))))
    edges = np.interp(np.linspace(0.0, needed[-1], math.ceil(needed[-1]) + 1), needed, ends)
    # the largest of many that share a hard end crowds within 1/k of it: halve the last panel towards the end
    halvings = max(0, unknowns.left.size.bit_length() - 4)
    closer = edges[-1] - (edges[-1] - edges[-2]) * 0.5 ** np.arange(1, halvings + 1)
    return np.concatenate((edges[:-1], closer, edges[-1:]))


@lru_cache(maxsize=1)
def _rule() -> tuple[Floats, Floats, Floats]:
    """Gauss–Legendre points and weights on [-1, 1], (n,), and the matrix (n, n) that takes the values of a polynomial
    of degree below n at the points to its integrals from -1 to each point: values @ matrix.
    """
    points, weights = legendre.leggauss(_NODES)
    coefficients = np.linalg.inv(legendre.legvander(points, _NODES - 1))
    integrals = legendre.legvander(points, _NODES) @ legendre.legint(coefficients, lbnd=-1)
    return points, weights, np.ascontiguousarray(integrals.T)
