"""What every estimator returns, and what they share."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from simulator.distributions import t_isf, t_sf
from simulator.estimators.basis import NORMAL, SKEWED, Basis
from simulator.intervals.clustered import (
    LEAST_TAIL,
    MOST_TAIL,
    NoSupport,
    Possible,
    clustered,
    cressie_read,
    p_value,
    skewed,
)
from simulator.intervals.linear import sum_of_products
from simulator.logs.log import Floats


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimated mean reward of one policy, with its interval clustered by person.

    n: rounds. clusters: persons. df: degrees of freedom of the error. ess: effective sample size of the weights,
    (Σw)²/Σw²; n for estimators without. influence: (n,) ψ, what each round adds to n·(value - truth); paired
    differences are made from it. up, down: the size, on the scale of ψ, of an event that the log could have held and
    that would raise, or lower, the value. note: what was chosen from the data, where something was. interval: by which
    method low and high were made. basis: what they were made of, where it is not the influence. shares: (n,) how much
    of the value each round makes; None where all rounds are alike.
    """

    estimator: str
    value: float
    standard_error: float
    low: float
    high: float
    ess: float
    max_weight: float
    n: int
    clusters: int
    df: float
    influence: Floats = field(repr=False, compare=False)
    up: float = 0.0
    down: float = 0.0
    note: str = ""
    interval: str = SKEWED
    basis: Basis | None = field(default=None, repr=False, compare=False)
    shares: Floats | None = field(default=None, repr=False, compare=False)


def estimate(
    estimator: str,
    value: float,
    influence: Floats,
    persons: NDArray[np.int64],
    *,
    weights: Floats | None,
    confidence: float,
    possible: Possible | None = None,
    events: tuple[float, float] | None = None,
    shares: Floats | None = None,
) -> Estimate:
    """The record of a value and its (n,) influence. Where it is known what was possible, the interval is skewed: its
    `events` are `up` and `down`, those of `jumps` unless others are told.
    """
    if events is None and possible is not None:
        events = jumps(value, possible)
    up, down = events or (0.0, 0.0)
    if events is None:
        interval = clustered(value, influence, persons, confidence=confidence, shares=shares)
    else:
        interval = skewed(value, influence, persons, up=up, down=down, confidence=confidence, shares=shares)
    return Estimate(
        estimator=estimator,
        value=value,
        standard_error=interval.standard_error,
        low=interval.low,
        high=interval.high,
        ess=float(len(influence)) if weights is None else effective_sample_size(weights),
        max_weight=1.0 if weights is None else float(weights.max()),
        n=len(influence),
        clusters=interval.clusters,
        df=interval.df,
        influence=influence,
        up=up,
        down=down,
        interval=NORMAL if events is None else SKEWED,
        shares=shares,
    )


def jumps(value: float, possible: Possible) -> tuple[float, float]:
    """By how much one event of the greatest, or the least, reward would have raised, or lowered, n times the value."""
    within = min(max(value, possible.low), possible.high)
    return possible.weight * (possible.high - within), possible.weight * (within - possible.low)


def with_sides(
    found: Estimate,
    influence: Floats,
    persons: NDArray[np.int64],
    events: tuple[float, float],
    *,
    confidence: float,
) -> Estimate:
    """The same estimate with the two sides of a skewed interval; `events`: `up` and `down`, as `jumps` gives them."""
    up, down = events
    sides = skewed(found.value, influence, persons, up=up, down=down, confidence=confidence)
    return replace(found, low=sides.low, high=sides.high, up=up, down=down, interval=SKEWED)


def with_basis(found: Estimate, basis: Basis, *, confidence: float) -> Estimate:
    """The same estimate with an interval made of this, which holds the estimate in any case."""
    low, high = basis.limits(confidence)
    low, high = min(low, found.value), max(high, found.value)
    return replace(found, low=low, high=high, up=0.0, down=0.0, interval=basis.interval, basis=basis)


