"""From a log and some policies to an evaluation: what each of them would have earned."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np

from policies.registry import PolicySpec
from simulator.candidates import MAX_FIXED, Candidate, Entry, EvaluationError, baselines, by_name, named
from simulator.checks import diagnose_log
from simulator.comparisons import compare
from simulator.curves import calibration
from simulator.estimators import (
    ANYTIME,
    INTERVALS,
    USUAL,
    check_names,
    estimator_of,
    headline_of,
    modelled,
    unsuited,
)
from simulator.estimators.best import BEST
from simulator.evaluation import LOGGED, REPLAYED, Evaluation, Row
from simulator.findings import refusal
from simulator.groups import By
from simulator.intervals.clustered import numbered
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
from simulator.leaks import shared_persons
from simulator.lift import Trial, lift_in
from simulator.logs.log import Flags, Floats, Log
from simulator.logs.propensities import remark
from simulator.models import LINEAR, NONE, RewardModel, check_model, model_rewards, quality
from simulator.periods import periods
from simulator.replay.record import CAUTION, Replay, Replaying
from simulator.replay.replaying import Replayed, replayed, to_replay
from simulator.sentences import LANGUAGES, Language
from simulator.targets import Progress, asked_elsewhere, counted, target_of
from simulator.truth import ExpectedRewards, Truth
from simulator.verdict import verdict
from simulator.views import cuts_of, gathered, of_first_key, valued

WHOLE = -1
"""The place of the whole among the parts; those of views count from 0."""


def evaluate(
    log: Log,
    policies: Iterable[PolicySpec | str | Candidate] = (),
    *,
    estimators: Sequence[str] = USUAL,
    interval: str = "skewed",
    model: RewardModel = LINEAR,
    confidence: float = 0.95,
    train_share: float = 0.5,
    by: By | Sequence[By] | None = None,
    every: timedelta | None = None,
    metrics: Mapping[str, Sequence[float] | Floats] | None = None,
    trial: Trial | None = None,
    lang: str = "en",
    seed: int = 0,
    force: bool = False,
    replay: Replaying | None = None,
    truth: ExpectedRewards | None = None,
    cores: int | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """What each policy would have earned, estimated from the log; beside them always what was truly earned by the
    logged policy, the uniform policy, and every fixed variant. With `by`, also in each group of people: what is trained
    is trained once, on everybody, and so is the reward model; with `every`, also in each stretch of that length; with
    `metrics`, numbers of each round by name, also by the mean of each of these in place of the reward. `trial`:
    decisions with and without the control group, for the lift. `interval`: one of `simulator.estimators.INTERVALS`;
    `model`: of the rewards, one of `simulator.models.MODELS` or a scikit-learn estimator.

    With `replay`, learners are not trained first: they learn while they are judged, on all that is judged.

    `truth`: of a log from a known world, what each action was worth in each round; rows then tell truth and regret.
    `cores`: processes in which several learners are trained and asked, where the log is large; all by default.

    Policies give their pmf on the logged eligible sets; no rule is run again. A policy that the log can't judge gets
    a refusal with its reason; with `force` it gets its numbers all the same, marked as forced. `lang`: of the
    sentences, en or es. Raises EvaluationError when nothing can be judged as asked, PolicyError for a specification
    that is none, LogError when a period would be empty.
    """
    tell = progress or (lambda what, done: None)
    _check_log(log)
    wanted, estimators = tuple(estimators), _asked_of(log, estimators, interval, model)
    if lang not in LANGUAGES:
        raise EvaluationError(f"language {lang!r}: expected one of {list(LANGUAGES)}")
    language = LANGUAGES[lang]
    asked = [named(log, policy, seed=seed) for policy in policies]
    asked = to_replay(asked, interval) if replay else asked
    trained, judged, refusals = periods(log, asked, train_share, language=language)
    candidates = by_name([*baselines(judged, seed=seed), *asked])
    findings = diagnose_log(log, lang=lang)
    unsound = refusal(findings)
    if unsound and not force:
        refusals = {entry.name: unsound for entry in candidates} | refusals
    elsewhere = _learned(trained, judged, asked, refusals, seed=seed, cores=cores, tell=tell)
    if problem := nothing_to_tell(judged):
        raise EvaluationError(problem)
    needed = len(refusals) < len(candidates) and modelled(estimators)

    def part(log: Log, members: Flags, q: Floats) -> Part:
        return part_of(log, q, members, confidence=confidence, interval=interval, seed=seed)

    def expected(log: Log) -> Floats:
        told = model if needed else NONE
        return model_rewards(log, told, seed=seed, progress=lambda done: tell("fitting the reward model", done))

    q = expected(judged)
    headline = headline_of(estimators)
    how = Asked(tuple(estimators), headline, confidence, lang, force, unsound, interval)
    cuts = cuts_of(log, judged, by=by, every=every, metrics=metrics)
    parts = {WHOLE: part(judged, np.ones(len(judged), dtype=bool), q)}
    for place, cut in enumerate(cuts):
        if cut.refusal is None:
            seen = judged if cut.rewards is None else valued(judged, cut.rewards)
            parts[place] = part(seen, cut.members, q if cut.rewards is None else expected(seen))
    persons = numbered(judged.persons)
    known = None if truth is None else Truth.on(judged, truth)
    table = _Table(parts, how, known)
    for entry in candidates:  # one after the other: all their probabilities together may not fit into memory
        if entry.name in refusals:
            table.add(entry, None, refusals[entry.name])
        elif replay and entry.role == REPLAYED:
            found = replayed(judged, entry, q, replay, truth=known.rewards if known else None, seed=seed, tell=tell)
            table.add_replayed(entry, found, found.record(judged, persons, confidence=confidence))
        else:
            asked_already = elsewhere.pop(entry.name, None)
            table.add(entry, target_of(judged, entry, tell) if asked_already is None else asked_already)
    whole, replays = table.whole(candidates), table.replays
    control, lift = lift_in(trial, judged, confidence, language)
    groups, views = of_first_key(gathered(cuts, table.rows))
    return Evaluation(
        rows=(whole[0], *control, *whole[1:]),
        estimators=tuple(estimators),
        headline=headline,
        confidence=confidence,
        log=log.summary(),
        period=period_of(judged),
        trained=period_of(trained) if trained is not None else None,
        notes=(
            *notes_on(log, judged, trained, language),
            *notes_on_left_out(wanted, estimators, interval, language),
            *notes_on_method(interval, learning=trained is not None),
            *([CAUTION] if replays else []),
            *([quality(judged, q)] if needed and model != NONE else []),
        ),
        verdict=verdict(whole, persons, headline=headline, confidence=confidence, language=language),
        comparisons=compare(whole, persons, headline=headline, confidence=confidence, language=language, lift=lift),
        calibration=calibration(judged),
        replays=tuple(replays),
        findings=findings,
        asked=tuple(entry.name for entry in asked),
        by=groups.key if groups else "",
        groups=groups.groups if groups else (),
        views=views,
        lang=lang,
    )


class _Table:
    """The rows of every part, one policy after the other; of the whole also what is true, where that is known."""

    def __init__(self, parts: Mapping[int, Part], how: Asked, known: Truth | None) -> None:
        self._parts, self._how, self._known = parts, how, known
        self._truths: dict[str, float] = {}
        self.rows = {place: [logged_row(part)] for place, part in parts.items()}
        self.replays: list[Replay] = []
        logged = parts[WHOLE].log.probabilities
        if known is not None and logged is not None:
            self._truths[LOGGED] = known.of(logged)

    def add(self, entry: Entry, target: Floats | None, refusal: str = "") -> None:
        """A policy by its probabilities; None where it is refused everywhere."""
        if self._known is not None and target is not None:
            self._truths[entry.name] = self._known.of(target)
        for place, part in self._parts.items():
            self.rows[place].append(row_in(part, entry, target, refusal, self._how))

    def add_replayed(self, entry: Entry, found: Replayed, record: Replay) -> None:
        """A learner that went through the log."""
        if (value := found.truth()) is not None:
            self._truths[entry.name] = value
        for place, part in self._parts.items():
            self.rows[place].append(found.row(part, self._how))
        self.replays.append(record)

    def whole(self, candidates: Sequence[Entry]) -> list[Row]:
        """The rows of the whole, with their notes and their truth."""
        notes = {entry.name: entry.note for entry in candidates} | {one.policy: one.note for one in self.replays}
        rows = [replace(row, note=notes.get(row.name, "")) for row in self.rows[WHOLE]]
        return rows if self._known is None else [self._known.told(row, self._truths.get(row.name)) for row in rows]


def row_in(part: Part, entry: Entry, target: Floats | None, refusal: str, how: Asked) -> Row:
    """The row of one policy in one part; `target` is None where the policy is refused everywhere."""
    if target is None:
        return refused_row(part, entry.name, entry.role, refusal)
    if entry.fixed is not None and not eligible_shares(part.log)[entry.fixed]:
        refusal = LANGUAGES[how.lang].never_eligible.format(variant=repr(entry.fixed))
        return refused_row(part, entry.name, entry.role, refusal)
    return judged_row(part, entry.name, entry.role, target, how)


def notes_on(log: Log, judged: Log, trained: Log | None, language: Language) -> Iterator[str]:
    """What to know of every row: what was trained on, what is judged, what the log can't tell."""
    if trained is not None:
        yield language.trained_on.format(period=period_of(trained).told(language.period, language.thousands))
        if shared := shared_persons(trained, judged):
            yield shared
    if len(judged) < len(log):
        yield language.judged_on.format(period=period_of(judged).told(language.period, language.thousands))
    if not log.timed:
        yield language.no_times
    if log.propensities_estimated:
        yield remark(log)
    elif log.probabilities is None:
        yield language.support_estimated
    if len(log.ids) > MAX_FIXED:
        yield language.some_fixed.format(variants=language.whole(len(log.ids)), most=MAX_FIXED)


