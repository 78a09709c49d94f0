"""How heavy the tail of some weights is: the shape of the generalised Pareto distribution of the largest."""

import numpy as np

from simulator.logs.log import Floats

LEAST_TAIL = 5
"""Fewer weights make no tail."""

LEAST_VALUES = 10
"""Of fewer different ones, as where shares are few, the largest is known, and no fit can tell more."""

PRIOR_SHAPE, PRIOR_WEIGHT = 0.5, 10.0
"""The fit is drawn to this shape as by so many weights: few of them tell little."""


def pareto_shape(weights: Floats) -> float | None:
    """k̂ of the min(n/5, 3√n) largest of the n positive weights, as in Pareto-smoothed importance sampling (Vehtari,
    Simpson, Gelman, Yao & Gabry 2024). Moments of order 1/k and above do not exist: over .5 the variance, from 1 on the
    mean. weights: (n,). None where they have no tail to speak of: too few, or too few different ones.
    """
    positive = weights[weights > 0.0]
    n = positive.size
    size = tail_size(n)
    return shape_of_largest(np.partition(positive, n - size - 1)[n - size - 1 :]) if size >= LEAST_TAIL else None


def tail_size(n: int) -> int:
    """How many of n positive weights are their tail."""
    return int(min(n // 5, np.ceil(3.0 * np.sqrt(n))))


def shape_of_largest(largest: Floats) -> float | None:
    """As `pareto_shape`, of the tail and the one weight before it, in any order."""
    if largest.size <= LEAST_TAIL:
        return None
    over = np.sort(largest)[1:] - largest.min()
    over = over[over > 0.0]
    if np.count_nonzero(np.diff(over) > 1e-9 * over[-1:]) < LEAST_VALUES - 1:
        return None
    return shape_of(over)


def shape_of(over: Floats) -> float:
    """The shape k of a generalised Pareto distribution, 1 - F(x) = (1 + k x/σ)^(-1/k). over: (n,) draws above its
    threshold, less the threshold, sorted. Zhang & Stephens 2009: the mean of b = -k/σ under a posterior on a grid,
    where for each b the likelihood has its greatest in closed form; with the weak prior of PSIS on k.
    """
    n = over.size
    points = 30 + int(np.sqrt(n))
    quartile = over[int(n / 4.0 + 0.5) - 1]
    steps = np.sqrt(points / (np.arange(1, points + 1) - 0.5))
    grid = 1.0 / over[-1] + (1.0 - steps) / (3.0 * quartile)
    shapes = np.log1p(-grid[:, None] * over).mean(axis=1)
    likelihood = n * (np.log(-grid / shapes) - shapes - 1.0)
    posterior = np.exp(likelihood - likelihood.max())
    b = float(np.sum(grid * posterior) / posterior.sum())
    shape = float(np.log1p(-b * over).mean())
    return (n * shape + PRIOR_WEIGHT * PRIOR_SHAPE) / (n + PRIOR_WEIGHT)


def good_shape(n: float) -> float:
    """Up to this k̂ the estimate converges in samples of size n: min(1 - 1/log₁₀ n, .7). Vehtari et al. 2024."""
    return min(1.0 - 1.0 / np.log10(n), 0.7) if n > 10.0 else 0.0
