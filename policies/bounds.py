"""The shares that people allow a variant: explore share, minimum and maximum, projected exactly.

The projection keeps the proportions that the policy gave, but for the variants that stand at a bound:
q_i = clip(t · p_i, low_i, high_i), with the one t for which they sum to 1. That is the distribution inside the bounds
that is closest to p in relative entropy.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from policies.base import uniform, with_exploration
from policies.types import Action, Pmf

Bounds = Mapping[str, tuple[float, float]]
"""By variant the least and the greatest share that it may have, 0 ≤ low ≤ high ≤ 1. A variant that is not in it may
have any."""

SLACK = 1e-9
"""How far the sum of bounds may miss 1 before it counts as infeasible: 0.1 is not exact in binary."""
TINY = 1e-200
"""Probabilities up to it are proportioned as zeros: the t that would lift them to a bound could overflow."""


class Bounded(NamedTuple):
    """What is drawn from, and what could not be kept, in words; empty where everything was."""

    pmf: Pmf
    note: str = ""


def bounded(pmf: Pmf, actions: Sequence[Action], *, explore: float, bounds: Bounds) -> Bounded:
    """A policy's pmf over the eligible actions, as it is drawn from: with the explore share, inside the bounds."""
    if not bounds:
        return Bounded(with_exploration(pmf, explore))
    pairs = [bounds.get(action.id, (0.0, 1.0)) for action in actions]
    return project(pmf, explore=explore, lowest=[low for low, _ in pairs], highest=[high for _, high in pairs])


def project(pmf: Pmf, *, explore: float, lowest: Sequence[float], highest: Sequence[float]) -> Bounded:
    """Mix the explore share in, then project onto the bounds. pmf: (k,); as many bounds, 0 ≤ low ≤ high ≤ 1.

    Every action keeps at least explore / k, unless its own maximum is lower: that one was written by a person, and
    holds. Where the minima of some leave less than that for the others, these get what is left, alike. Minima that
    sum to more than 1, and maxima that sum to less, are scaled to a sum of 1. Permuting the actions permutes the
    result, bit by bit.
    """
    k, floor = pmf.size, explore / pmf.size
    minima, maxima = math.fsum(lowest), math.fsum(highest)
    if minima > 1.0 + SLACK:
        note = f"the minimum shares of the {k} eligible variants sum to {minima:g}: scaled down to 1"
        return Bounded(np.array(lowest) / minima, note)
    if maxima < 1.0 - SLACK:
        note = f"the maximum shares of the {k} eligible variants sum to {maxima:g}: scaled up to 1"
        return Bounded(np.array(highest) / maxima if maxima > 0.0 else uniform(k), note)
    notes = []
    if capped := sum(high < floor for high in highest):
        notes.append(f"{capped} of {k} variants get less than the explore share's {floor:g}: their maximum is lower")
    least = [min(max(low, floor), high) for low, high in zip(lowest, highest, strict=True)]
    if (total := math.fsum(least)) > 1.0 + SLACK:
        notes.append(f"minimum shares and explore share sum to {total:g}: the explore share gave way")
    if minima >= 1.0:
        inside = np.array(lowest) / minima
    elif maxima <= 1.0:
        inside = np.array(highest) / maxima
    elif total > 1.0:
        inside = np.array(_clipped_to_sum([1.0] * k, lowest, highest))
    else:
        inside = _inside(with_exploration(pmf, explore), least, highest)
    return Bounded(inside, "; ".join(notes))


def _inside(pmf: Pmf, lowest: Sequence[float], highest: Sequence[float]) -> Pmf:
    """The projection where there is one. What the bounds force on zeros is the limit of equal, ever smaller shares."""
    shares = pmf.tolist()
    if all(low <= p <= high for p, low, high in zip(shares, lowest, highest, strict=True)):
        return pmf
    weights = [p if p > TINY else 0.0 for p in shares]
    most = [high if p else low for p, low, high in zip(weights, lowest, highest, strict=True)]
    if math.fsum(most) >= 1.0:
        return np.array(_clipped_to_sum(weights, lowest, highest))
    # all that the policy shows is at its maximum, and the others share the rest
    return np.array(_clipped_to_sum([0.0 if p else 1.0 for p in weights], most, highest))


def _clipped_to_sum(weights: Sequence[float], lowest: Sequence[float], highest: Sequence[float]) -> list[float]:
    """clip(t · weights, lowest, highest) with a sum of 1, which lies between what t = 0 and t = ∞ give.

    The sum is piecewise linear in t and never falls. Its corners are where an entry leaves or reaches a bound; between
    the two corners around 1, the entries that move are known, and t follows from a division. Every sum is rounded
    once, so that the order of the entries changes no bit.
    """
    entries = list(zip(weights, lowest, highest, strict=True))
    corners = sorted({0.0, *(bound / weight for weight, *bounds in entries if weight for bound in bounds)})

    def sum_at(t: float) -> float:
        return math.fsum([min(max(t * weight, low), high) for weight, low, high in entries])

    last = min(max(1, bisect_left(corners, 1.0, key=sum_at)), len(corners) - 1)
    before, after = corners[last - 1], corners[last]
    free, fixed = [], []
    for weight, low, high in entries:
        if not weight or low / weight >= after:
            fixed.append(low)
        elif high / weight <= before:
            fixed.append(high)
        else:
            free.append(weight)
    # where nothing moves between the two corners, any t there will do
    t = math.fsum([1.0, *(-share for share in fixed)]) / math.fsum(free) if free else after
    return [min(max(t * weight, low), high) for weight, low, high in entries]
