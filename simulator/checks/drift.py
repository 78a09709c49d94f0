"""Did the people, or what they do, change between the first half of the log and the second?

With many rounds every difference is significant, and with few a large one is luck: amber needs both a large effect and
a small p-value, and the errors are those of persons, not of visits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.checks.wording import Voice
from simulator.comparisons import holm
from simulator.diagnostics import rewarded_rounds
from simulator.distributions import chi2_sf, norm_sf
from simulator.estimators import effective_sample_size
from simulator.findings import Finding, Severity
from simulator.intervals.clustered import numbered
from simulator.logs.contexts import Coded, Column, Numbers
from simulator.logs.log import Flags, Floats, Log

MOST_ROUNDS = 40_000
"""Of a longer log, so many evenly spread ones tell enough about a large drift."""

BINS, LEVELS = 10, 19
"""Of a number, the deciles; of anything else, the commonest values, the others being one."""

LEAST_ROUNDS, LEAST_EVENTS = 100, 20.0

LEAST_PERSONS = 20.0
"""As many who come equally often: of fewer, what they have in common with themselves tells too little."""

CHOSEN = "slot."
"""What a context calls the choices of earlier slots."""

AMBER_PSI = 0.1
"""Population stability index above which a distribution is usually said to have moved; above .25, much."""

AMBER_CHANGE = 0.2
"""Of what was earned before; or of a fifth of the rewards' standard deviation where that is larger."""

AMBER_P = 1e-3

MOVED = {
    "en": (
        "The contexts changed: {key} is not what it was (population stability index {psi}, where .1 is much, "
        "in the second half against the first).",
        "Evaluate the period that is like what is coming: an estimate holds for the mixture of people in the log.",
    ),
    "es": (
        "Los contextos cambiaron: {key} no es lo que era (índice de estabilidad {psi}; 0,1 es mucho) entre la primera "
        "mitad y la segunda.",
        "Evalúe el período que se parezca a lo que viene: la estimación vale para la mezcla de personas del registro.",
    ),
}
STAYED = {
    "en": ("The contexts are alike in both halves (population stability index at most {psi}, of {key}).", ""),
    "es": ("Los contextos son parecidos en ambas mitades (índice de estabilidad de {psi} como mucho, de {key}).", ""),
}
EARNED_ELSE = {
    "en": (
        "The same choices earned {first} in the first half and {second} in the second (p {p}).",
        "Look at values over time, and let learners forget (other slots that learn do this, too); an estimate is the "
        "mean over the whole period.",
    ),
    "es": (
        "Las mismas decisiones ganaron {first} en la primera mitad y {second} en la segunda (p {p}).",
        "Mire los valores en el tiempo y use aprendices que olviden (otros espacios que aprenden también lo causan); "
        "la estimación es la media de todo el período.",
    ),
}
EARNED_ALIKE = {
    "en": ("The same choices earned {first} in the first half and {second} in the second (p {p}).", ""),
    "es": ("Las mismas decisiones ganaron {first} en la primera mitad y {second} en la segunda (p {p}).", ""),
}


@dataclass(frozen=True, slots=True)
class Moved:
    """How much one key moved. psi: Σ (p₂-p₁) ln(p₂/p₁) over its values, less what chance makes of it; p_value: of no
    change, by Pearson's chi-square over the design effect of the persons' visits (Rao & Scott 1981).
    """

    key: str
    psi: float
    p_value: float


def moved(log: Log) -> list[Moved]:
    """Of each key of the contexts, p-values by Holm. A key that has one value is not looked at, nor are the choices of
    earlier slots: those move when a policy learns, and nobody who comes is another for it.
    """
    rows = _spread(log)
    late = rows >= len(log) // 2
    persons = numbered(log.persons[rows])
    if rows.size < LEAST_ROUNDS or effective_sample_size(np.bincount(persons).astype(np.float64)) < LEAST_PERSONS:
        return []
    found = [
        _moved(key, _codes(column, rows), late, persons)
        for key, column in log.contexts.columns.items()
        if not key.startswith(CHOSEN)
    ]
    known = [one for one in found if one is not None]
    adjusted = holm([one.p_value for one in known])
    return [Moved(one.key, one.psi, value) for one, value in zip(known, adjusted, strict=True)]


def _spread(log: Log) -> NDArray[np.intp]:
    """Rows of the log, not too many, evenly spread."""
    return np.arange(len(log)) if len(log) <= MOST_ROUNDS else np.linspace(0, len(log) - 1, MOST_ROUNDS).astype(np.intp)


