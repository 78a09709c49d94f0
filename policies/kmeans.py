"""k-means, so that the same points give the same bits: seeded, and without sums that several threads share.

Lloyd 1982, "Least squares quantization in PCM"; starts as in Arthur and Vassilvitskii 2007, "k-means++".
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.intp]

_MAX_ROUNDS = 50
_SAME = 1e-9
"""Squared distances below this are rounding errors: the points are one."""


class Clusters(NamedTuple):
    """centres (m, d); labels (n,) into them, none of them without a point; cost: Σ squared distances."""

    centres: Floats
    labels: Labels
    cost: float


def squared_distances(points: Floats, centres: Floats) -> Floats:
    """(n, m), never negative."""
    # einsum multiplies in one thread: a matrix product may round by how many it has
    products: Floats = np.einsum("nd,md->nm", points, centres)
    square: Floats = np.einsum("nd,nd->n", points, points)[:, None] + np.einsum("md,md->m", centres, centres)
    squared: Floats = np.maximum(0.0, square - 2.0 * products)
    return squared


def spread_out(points: Floats, k: int, *, rng: np.random.Generator, begin: Floats | None = None) -> Floats:
    """Up to k centres: those to begin with, then points drawn in proportion to their squared distance from the nearest
    one before. Fewer than k where the points have no k different places.
    """
    chosen = [] if begin is None else list(begin)
    nearest = np.full(len(points), 1.0)
    if chosen:
        nearest = squared_distances(points, np.array(chosen)).min(axis=1)
    while len(chosen) < k:
        weights = np.cumsum(np.where(nearest < _SAME, 0.0, nearest))
        if weights[-1] == 0.0:
            break
        place = int(np.searchsorted(weights, rng.random() * weights[-1], side="right"))
        chosen.append(points[place])
        distances = squared_distances(points, points[place][None])[:, 0]
        nearest = distances if len(chosen) == 1 else np.minimum(nearest, distances)
    return np.array(chosen)


def lloyd(points: Floats, centres: Floats) -> Clusters:
    """Each point to its nearest centre, each centre to the mean of its points, until no point moves. Centres that lose
    all their points are left out.
    """
    labels: Labels = np.full(len(points), -1)
    for _ in range(_MAX_ROUNDS):
        nearest = squared_distances(points, centres).argmin(axis=1)
        used, nearest = np.unique(nearest, return_inverse=True)
        if used.size == len(centres) and np.array_equal(nearest, labels):
            break
        labels = nearest
        centres = means(points, labels)
    return Clusters(centres, labels, float(((points - centres[labels]) ** 2).sum()))


def means(points: Floats, labels: Labels) -> Floats:
    """(m, d) the mean of the points of each label 0 … m - 1."""
    return np.array([points[labels == label].mean(axis=0) for label in range(int(labels.max()) + 1)])


def best_start(points: Floats, k: int, *, rng: np.random.Generator, starts: int) -> Clusters:
    """The cheapest of so many starts, the first one of those that cost the same."""
    found = [lloyd(points, spread_out(points, k, rng=rng)) for _ in range(starts)]
    return min(found, key=lambda clusters: clusters.cost)
