"""From a log and some policies to an evaluation: what each of them would have earned.

The rule of the period. Without anything trained, every row is judged on the whole log. A learner named by its
specification is trained on the earlier `train_share` of the rounds, in log order, in one pass, and judged on what is
later; a snapshot is judged only on what is later than its training. So that all rows are comparable, all of them are
judged on one period: what is later than the latest of these moments. A snapshot that would leave less than a tenth of
the log is refused instead of narrowing the period of the others.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from policies.base import InvalidPmf, Learner, Policy, normalise
from policies.registry import PolicySpec, create
from policies.types import TrainingExample
from simulator.diagnostics import diagnose, weights
from simulator.estimators import Estimate, difference, dm, dr, ips, mean, snips
from simulator.evaluation import FIXED, LOGGED, SNAPSHOT, SPEC, UNIFORM, Evaluation, Period, Row
from simulator.log import Floats, Log
from simulator.reward_models import cross_fitted
from simulator.verdict import verdict

ESTIMATORS = ("ips", "snips", "dm", "dr")
HEADLINES = ("dr", "snips", "ips", "dm")  # the first of these that was asked for is the one to read first
MIN_JUDGED_SHARE = 0.1
MAX_FIXED = 50

Progress = Callable[[str, float], None]
"""Told what is being done and which share of it is done, 0 to 1."""


class EvaluationError(ValueError):
    """Nothing can be evaluated as asked; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A policy of the caller's own: a snapshot, or any object with `pmf`.

    judged_after: unix seconds; only later rounds may judge it, since it learned from the earlier ones. None when it
    learned from none of this log. `pmf` must be what would be served, exploration share included.
    """

    name: str
    policy: Policy
    judged_after: float | None = None
    note: str = ""


def evaluate(
    log: Log,
    policies: Iterable[PolicySpec | str | Candidate] = (),
    *,
    estimators: Sequence[str] = ESTIMATORS,
    confidence: float = 0.95,
    train_share: float = 0.5,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """What each policy would have earned, estimated from the log; beside them always what was truly earned by the
    logged policy, the uniform policy, and every fixed variant.

    Policies give their pmf on the logged eligible sets; no rule is run again. A policy that the log can't judge gets
    a refusal with its reason. Raises EvaluationError when nothing can be judged as asked, PolicyError for a
    specification that is none, LogError when a period would be empty.
    """
    tell = progress or (lambda what, done: None)
    _check_log(log, estimators)
    asked = [_named(log, policy, seed=seed) for policy in policies]
    trained, judged, refusals = _periods(log, asked, train_share)
    candidates = _by_name([*_baselines(judged, seed=seed), *asked])
    refusals |= {
        entry.name: f"{entry.fixed!r} could not be chosen in any round of the judged period"
        for entry in candidates
        if entry.fixed is not None and not _eligible_shares(judged)[entry.fixed]
    }
    for entry in asked:
        if entry.learner and trained is not None:
            entry.learner.learn(_counted(trained, tell, f"training {entry.name}"))
    _check_rewards(judged)
    if {"dm", "dr"} & set(estimators):
        q = cross_fitted(judged, seed=seed, progress=lambda done: tell("fitting the reward model", done))
    else:
        q = np.zeros(judged.eligible.shape)

    headline = next(name for name in HEADLINES if name in estimators)
    earned = _within(mean(judged.rewards, judged.persons, confidence=confidence), judged)
    rows = [Row(LOGGED, LOGGED, {"mean": earned}, None, None, None, _period(judged))]
    for entry in candidates:
        if entry.name in refusals:
            rows.append(
                replace(
                    rows[0],
                    name=entry.name,
                    role=entry.role,
                    estimates={},
                    refusal=refusals[entry.name],
                    note=entry.note,
                )
            )
        else:
            rows.append(_judge(judged, entry, q, earned, estimators, confidence, headline, tell))
    return Evaluation(
        rows=tuple(rows),
        estimators=tuple(estimators),
        headline=headline,
        confidence=confidence,
        log=log.summary(),
        period=_period(judged),
        trained=_period(trained) if trained is not None else None,
        notes=tuple(_notes(log, judged, trained)),
        verdict=verdict(rows, judged.persons, headline=headline, confidence=confidence),
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    role: str
    policy: Policy
    learner: Learner | None = None
    judged_after: float | None = None
    note: str = ""
    fixed: str | None = None
    ignores_context: bool = False


def _named(log: Log, policy: PolicySpec | str | Candidate, *, seed: int) -> _Entry:
    if isinstance(policy, Candidate):
        return _Entry(policy.name, SNAPSHOT, policy.policy, judged_after=policy.judged_after, note=policy.note)
    spec = PolicySpec.parse(policy) if isinstance(policy, str) else policy
    if spec.name == "fixed":
        spec = PolicySpec("fixed", {"variant": spec.parameters.get("variant") or _default(log)})
    built = create(spec, default=log.default or "", reward_range=log.reward_range, seed=seed)
    named = spec.parameters.values() if spec.name == "fixed" else spec.parameters if spec.name == "weighted" else ()
    for variant in named:
        if variant not in log.ids:
            raise EvaluationError(f"policy {str(spec)!r}: no variant {variant!r} in this log; it has: {list(log.ids)}")
    fixed = str(spec.parameters["variant"]) if spec.name == "fixed" else None
    return _Entry(str(spec), SPEC, built, learner=built if isinstance(built, Learner) else None, fixed=fixed)


def _default(log: Log) -> str:
    if log.default is None:
        raise EvaluationError("policy 'fixed': this log names no default variant; name one: fixed:VARIANT")
    return log.default


def _baselines(log: Log, *, seed: int) -> list[_Entry]:
    """Uniform, and every variant fixed, the most often eligible ones first to be kept when there are many."""

    def build(spec: PolicySpec) -> Policy:
        return create(spec, default=log.default or "", reward_range=log.reward_range, seed=seed)

    uniform = PolicySpec("uniform")
    entries = [_Entry(str(uniform), UNIFORM, build(uniform), ignores_context=True)]
    shares = _eligible_shares(log)
    kept = sorted(sorted(log.ids, key=lambda variant: -shares[variant])[:MAX_FIXED], key=log.ids.index)
    for variant in kept:
        if shares[variant] == 0.0:
            continue  # it does not exist in the judged period
        fixed = PolicySpec("fixed", {"variant": variant})
        where = f"the default {log.default!r}" if log.default else "all variants alike"
        note = f"eligible in {shares[variant]:.0%} of the rounds; elsewhere {where}" if shares[variant] < 1.0 else ""
        entries.append(_Entry(str(fixed), FIXED, build(fixed), note=note, ignores_context=True))
    return entries


def _eligible_shares(log: Log) -> dict[str, float]:
    """By variant, the share of rounds in which it could be chosen."""
    shares = dict.fromkeys(log.ids, 0.0)
    for column, share in enumerate(log.eligible.mean(axis=0)):
        shares[log.actions[column].id] += float(share)
    return shares


def _periods(log: Log, asked: Sequence[_Entry], train_share: float) -> tuple[Log | None, Log, dict[str, str]]:
    """What to train on, what to judge on, and by name the refusals of snapshots that leave too little to judge."""
    trained, starts = None, [-np.inf]
    if any(entry.learner for entry in asked):
        trained, _ = log.split(train_share)
        starts.append(float(trained.times[-1]))
    late: dict[str, str] = {}
    for entry in asked:
        if entry.judged_after is None:
            continue
        left = int(np.count_nonzero(log.times > entry.judged_after))
        if left < max(1.0, MIN_JUDGED_SHARE * len(log)):
            late[entry.name] = (
                f"only {left:,} of {len(log):,} rounds are later than what it was trained on; "
                f"at least {MIN_JUDGED_SHARE:.0%} are needed"
            )
        else:
            starts.append(entry.judged_after)
    start = max(starts)
    return trained, log if start == -np.inf else log[log.times > start], late


def _pmf(log: Log, entry: _Entry, tell: Progress) -> Floats:
    """(n, K) the policy's probabilities on the logged eligible sets. Raises EvaluationError for an invalid pmf."""
    sets, which = log.eligible_sets
    offered = [tuple(log.actions[column] for column in columns) for columns in sets]
    target = np.zeros(log.eligible.shape)
    if entry.ignores_context:
        for place, columns in enumerate(sets):
            target[np.ix_(which == place, columns)] = entry.policy.pmf({}, offered[place])
        return target
    for row, place in enumerate(which):
        raw = np.asarray(entry.policy.pmf(log.contexts[row], offered[place]), dtype=np.float64)
        try:
            if raw.shape != (len(offered[place]),):
                raise InvalidPmf(f"expected {len(offered[place])} probabilities, got an array of shape {raw.shape}")
            target[row, sets[place]] = normalise(raw)
        except InvalidPmf as error:
            raise EvaluationError(f"policy {entry.name!r}, round {row}: {error}") from error
        if row % 1000 == 0:
            tell(f"judging {entry.name}", row / len(log))
    tell(f"judging {entry.name}", 1.0)
    return target


