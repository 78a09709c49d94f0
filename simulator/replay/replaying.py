"""Learners that learn while they are judged.

Each goes through the log several times, with other draws and another seed each time, and always from nothing: no
passage leaves anything behind for the next, and the log stays as it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import islice

import numpy as np

from policies.base import Learner
from policies.registry import create
from simulator.asked import Asked, EvaluationError
from simulator.candidates import Entry
from simulator.estimators.basis import SKEWED
from simulator.intervals.clustered import Persons
from simulator.judging import Part
from simulator.logs.log import Floats, Log
from simulator.replay.accepting import RECENT, Acceptance, Progressive, Rejection, Sequential
from simulator.replay.choosing import method_for
from simulator.replay.estimating import curve, replayed_row, worth
from simulator.replay.passage import Pace, Passage, go_through
from simulator.replay.record import PROGRESSIVE, REJECTION, SEQUENTIAL, Replay, Replaying
from simulator.replay.words import WORDS
from simulator.rows import REPLAYED, Row
from simulator.sentences import LANGUAGES
from simulator.targets import Progress

Fresh = Callable[[int], Learner]
"""A seed in, an untrained learner out."""


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """A learner's passages through the judged rounds. predicted: (n,) q(x, chosen). lang: of the sentences."""

    policy: str
    method: str
    why: str
    every: int | timedelta
    predicted: Floats
    passages: Sequence[Passage]
    lang: str = "en"

    def row(self, part: Part, asked: Asked) -> Row:
        """Its row on the rounds of a part."""
        return replayed_row(part, self.policy, self.method, self.predicted[part.members], self.passages, asked)

    def truth(self) -> float | None:
        """What it was truly worth, where the truth was given and it had any round of its own."""
        found = worth(self.method, self.passages)
        return found if np.isfinite(found) else None

    def record(self, log: Log, persons: Persons, *, confidence: float) -> Replay:
        """What is told of it beside its row."""
        return Replay(
            policy=self.policy,
            method=self.method,
            why=self.why,
            passes=len(self.passages),
            every=self._every(),
            n=len(log),
            used=float(np.mean([one.kept.sum() for one in self.passages])),
            learned=float(np.mean([one.learned for one in self.passages])),
            curve=curve(self.method, log, self.predicted, persons, self.passages, confidence=confidence),
        )

    def _every(self) -> str:
        if isinstance(self.every, timedelta):
            return LANGUAGES[self.lang].lasting(self.every)
        return WORDS[self.lang].of_them.format(n=LANGUAGES[self.lang].whole(self.every))


def to_replay(asked: Sequence[Entry], interval: str) -> list[Entry]:
    """The learners among the policies that were named are not trained first, but replayed. Raises EvaluationError
    where there are none, and for intervals that a replay has not.
    """
    if interval != SKEWED:
        raise EvaluationError(f"interval {interval!r}: a replay has none but {SKEWED!r}")
    if not any(entry.learner for entry in asked):
        raise EvaluationError(
            f"nothing to replay: none of {[entry.name for entry in asked]} is a policy that learns, named by its "
            "specification, as squarecb is"
        )
    return [replace(entry, role=REPLAYED, learner=None) if entry.learner else entry for entry in asked]


def replayed(
    log: Log, entry: Entry, q: Floats, how: Replaying, *, truth: Floats | None, lang: str, seed: int, tell: Progress
) -> Replayed:
    """As `replay`, of a policy that was asked for."""
    spec = entry.spec
    assert spec is not None  # only what was named by a specification is replayed

    def fresh(seed: int) -> Learner:
        built = create(spec, default=log.default or "", reward_range=log.reward_range, seed=seed)
        assert isinstance(built, Learner)  # as the one that was built when it was asked for
        return built

    return replay(log, entry.name, fresh, q, how, truth=truth, lang=lang, seed=seed, tell=tell)


def replay(
    log: Log,
    policy: str,
    fresh: Fresh,
    q: Floats,
    how: Replaying,
    *,
    truth: Floats | None = None,
    lang: str = "en",
    seed: int = 0,
    tell: Progress = lambda what, done: None,
) -> Replayed:
    """Send untrained learners through a log. q: (n, K) what a model of the rewards expects, cross-fitted; zeros do
    for rejection, and make the others IPS. truth: (n, K) what is true, where that is known.

    Raises EvaluationError where the log can't be replayed so, ValueError for delays that can't be.
    """
    method, why = method_for(log, how.method, lang)
    if isinstance(how.every, timedelta) and not log.timed:
        raise EvaluationError(f"every {how.every}: log {log.name!r} has no times; expected a number of rounds")
    pace = Pace(how.every, log.times + how.delays(log))
    # one after the other would learn the same from the same rounds: nothing is drawn
    passes = how.passes if method != PROGRESSIVE else 1
    passages = []
    for turn in range(passes):
        rng = np.random.default_rng([seed, turn])
        what = f"replaying {policy}" + (f", pass {turn + 1} of {passes}" if passes > 1 else "")
        passages.append(
            go_through(
                log,
                fresh(seed + turn),
                _acceptance(method, log, partial(fresh, seed + turn), how, rng),
                pace,
                q,
                as_logged=method == PROGRESSIVE,
                truth=truth,
                tell=partial(tell, what),
            )
        )
    predicted = q[np.arange(len(log)), log.chosen]
    return Replayed(policy, method, why, how.every, predicted, tuple(passages), lang)


def _acceptance(
    method: str, log: Log, untrained: Callable[[], Learner], how: Replaying, rng: np.random.Generator
) -> Acceptance:
    if method == REJECTION:
        possible = log.probabilities[log.probabilities > 0.0] if log.probabilities is not None else log.propensities
        return Rejection(rng, least=float(possible.min()))
    if method == SEQUENTIAL:
        known = log.probabilities is not None
        return Sequential(rng, cut=how.cut, known=known, first=islice(log.examples(), RECENT), learner=untrained())
    return Progressive()
