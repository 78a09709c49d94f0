"""Bayesian ridge regressions, one a variant, whose common ridge is the one that the examples make the most likely."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from policies.quadrature import Floats, Normals

RIDGES = tuple(0.1 * 4.0**step for step in range(9))
"""Those to choose from. With the last, 6554 examples have to agree before a context counts."""

_WITHOUT = 1e9  # the ridge of a column that is left out


@dataclass(slots=True)
class Moments:
    """Of some examples, as they counted after one of them: Σ x xᵀ (d, d), Σ r x (d,), Σ r² and their weight n."""

    xx: Floats
    rx: Floats
    rr: float = 0.0
    n: float = 0.0
    after: int = 0

    def add(self, index: Sequence[int], x: Floats, reward: float, *, decay: float, now: int) -> None:
        """Count one more example, the `now`-th, of which these columns are not 0."""
        grown = max(index) + 1 - self.rx.size
        if grown > 0:
            self.xx, self.rx = np.pad(self.xx, (0, grown)), np.pad(self.rx, (0, grown))
        if decay < 1.0:
            left = decay ** (now - self.after)
            self.xx *= left
            self.rx *= left
            self.rr, self.n = self.rr * left, self.n * left
        self.xx[np.ix_(index, index)] += np.outer(x, x)
        self.rx[index] += reward * x
        self.rr += reward * reward
        self.n += 1.0
        self.after = now

    def faded(self, left: float) -> "Moments":
        """The same, each example counting `left` of what it did."""
        if left == 1.0:
            return self
        return Moments(self.xx * left, self.rx * left, self.rr * left, self.n * left, self.after)


def no_examples() -> Moments:
    return Moments(np.zeros((0, 0)), np.zeros(0))


class Stack(NamedTuple):
    """Moments of v sets of examples over the same columns: (v, d, d), (v, d), (v,), (v,)."""

    xx: Floats
    rx: Floats
    rr: Floats
    n: Floats

    def mapped(self, to: Floats) -> "Stack":
        """Of the columns to · x. to: (d, d)."""
        return Stack(to @ self.xx @ to.T, self.rx @ to.T, self.rr, self.n)


def stacked(each: Sequence[Moments], d: int) -> Stack:
    xx, rx = np.zeros((len(each), d, d)), np.zeros((len(each), d))
    for row, one in enumerate(each):
        xx[row, : one.rx.size, : one.rx.size] = one.xx
        rx[row, : one.rx.size] = one.rx
    return Stack(xx, rx, np.array([one.rr for one in each]), np.array([one.n for one in each]))


@dataclass(frozen=True, slots=True)
class Fit:
    """Regressions under one noise variance.

    weights (v, d); spread (v, d, d): the posterior covariance of the weights, divided by the noise. ridge: (d,), that
    of each column.
    """

    weights: Floats
    spread: Floats
    noise: float
    ridge: Floats

    def mapped(self, back: Floats) -> "Fit":
        """The same for the columns x of which those of this fit are back · x."""
        return Fit(self.weights @ back, back.T @ self.spread @ back, self.noise, self.ridge)

    def scores(self, rows: Sequence[int], index: Sequence[int], x: Floats) -> Normals:
        """What these rows expect where these columns have the values x and all others are 0."""
        at = np.array(rows)
        mean = self.weights[at[:, None], index] @ x
        spread = self.spread[at[:, None, None], np.array(index)[:, None], index]
        variance = np.einsum("kij,i,j->k", spread, x, x)
        return Normals(mean, np.sqrt(self.noise * np.maximum(variance, 1e-12)))  # rounding may leave less than 0


class Penalty(NamedTuple):
    """How hard weights are held at 0: the ridge of every column but the constant, and whether squares count at all."""

    ridge: float
    squares: bool = True

    def diagonal(self, d: int, squares: Sequence[int]) -> Floats:
        """(d,) the ridge of each column: 1 for the constant, which is the first one."""
        found = np.full(d, self.ridge)
        if not self.squares:
            found[list(squares)] = _WITHOUT
        found[0] = 1.0
        return found


def fit(stack: Stack, penalty: Penalty, *, squares: Sequence[int] = ()) -> Fit:
    """Of each set: precision (R + Σ x xᵀ) / noise, mean (R + Σ x xᵀ)⁻¹ (R · w₀ + Σ r x), where R is diagonal, as the
    penalty says. w₀ is 0, for the constant the mean reward. squares: the places of those columns.

    noise: what the regressions leave unexplained, over the degrees of freedom that they leave, with one more of
    variance 1/4.
    """
    v, d = stack.rx.shape
    left, start = _beside_the_mean(stack)
    ridge = penalty.diagonal(d, squares)
    spread = np.asarray(np.linalg.inv(left.xx + np.diag(ridge)), dtype=np.float64)
    change = np.einsum("vij,vj->vi", spread, left.rx)
    residual = left.rr - 2.0 * np.einsum("vi,vi->v", change, left.rx)
    residual += np.einsum("vi,vi->v", np.einsum("vi,vij->vj", change, left.xx), change)
    used = v * d - float((ridge * np.diagonal(spread, axis1=1, axis2=2)).sum())
    noise = (0.25 + float(np.maximum(residual, 0.0).sum())) / (1.0 + max(0.0, float(stack.n.sum()) - used))
    change[:, 0] += start
    return Fit(change, spread, noise, ridge)


def most_likely(stack: Stack, *, squares: Sequence[int] = ()) -> Penalty:
    """Which of RIDGES the rewards make the most likely, with or without the squares: in both cases the hill of the
    evidence is climbed from its middle.
    """
    d = stack.rx.shape[1]
    left, _ = _beside_the_mean(stack)
    best = (-math.inf, Penalty(RIDGES[len(RIDGES) // 2]))
    for counted in (False, True) if squares else (True,):
        tried: dict[int, float] = {}

        def height(step: int, counted: bool = counted, tried: dict[int, float] = tried) -> float:
            if not 0 <= step < len(RIDGES):
                return -math.inf
            if step not in tried:
                tried[step] = evidence(left, Penalty(RIDGES[step], counted).diagonal(d, squares))
            return tried[step]

        top = len(RIDGES) // 2
        way = 1 if height(top + 1) > height(top) else -1
        while height(top + way) > height(top):
            top += way
        if tried[top] > best[0]:
            best = (tried[top], Penalty(RIDGES[top], counted))
    return best[1]


def _beside_the_mean(stack: Stack) -> tuple[Stack, float]:
    """What the mean of all rewards, counted with two more of 0 and 1, leaves to explain; and that mean."""
    mean = (1.0 + stack.rx[:, 0].sum()) / (2.0 + stack.n.sum())
    rr = np.maximum(stack.rr - 2.0 * mean * stack.rx[:, 0] + mean * mean * stack.n, 0.0)
    return Stack(stack.xx, stack.rx - mean * stack.xx[:, :, 0], rr, stack.n), float(mean)


def evidence(stack: Stack, ridge: Floats) -> float:
    """The log probability of the rewards, up to a constant, given the ridge of each column, with the weights integrated
    out and the noise as well, whose prior counts one example of variance 1/4. MacKay 1992, "Bayesian interpolation".
    """
    v, d = stack.rx.shape
    # one factor gives both: the determinant of R + Σ x xᵀ, and as its last pivot what is left of Σ r²
    whole = np.empty((v, d + 1, d + 1))
    whole[:, :d, :d] = stack.xx + np.diag(ridge)
    whole[:, :d, d] = whole[:, d, :d] = stack.rx
    whole[:, d, d] = 1.0 + stack.rr
    pivots = np.diagonal(np.linalg.cholesky(whole), axis1=1, axis2=2)
    unexplained = float(np.maximum(pivots[:, d] ** 2 - 1.0, 0.0).sum())
    fitted = 0.5 * v * float(np.log(ridge).sum()) - float(np.log(pivots[:, :d]).sum())
    return float(fitted - 0.5 * (1.0 + float(stack.n.sum())) * math.log(0.25 + unexplained))
