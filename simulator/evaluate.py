"""From a log and some policies to an evaluation: what each of them would have earned."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np

from policies.registry import PolicySpec
from simulator.asked import Asked, EvaluationError, check_asked
from simulator.assembling import assembled
from simulator.candidates import Candidate, Entry, baselines, by_name, named
from simulator.checks import diagnose_log
from simulator.estimators import (
    USUAL,
    check_names,
    headline_of,
    modelled,
    unsuited,
)
from simulator.evaluation import Evaluation
from simulator.findings import refusal
from simulator.groups import Grouping
from simulator.judging import (
    Part,
    eligible_shares,
    judged_row,
    logged_row,
    nothing_to_tell,
    part_of,
    period_of,
    refused_row,
)
from simulator.lift import Trial
from simulator.logs.log import Floats, Log
from simulator.models import LINEAR, NONE, RewardModel, check_model, model_rewards, quality
from simulator.notes import notes_on, notes_on_left_out, notes_on_method
from simulator.periods import periods
from simulator.replay.record import Replay, Replaying
from simulator.replay.replaying import Replayed, replayed, to_replay
from simulator.replay.words import WORDS as REPLAY
from simulator.rows import LOGGED, REPLAYED, Row
from simulator.targets import Progress, asked_elsewhere, counted, target_of
from simulator.truth import ExpectedRewards, Truth
from simulator.views import cuts_of, gathered, valued

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
    by: Grouping | None = None,
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
    logged policy, the uniform policy, and every fixed variant.

    policies: specifications such as `squarecb`, `epsilon:epsilon=0.1`, `fixed:VARIANT`; or a `Candidate`, with anything
    that has `pmf(context, actions)`. They decide on the logged eligible sets; no rule is run again. A learner by name
    is trained on the earlier `train_share` of the rounds, and then all rows are judged on the later ones.
    estimators: names of `simulator.ESTIMATORS`, with a feature as in `mips:tone`, or `best`. interval: one of
    `simulator.INTERVALS`, at this confidence. model: of the rewards, one of `simulator.MODELS` or a scikit-learn
    estimator.

    by: also in each group of people: by a key of the contexts, as a `By` says, or by several of these. every: also in
    each stretch of that length. metrics: also by the mean of each of these in place of the reward; by name, one number
    for each round of the log. What is trained is trained once, on everybody, and so is the reward model.
    trial: decisions with and without the control group, for the lift.
    replay: learners are not trained first, but learn while they are judged, on all that is judged.
    truth: of a log from a known world, what each action was worth in each round; rows then tell truth and regret.

    force: a policy that the log can't judge gets a refusal with its reason; so it gets its numbers all the same, marked
    as forced. lang: of the sentences, en or es. seed: of learners, of folds and of what is drawn again; the same seed
    gives the same numbers. cores: processes in which several learners are trained and asked, where the log is large;
    all by default. progress: is told what is being done, and which share of it is.

    Raises EvaluationError when nothing can be judged as asked, PolicyError for a specification that is none, LogError
    when a period would be empty.
    """
    tell = progress or (lambda what, done: None)
    _check_log(log)
    check_asked(confidence, lang, policies=policies, estimators=estimators)
    wanted, names = tuple(estimators), _names(log, estimators, interval, model)
    how = Asked(names, headline_of(names), confidence, lang, force, interval=interval, seed=seed)
    asked = [named(log, policy, seed=seed) for policy in policies]
    asked = to_replay(asked, interval) if replay else asked
    trained, judged, refusals = periods(log, asked, train_share, language=how.language)
    candidates = by_name([*baselines(judged, seed=seed, language=how.language), *asked])
    findings = diagnose_log(log, lang=lang)
    how = how.of_unsound(refusal(findings))
    if how.unsound and not force:
        refusals = {entry.name: how.unsound for entry in candidates} | refusals
    elsewhere = _learned(trained, judged, asked, refusals, seed=seed, cores=cores, tell=tell)
    if problem := nothing_to_tell(judged):
        raise EvaluationError(problem)
    told = model if len(refusals) < len(candidates) and modelled(names) else NONE

    def expected(log: Log) -> Floats:
        return model_rewards(log, told, seed=seed, progress=lambda done: tell("fitting the reward model", done))

    q = expected(judged)
    cuts = cuts_of(log, judged, by=by, every=every, metrics=metrics, lang=lang)
    parts = {WHOLE: part_of(judged, q, np.ones(len(judged), dtype=bool), how)}
    for place, cut in enumerate(cuts):
        if cut.refusal is None:
            seen = judged if cut.rewards is None else valued(judged, cut.rewards)
            parts[place] = part_of(seen, q if cut.rewards is None else expected(seen), cut.members, how)
    persons = parts[WHOLE].persons
    known = None if truth is None else Truth.on(judged, truth)
    table = _Table(parts, how, known)
    for entry in candidates:  # one after the other: all their probabilities together may not fit into memory
        if entry.name in refusals:
            table.add(entry, None, refusals[entry.name])
        elif replay and entry.role == REPLAYED:
            true = known.rewards if known else None
            found = replayed(judged, entry, q, replay, truth=true, lang=lang, seed=seed, tell=tell)
            table.add_replayed(entry, found, found.record(judged, persons, confidence=confidence))
        else:
            asked_already = elsewhere.pop(entry.name, None)
            table.add(entry, target_of(judged, entry, tell) if asked_already is None else asked_already)
    return assembled(
        table.whole(candidates),
        persons,
        how,
        log=log.summary(),
        judged=judged,
        trained=period_of(trained) if trained is not None else None,
        notes=(
            *notes_on(log, judged, trained, how.language),
            *notes_on_left_out(wanted, how),
            *notes_on_method(how, learning=trained is not None),
            *([REPLAY[lang].caution] if table.replays else []),
            *([quality(judged, q, how.language)] if told != NONE else []),
        ),
        findings=findings,
        entries=asked,
        trial=trial,
        views=gathered(cuts, table.rows),
        replays=table.replays,
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
        notes = {entry.name: entry.note for entry in candidates}
        notes |= {one.policy: one.note(self._how.lang) for one in self.replays}
        rows = [replace(row, note=notes.get(row.name, "")) for row in self.rows[WHOLE]]
        return rows if self._known is None else [self._known.told(row, self._truths.get(row.name)) for row in rows]


def row_in(part: Part, entry: Entry, target: Floats | None, refusal: str, how: Asked) -> Row:
    """The row of one policy in one part; `target` is None where the policy is refused everywhere."""
    if target is None:
        return refused_row(part, entry.name, entry.role, refusal)
    if entry.fixed is not None and not eligible_shares(part.log)[entry.fixed]:
        refusal = how.language.never_eligible.format(variant=repr(entry.fixed))
        return refused_row(part, entry.name, entry.role, refusal)
    return judged_row(part, entry.name, entry.role, target, how)


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


def _names(log: Log, estimators: Sequence[str], interval: str, model: RewardModel) -> tuple[str, ...]:
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
    if not isinstance(log, Log):
        raise EvaluationError(f"{type(log).__name__}: expected a Log, which frame_log makes of a data frame")
    if int(log.eligible.sum(axis=1).max()) < 2:
        raise EvaluationError(
            f"log {log.name!r} never had more than one variant to choose from ({list(log.ids)[:5]}): "
            "there is nothing to compare"
        )
