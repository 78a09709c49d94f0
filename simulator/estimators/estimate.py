"""What every estimator returns, and what they share."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from simulator.intervals import NoSupport, Possible, clustered, cressie_read, skewed
from simulator.log import Floats


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimated mean reward of one policy, with its interval clustered by person.

    n: rounds. clusters: persons. ess: effective sample size of the weights, (Σw)²/Σw²; n for estimators without.
    influence: (n,) ψ, what each round adds to n·(value - truth); paired differences are made from it. up, down: the
    size, on the scale of ψ, of an event that the log could have held and that would raise, or lower, the value. note:
    what was chosen from the data, where something was.
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
    influence: Floats = field(repr=False, compare=False)
    up: float = 0.0
    down: float = 0.0
    note: str = ""


def estimate(
    estimator: str,
    value: float,
    influence: Floats,
    persons: NDArray[np.int64],
    *,
    weights: Floats | None,
    confidence: float,
    possible: Possible | None = None,
) -> Estimate:
    """The record of a value and its (n,) influence. Where it is known what was possible, the interval is skewed."""
    up = down = 0.0
    if possible is None:
        interval = clustered(value, influence, persons, confidence=confidence)
    else:
        up, down = jumps(value, possible)
        interval = skewed(value, influence, persons, up=up, down=down, confidence=confidence)
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
        influence=influence,
        up=up,
        down=down,
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
    return replace(found, low=sides.low, high=sides.high, up=up, down=down)


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
    measured by `python -m bench.coverage`, what is left still covers.
    """
    if possible is None:
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

    What would raise the first, or lower the second, would raise the difference. Skewed where both estimates are.
    """
    value = first.value - second.value
    influence = first.influence - second.influence
    found = estimate("difference", value, influence, persons, weights=None, confidence=confidence)
    up, down = max(first.up, second.down), max(first.down, second.up)
    if up == down == 0.0:
        return found
    return with_sides(found, influence, persons, (up, down), confidence=confidence)


def effective_sample_size(weights: Floats) -> float:
    """(Σw)²/Σw²: as many equally weighted rounds would be as informative. 0 for no weight at all. Kish 1965."""
    squares = float(np.sum(weights**2))
    return float(np.sum(weights)) ** 2 / squares if squares > 0.0 else 0.0


def require_weight(weights: Floats) -> None:
    """Raise NoSupport when no logged choice has a positive probability under the policy."""
    if not np.any(weights > 0.0):
        raise NoSupport(f"0 of {weights.size} logged choices have positive probability under it")
