"""One policy on one part of a log, the whole or a group: what it would have earned there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.diagnostics import diagnose, earned_range, possible, weights
from simulator.estimators import (
    Estimate,
    Seen,
    clipped_ips,
    difference,
    dm,
    dr,
    dros,
    ips,
    mean,
    sndr,
    snips,
    switch_dr,
)
from simulator.evaluation import LOGGED, Period, Row
from simulator.intervals import Persons, Possible, numbered
from simulator.log import Flags, Floats, Log

USUAL = ("ips", "snips", "dm", "dr")
ESTIMATORS = (*USUAL, "sndr", "clipped_ips", "switch_dr", "dros")
MODELLED = {"dm", "dr", "sndr", "switch_dr", "dros"}
"""Those that need a reward model."""
HEADLINES = ("dr", "sndr", "snips", "ips", "dros", "switch_dr", "clipped_ips", "dm")
"""The first of these that was asked for is the one to read first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How every row is estimated. headline: the estimator to read first, and that of the gain."""

    estimators: tuple[str, ...]
    headline: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Part:
    """Rounds to be judged together. log: those rounds; persons: (m,) theirs, numbered; members: (n,) which of the
    judged ones they are; q: (m, K) the reward that the model expects there; earned: what the logged policy did.
    """

    log: Log
    persons: Persons
    members: Flags
    q: Floats
    earned: Estimate


def part_of(judged: Log, q: Floats, members: Flags, *, confidence: float) -> Part:
    """The rounds of `judged` that are members. Raises LogError where none is."""
    log = judged[members]
    seen = Possible(1.0, 1.0, *earned_range(log))
    persons = numbered(log.persons)
    earned = mean(log.rewards, persons, confidence=confidence, possible=seen)
    return Part(log, persons, members, q[members], _within(earned, log))


def nothing_to_tell(log: Log) -> str | None:
    """Why no policy can be told from another on these rounds; None where they may be."""
    if np.all(log.rewards == log.rewards[0]):
        return (
            f"all {len(log):,} rounds of log {log.name!r} in this period have the reward {log.rewards[0]:g}: "
            "no policy can be told from another; wait for rewards, or check that they arrive"
        )
    if np.unique(log.persons).size < 2:
        return f"all {len(log):,} rounds of log {log.name!r} are of one person: there are no intervals"
    return None


def logged_row(part: Part) -> Row:
    """The row of the logged policy, which needs no estimating."""
    return Row(LOGGED, LOGGED, {"mean": part.earned}, None, None, None, period_of(part.log))


def judged_row(part: Part, name: str, role: str, target: Floats, asked: Asked) -> Row:
    """The row of a policy whose probabilities on all judged rounds are `target`, (n, K): diagnostics first, estimates
    only if they allow it.
    """
    log, pmf = part.log, target[part.members]
    diagnostics = diagnose(log, pmf)
    estimates: dict[str, Estimate] = {}
    gain = None
    if diagnostics.refusal is None:
        estimates = _estimates(part, pmf, asked.estimators, asked.confidence)
        gain = difference(estimates[asked.headline], part.earned, part.persons, confidence=asked.confidence)
    return Row(name, role, estimates, gain, diagnostics.refusal, diagnostics, period_of(log))


def refused_row(part: Part, name: str, role: str, refusal: str) -> Row:
    """The row of a policy that can't be judged on these rounds."""
    return Row(name, role, {}, None, refusal, None, period_of(part.log))


def period_of(log: Log) -> Period:
    return Period(float(log.times[0]), float(log.times[-1]), len(log), log.timed)


def eligible_shares(log: Log) -> dict[str, float]:
    """By variant, the share of rounds in which it could be chosen."""
    shares = dict.fromkeys(log.ids, 0.0)
    for column, share in enumerate(log.eligible.mean(axis=0)):
        shares[log.actions[column].id] += float(share)
    return shares


def _estimates(part: Part, target: Floats, estimators: Sequence[str], confidence: float) -> dict[str, Estimate]:
    log, q, persons = part.log, part.q, part.persons
    w, could = weights(log, target), possible(log, target)
    seen = Seen(log.rewards, w, target, q, log.chosen, persons, could)
    by_name: dict[str, Callable[[], Estimate]] = {
        "ips": lambda: ips(log.rewards, w, persons, confidence=confidence, possible=could),
        "snips": lambda: snips(log.rewards, w, persons, confidence=confidence, possible=could),
        "dm": lambda: dm(target, q, persons, confidence=confidence),
        "sndr": lambda: sndr(log.rewards, w, target, q, log.chosen, persons, confidence=confidence, possible=could),
        "clipped_ips": lambda: clipped_ips(seen, confidence=confidence),
        "switch_dr": lambda: switch_dr(seen, confidence=confidence),
        "dros": lambda: dros(seen, confidence=confidence),
        "dr": lambda: dr(log.rewards, w, target, q, log.chosen, persons, confidence=confidence, possible=could),
    }
    return {name: _within(by_name[name](), log) for name in estimators}


def _within(found: Estimate, log: Log) -> Estimate:
    """The interval cut to what a mean reward can be."""
    low, high = earned_range(log)
    return replace(found, low=float(np.clip(found.low, low, high)), high=float(np.clip(found.high, low, high)))
