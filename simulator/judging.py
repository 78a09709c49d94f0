"""One policy on one part of a log, the whole or a group: what it would have earned there."""

from dataclasses import dataclass, replace

import numpy as np

from simulator.diagnostics import diagnose, earned_range, possible, weights
from simulator.estimators import ESTIMATORS, Estimate, Evidence, difference, expectation, mean
from simulator.evaluation import LOGGED, Period, Row
from simulator.intervals import Persons, Possible, numbered
from simulator.log import Flags, Floats, Log


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
        evidence = _evidence(part, pmf)
        estimates = {name: _within(ESTIMATORS[name].of(evidence, asked.confidence), log) for name in asked.estimators}
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


def _evidence(part: Part, target: Floats) -> Evidence:
    log, rows = part.log, np.arange(len(part.log))
    return Evidence(
        rewards=log.rewards,
        weights=weights(log, target),
        expected=expectation(target, part.q),
        predicted=part.q[rows, log.chosen],
        persons=part.persons,
        possible=possible(log, target),
    )


def _within(found: Estimate, log: Log) -> Estimate:
    """The interval cut to what a mean reward can be."""
    low, high = earned_range(log)
    return replace(found, low=float(np.clip(found.low, low, high)), high=float(np.clip(found.high, low, high)))
