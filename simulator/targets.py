"""What a policy would have done: its probabilities on the logged eligible sets."""

from collections.abc import Callable, Iterator

import numpy as np

from policies.base import InvalidPmf, normalise
from policies.types import TrainingExample
from simulator.candidates import Entry, EvaluationError
from simulator.log import Floats, Log

Progress = Callable[[str, float], None]
"""Told what is being done and which share of it is done, 0 to 1."""


def target_of(log: Log, entry: Entry, tell: Progress) -> Floats:
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


def counted(log: Log, tell: Progress, what: str) -> Iterator[TrainingExample]:
    for done, example in enumerate(log.examples()):
        if done % 1000 == 0:
            tell(what, done / len(log))
        yield example
    tell(what, 1.0)
