"""Does what was said to happen with probability p happen with probability p?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.checks.sample_ratio import ids_of, probabilities_by_id
from simulator.checks.sums import AMBER_P, p_values, repeated_persons, standard_errors, surely_off, worst_of
from simulator.checks.wording import Voice
from simulator.diagnostics import blocks
from simulator.findings import Finding, Severity
from simulator.intervals.clustered import Persons, numbered
from simulator.logs.log import Floats, Log

EDGES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0)
"""Of the bins of propensities, each without its left end: narrower where a small error is a large weight."""

RED_DEVIATION, AMBER_DEVIATION = 0.1, 0.02
"""Of what was expected."""

WEIGHT_ERRORS = 5.0
"""Standard errors that the mean weight of the uniform policy may be above 1, where it can't be in expectation."""

OFF = {
    "en": (
        "Choices said to be made with probability {low} to {high} were made {observed} "
        "{observed:time|times} where {expected} {expected:was|were} expected (p {p}).",
        "Log the probability of the draw that was served, after every rule and override, from the same snapshot.",
    ),
    "es": (
        "Las decisiones con probabilidad registrada de {low} a {high} se tomaron {observed} "
        "{observed:vez|veces} donde se {expected:esperaba|esperaban} {expected} (p {p}).",
        "Registre la probabilidad del sorteo servido, después de toda regla, límite y excepción, del mismo modelo.",
    ),
}
HOLDS = {
    "en": ("In each of {bins} ranges of probability, choices were made as often as was said (p {p}).", ""),
    "es": ("En cada uno de {bins} rangos de probabilidad, se eligió tanto como se dijo (p {p}).", ""),
}
TOO_SMALL = {
    "en": (
        "The mean of 1/(eligible variants × propensity) is {mean} ± {error}, and can't be above 1 in expectation: "
        "logged propensities are too small.",
        "Log the probability of the choice that was shown, not of another step, nor a density or a score.",
    ),
    "es": (
        "La media de 1/(variantes posibles × probabilidad) es {mean} ± {error}, y no puede esperarse mayor que 1: "
        "las probabilidades registradas son demasiado pequeñas.",
        "Registre la probabilidad de lo que se mostró, no la de otro paso, ni una densidad o una puntuación.",
    ),
}


@dataclass(frozen=True, slots=True)
class Bin:
    """The choices whose probability was said to be in (low, high]: how many were made, and how many were expected.
    errors: standard errors between the two.
    """

    low: float
    high: float
    observed: float
    expected: float
    p_value: float
    errors: float

    @property
    def deviation(self) -> float:
        """As a share of what was expected."""
        return abs(self.observed / self.expected - 1.0)


def bins_of(log: Log) -> list[Bin]:
    """In each bin of propensities, 1{the chosen is in it} - Σ p of those that are, which is 0 in expectation; its
    variance is P(1-P) with P that sum, or that of the persons' sums. p-values by Holm. None that can't be tested.
    """
    p = None if log.propensities_estimated else probabilities_by_id(log)
    if p is None:
        return []
    bins = len(EDGES) - 1
    inside = np.empty((bins, len(log)))
    for rows in blocks(*p.shape):
        place = _edges_below(p[rows])  # 0 of what could not be chosen, else one more than its bin
        cells = place + (bins + 1) * np.arange(len(place))[:, None]
        sums = np.bincount(cells.ravel(), weights=p[rows].ravel(), minlength=(bins + 1) * len(place))
        inside[:, rows] = sums.reshape(-1, bins + 1)[:, 1:].T
    # what `inside` was made of: a propensity that was written with fewer digits may be beyond an edge
    drawn = _edges_below(p[np.arange(len(log)), ids_of(log)[log.chosen]]) - 1
    together: Floats = np.minimum(inside, 1.0, out=inside)  # a sum may be above by rounding
    terms = (((drawn == of) - together[of], float(np.sum(together[of] * (1.0 - together[of])))) for of in range(bins))
    errors = standard_errors(terms, repeated_persons(log))
    return [
        Bin(EDGES[of], EDGES[of + 1], float(np.sum(drawn == of)), float(together[of].sum()), value, off)
        for of, (value, off) in enumerate(zip(p_values(errors), errors, strict=True))
        if value is not None and off is not None
    ]


def _edges_below(p: Floats) -> NDArray[np.int8]:
    """How many of the edges, without the last, each probability is above: counted, since so few are sooner compared
    with all numbers than searched for each.
    """
    found = np.zeros(p.shape, dtype=np.int8)
    for edge in EDGES[:-1]:
        found += p > edge
    return found


def calibration(log: Log, voice: Voice) -> Finding | None:
    """Red where a bin is surely and far off. Where only the propensities of what was chosen are known, that alone is
    looked at which can't be under any truth: weights whose mean is above 1.
    """
    tested = bins_of(log)
    if not tested:
        return _too_small(log, voice)
    worst = worst_of(tested, far=RED_DEVIATION)
    numbers = {"p_value": worst.p_value, "observed": worst.observed, "expected": worst.expected}
    p = voice.p_value(worst.p_value)
    if worst.p_value >= AMBER_P or worst.deviation < AMBER_DEVIATION:
        return voice.finding("calibration", Severity.GREEN, HOLDS, numbers, bins=voice.count(len(tested)), p=p)
    return voice.finding(
        "calibration",
        Severity.RED if surely_off(worst.p_value, worst.deviation, far=RED_DEVIATION) else Severity.AMBER,
        OFF,
        numbers,
        low=voice.language.number(worst.low),
        high=voice.language.number(worst.high),
        observed=voice.count(round(worst.observed)),
        expected=voice.count(round(worst.expected)),
        p=p,
    )


def _too_small(log: Log, voice: Voice) -> Finding | None:
    if log.probabilities is not None or log.propensities_estimated:
        return None
    w = 1.0 / (log.propensities * log.eligible.sum(axis=1))
    mean, error = float(w.mean()), _error(w, numbered(log.persons))
    if mean - 1.0 <= WEIGHT_ERRORS * error + 1e-6:
        return None
    numbers = {"mean_weight": mean, "standard_error": error}
    parts = {"mean": voice.number(mean), "error": voice.number(error, 2)}
    return voice.finding("calibration", Severity.RED, TOO_SMALL, numbers, **parts)


def _error(w: Floats, persons: Persons) -> float:
    """The standard error of the mean of (n,) weights, by person, as if one more, who comes most often, had weight 0:
    in a short log the choices that were said to be likely may all be missing, and what is left is alike.
    """
    sums = np.bincount(persons, weights=w - w.mean())
    return float(np.hypot(np.sqrt(np.sum(sums**2)), np.bincount(persons).max())) / len(w)
