"""From a log in Parquet of any size, and some policies, to an evaluation: the same record as of a log in memory.

The log is read more than once, each time in parts of some ten thousand rows, by all cores: a survey of a few columns;
the rounds of a sample of persons, for the model of the rewards and for what is checked about a log as a whole; the
earlier rounds, once for each learner; and, once, all judged rounds, of which only sums are kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain
from pathlib import Path

import numpy as np

from policies.registry import PolicySpec
from policies.types import Action
from simulator.asked import Asked, EvaluationError, check_asked
from simulator.assembling import assembled
from simulator.candidates import Candidate, Entry, baselines, by_name, named
from simulator.checks import diagnose_log
from simulator.engines.local import Engine, Inline, local_engine, mapped
from simulator.estimators import USUAL, check_names, headline_of, modelled
from simulator.evaluation import Evaluation, View
from simulator.findings import refusal
from simulator.logs.contexts import Contexts
from simulator.logs.log import Log, LogSummary
from simulator.models.linear import CrossFitted
from simulator.periods import too_late
from simulator.rows import Period
from simulator.sources.mapping import ESTIMATE, ColumnMapping
from simulator.streams.judge import FOLDS, WHOLE, Judge, Judged, Parts, fold_of
from simulator.streams.notes import notes_of
from simulator.streams.pieces import BATCH, Piece, Reader, joined, pieces_of
from simulator.streams.rows import Rows, untold
from simulator.streams.summed import NOBODY, SUMMED, tail_needed
from simulator.streams.survey import Look, Survey, both, check_order
from simulator.streams.tasks import Interval, Sample, Train, Travelling, inside
from simulator.streams.times import Times
from simulator.targets import Progress

SAMPLE = 200_000
"""Judged rounds, about, of the persons on whom the model of the rewards is fitted and the log as a whole is checked."""

LEAST_PERSONS = 1_000
"""Of whom the sample is at least, however often they come."""


def evaluate_parquet(
    path: str | Path,
    mapping: ColumnMapping,
    policies: Iterable[PolicySpec | str | Candidate] = (),
    *,
    estimators: Sequence[str] = USUAL,
    confidence: float = 0.95,
    train_share: float = 0.5,
    by: str | None = None,
    lang: str = "en",
    seed: int = 0,
    force: bool = False,
    cores: int | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """As `simulator.evaluate`, of a log that need not fit into memory: a Parquet file, or a folder of them, of which
    `mapping` says which column is what. by: a context key. cores: all by default; engine: in place of those.

    Learners are trained on the earlier `train_share` in one pass, in segments of 50,000; for that, as for snapshots,
    rows must be in the order of their times. Raises what `evaluate` raises, ParquetError, and EvaluationError for what
    can't be done without all rounds at once: some estimators, and propensities that are to be estimated.
    """
    check_asked(confidence, lang, policies=policies, estimators=estimators)
    _check(mapping, estimators, by=by)
    pieces = pieces_of(path, mapping)
    names = tuple(dict.fromkeys(estimators))
    how = Asked(names, headline_of(names), confidence, lang, force, seed=seed)
    stream = _Stream(
        Reader(Path(path).name, mapping, batch=BATCH),
        pieces,
        how,
        train_share=train_share,
        by=by,
        tell=progress or (lambda what, done: None),
    )
    if engine is not None:
        return stream.evaluation(list(policies), engine)
    with local_engine(cores, most=len(pieces)) as local:
        return stream.evaluation(list(policies), local)


@dataclass(frozen=True, slots=True)
class _Periods:
    """judged: by the times, and how many rounds it has; trained: likewise, None where nothing is. late: the refusals of
    snapshots that leave too little to judge.
    """

    judged: Interval
    n: int
    trained: Interval | None
    late: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Sampled:
    """log: the rounds of some persons; judged: those of the judged period; share: of the persons."""

    log: Log
    judged: Log
    share: float


class _Stream:
    """One evaluation of one log."""

    def __init__(
        self,
        reader: Reader,
        pieces: tuple[Piece, ...],
        how: Asked,
        *,
        train_share: float,
        by: str | None,
        tell: Progress,
    ) -> None:
        self._reader, self._pieces, self._how, self._tell = reader, pieces, how, tell
        self._train_share, self._by = train_share, by

    def evaluation(self, policies: Sequence[PolicySpec | str | Candidate], engine: Engine) -> Evaluation:
        how = self._how
        surveys = list(mapped(engine, Look(self._reader), self._pieces, self._tell, "looking at the log"))
        survey = reduce(both, surveys)
        self._reader = replace(self._reader, actions=self._actions(survey))
        probe = self._probe()
        asked = [named(probe, policy, seed=how.seed) for policy in policies]
        periods = self._periods(asked, survey)
        sample = self._sample(survey, periods, engine)
        candidates = by_name([*baselines(sample.judged, seed=how.seed, language=how.language), *asked])
        findings = diagnose_log(sample.log, lang=how.lang)
        how = how.of_unsound(refusal(findings))
        refusals = dict(periods.late)
        if how.unsound and not how.force:
            refusals = {entry.name: how.unsound for entry in candidates} | refusals
        told = [entry for entry in candidates if entry.name not in refusals]
        travelling = self._trained(told, periods, surveys, engine)
        judge = Judge(
            reader=self._reader,
            period=periods.judged,
            policies=travelling,
            model=self._model(sample, travelling),
            parts=Parts.of(self._by, sample.judged, sample.share, lang=how.lang) if self._by is not None else None,
            commonest=survey.commonest,
            tail=tail_needed(periods.n),
            seed=how.seed,
        )
        judged = self._judged(judge, surveys, engine)
        if problem := untold(self._reader.name, judged.sums[WHOLE]):
            raise EvaluationError(problem)
        rows = Rows(
            candidates=tuple(candidates),
            refusals=refusals,
            asked=how,
            policies=tuple(entry.name for entry in told),
            reader=self._reader,
            judged=judged,
        )
        whole = rows.of(WHOLE)
        trained = self._trained_period(periods, survey)
        named_parts = judge.parts.names if judge.parts else ()
        groups = tuple(rows.group(name) for name in named_parts if name in judged.sums)
        return assembled(
            whole,
            NOBODY,
            how,
            log=self._summary(survey, sample, judged),
            judged=sample.judged,
            trained=trained,
            notes=notes_of(
                survey, judged, sample.log, whole[0].period, trained, reader=self._reader, language=how.language
            ),
            findings=findings,
            entries=asked,
            views=(View("group", self._by, groups),) if self._by is not None else (),
        )

    def _actions(self, survey: Survey) -> tuple[Action, ...]:
        variants = self._reader.mapping.variants or tuple(sorted(survey.ids))
        if len(variants) < 2:
            raise EvaluationError(
                f"log {self._reader.name!r} never had more than one variant to choose from ({list(variants)}): "
                "there is nothing to compare"
            )
        return tuple(Action(variant) for variant in variants)

    def _probe(self) -> Log:
        """One round with every context key that there may be: of what can be asked for, policies are built from it."""
        first = next(self._reader.parts(self._pieces[0]))[:1]
        keys: dict[str, str] = dict.fromkeys(self._reader.mapping.context, "")
        return replace(first, contexts=Contexts.of([keys]))

    def _periods(self, asked: Sequence[Entry], survey: Survey) -> _Periods:
        """As `simulator.periods.periods`."""
        learners = any(entry.learner for entry in asked)
        n, start, earlier = survey.n, -np.inf, 0
        late: dict[str, str] = {}
        if not learners and all(entry.judged_after is None for entry in asked):
            return _Periods((start, np.inf), n, None, late)
        check_order(self._reader.name, survey, column=self._reader.mapping.time)
        times = Times(self._reader, self._pieces)
        trained = None
        if learners:
            earlier, start = times.cut(self._train_share)
            trained = (-np.inf, start)
        for entry in asked:
            if entry.judged_after is None:
                continue
            left = times.later_than(entry.judged_after)
            if reason := too_late(left, n, self._how.language):
                late[entry.name] = reason
            elif entry.judged_after > start:
                earlier, start = n - left, entry.judged_after
        return _Periods((start, np.inf), n - earlier, trained, late)

    def _sample(self, survey: Survey, periods: _Periods, engine: Engine) -> _Sampled:
        """Some persons with all their rounds: as many as make about SAMPLE judged rounds, of the whole log not more
        than twice that.
        """
        share = min(1.0, SAMPLE / periods.n, 2.0 * SAMPLE / survey.n)
        share = min(1.0, max(share, LEAST_PERSONS / survey.persons))
        task = Sample(self._reader, share, self._how.seed)
        found = chain.from_iterable(mapped(engine, task, self._pieces, self._tell, "taking a sample"))
        log = joined(list(found), name=self._reader.name)
        return _Sampled(log, log[inside(log, periods.judged)], share)

    def _trained(
        self, entries: Sequence[Entry], periods: _Periods, surveys: Sequence[Survey], engine: Engine
    ) -> tuple[Travelling, ...]:
        """The policies as they are sent to the pieces; the learners among them trained, each in its own process."""
        specs = [entry.spec for entry in entries if entry.learner is not None and entry.spec is not None]
        if not specs or periods.trained is None:
            return tuple(Travelling.of(entry) for entry in entries)
        mapping = self._reader.mapping
        until = periods.trained[1]
        pieces = tuple(piece for piece, found in zip(self._pieces, surveys, strict=True) if found.start <= until)
        task = Train(self._reader, pieces, periods.trained, mapping.default or "", mapping.reward_range, self._how.seed)
        what = "training " + ", ".join(map(str, specs))
        states = dict(zip(map(str, specs), mapped(engine, task, specs, self._tell, what), strict=True))
        return tuple(Travelling.of(entry, states.get(str(entry.spec))) for entry in entries)

    def _model(self, sample: _Sampled, policies: Sequence[Travelling]) -> CrossFitted | None:
        if not policies or not modelled(self._how.estimators):
            return None
        return CrossFitted.fit(
            sample.judged,
            fold_of(sample.judged.persons, self._how.seed),
            folds=FOLDS,
            progress=lambda done: self._tell("fitting the reward model", done),
        )

    def _judged(self, judge: Judge, surveys: Sequence[Survey], engine: Engine) -> Judged:
        pieces = [p for p, found in zip(self._pieces, surveys, strict=True) if found.end > judge.period[0]]
        where = engine if all(one.portable for one in judge.policies) else Inline()
        return reduce(Judged.and_then, mapped(where, judge, pieces, self._tell, "judging"))

    def _trained_period(self, periods: _Periods, survey: Survey) -> Period | None:
        if periods.trained is None:
            return None
        end = periods.trained[1]
        n = survey.n - Times(self._reader, self._pieces).later_than(end)
        return Period(survey.start, end, n, self._reader.timed)

    def _summary(self, survey: Survey, sample: _Sampled, judged: Judged) -> LogSummary:
        return LogSummary(
            name=self._reader.name,
            slot=self._reader.mapping.slot,
            n=survey.n,
            persons=survey.persons,
            variants=len(self._reader.actions or ()),
            mean_reward=survey.total / survey.n,
            rewarded=survey.rewarded,
            start=survey.start,
            end=survey.end,
            timed=self._reader.timed,
            probabilities_known=judged.known,
            duplicates=round(sample.log.duplicates / sample.share),
        )


def _check(mapping: ColumnMapping, estimators: Sequence[str], *, by: str | None) -> None:
    try:
        whole = [name for name in check_names(estimators, "skewed") if name not in SUMMED]
    except ValueError as error:
        raise EvaluationError(str(error)) from error
    if whole:
        raise EvaluationError(
            f"estimators {whole}: they need all rounds at once, and this log is read in pieces; "
            f"expected some of {list(SUMMED)}"
        )
    if mapping.shares == ESTIMATE:
        raise EvaluationError(
            "shares: estimate: the model of the propensities needs all rounds at once, and this log is read in pieces; "
            "expected a column of propensities"
        )
    if by is not None and by not in mapping.context:
        known = ", ".join(sorted(mapping.context)) or "none"
        raise EvaluationError(f"by {by!r}: expected one of the context columns of the mapping; there are: {known}")
