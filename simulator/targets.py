"""What a policy would have done: its probabilities on the logged eligible sets."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from policies.base import InvalidPmf, Learner, normalise
from policies.registry import PolicySpec, create
from policies.types import TrainingExample
from simulator.asked import EvaluationError
from simulator.candidates import Entry
from simulator.engines.local import local_engine, mapped
from simulator.logs.log import Floats, Log

LEAST_PARALLEL = 400_000
"""Rounds to learn and to judge, over all learners, from which other processes are worth their start."""

MOST_PARALLEL = 1 << 30
"""Bytes of probabilities that are kept at once; where there are more, learners are asked one after the other."""

Progress = Callable[[str, float], None]
"""Told what is being done and which share of it is done, 0 to 1."""


def target_of(log: Log, entry: Entry, tell: Progress) -> Floats:
    """(n, K) the policy's probabilities on the logged eligible sets. Raises EvaluationError for an invalid pmf."""
    sets, which = log.eligible_sets
    offered = [tuple(log.actions[column] for column in columns) for columns in sets]
    if entry.ignores_context:
        of_sets = np.zeros((len(sets), len(log.actions)))
        for place, columns in enumerate(sets):
            of_sets[place, columns] = entry.policy.pmf({}, offered[place])
        return of_sets[which]
    target = np.zeros(log.eligible.shape)
    for row, (context, place) in enumerate(zip(log.contexts, which.tolist(), strict=True)):
        raw = np.asarray(entry.policy.pmf(context, offered[place]), dtype=np.float64)
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


def counted(log: Log, tell: Progress, what: str) -> Iterator[TrainingExample]:
    for done, example in enumerate(log.examples()):
        if done % 1000 == 0:
            tell(what, done / len(log))
        yield example
    tell(what, 1.0)


@dataclass(frozen=True, slots=True)
class _TrainedAndAsked:
    """A task: the probabilities, on the judged rounds, of a learner that was trained on the others."""

    trained: Log
    judged: Log
    seed: int

    def __call__(self, spec: PolicySpec) -> Floats:
        log = self.judged
        learner = create(spec, default=log.default or "", reward_range=log.reward_range, seed=self.seed)
        assert isinstance(learner, Learner)  # no other is sent here
        learner.learn(self.trained.examples())
        return target_of(log, Entry(str(spec), "", learner), lambda what, done: None)


def asked_elsewhere(
    trained: Log | None, judged: Log, entries: Sequence[Entry], *, seed: int, cores: int | None, tell: Progress
) -> dict[str, Floats]:
    """By name, the (n, K) probabilities of learners that are named by specification, each trained and asked in a
    process of its own, as it would have been here; of none where that does not pay. cores: None for all.
    """
    specs = {entry.name: entry.spec for entry in entries if entry.learner is not None and entry.spec is not None}
    if trained is None or len(specs) < 2:
        return {}
    rounds = (len(trained) + len(judged)) * len(specs)
    if rounds < LEAST_PARALLEL or judged.eligible.size * 8 * len(specs) > MOST_PARALLEL:
        return {}
    with local_engine(cores, most=len(specs)) as engine:
        if engine.cores == 1:
            return {}
        task, what = _TrainedAndAsked(trained, judged, seed), f"training and judging {len(specs)} learners"
        return dict(zip(specs, mapped(engine, task, list(specs.values()), tell, what), strict=True))
