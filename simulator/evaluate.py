"""From a log and some policies to an evaluation: what each of them would have earned."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from policies.registry import PolicySpec
from simulator.candidates import MAX_FIXED, Candidate, Entry, EvaluationError, baselines, by_name, named
from simulator.comparisons import compare
from simulator.estimators import ESTIMATORS, HEADLINES, USUAL
from simulator.evaluation import Evaluation, Group, Row
from simulator.groups import MIN_ROUNDS, By, groups_of
from simulator.intervals import numbered
from simulator.judging import (
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
from simulator.periods import periods
from simulator.reward_models import cross_fitted
from simulator.sentences import LANGUAGES
from simulator.targets import Progress, counted, target_of
from simulator.verdict import verdict


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
    asked = [named(log, policy, seed=seed) for policy in policies]
    trained, judged, refusals = periods(log, asked, train_share)
    candidates = by_name([*baselines(judged, seed=seed), *asked])
    for entry in asked:
        if entry.learner and trained is not None:
            entry.learner.learn(counted(trained, tell, f"training {entry.name}"))
    if problem := nothing_to_tell(judged):
        raise EvaluationError(problem)
    q = np.zeros(judged.eligible.shape)
    if any(ESTIMATORS[name].modelled for name in estimators):
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
        target = None if entry.name in refusals else target_of(judged, entry, tell)
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


def _row(part: Part, entry: Entry, target: Floats | None, refusal: str, how: Asked) -> Row:
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