def _judge(
    log: Log,
    entry: _Entry,
    q: Floats,
    earned: Estimate,
    estimators: Sequence[str],
    confidence: float,
    headline: str,
    tell: Progress,
) -> Row:
    """The row of one policy: diagnostics first, estimates only if they allow it."""
    target = _pmf(log, entry, tell)
    diagnostics = diagnose(log, target)
    estimates: dict[str, Estimate] = {}
    gain = None
    if diagnostics.refusal is None:
        estimates = _estimates(log, target, q, estimators, confidence)
        gain = difference(estimates[headline], earned, log.persons, confidence=confidence)
    return Row(entry.name, entry.role, estimates, gain, diagnostics.refusal, diagnostics, _period(log), entry.note)


def _estimates(
    log: Log, target: Floats, q: Floats, estimators: Sequence[str], confidence: float
) -> dict[str, Estimate]:
    w = weights(log, target)
    by_name: dict[str, Callable[[], Estimate]] = {
        "ips": lambda: ips(log.rewards, w, log.persons, confidence=confidence),
        "snips": lambda: snips(log.rewards, w, log.persons, confidence=confidence),
        "dm": lambda: dm(target, q, log.persons, confidence=confidence),
        "dr": lambda: dr(log.rewards, w, target, q, log.chosen, log.persons, confidence=confidence),
    }
    return {name: _within(by_name[name](), log) for name in estimators}


