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
from policies.registry import PolicySpec, create, mentioned
from policies.types import TrainingExample
from simulator.comparisons import compare
from simulator.evaluation import FIXED, LOGGED, SNAPSHOT, SPEC, UNIFORM, Evaluation, Group, Row
from simulator.groups import MIN_ROUNDS, By, groups_of
from simulator.intervals import numbered
from simulator.judging import (
    ESTIMATORS,
    HEADLINES,
    MODELLED,
    USUAL,
    Asked,
    Part,
    eligible_shares,
    judged_row,
    logged_row,
    nothing_to_tell,
    part_of,
    period_of,
    refused_row,
)
from simulator.log import Floats, Log
from simulator.reward_models import cross_fitted
from simulator.sentences import LANGUAGES
from simulator.verdict import verdict

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
    estimators: Sequence[str] = USUAL,
    confidence: float = 0.95,
    train_share: float = 0.5,
    by: By | None = None,
    lang: str = "en",
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """What each policy would have earned, estimated from the log; beside them always what was truly earned by the
    logged policy, the uniform policy, and every fixed variant. With `by`, also in each group of people: what is trained
    is trained once, on everybody, and so is the reward model.

    Policies give their pmf on the logged eligible sets; no rule is run again. A policy that the log can't judge gets
    a refusal with its reason. `lang`: of the sentences, en or es. Raises EvaluationError when nothing can be judged as
    asked, PolicyError for a specification that is none, LogError when a period would be empty.
    """
    tell = progress or (lambda what, done: None)
    _check_log(log, estimators)
    if lang not in LANGUAGES:
        raise EvaluationError(f"language {lang!r}: expected one of {list(LANGUAGES)}")
    language = LANGUAGES[lang]
    asked = [_named(log, policy, seed=seed) for policy in policies]
    trained, judged, refusals = _periods(log, asked, train_share)
    candidates = _by_name([*_baselines(judged, seed=seed), *asked])
    for entry in asked:
        if entry.learner and trained is not None:
            entry.learner.learn(_counted(trained, tell, f"training {entry.name}"))
    if problem := nothing_to_tell(judged):
        raise EvaluationError(problem)
    q = np.zeros(judged.eligible.shape)
    if MODELLED & set(estimators):
        q = cross_fitted(judged, seed=seed, progress=lambda done: tell("fitting the reward model", done))
    headline = next(name for name in HEADLINES if name in estimators)
    how = Asked(tuple(estimators), headline, confidence)
    groups = dict(groups_of(judged.contexts, by)) if by else {}
    untold = {name: _untold(judged[members]) for name, members in groups.items()}
    told = {name: members for name, members in groups.items() if untold[name] is None}
    persons = numbered(judged.persons)
    parts: dict[str | None, Part] = {
        name: part_of(judged, q, members, confidence=confidence)
        for name, members in ((None, np.ones(len(judged), dtype=bool)), *told.items())
    }
    rows = {name: [logged_row(part)] for name, part in parts.items()}
    for entry in candidates:  # one after the other: all their probabilities together may not fit into memory
        target = None if entry.name in refusals else _pmf(judged, entry, tell)
        for name, part in parts.items():
            rows[name].append(_row(part, entry, target, refusals.get(entry.name, ""), how))
    notes = {entry.name: entry.note for entry in candidates}
    group_notes = by.notes if by else {}
    whole = [replace(row, note=notes.get(row.name, "")) for row in rows[None]]
    return Evaluation(
        rows=tuple(whole),
        estimators=tuple(estimators),
        headline=headline,
        confidence=confidence,
        log=log.summary(),
        period=period_of(judged),
        trained=period_of(trained) if trained is not None else None,
        notes=tuple(_notes(log, judged, trained)),
        verdict=verdict(whole, persons, headline=headline, confidence=confidence, language=language),
        comparisons=compare(whole, persons, headline=headline, confidence=confidence, language=language),
        by=by.key if by else "",
        groups=tuple(
            Group(name, int(members.sum()), tuple(rows.get(name, ())), untold[name], group_notes.get(name, ""))
            for name, members in groups.items()
        ),
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
    named = mentioned(spec)
    for variant in named.variants:
        if variant not in log.ids:
            raise EvaluationError(f"policy {str(spec)!r}: no variant {variant!r} in this log; it has: {list(log.ids)}")
    for key in named.keys:
        if not any(key in context for context in log.contexts):
            known = sorted({name for context in log.contexts for name in context})
            raise EvaluationError(
                f"policy {str(spec)!r}: no round of this log has a context key {key!r}; known: {known}"
            )
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
    shares = eligible_shares(log)
    kept = sorted(sorted(log.ids, key=lambda variant: -shares[variant])[:MAX_FIXED], key=log.ids.index)
    for variant in kept:
        if shares[variant] == 0.0:
            continue  # it does not exist in the judged period
        fixed = PolicySpec("fixed", {"variant": variant})
        where = f"the default {log.default!r}" if log.default else "all variants alike"
        note = f"eligible in {shares[variant]:.0%} of the rounds; elsewhere {where}" if shares[variant] < 1.0 else ""
        entries.append(_Entry(str(fixed), FIXED, build(fixed), note=note, fixed=variant, ignores_context=True))
    return entries


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


def _row(part: Part, entry: _Entry, target: Floats | None, refusal: str, how: Asked) -> Row:
    """The row of one policy in one part; `target` is None where the policy is refused everywhere."""
    if target is None:
        return refused_row(part, entry.name, entry.role, refusal)
    if entry.fixed is not None and not eligible_shares(part.log)[entry.fixed]:
        refusal = f"{entry.fixed!r} could not be chosen in any round of the judged period"
        return refused_row(part, entry.name, entry.role, refusal)
    return judged_row(part, entry.name, entry.role, target, how)


def _untold(log: Log) -> str | None:
    """Why a group can't be judged by itself; None where it can."""
    if len(log) < MIN_ROUNDS:
        return f"too few rounds: {len(log):,}; at least {MIN_ROUNDS} are needed"
    return nothing_to_tell(log)


def _counted(log: Log, tell: Progress, what: str) -> Iterator[TrainingExample]:
    for done, example in enumerate(log.examples()):
        if done % 1000 == 0:
            tell(what, done / len(log))
        yield example
    tell(what, 1.0)


def _notes(log: Log, judged: Log, trained: Log | None) -> Iterator[str]:
    if trained is not None:
        yield f"Learners named by specification were trained on {period_of(trained)}."
    if len(judged) < len(log):
        yield f"Every row is judged on the same period: {period_of(judged)}."
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


def _by_name(entries: Sequence[_Entry]) -> list[_Entry]:
    """Each once: a baseline that was also asked for is the baseline. Raises EvaluationError for a name used twice."""
    found: dict[str, _Entry] = {}
    for entry in entries:
        first = found.setdefault(entry.name, entry)
        if entry.name == LOGGED or (first is not entry and SNAPSHOT in (first.role, entry.role)):
            raise EvaluationError(f"two policies are named {entry.name!r}: every row needs its own name")
    return list(found.values())
