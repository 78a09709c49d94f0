"""The empirical likelihood interval: every value of a distribution that explains the log nearly as well as the best."""

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from simulator.distributions import f_isf
from simulator.intervals.clustered import HEAVIEST, NoSupport, Persons, numbered
from simulator.intervals.scores import Scores
from simulator.logs.log import Floats


def likelihood(scores: Scores, persons: Persons, *, confidence: float) -> tuple[float, float]:
    """The least and the greatest expectation of a score over all distributions under which the mean weight is 1 and
    whose log likelihood is within ½F(confidence; 1, G-1) of the best one's. They may put mass on what was not seen, at
    any weight from 0 to the greatest possible. Owen 1988; Karampatziakis, Langford & Mineiro 2020, by its dual.

    Persons stand for rounds: their sums, in units of the mean number of visits. Raises NoSupport with fewer than 2
    persons.
    """
    codes = numbered(persons)
    visits = np.bincount(codes).astype(np.float64)
    many = visits.size
    if many < 2:
        raise NoSupport(f"{codes.size} rounds of 1 person: an interval needs at least 2 persons")
    often = float(visits.max() / visits.mean())
    if scores.weights is None:
        weights, heaviest = np.ones(many), 1.0 + 1e-9
    else:
        weights = np.bincount(codes, weights=scores.weights) / visits.mean()
        heaviest = max(scores.max_weight * often, float(weights.max()), 1.0 + 1e-9)
    sums = np.bincount(codes, weights=scores.plain) / visits.mean()
    unweighted, weighted = scores.corners
    most = max(min(heaviest, max(HEAVIEST, 100.0 * many)), float(weights.max()))
    if most < heaviest:  # what is possible there is possible at a lesser weight in proportion
        share, heaviest = most / heaviest, most
        low, high = (none + share * (whole - none) for none, whole in zip(unweighted, weighted, strict=True))
        weighted = low, high
    allowed = f_isf(1.0 - confidence, many - 1) / 2.0
    doubt = _best(weights, heaviest) + allowed
    # one who came but once has a part of the bounds: hence 0 among them
    floors = (min(unweighted[0], 0.0) * often, min(weighted[0], 0.0) * often)
    ceilings = (max(unweighted[1], 0.0) * often, max(weighted[1], 0.0) * often)
    low = _least(sums, weights, floors, heaviest, doubt)
    high = -_least(-sums, weights, (-ceilings[0], -ceilings[1]), heaviest, doubt)
    return max(low, scores.within[0]), min(high, scores.within[1])


def _best(weights: Floats, heaviest: float) -> float:
    """By how much the best log likelihood with mean weight 1 is below that of the sample, -G·log(G): the maximum of
    Σ log(1 + β(w - 1)) over the β at which no weight from 0 to `heaviest` makes it negative.
    """
    found = minimize_scalar(
        lambda beta: -float(np.sum(np.log(np.maximum(1.0 + beta * (weights - 1.0), 1e-300)))),
        bounds=(-1.0 / (heaviest - 1.0), 1.0),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return max(0.0, -float(found.fun))


def _least(sums: Floats, weights: Floats, floors: tuple[float, float], heaviest: float, doubt: float) -> float:
    """The least Σqs over q ≥ 0 with Σq = Σqw = 1 and -Σ log(Gq) ≤ doubt, where q may lie on points never seen.

    By its dual, the greatest exp(mean log z - doubt/G) - γ - β with z = s + γ + βw: concave in the values a, b ≥ 0 that
    z takes at the two corners of what was never seen, weight 0 and the greatest. floors: the least score there. Every
    a, b give a lower bound, so that a search that ends too soon makes the interval wider, never too narrow.
    """
    # of the sums as they are: by the least score at the greatest weight, all others would be next to nothing
    scale = max(float(np.abs(sums).max()), abs(floors[0]), abs(floors[1]) / heaviest, 1e-12)
    share = weights / heaviest
    from_a, from_b = 1.0 - share, share
    rest = (sums - floors[0] * from_a - floors[1] * share) / scale
    constant = (floors[0] * (1.0 - 1.0 / heaviest) + floors[1] / heaviest) / scale
    prices = np.array([1.0 - 1.0 / heaviest, 1.0 / heaviest])

    def loss(logs: Floats) -> tuple[float, Floats]:
        a, b = np.exp(logs)
        z = np.maximum(rest + a * from_a + b * from_b, 1e-300)
        mean = float(np.exp(np.mean(np.log(z)) - doubt / z.size))
        slopes = np.array([mean * np.mean(from_a / z), mean * np.mean(from_b / z)])
        return float(prices @ (a, b) - mean), (prices - slopes) * (a, b)

    # the multipliers are about the standard deviation over the relative width
    start = max(float(np.std(rest)) * np.sqrt(sums.size / (2.0 * doubt)), 1e-3)
    found = minimize(
        loss,
        np.log([start, start]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-40.0, 40.0)] * 2,
        options={"maxiter": 500, "ftol": 1e-15, "gtol": 1e-11},
    )
    return scale * float(constant - found.fun)