def notes_on_left_out(wanted: Sequence[str], kept: Sequence[str], interval: str, language: Language) -> Iterator[str]:
    """Which of the usual estimators were meant, and are not there, and why."""
    left = [name for name in (USUAL if set(wanted) == {BEST} else dict.fromkeys(wanted)) if name not in kept]
    lacking = [name for name in left if estimator_of(name).kind not in INTERVALS[interval]]
    if lacking:
        yield language.no_interval.format(interval=interval, estimators=", ".join(lacking))
    if others := [name for name in left if name not in lacking]:
        yield language.no_model.format(estimators=", ".join(others))


def notes_on_method(interval: str, *, learning: bool) -> Iterator[str]:
    """What to know of the intervals, where they are not the usual ones. learning: learners were trained on a part."""
    if interval == ANYTIME:
        yield "These intervals hold at every look at the growing log together, for rounds in the order of time."
        if learning:
            yield (
                "Learners were trained on a part of the log that grows with it: of them these intervals hold at this "
                "look alone; judge a snapshot to look again."
            )


def _learned(
    trained: Log | None,
    judged: Log,
    asked: Sequence[Entry],
    refusals: Mapping[str, str],
    *,
    seed: int,
    cores: int | None,
    tell: Progress,
) -> dict[str, Floats]:
    """Train the learners; by name, the probabilities of those that were trained and asked in another process."""
    learners = [entry for entry in asked if entry.name not in refusals]
    elsewhere = asked_elsewhere(trained, judged, learners, seed=seed, cores=cores, tell=tell)
    for entry in learners:
        if entry.learner and trained is not None and entry.name not in elsewhere:
            entry.learner.learn(counted(trained, tell, f"training {entry.name}"))
    return elsewhere


def _asked_of(log: Log, estimators: Sequence[str], interval: str, model: RewardModel) -> tuple[str, ...]:
    """The estimators to compute. Raises EvaluationError for what there is not, or not of this log."""
    check_model(model)
    try:
        names = check_names(estimators, interval, model=model != NONE)
    except ValueError as error:
        raise EvaluationError(str(error)) from error
    if problem := unsuited(names, log):
        raise EvaluationError(problem)
    return names


def _check_log(log: Log) -> None:
    if int(log.eligible.sum(axis=1).max()) < 2:
        raise EvaluationError(
            f"log {log.name!r} never had more than one variant to choose from ({list(log.ids)[:5]}): "
            "there is nothing to compare"
        )
