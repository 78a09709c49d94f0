"""Estimators that let related variants speak for each other: of the same kind, or near in an order."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simulator.estimators.estimate import Estimate
from simulator.estimators.evidence import Choices, Evidence
from simulator.estimators.features import kinds_of, places_of
from simulator.estimators.importance import ips
from simulator.estimators.tuned import chosen_by_slope
from simulator.estimators.weights import KERNELS, marginalised
from simulator.intervals.clustered import NoSupport, Possible
from simulator.logs.log import Floats

BANDWIDTHS = (0.0, 0.5, 1.0, 2.0, 4.0)
"""In units of the least distance between two variants, from no bias to the most."""


def mips(seen: Evidence, *, feature: str = "", confidence: float = 0.95) -> Estimate:
    """MIPS: IPS with the weight of the kind of the chosen, Σ π / Σ p over the variants of that kind. Saito & Joachims
    2022. Kinds are variants of equal features, or of the same one if it is named. Unbiased if a variant works only
    through its kind; then less noisy than IPS.
    """
    found = marginal(seen, feature)
    told = ips(found.rewards, found.weights, found.persons, confidence=confidence, possible=found.possible)
    return replace(told, estimator="mips")


def marginal(seen: Evidence, feature: str = "") -> Evidence:
    """The same evidence with the weights of kinds. Raises NoSupport where the log does not know all probabilities,
    ValueError where there are no kinds.
    """
    choices = _choices(seen)
    kinds = kinds_of(choices.actions, feature)
    weights = marginalised(choices.target, choices.logged, choices.chosen, kinds)
    possible = seen.possible
    if possible is not None:
        one_of = np.eye(int(kinds.max()) + 1)[kinds]
        wanted, logged = choices.target @ one_of, choices.logged @ one_of
        ratio = np.divide(wanted, logged, out=np.zeros_like(wanted), where=logged > 0.0)
        cubes = float(np.einsum("ij,ij,ij->", wanted, ratio, ratio)) / len(wanted)
        possible = Possible(float(np.sqrt(cubes)), float(ratio.max()), possible.low, possible.high)
    return replace(seen, weights=weights, possible=possible)


def kernel(seen: Evidence, *, feature: str = "", confidence: float = 0.95) -> Estimate:
    """IPS of the policy blurred over near variants: what it would choose, it chooses in part from among their
    neighbours. For variants with an order, such as hours, which begin again after 24. The bandwidth by SLOPE; without
    one it is IPS. After Kallus & Zhou 2018, whose actions are continuous.
    """
    choices = _choices(seen)
    places, cycle = places_of(choices.actions, feature)
    distances = distances_of(places, cycle)
    step = float(distances[distances > 0.0].min())

    def of(width: float) -> Estimate:
        weights, could = blurred(choices, distances, bandwidth=width * step), seen.possible
        if width > 0.0 and could is not None:  # what is blurred weighs less, seen or not
            could = replace(could, weight=min(could.weight, float(weights.max())))
        return ips(seen.rewards, weights, seen.persons, confidence=confidence, possible=could)

    return chosen_by_slope("kernel", of, BANDWIDTHS, f"h = {{:g}} × {step:g}", confidence, seen.persons)


def distances_of(places: Floats, cycle: float | None) -> Floats:
    """(K, K) between variants; on a cycle the shorter way round."""
    apart = np.abs(places[:, None] - places[None, :])
    return apart if cycle is None else np.minimum(apart % cycle, cycle - apart % cycle)


def blurred(choices: Choices, distances: Floats, *, bandwidth: float) -> Floats:
    """Σ_b π(b|x)·K(chosen | b) / p(chosen|x): (n,). K(a | b) is the Gaussian of the distance over the bandwidth,
    normalised over the eligible a, so that no weight is lost at the ends, and the mean weight is 1. Unbiased for the
    blurred policy whatever is earned, and for the policy itself where what is earned is alike among neighbours.
    """
    if bandwidth == 0.0:
        nearness: Floats = np.eye(len(distances))
    else:
        nearness = KERNELS["gaussian"](distances / bandwidth)
    whole = choices.eligible @ nearness  # (n, K): of each b, all eligible a
    shares = np.divide(choices.target, whole, out=np.zeros_like(choices.target), where=whole > 0.0)
    chosen: NDArray[np.float64] = np.einsum("ij,ij->i", shares, nearness[choices.chosen])
    return chosen / choices.propensities


def _choices(seen: Evidence) -> Choices:
    if seen.choices is None:
        raise NoSupport("only the propensity of what was chosen is known: this estimate needs those of all variants")
    return seen.choices
