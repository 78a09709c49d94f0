"""Propensities that nobody kept, estimated: how probable was each choice, given its context?

A multinomial logistic model of what was chosen among what was eligible. It is cross-fitted by person, so that no choice
makes itself look probable; how far it may bend, and how strongly it is penalised, is what predicts the choices of
people it never saw best. It is calibrated: its scores are stretched and shifted until they agree with how often each
variant was chosen. What it can't know is what it was not told: where something outside the context moved both the
choice and the reward, every estimate from it is wrong.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize

from simulator.logs.contexts import Contexts
from simulator.logs.encoding import RANGES, encode
from simulator.logs.problems import LogError
from simulator.sentences import LANGUAGES, Language

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]

FOLDS = 5

MODELS = ((1, 1.0), (1, 30.0), (RANGES, 1.0), (RANGES, 10.0), (RANGES, 100.0))
"""What is tried: ranges that a number is cut into, and the L2 penalty on all weights but the constants, ½·penalty·|w|²
against the log likelihood. Smooth choosers are told best by the first, rules with steps by the others."""

TRIED_ON = 10_000
"""Rounds at most on which they are tried."""

FITTED_ON = 100_000
"""Rounds at most to which each fold's model is fitted: for some hundred weights, more would mostly take longer."""

LEAST = 0.01
LEAST_SHARE = 0.1
"""No estimated propensity is believed below LEAST, nor, of many variants, below this part of an even share: a weight of
hundreds is a mistake of the model more often than a rare choice."""


class Estimated(Protocol):
    """What `remark` reads of a log."""

    @property
    def propensities(self) -> Floats: ...
    @property
    def eligible(self) -> Flags: ...


def with_estimated(
    propensities: Floats,
    contexts: Contexts,
    eligible: Flags,
    chosen: Indices,
    persons: NDArray[np.int64],
    *,
    name: str = "log",
    seed: int = 0,
) -> Floats:
    """(n,) the propensities, those that are nan estimated from the rounds that have none, and raised to `least`.

    The others stay as they are, and teach the model nothing: what we drew says nothing about who chose elsewhere.
    Raises LogError where the rounds without a propensity are of fewer than 2 persons.
    """
    rows = np.flatnonzero(np.isnan(propensities))
    people, which = np.unique(persons[rows], return_inverse=True)
    if people.size < 2:
        raise LogError(
            name, [f"{rows.size} rounds of {people.size} person without a propensity: none can be estimated"]
        )
    rng = np.random.default_rng(seed)
    fold = (rng.permutation(people.size) % min(FOLDS, people.size))[which.reshape(-1)]
    chances = estimate(contexts.take(rows), eligible[rows], chosen[rows], fold, rng=rng)
    found = propensities.copy()
    found[rows] = np.maximum(chances[np.arange(rows.size), chosen[rows]], least(eligible[rows]))
    return found


def estimate(
    contexts: Contexts, eligible: Flags, chosen: Indices, fold: Indices, *, rng: np.random.Generator
) -> Floats:
    """(n, K) the probability of each action, zero outside `eligible`: each fold by a model of the others, calibrated.

    fold: (n,) 0, 1, … of each round.
    """
    n, tried = len(contexts), np.arange(len(contexts))
    if n > TRIED_ON:
        tried = np.sort(rng.choice(n, TRIED_ON, replace=False))
    best, likelihood = MODELS[0], -np.inf
    for ranges, penalty in MODELS:
        features = encode(contexts.take(tried), ranges=ranges)
        logs = _cross_fitted(features, eligible[tried], chosen[tried], fold[tried], penalty, rng=rng)
        found = float(logs[np.arange(tried.size), chosen[tried]].sum())
        if found > likelihood:
            best, likelihood = (ranges, penalty), found
    logs = _cross_fitted(encode(contexts, ranges=best[0]), eligible, chosen, fold, best[1], rng=rng)
    return np.exp(_calibrated(logs, eligible, chosen))


