"""What the figures of an evaluation show beside its numbers: how weights fall off, whether propensities hold."""

from dataclasses import dataclass

import numpy as np

from simulator.distributions import norm_isf
from simulator.logs.log import Floats, Log

BINS = 10
"""Of probabilities, each with about as much probability in all as the others."""
LEAST_POWER = -10
"""Weights below 2^-10 are nearly none."""
BLOCK = 65_536
"""Rounds looked at together, so that no copy of the whole log is made."""
LEVEL = 0.95

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Bin:
    """Choices that were said to be made with much the same probability. said: the mean of those probabilities; seen:
    the share that was made; low, high: between which that share falls in 95 % of logs, if what was said is right;
    n: how many choices there were.
    """

    said: float
    seen: float
    low: float
    high: float
    n: int


def tail(weights: Floats) -> Points:
    """(x, share of the rounds whose weight is at least x), at powers of 2 and at the greatest weight."""
    most = float(weights.max())
    if most <= 0.0:
        return ()
    counts = np.zeros(max(LEAST_POWER, int(np.frexp(most)[1]) - 1) - LEAST_POWER + 1, dtype=np.int64)
    for start in range(0, weights.size, BLOCK):
        positive = weights[start : start + BLOCK]
        powers = np.frexp(positive[positive > 0.0])[1] - 1  # 2^power ≤ w < 2^(power + 1)
        counts += np.bincount(np.maximum(powers, LEAST_POWER) - LEAST_POWER, minlength=counts.size)
    least = int(np.flatnonzero(counts)[0])
    beyond = np.cumsum(counts[least:][::-1])[::-1] / weights.size
    shares = [(2.0 ** (LEAST_POWER + least + place), float(share)) for place, share in enumerate(beyond)]
    return (*shares, (most, float(np.mean(weights == most)))) if shares[-1][0] < most else tuple(shares)


def calibration(log: Log) -> tuple[Bin, ...]:
    """How often choices were made beside how probable they were said to be; nothing where only the propensities of what
    was chosen are known, since those that were not chosen tell half of it.

    The limits are exact for the variance: of one round at most one choice is made, whatever bins its choices are in.
    """
    if log.probabilities is None:
        return ()
    edges = _edges(log.probabilities)
    found = np.zeros((edges.size + 1, 4))  # choices, Σp, made, variance
    for start in range(0, len(log), BLOCK):
        rows = slice(start, start + BLOCK)
        p, eligible, chosen = log.probabilities[rows], log.eligible[rows], log.chosen[rows]
        place = np.searchsorted(edges, p, side="left")
        for of in range(edges.size + 1):
            inside = eligible & (place == of)
            together = np.where(inside, p, 0.0).sum(axis=1)
            made = inside[np.arange(len(chosen)), chosen]
            found[of] += inside.sum(), together.sum(), made.sum(), np.sum(np.maximum(together * (1.0 - together), 0.0))
    z = norm_isf((1.0 - LEVEL) / 2.0)
    return tuple(
        Bin(
            said=float(said / n),
            seen=float(made / n),
            low=max(0.0, float((said - z * np.sqrt(variance)) / n)),
            high=min(1.0, float((said + z * np.sqrt(variance)) / n)),
            n=int(n),
        )
        for n, said, made, variance in found
        if n
    )


def _edges(probabilities: Floats) -> Floats:
    """Between the bins: of a few rounds, evenly spread over the log, so that each bin has as much probability."""
    step = max(1, len(probabilities) // BLOCK)
    sample = np.sort(probabilities[::step][probabilities[::step] > 0.0])
    shares = np.cumsum(sample) / sample.sum()
    places = np.searchsorted(shares, np.arange(1, BINS) / BINS)
    return np.unique(sample[np.minimum(places, sample.size - 1)])
