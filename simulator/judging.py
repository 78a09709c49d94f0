"""One policy on one part of a log, the whole or a group: what it would have earned there."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from simulator.asked import Asked
from simulator.checks import diagnose_policy
from simulator.curves import Points, tail
from simulator.diagnostics import Diagnostics, diagnose, earned_range, of_chosen, possible, weights
from simulator.estimators import (
    Choices,
    Estimate,
    Evidence,
    Method,
    difference,
    estimates_of,
    expectation,
    mean,
    with_method,
)
from simulator.estimators.basis import BOOTSTRAP
from simulator.findings import refusal
from simulator.intervals import Resampling
from simulator.intervals.clustered import Persons, Possible, numbered
from simulator.logs.log import Flags, Floats, Log
from simulator.rows import LOGGED, Period, Row
from simulator.sentences import LANGUAGES, Language


@dataclass(frozen=True, slots=True)
class Part:
    """Rounds to be judged together. log: those rounds; persons: (m,) theirs, numbered; members: (n,) which of the
    judged ones they are; q: (m, K) the reward that the model expects there; earned: what the logged policy did;
    resampling: of the rounds, for the bootstrap.
    """

    log: Log
    persons: Persons
    members: Flags
    q: Floats
    earned: Estimate
    resampling: Resampling | None = None


def part_of(judged: Log, q: Floats, members: Flags, asked: Asked) -> Part:
    """The rounds of `judged` that are members. Raises LogError where none is."""
    log = judged[members]
    seen = Possible(1.0, 1.0, *earned_range(log))
    persons = numbered(log.persons)
    earned = mean(log.rewards, persons, confidence=asked.confidence, possible=seen)
    resampling = Resampling.of(persons, seed=asked.seed) if asked.interval == BOOTSTRAP else None
    r = log.rewards  # all that the interval of a mean looks at
    served = Evidence(r, r, r, r, persons, seen)
    earned = with_method(earned, "mean", served, Method(asked.interval, asked.confidence, resampling))
    return Part(log, persons, members, _among(members, q), _within(earned, log), resampling)


def nothing_to_tell(log: Log, language: Language = LANGUAGES["en"]) -> str | None:
    """Why no policy can be told from another on these rounds; None where they may be."""
    alike = float(log.rewards[0]) if np.all(log.rewards == log.rewards[0]) else None
    return no_difference(log.name, len(log), alike, bool(np.all(log.persons == log.persons[0])), language)


def no_difference(log: str, n: int, reward: float | None, one_person: bool, language: Language) -> str | None:
    """The same of what is known of n rounds. reward: that of all of them, None where they differ."""
    if reward is not None:
        return language.nothing_differs.format(n=language.whole(n), log=repr(log), reward=language.number(reward, 6))
    return language.one_person.format(n=language.whole(n), log=repr(log)) if one_person else None


def logged_row(part: Part) -> Row:
    """The row of the logged policy, which needs no estimating."""
    return Row(LOGGED, LOGGED, {"mean": part.earned}, None, None, None, period_of(part.log))


def judged_row(part: Part, name: str, role: str, target: Floats, asked: Asked) -> Row:
    """The row of a policy whose probabilities on all judged rounds are `target`, (n, K): diagnostics first, estimates
    only if they allow it.
    """
    pmf = _among(part.members, target)
    w = weights(part.log, pmf)
    return row_of(
        part, name, role, diagnose(part.log, pmf, w=w, persons=part.persons), lambda: _evidence(part, pmf, w), asked
    )


def row_of(
    part: Part, name: str, role: str, diagnostics: Diagnostics, evidence_of: Callable[[], Evidence], asked: Asked
) -> Row:
    """The row of a policy of which this is known on the rounds of a part; the evidence is looked at only if the
    diagnostics allow it.
    """
    log = part.log
    findings = diagnose_policy(diagnostics, lang=asked.lang)
    reason = refusal(findings)
    told = reason is None or (asked.force and diagnostics.ess > 0.0)  # no weight at all tells nothing, forced or not
    estimates: dict[str, Estimate] = {}
    gain: Estimate | None = None
    shown: Points = ()
    if told:
        evidence = evidence_of()
        method = Method(asked.interval, asked.confidence, part.resampling)
        found = estimates_of(asked.estimators, evidence, method)
        estimates = {name: _within(one, log) for name, one in found.items()}
        shown = tail(evidence.weights)
        gain = difference(estimates[asked.headline], part.earned, part.persons, confidence=asked.confidence)
    return Row(
        name,
        role,
        estimates,
        gain,
        None if told else reason,
        diagnostics,
        period_of(log),
        tail=shown,
        findings=findings,
        forced=told and bool(reason or asked.unsound),
    )


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


def _among(members: Flags, of_all: Floats) -> Floats:
    """The rows of the members, (m, K) of (n, K): of the whole log these themselves, which may be most of the memory."""
    return of_all if members.all() else of_all[members]


def _evidence(part: Part, target: Floats, w: Floats) -> Evidence:
    log = part.log
    return Evidence(
        rewards=log.rewards,
        weights=w,
        expected=expectation(target, part.q),
        predicted=of_chosen(log, part.q),
        persons=part.persons,
        possible=possible(log, target),
        choices=None
        if log.probabilities is None
        else Choices(log.actions, target, log.probabilities, log.eligible, log.chosen, log.propensities),
    )


def _within(found: Estimate, log: Log) -> Estimate:
    """Value and interval cut to what a mean reward can be: no click rate is negative."""
    low, high = earned_range(log)
    value, least, most = (float(np.clip(one, low, high)) for one in (found.value, found.low, found.high))
    return replace(found, value=value, low=least, high=most)