def least(eligible: Flags) -> Floats:
    """(n,) the smallest propensity that is believed when it is estimated. eligible: (n, K)."""
    found: Floats = np.minimum(LEAST, LEAST_SHARE / eligible.sum(axis=1))
    return found


def remark(log: Estimated, language: Language = LANGUAGES["en"]) -> str:
    """What has to be said beside every number from estimated propensities."""
    limits = least(log.eligible)
    at_limit = int(np.count_nonzero(log.propensities <= limits))
    return language.propensities_estimated.format(
        limit=language.number(float(limits.max()), 2),
        at_limit=language.whole(at_limit),
        n=language.whole(len(log.propensities)),
    )


def _log_chances(scores: Floats, eligible: Flags) -> Floats:
    """(n, K) log probabilities by a softmax over the eligible; −inf outside."""
    masked = np.where(eligible, scores, -np.inf)
    masked -= masked.max(axis=1, keepdims=True)
    masked -= np.log(np.exp(masked).sum(axis=1, keepdims=True))
    return masked


def _cross_fitted(
    features: sparse.csr_array,
    eligible: Flags,
    chosen: Indices,
    fold: Indices,
    penalty: float,
    *,
    rng: np.random.Generator,
) -> Floats:
    """(n, K) log probabilities, each fold by a model of the others. features: (n, d), the first one a constant."""
    logs = np.zeros(eligible.shape)
    for one in np.unique(fold):
        inside = fold == one
        others = np.flatnonzero(~inside)
        if others.size > FITTED_ON:
            others = np.sort(rng.choice(others, FITTED_ON, replace=False))
        weights = _fit(features[others], eligible[others], chosen[others], penalty)
        logs[inside] = _log_chances(features[inside] @ weights, eligible[inside])
    return logs


def _fit(features: sparse.csr_array, eligible: Flags, chosen: Indices, strength: float) -> Floats:
    """(d, K) weights of the multinomial model, penalised but for the constants, which start at the shares."""
    shape = (features.shape[1], eligible.shape[1])
    penalty = np.full(shape, strength)
    penalty[0] = 0.0
    start = np.zeros(shape)
    shares = np.bincount(chosen, minlength=shape[1]) + 0.5
    start[0] = np.log(shares / (eligible.sum(axis=0) + 1.0))
    transposed, rows = features.T.tocsr(), np.arange(len(chosen))

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(shape)
        logs = _log_chances(features @ weights, eligible)
        off = np.exp(logs)
        off[rows, chosen] -= 1.0
        gradient = transposed @ off + penalty * weights
        value = -float(logs[rows, chosen].sum()) + 0.5 * float(np.sum(penalty * weights**2))
        return value, gradient.reshape(-1)

    found = minimize(loss, start.reshape(-1), jac=True, method="L-BFGS-B", options={"maxiter": 100})
    return np.asarray(found.x).reshape(shape)


def _calibrated(logs: Floats, eligible: Flags, chosen: Indices) -> Floats:
    """(n, K) log probabilities t·logs + b, normalised; t and the K shifts b by maximum likelihood (vector scaling with
    one slope: Guo, Pleiss, Sun & Weinberger 2017).
    """
    scores, rows = np.where(eligible, logs, 0.0), np.arange(len(chosen))
    start = np.concatenate([[1.0], np.zeros(eligible.shape[1])])

    def loss(flat: Floats) -> tuple[float, Floats]:
        found = _log_chances(flat[0] * scores + flat[1:], eligible)
        off = np.exp(found)
        off[rows, chosen] -= 1.0
        away = flat - start  # hardly a penalty: only what the choices leave open, such as the level of the shifts
        value = -float(found[rows, chosen].sum()) + 0.5 * float(away @ away)
        return value, np.concatenate([[np.sum(off * scores)], off.sum(axis=0)]) + away

    best = np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x)
    return _log_chances(best[0] * scores + best[1:], eligible)
