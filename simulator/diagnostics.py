"""How much of a log speaks about one policy, in numbers. What follows from them is said by `simulator.checks`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from simulator.estimators import effective_sample_size, ips
from simulator.intervals.clustered import NoSupport, Persons, Possible, clustered, numbered
from simulator.logs.log import Flags, Floats, Log
from simulator.pareto import pareto_shape

CELLS = 65_536
"""Numbers looked at together: so many stay in the cache of a core."""

BOUNDS_CONFIDENCE = 0.95
WHOLE = 1e-9  # probability that may be missing by rounding

FAR = 4.0
"""Standard errors between the mean weight and its expectation, from which the propensities are doubted."""


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """How much of a log speaks about one policy.

    support: the share of the policy's probability on choices the log could have shown. Exact where the log's
    probabilities are known; else the mean weight, whose expectation it is (`support_exact` is False).
    ess: (Σw)²/Σw². events: the same over rewarded rounds only. people: the same of the persons' sums of weights: who
    comes often, and was always shown the same, is one that speaks, and not many. mean_weight: near 1 if propensities
    and support are right; mean_weight_error: its standard error, by person, see `mean_error`. pareto_k: the shape of
    the tail of the weights, None where too few differ; see `simulator.pareto`. bounds: between which the policy's value
    lies, with 95 % confidence, whatever its unsupported choices earn (partial identification, Manski 1990); None where
    all are supported.
    """

    n: int
    support: float
    support_exact: bool
    ess: float
    events: float
    people: float
    max_weight: float
    mean_weight: float
    mean_weight_error: float
    pareto_k: float | None
    bounds: tuple[float, float] | None


def weights(log: Log, target: Floats) -> Floats:
    """(n,) w = π(chosen|x)/propensity, for the policy's (n, K) pmf."""
    w = of_chosen(log, target)
    w /= log.propensities
    return w


def of_chosen(log: Log, table: Floats) -> Floats:
    """(n,) what an (n, K) table holds of the chosen action of each round."""
    found = np.empty(len(log), dtype=table.dtype)
    for rows in blocks(len(log)):
        chosen = log.chosen[rows]
        found[rows] = table[rows][np.arange(len(chosen)), chosen]
    return found


def earned_range(log: Log) -> tuple[float, float]:
    """What a mean reward can be: the declared range, or what was seen if that is wider."""
    return min(log.reward_range.low, float(log.rewards.min())), max(log.reward_range.high, float(log.rewards.max()))


def possible(log: Log, target: Floats) -> Possible:
    """What this log could have held for the (n, K) pmf of a policy: exact where all logged probabilities are known,
    else by the weights that were seen, and the least propensity.
    """
    cubes, most = heaviness(log, target)
    return Possible(float(np.sqrt(cubes / len(log))), most, *earned_range(log))


def heaviness(log: Log, target: Floats) -> tuple[float, float]:
    """Σ over rounds of E[w³], and the greatest weight that there could have been, for `possible`."""
    if log.probabilities is None:
        w = weights(log, target)
        return float(np.einsum("i,i,i->", w, w, w)), max(float(w.max()), 1.0 / float(log.propensities.min()))
    cubes, most = 0.0, 0.0
    for rows in blocks(*target.shape):
        pmf, logged = target[rows], log.probabilities[rows]
        ratio = np.divide(pmf, logged, out=np.zeros_like(pmf), where=logged > 0.0)
        cubes += float(np.einsum("ij,ij,ij->", pmf, ratio, ratio))  # E[w³ | x] = Σ π³/p²
        most = max(most, float(ratio.max()))
    return cubes, most


def diagnose(log: Log, target: Floats, *, w: Floats | None = None, persons: Persons | None = None) -> Diagnostics:
    """Hold the (n, K) pmf of a policy against what the log holds. Needs no model of the rewards. w: its `weights`,
    persons: the log's, `numbered`, where they are at hand.
    """
    support = None
    if log.probabilities is not None:
        never = (float(target[rows][log.probabilities[rows] <= 0.0].sum()) for rows in blocks(*target.shape))
        support = max(0.0, 1.0 - sum(never) / len(log))
    w = weights(log, target) if w is None else w
    persons = numbered(log.persons) if persons is None else persons
    return diagnose_weights(log, w, persons, support, lambda: possible(log, target))