def _within(found: Estimate, log: Log) -> Estimate:
    """The interval cut to what a mean reward can be: the declared range, or what was seen if that is wider."""
    low = min(log.reward_range.low, float(log.rewards.min()))
    high = max(log.reward_range.high, float(log.rewards.max()))
    return replace(found, low=float(np.clip(found.low, low, high)), high=float(np.clip(found.high, low, high)))


def _counted(log: Log, tell: Progress, what: str) -> Iterator[TrainingExample]:
    for done, example in enumerate(log.examples()):
        if done % 1000 == 0:
            tell(what, done / len(log))
        yield example
    tell(what, 1.0)


def _period(log: Log) -> Period:
    return Period(float(log.times[0]), float(log.times[-1]), len(log), log.timed)


def _notes(log: Log, judged: Log, trained: Log | None) -> Iterator[str]:
    if trained is not None:
        yield f"Learners named by specification were trained on {_period(trained)}."
    if len(judged) < len(log):
        yield f"Every row is judged on the same period: {_period(judged)}."
    if not log.timed:
        yield "This log has no times: the order of its rows stands for the order in time."
    if log.probabilities is None:
        yield "Only the propensity of what was chosen is known: support is estimated from the weights."
    if len(log.ids) > MAX_FIXED:
        yield f"Of {len(log.ids)} variants, the {MAX_FIXED} most often eligible stand as fixed policies."


def _check_log(log: Log, estimators: Sequence[str]) -> None:
    unknown = [name for name in estimators if name not in ESTIMATORS]
    if unknown or not estimators:
        raise EvaluationError(f"estimators {unknown or 'none'}: expected some of {list(ESTIMATORS)}")
    if int(log.eligible.sum(axis=1).max()) < 2:
        raise EvaluationError(
            f"log {log.name!r} never had more than one variant to choose from ({list(log.ids)[:5]}): "
            "there is nothing to compare"
        )


def _check_rewards(log: Log) -> None:
    if np.all(log.rewards == log.rewards[0]):
        raise EvaluationError(
            f"all {len(log):,} rounds of log {log.name!r} in this period have the reward {log.rewards[0]:g}: "
            "no policy can be told from another; wait for rewards, or check that they arrive"
        )
    if np.unique(log.persons).size < 2:
        raise EvaluationError(f"all {len(log):,} rounds of log {log.name!r} are of one person: there are no intervals")


def _by_name(entries: Sequence[_Entry]) -> list[_Entry]:
    """Each once: a baseline that was also asked for is the baseline. Raises EvaluationError for a name used twice."""
    found: dict[str, _Entry] = {}
    for entry in entries:
        first = found.setdefault(entry.name, entry)
        if entry.name == LOGGED or (first is not entry and SNAPSHOT in (first.role, entry.role)):
            raise EvaluationError(f"two policies are named {entry.name!r}: every row needs its own name")
    return list(found.values())