def _codes(column: Column, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """Which bin each row is in, from 0; rows without the feature are in one of their own."""
    match column:
        case Numbers(values):
            seen = values[rows]
            known = ~np.isnan(seen)
            if not known.any():
                return np.zeros(rows.size, dtype=np.int64)
            edges = np.unique(np.quantile(seen[known], np.arange(1, BINS) / BINS, method="inverted_cdf"))
            return np.where(known, 1 + np.searchsorted(edges, seen, side="left"), 0).astype(np.int64)
        case Coded(codes, _):
            counts = np.bincount(codes[rows] + 1)
            rank = np.empty(counts.size, dtype=np.int64)
            rank[np.argsort(-counts, kind="stable")] = np.arange(counts.size)
            return np.minimum(rank, LEVELS)[codes[rows] + 1]


def _moved(key: str, codes: NDArray[np.int64], late: Flags, persons: NDArray[np.int64]) -> Moved | None:
    kinds = np.unique(codes)
    sizes = np.array([np.count_nonzero(~late), np.count_nonzero(late)], dtype=np.float64)
    if kinds.size < 2:
        return None
    inside = codes[:, None] == kinds
    counts = np.array([inside[~late].sum(axis=0), inside[late].sum(axis=0)], dtype=np.float64)
    first, second = counts / sizes[:, None]
    pooled = counts.sum(axis=0) / sizes.sum()
    by_chance = pooled * (1.0 / sizes).sum()
    statistic = float(np.sum((second - first) ** 2 / by_chance))
    # ψ of the difference of the shares, summed by person: its variance over that of independent visits
    influence = np.where(late[:, None], (inside - second) / sizes[1], (first - inside) / sizes[0])
    totals = np.stack([np.bincount(persons, weights=column) for column in influence.T])
    effect = max(1.0, float(np.sum((totals**2).sum(axis=1) / by_chance)) / (kinds.size - 1))
    smooth = (counts + 0.5) / (sizes[:, None] + 0.5 * kinds.size)
    psi = float(np.sum((smooth[1] - smooth[0]) * np.log(smooth[1] / smooth[0])))
    chance = effect * (kinds.size - 1) * float((1.0 / sizes).sum())
    p = chi2_sf(statistic / effect, kinds.size - 1)
    return Moved(key, max(0.0, psi - chance), p)


def context_drift(log: Log, voice: Voice) -> Finding | None:
    """Of the key that moved most; None where contexts have no keys, or rounds or persons are few."""
    found = moved(log)
    if not found:
        return None
    worst = max(found, key=lambda one: (one.p_value < AMBER_P, one.psi))
    numbers = {"psi": worst.psi, "p_value": worst.p_value}
    parts = {"key": repr(worst.key), "psi": voice.language.number(worst.psi, 2)}
    if worst.p_value < AMBER_P and worst.psi >= AMBER_PSI:
        return voice.finding("context_drift", Severity.AMBER, MOVED, numbers, **parts)
    return voice.finding("context_drift", Severity.GREEN, STAYED, numbers, **parts)


def reward_drift(log: Log, voice: Voice) -> Finding | None:
    """What one and the same policy earned in either half: that which draws every variant by its share in the log,
    whoever comes (SNIPS). A learner that serves better from day to day is no drift. None where few rounds are rewarded.
    """
    if len(log) < LEAST_ROUNDS:
        return None
    w, late = _weights(log), np.arange(len(log)) >= len(log) // 2
    rewarded = rewarded_rounds(log)
    if effective_sample_size(w[rewarded]) < 2.0 * LEAST_EVENTS:
        return None
    halves = [(half, float(w[half].sum())) for half in (~late, late)]
    if min(total for _, total in halves) == 0.0:
        return None
    first, second = (float(np.sum(w[half] * log.rewards[half])) / total for half, total in halves)
    # errors as if nothing had changed: a half without any reward has none of its own, and is the worst of changes
    pooled = float(np.sum(w * log.rewards)) / float(w.sum())
    influence = np.zeros(len(log))
    for (half, total), sign in zip(halves, (-1.0, 1.0), strict=True):
        influence[half] = sign * w[half] * (log.rewards[half] - pooled) / total
    error = float(np.sqrt(np.sum(np.bincount(numbered(log.persons), weights=influence) ** 2)))
    p = 2.0 * norm_sf(abs(second - first) / error) if error > 0.0 else 1.0
    unit = max(abs(first), AMBER_CHANGE * float(log.rewards.std()))
    numbers = {"first": first, "second": second, "p_value": p}
    parts = {"first": voice.number(first), "second": voice.number(second), "p": voice.p_value(p)}
    if p < AMBER_P and abs(second - first) >= AMBER_CHANGE * unit:
        return voice.finding("reward_drift", Severity.AMBER, EARNED_ELSE, numbers, **parts)
    return voice.finding("reward_drift", Severity.GREEN, EARNED_ALIKE, numbers, **parts)


def _weights(log: Log) -> Floats:
    """(n,) of the policy that draws by the shares with which each action was chosen where it was eligible."""
    shares = np.bincount(log.chosen, minlength=len(log.actions)) / np.maximum(log.eligible.sum(axis=0), 1)
    weights: Floats = shares[log.chosen] / (log.eligible @ shares) / log.propensities
    return weights
