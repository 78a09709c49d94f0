"""Policies against what was served, and that against the control group: how much more, how sure, and if not, how many
more decisions it would take.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from simulator.asked import Asked
from simulator.distributions import norm_isf
from simulator.estimators import NORMAL, Estimate, difference, doubt
from simulator.estimators.basis import SKEWED, ScoreBasis
from simulator.evaluation import Comparison
from simulator.intervals.clustered import Sides, clustered, skewed
from simulator.rows import ASKED, CONTROL, LOGGED, Row
from simulator.sentences import Language

POWER = 0.8
"""The chance with which the decisions that are asked for would tell."""

LONGEST = 1e6
"""Times as long as it is, a log that has to become longer is not waited for."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two that are compared. gain, relative: of the first over the second; p: of no difference, not corrected. persons:
    (n,) codes, of the rounds that the gain was estimated on.
    """

    name: str
    against: str
    gain: Estimate
    relative: Estimate | None
    p: float
    persons: NDArray[np.int64]


def compare(
    rows: Sequence[Row],
    persons: NDArray[np.int64],
    asked: Asked,
    *,
    lift: Pair | None = None,
) -> tuple[Comparison, ...]:
    """Every policy that was asked for against the logged one; where none was, the uniform and the fixed ones; and, as
    the last, the lift over the control group, where there is one. Paired on the same rounds; the p-values are corrected
    for their number (Holm 1979), intervals are those of each alone.
    """
    judged = paired(rows, asked.headline)
    logged = judged[LOGGED]
    names = [row.name for row in rows if row.role in ASKED and row.name in judged]
    names = names or [name for name in judged if name != LOGGED]
    pairs = [pair_of(name, judged[name], LOGGED, logged, persons, asked.confidence) for name in names]
    pairs += [lift] if lift else []
    adjusted = holm([pair.p for pair in pairs])
    return tuple(
        _told(pair, p, len(pairs), asked.confidence, asked.language) for pair, p in zip(pairs, adjusted, strict=True)
    )


def paired(rows: Sequence[Row], headline: str) -> dict[str, Estimate]:
    """By name, what to read first of those that were judged on the same rounds: all but the control group."""
    found = ((row, row.estimates.get("mean") or row.estimates.get(headline)) for row in rows if row.role != CONTROL)
    return {row.name: estimate for row, estimate in found if estimate}


def called(policy: str, language: Language) -> str:
    """What a policy is called inside a sentence."""
    return {LOGGED: language.served, CONTROL: language.control}.get(policy) or repr(policy)


def holm(p_values: Sequence[float]) -> list[float]:
    """Each as large as makes a claim about any of them wrong no more often than one alone. Holm 1979."""
    order = np.argsort(p_values)
    adjusted, least = np.ones(len(p_values)), 0.0
    for place, index in enumerate(order):
        least = max(least, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = least
    return adjusted.tolist()


def more_decisions(gain: Estimate, persons: NDArray[np.int64], comparisons: int, confidence: float) -> int | None:
    """How many further decisions like these would show this difference with probability POWER, if it is the true one,
    at a confidence that is split among so many comparisons. None where there is no difference to show, or none that a
    log of a bearable length would.
    """
    if gain.value == 0.0 or gain.standard_error == 0.0:
        return None
    tail, sure = (1.0 - confidence) / 2.0 / comparisons, norm_isf(1.0 - POWER) * gain.standard_error
    times: float | None = ((norm_isf(tail) * gain.standard_error + sure) / gain.value) ** 2
    if times is not None and (ahead := _ahead(gain, persons, tail)) is not None:
        times = _times(lambda times: ahead(times) > sure / sqrt(times), least=max(times, 1.0))
    return None if times is None else max(0, ceil(gain.n * (times - 1.0)))


def _ahead(gain: Estimate, persons: NDArray[np.int64], tail: float) -> Callable[[float], float] | None:
    """By how much the interval leaves 0 out when the log is so many times as long. None of an interval that narrows as
    a symmetric one does.
    """
    above, basis = gain.value > 0.0, gain.basis
    if isinstance(basis, ScoreBasis) and basis.slow:

        def of_scores(times: float) -> float:
            low, high = basis.grown(times, 1.0 - 2.0 * tail)
            return low if above else -high

        return of_scores
    if gain.interval != SKEWED:
        return None
    sides = Sides.of(gain.influence, persons, up=gain.up, down=gain.down, shares=gain.shares)

    def of_sides(times: float) -> float:
        less, more = sides.grown(times).at(tail)
        return abs(gain.value) - (less if above else more)

    return of_sides


def _times(told: Callable[[float], bool], *, least: float) -> float | None:
    """The least number for which it holds, `least` or more, to 1 %; None beyond LONGEST."""
    times = least
    while not told(times):
        least, times = times, 2.0 * times
        if times > LONGEST:
            return None
    while times > 1.01 * least:
        middle = sqrt(least * times)
        least, times = (least, middle) if told(middle) else (middle, times)
    return times


def pair_of(
    name: str, found: Estimate, against: str, second: Estimate, persons: NDArray[np.int64], confidence: float
) -> Pair:
    """The first over the second; both with an influence of the same rounds, whose persons these are."""
    gain = difference(found, second, persons, confidence=confidence)
    p = doubt(gain, persons)
    return Pair(name, against, gain, _relative(found, second, gain, persons, confidence), p, persons)


def _relative(
    found: Estimate, logged: Estimate, gain: Estimate, persons: NDArray[np.int64], confidence: float
) -> Estimate | None:
    """(first - second) / second, with the error of both (delta method); None unless the second is surely positive, or
    where the interval of the difference is made of more than its influence.
    """
    if logged.low <= 0.0 or gain.basis is not None:
        return None
    value = gain.value / logged.value
    influence = (found.influence - found.value / logged.value * logged.influence) / logged.value
    up, down = gain.up / logged.value, gain.down / logged.value
    if gain.interval == NORMAL:
        sides = clustered(value, influence, persons, confidence=confidence, shares=gain.shares)
    else:
        sides = skewed(value, influence, persons, up=up, down=down, confidence=confidence, shares=gain.shares)
    return replace(
        gain,
        estimator="relative difference",
        value=value,
        standard_error=sides.standard_error,
        low=sides.low,
        high=sides.high,
        influence=influence,
        up=up,
        down=down,
    )


def _told(pair: Pair, p: float, comparisons: int, confidence: float, language: Language) -> Comparison:
    shown = pair.relative or pair.gain
    write = language.share if pair.relative else language.number
    known = p < 1.0 - confidence and (shown.low > 0.0 or shown.high < 0.0)
    needed = None if known else more_decisions(pair.gain, pair.persons, comparisons, confidence)
    limits, by = (shown.low, shown.high), write(abs(shown.value))
    if known:
        template = language.more if shown.value > 0.0 else language.less
        if shown.value < 0.0:
            limits = (-shown.high, -shown.low)
    else:
        template = language.untold if needed else language.untold_at_all
    sentence = language.sentence(
        template,
        policy=called(pair.name, language),
        against=called(pair.against, language),
        by=language.by_a_share.format(share=by) if pair.relative else by,
        sure=language.share(confidence),
        low=write(limits[0]),
        high=write(limits[1]),
        needed=language.count(needed or 0),
    )
    return Comparison(pair.name, pair.against, pair.gain, pair.relative, p, needed, sentence)
