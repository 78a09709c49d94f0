"""What every estimator returns, and what they share."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulator.intervals import NoSupport, clustered
from simulator.log import Floats


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimated mean reward of one policy, with its interval clustered by person.

    n: rounds. clusters: persons. ess: effective sample size of the weights, (Σw)²/Σw²; n for estimators without.
    influence: (n,) ψ, what each round adds to n·(value - truth); paired differences are made from it.
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


def estimate(
    estimator: str,
    value: float,
    influence: Floats,
    persons: NDArray[np.int64],
    *,
    weights: Floats | None,
    confidence: float,
) -> Estimate:
    """The record of a value and its (n,) influence."""
    interval = clustered(value, influence, persons, confidence=confidence)
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
    )


def mean(rewards: Floats, persons: NDArray[np.int64], *, confidence: float = 0.95) -> Estimate:
    """What was truly earned: Σr/n. rewards: (n,). Raises NoSupport with fewer than 2 persons."""
    value = float(rewards.mean())
    return estimate("mean", value, rewards - value, persons, weights=None, confidence=confidence)


def difference(first: Estimate, second: Estimate, persons: NDArray[np.int64], *, confidence: float = 0.95) -> Estimate:
    """first - second, paired: both were estimated on the same n rounds, and much of their noise is shared."""
    value = first.value - second.value
    return estimate(
        "difference", value, first.influence - second.influence, persons, weights=None, confidence=confidence
    )


def effective_sample_size(weights: Floats) -> float:
    """(Σw)²/Σw²: as many equally weighted rounds would be as informative. 0 for no weight at all. Kish 1965."""
    squares = float(np.sum(weights**2))
    return float(np.sum(weights)) ** 2 / squares if squares > 0.0 else 0.0


def require_weight(weights: Floats) -> None:
    """Raise NoSupport when no logged choice has a positive probability under the policy."""
    if not np.any(weights > 0.0):
        raise NoSupport(f"0 of {weights.size} logged choices have positive probability under it")
