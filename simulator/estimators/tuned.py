"""Estimators with a parameter that trades bias for variance, which SLOPE chooses; the estimate says what was chosen."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simulator.distributions import norm_isf
from simulator.estimators.doubly_robust import dr
from simulator.estimators.errors import error_of
from simulator.estimators.estimate import Estimate, jumps, with_sides
from simulator.estimators.evidence import Evidence
from simulator.estimators.importance import ips
from simulator.estimators.weights import agreeing, clipped, shrunk, switched
from simulator.logs.log import Floats

LIMITS = (np.inf, 1_000.0, 500.0, 100.0, 50.0, 10.0, 5.0, 1.0)
"""From no bias to the most."""


def clipped_ips(seen: Evidence, *, limits: Sequence[float] = LIMITS, confidence: float = 0.95) -> Estimate:
    """Clipped IPS: Σ min(w, limit) r / n. Ionides 2008."""

    def of(limit: float) -> Estimate:
        found = ips(seen.rewards, clipped(seen.weights, limit), seen.persons, confidence=confidence)
        return _with_sides(found, seen, limit, confidence)

    return chosen_by_slope("clipped_ips", of, limits, "min(w, {:g})", confidence, seen.persons)


def switch_dr(seen: Evidence, *, limits: Sequence[float] = LIMITS, confidence: float = 0.95) -> Estimate:
    """Switch-DR: mean of Σ_a π(a|x) q(x, a) + w 1{w ≤ limit} (r - q(x, chosen)). Wang, Agarwal & Dudík 2017."""
    return chosen_by_slope(
        "switch_dr",
        _dr_with(seen, switched, lambda limit: limit, confidence),
        limits,
        "w ≤ {:g}",
        confidence,
        seen.persons,
    )


def dros(seen: Evidence, *, limits: Sequence[float] = LIMITS, confidence: float = 0.95) -> Estimate:
    """DR with optimistic shrinkage: as DR, with weights limit · w / (w² + limit). Su et al. 2020."""
    # the greatest of limit · w / (w² + limit) over all w is √limit / 2
    return chosen_by_slope(
        "dros",
        _dr_with(seen, shrunk, lambda limit: limit**0.5 / 2.0, confidence),
        limits,
        "λ = {:g}",
        confidence,
        seen.persons,
    )


def _dr_with(
    seen: Evidence, change: Callable[[Floats, float], Floats], greatest: Callable[[float], float], confidence: float
) -> Callable[[float], Estimate]:
    def of(limit: float) -> Estimate:
        w = change(seen.weights, limit)
        found = dr(seen.rewards, w, seen.expected, seen.predicted, seen.persons, confidence=confidence)
        return _with_sides(found, seen, greatest(limit), confidence)

    return of


def chosen_by_slope(
    name: str,
    of: Callable[[float], Estimate],
    limits: Sequence[float],
    told: str,
    confidence: float,
    persons: NDArray[np.int64],
) -> Estimate:
    """The value is that of the limit chosen; `limits` go from the least biased estimate to the most. Of those that
    agree by SLOPE, with half-widths at this confidence, it is that of the least estimated error. SLOPE alone takes the
    narrowest: the bias that it lets pass may be several times the error. `python -m bench.selection` has both.

    Error and interval stay those of the first: an interval of the chosen one would know nothing of its bias.
    """
    tried = [of(limit) for limit in limits]
    quantile = norm_isf((1.0 - confidence) / 2.0)
    agree = agreeing([one.value for one in tried], [quantile * one.standard_error for one in tried])
    first = tried[0]
    best = min(range(agree), key=lambda place: error_of(tried[place], first, persons).root)
    chosen = tried[best]
    note = "" if limits[best] in (np.inf, 0.0) else told.format(limits[best])
    low, high = min(first.low, chosen.value), max(first.high, chosen.value)
    return replace(
        chosen,
        estimator=name,
        standard_error=first.standard_error,
        low=low,
        high=high,
        influence=first.influence,
        up=first.up,
        down=first.down,
        note=note,
    )


def _with_sides(found: Estimate, seen: Evidence, greatest: float, confidence: float) -> Estimate:
    """Skewed by what was possible under changed weights, which are at most `greatest`."""
    if seen.possible is None:
        return found
    limited = replace(seen.possible, weight=min(seen.possible.weight, greatest))
    return with_sides(found, found.influence, seen.persons, jumps(found.value, limited), confidence=confidence)
