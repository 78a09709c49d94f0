"""Sample-ratio mismatch: was every variant shown as often as it was said to be probable?

What is lost, doubled or overridden between the draw and the log rarely hits all variants alike, and what is missing is
rarely like what is left: no estimate from such a log can be trusted, however small its interval. Fabijan et al. 2019.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.checks.sums import (
    AMBER_P,
    LEAST_VARIANCE,
    p_values,
    repeated_persons,
    standard_errors,
    surely_off,
    worst_of,
)
from simulator.checks.wording import Voice
from simulator.diagnostics import blocks
from simulator.distributions import chi2_sf
from simulator.findings import Finding, Severity
from simulator.logs.log import SUM_TOLERANCE, Floats, Indices, Log

RED_DEVIATION = 0.02
"""Of what was expected: less is amber at most, since rounded probabilities do it in a long log."""

MISMATCH = {
    "en": (
        "{variant} was chosen in {observed} of the rounds where {expected} was expected (p {p}): "
        "what is in the log is not what was drawn.",
        "Look for what loses, repeats or overrides choices between draw and log (redirects, caches, bots, time-outs), "
        "and evaluate a period without it.",
    ),
    "es": (
        "{variant} se eligió en el {observed} de las decisiones, donde se esperaba el {expected} (p {p}): "
        "lo registrado no es lo que se sorteó.",
        "Busque qué pierde, repite o cambia decisiones entre el sorteo y el registro (redirecciones, cachés, bots), "
        "y evalúe un período sin ello.",
    ),
}
MATCH = {
    "en": ("Variants were chosen as often as their probabilities say (p {p}).", ""),
    "es": ("Las variantes se eligieron tanto como dicen sus probabilidades (p {p}).", ""),
}
RARE = {"en": "one of the rare variants", "es": "alguna de las variantes raras"}


@dataclass(frozen=True, slots=True)
class Ratio:
    """p_value: that no variant deviates, if none does. worst: the place of the one that deviates most surely, or of
    those that surely deviate far; None for the rare ones together. observed, expected: how often it was chosen, and how
    often it should have been; errors: standard errors between the two.
    """

    p_value: float
    worst: int | None
    observed: float
    expected: float
    errors: float

    @property
    def deviation(self) -> float:
        """As a share of what was expected."""
        return abs(self.observed / self.expected - 1.0)


def ratio_of_counts(counts: Sequence[float], shares: Sequence[float] | None = None) -> Ratio:
    """Pearson's chi-square of how often each of K variants was shown against its share, all alike by default. Needs no
    log: a table of impressions is enough. Raises ValueError for shares that are none, or nothing shown.
    """
    seen = np.asarray(counts, dtype=np.float64)
    expected = np.full(seen.size, 1.0 / max(seen.size, 1)) if shares is None else np.asarray(shares, dtype=np.float64)
    if seen.size < 2 or not (np.isfinite(seen).all() and seen.min() >= 0.0 and seen.sum() > 0.0):
        raise ValueError(f"counts {list(counts)}: expected how often each of at least 2 variants was shown")
    if expected.shape != seen.shape or expected.min() <= 0.0 or abs(expected.sum() - 1.0) > SUM_TOLERANCE:
        raise ValueError(f"shares {list(shares or ())}: expected {seen.size} positive numbers, with a sum of 1")
    wanted = expected * seen.sum()
    # of each variant by itself: what one loses, all others seem to gain
    errors = np.abs(seen - wanted) / np.sqrt(wanted * (1.0 - expected))
    each = _ratios(errors.tolist(), range(seen.size), seen.tolist(), wanted.tolist())
    p = chi2_sf(float(np.sum((seen - wanted) ** 2 / wanted)), seen.size - 1)
    return replace(worst_of(each, far=RED_DEVIATION), p_value=p)


def _ratios(
    errors: Sequence[float | None], places: Sequence[int | None], observed: Sequence[float], expected: Sequence[float]
) -> list[Ratio]:
    """Of each by itself, those that can be tested; p-values by Holm."""
    parts = zip(p_values(errors), places, observed, expected, errors, strict=True)
    return [
        Ratio(p, place, seen, wanted, off) for p, place, seen, wanted, off in parts if p is not None and off is not None
    ]


def ratio_of(log: Log) -> Ratio | None:
    """Where shares are one for all and nobody came twice, the chi-square of the counts; else for every variant the sum
    of 1{chosen = a} - p(a), of which each term is 0 in expectation whatever came before, by person, and Holm's
    correction over the variants, the rare ones taken together. None where the log does not say how probable what was
    not chosen was, or says it from the choices themselves.
    """
    p = None if log.propensities_estimated else probabilities_by_id(log)
    if p is None:
        return None
    variants, persons = ids_of(log)[log.chosen], repeated_persons(log)
    expected, variances, alike = np.zeros(p.shape[1]), np.zeros(p.shape[1]), True
    for rows in blocks(*p.shape):
        expected += p[rows].sum(axis=0)
        variances += np.sum(p[rows] * (1.0 - p[rows]), axis=0)
        alike = alike and bool((p[rows] == p[0]).all())
    if persons is None and alike and variances.min() >= LEAST_VARIANCE:
        return ratio_of_counts(np.bincount(variants, minlength=p.shape[1]).tolist(), (p[0] / p[0].sum()).tolist())
    rare = [int(place) for place in np.flatnonzero((variances > 0.0) & (variances < LEAST_VARIANCE))]
    sets = [*([int(place)] for place in np.flatnonzero(variances >= LEAST_VARIANCE)), rare]

    def terms() -> Iterator[tuple[Floats, float]]:
        for places in sets:
            term = -(p[:, places[0]] if len(places) == 1 else p[:, places].sum(axis=1))
            for place in places:
                term[variants == place] += 1.0
            yield term, float(variances[places].sum())

    tested = _ratios(
        standard_errors(terms(), persons),
        [*(places[0] for places in sets[:-1]), None],
        [float(np.isin(variants, places).sum()) for places in sets],
        [float(expected[places].sum()) for places in sets],
    )
    return worst_of(tested, far=RED_DEVIATION) if tested else None


def probabilities_by_id(log: Log) -> Floats | None:
    """(n, V) of each of the V variants, whatever features it had. Where only propensities are logged: if each variant
    was always chosen with one, and these sum to 1, they are the shares. None where that does not hold.
    """
    ids = ids_of(log)
    if log.probabilities is not None:
        if len(log.ids) == len(log.actions):
            return log.probabilities
        by_id: Floats = log.probabilities @ np.eye(len(log.ids))[ids]
        return by_id
    shares = np.zeros(len(log.ids))
    for place in range(len(log.ids)):
        own = log.propensities[ids[log.chosen] == place]
        if own.size == 0 or np.ptp(own) > 0.0:
            return None
        shares[place] = own[0]
    if abs(shares.sum() - 1.0) > SUM_TOLERANCE:
        return None
    return np.broadcast_to(shares, (len(log), shares.size))


def ids_of(log: Log) -> Indices:
    """(K,) which variant each action is."""
    places = {variant: place for place, variant in enumerate(log.ids)}
    return np.array([places[action.id] for action in log.actions], dtype=np.intp)


def sample_ratio(log: Log, voice: Voice) -> Finding | None:
    """Red where the mismatch is sure and not tiny."""
    found = ratio_of(log)
    if found is None:
        return None
    n = float(len(log))
    numbers = {"p_value": found.p_value, "observed": found.observed / n, "expected": found.expected / n}
    p = voice.p_value(found.p_value)
    if found.p_value >= AMBER_P:
        return voice.finding("sample_ratio", Severity.GREEN, MATCH, numbers, p=p)
    red = surely_off(found.p_value, found.deviation, far=RED_DEVIATION)
    return voice.finding(
        "sample_ratio",
        Severity.RED if red else Severity.AMBER,
        MISMATCH,
        numbers,
        variant=RARE[voice.lang] if found.worst is None else repr(log.ids[found.worst]),
        observed=voice.percent(found.observed / n, 2),
        expected=voice.percent(found.expected / n, 2),
        p=p,
    )