def symmetric(found: Estimate, *, confidence: float) -> Estimate:
    """The same estimate with the interval value ± t·se."""
    half = t_isf((1.0 - confidence) / 2.0, found.df) * found.standard_error
    return replace(
        found, low=found.value - half, high=found.value + half, up=0.0, down=0.0, interval=NORMAL, basis=None
    )


def bounded(
    found: Estimate,
    rewards: Floats,
    weights: Floats,
    persons: NDArray[np.int64],
    possible: Possible | None,
    *,
    confidence: float,
) -> Estimate:
    """No side longer than that of the Cressie-Read interval, which covers more than it claims where events are few:
    measured by `python -m bench.coverage`, what is left still covers. Of weights that are all the same it is the
    symmetric interval, and no bound: the estimate is a mean, and has the interval of one.
    """
    if possible is None or alike(float(weights.sum()), sum_of_products(weights, weights), weights.size):
        return found
    low, high = cressie_read(rewards, weights, persons, possible, confidence=confidence)
    return replace(found, low=min(max(found.low, low), found.value), high=max(min(found.high, high), found.value))


def mean(
    rewards: Floats, persons: NDArray[np.int64], *, confidence: float = 0.95, possible: Possible | None = None
) -> Estimate:
    """What was truly earned: Σr/n. rewards: (n,). Raises NoSupport with fewer than 2 persons."""
    value = float(rewards.mean())
    return estimate("mean", value, rewards - value, persons, weights=None, confidence=confidence, possible=possible)


def difference(first: Estimate, second: Estimate, persons: NDArray[np.int64], *, confidence: float = 0.95) -> Estimate:
    """first - second, paired: both were estimated on the same n rounds, and much of their noise is shared.

    Its interval is of the method of theirs. Of skewed ones: what would raise the first, or lower the second, would
    raise the difference.
    """
    value = first.value - second.value
    influence = first.influence - second.influence
    if first.basis is not None and second.basis is not None:
        found = estimate("difference", value, influence, persons, weights=None, confidence=confidence)
        return with_basis(found, first.basis.minus(second.basis), confidence=confidence)
    up, down = max(first.up, second.down), max(first.down, second.up)
    events = None if up == down == 0.0 else (up, down)
    # two groups of people: whoever makes much of either value makes much of the difference
    shares = None if first.shares is None or second.shares is None else first.shares + second.shares
    return estimate(
        "difference", value, influence, persons, weights=None, confidence=confidence, events=events, shares=shares
    )


def doubt(found: Estimate, persons: NDArray[np.int64]) -> float:
    """How surprising the value would be if the truth were 0: 1 less the greatest confidence at which its interval, of
    whatever method, leaves 0 out. In [0, 1].
    """
    if found.basis is None and found.interval == NORMAL and found.standard_error > 0.0:
        return 2.0 * t_sf(abs(found.value) / found.standard_error, found.df)
    if found.basis is None:
        return p_value(found.value, found.influence, persons, up=found.up, down=found.down, shares=found.shares)
    limits = found.basis.limits

    def beyond(tail: float) -> float:
        low, high = limits(1.0 - 2.0 * tail)
        return -low if found.value > 0.0 else high

    if found.value == 0.0 or beyond(MOST_TAIL) >= 0.0:
        return 1.0
    if beyond(LEAST_TAIL) <= 0.0:
        return 0.0
    return 2.0 * float(brentq(beyond, LEAST_TAIL, MOST_TAIL, xtol=1e-6))


def effective_sample_size(weights: Floats) -> float:
    """(Σw)²/Σw²: as many equally weighted rounds would be as informative. 0 for no weight at all. Kish 1965."""
    squares = sum_of_products(weights, weights)
    return float(np.sum(weights)) ** 2 / squares if squares > 0.0 else 0.0


def alike(total: float, squares: float, n: int) -> bool:
    """Whether n weights with this sum, and sum of squares, are all the same, up to rounding."""
    return n * squares <= (1.0 + 1e-10) * total**2


def require_weight(weights: Floats) -> None:
    """Raise NoSupport when no logged choice has a positive probability under the policy."""
    if not np.any(weights > 0.0):
        raise NoSupport(f"0 of {weights.size} logged choices have positive probability under it")