def diagnose_weights(
    log: Log, w: Floats, persons: Persons, support: float | None, possible_of: Callable[[], Possible]
) -> Diagnostics:
    """Hold (n,) weights, wherever they come from, against what the log holds. persons: its own, `numbered`. support:
    None where not all of the logged probabilities are known; it is then the mean weight, E[w | x] = Σ over the
    supported a of π(a|x).
    """
    n, mean_weight = len(log), float(w.mean())
    error = error_of_mean(mean_weight, w - mean_weight, persons)
    return Diagnostics(
        n=n,
        support=min(1.0, mean_weight) if support is None else support,
        support_exact=support is not None,
        ess=effective_sample_size(w),
        events=effective_sample_size(w[rewarded_rounds(log)]),
        people=effective_sample_size(np.bincount(persons, weights=w).astype(np.float64, copy=False)),
        max_weight=float(w.max()),
        mean_weight=mean_weight,
        mean_weight_error=mean_error(mean_weight, error, n, support, possible_of),
        pareto_k=pareto_shape(w),
        bounds=_bounds(log, w, persons, support, possible_of),
    )


def error_of_mean(value: float, influence: Floats, persons: Persons) -> float:
    """The standard error of a mean, by person: what somebody is shown may have been drawn once for all their visits.
    Infinite where only one came.
    """
    try:
        return clustered(value, influence, persons, confidence=BOUNDS_CONFIDENCE).standard_error
    except NoSupport:
        return float("inf")


def mean_error(
    mean_weight: float, seen: float, n: int, support: float | None, possible_of: Callable[[], Possible]
) -> float:
    """The standard error of the mean of n weights: `seen`, that of the sample, unless the mean is far too small by it.

    Weights that are rare and heavy are often missing, from the mean and from its sample error at once. But no mean of
    weights is below its expectation by more than δ with a probability over exp(-nδ²/2E[w²]), since none is negative
    (Maurer 2003): there the error is √(E[w²]/n), and E[w²] is at most √E[w³], since E[w] is at most 1 (Cauchy-Schwarz).
    support: the expectation; None where not all of the logged probabilities are known, and nothing of what is missing.
    """
    if support is None or support - mean_weight <= FAR * seen:
        return seen
    return max(seen, float(np.sqrt(possible_of().weight / n)))


def blocks(n: int, width: int = 1) -> Iterator[slice]:
    """Rows of an (n, width) table some at a time: what is computed of them needs no memory of the size of the log."""
    step = max(1, CELLS // width)
    return (slice(start, start + step) for start in range(0, n, step))


def _bounds(
    log: Log, w: Floats, persons: Persons, support: float | None, possible_of: Callable[[], Possible]
) -> tuple[float, float] | None:
    """What the supported choices earn is estimated by Σwr/n; the rest of the probability, 1 - support, earns between
    the least reward and the greatest. Where the support is itself estimated, by the mean weight, the same is done round
    by round: from Σ(wr + (1-w)·least)/n up to Σ(wr + (1-w)·greatest)/n, each with the limit of its interval.
    """
    least, greatest = earned_range(log)
    if support is not None and 1.0 - support <= WHOLE:
        return None
    if not w.any() or persons.max() < 1:
        return least, greatest
    seen = possible_of()
    if support is not None:
        missing = 1.0 - support
        found = ips(log.rewards, w, persons, confidence=BOUNDS_CONFIDENCE, possible=seen)
        low, high = found.low + missing * least, found.high + missing * greatest
    else:
        shifted = replace(seen, low=0.0, high=greatest - least)
        above = ips(log.rewards - least, w, persons, confidence=BOUNDS_CONFIDENCE, possible=shifted)
        below = ips(greatest - log.rewards, w, persons, confidence=BOUNDS_CONFIDENCE, possible=shifted)
        low, high = least + above.low, greatest - below.low
    return float(np.clip(low, least, greatest)), float(np.clip(high, least, greatest))


def rewarded_rounds(log: Log) -> Flags:
    """(n,) rounds whose reward is not the commonest one: with rare clicks, the clicks."""
    values, counts = np.unique(log.rewards, return_counts=True)
    rewarded: Flags = log.rewards != values[np.argmax(counts)]
    return rewarded
