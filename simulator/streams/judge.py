"""The task of judging: what a piece of a log says about every policy, as sums."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from simulator.candidates import Entry
from simulator.diagnostics import heaviness, weights
from simulator.estimators import expectation
from simulator.groups import MAX_GROUPS, MIN_ROUNDS, Naming, pooled_name
from simulator.logs.log import Codes, Flags, Floats, Log
from simulator.models.linear import CrossFitted
from simulator.streams.pieces import Piece, Reader
from simulator.streams.sums import MOST_CLUSTERS, Rounds, Sums, merged, mixed, sums_of
from simulator.streams.tasks import Interval, Travelling, inside, salted
from simulator.targets import target_of

T = TypeVar("T")

FOLDS = 3

FOLDED = 2
"""The salt of who is in which fold, see `simulator.streams.tasks.SAMPLED`."""

WHOLE = ""
"""The part that is no group."""


def fold_of(persons: Codes, seed: int) -> NDArray[np.intp]:
    """(n,) the fold of each person, 0 to FOLDS - 1: the same in every piece."""
    return (mixed(persons, salted(seed, FOLDED)) % np.uint64(FOLDS)).astype(np.intp)


@dataclass(frozen=True, slots=True)
class Parts:
    """Groups of people, judged by themselves. key: of the contexts; own: those that are a group each; pooled: what the
    others are called together, None where there are none.
    """

    key: str
    naming: Naming
    own: tuple[str, ...]
    pooled: str | None

    @classmethod
    def of(cls, key: str, sample: Log, share: float, *, lang: str = "en") -> "Parts":
        """As `simulator.groups.groups_of`, from the rounds of that share of the persons."""
        values = sample.contexts.values(key)
        naming = Naming.fit(values, lang=lang)
        sizes = Counter(naming.names(values)).most_common()
        own = tuple(name for name, size in sizes[:MAX_GROUPS] if size >= MIN_ROUNDS * share)
        pooled = len(sizes) - len(own)
        return cls(key, naming, own, pooled_name(pooled, lang) if pooled or share < 1.0 else None)

    @property
    def names(self) -> tuple[str, ...]:
        """The largest first, and what was pooled last."""
        return (*self.own, self.pooled) if self.pooled is not None else self.own

    def members(self, log: Log) -> Iterator[tuple[str, Flags]]:
        """Name and (n,) members of each group that has a round here."""
        names = np.array(self.naming.names(log.contexts.values(self.key)), dtype=object)
        for name in self.own:
            yield name, names == name
        if self.pooled is not None:
            yield self.pooled, ~np.isin(names, self.own)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a piece says. sums: of the whole and of each group. eligible: by part, (K,) the rounds in which each action
    could be chosen; known: whether all probabilities were.
    """

    sums: Mapping[str, Sums] = field(default_factory=dict)
    eligible: Mapping[str, Codes] = field(default_factory=dict)
    known: bool = True
    duplicates: int = 0

    def and_then(self, other: "Judged") -> "Judged":
        """Both, of which the other is of later rounds."""
        return Judged(
            _added(self.sums, other.sums, merged),
            _added(self.eligible, other.eligible, np.add),
            self.known and other.known,
            self.duplicates + other.duplicates,
        )


@dataclass(frozen=True, slots=True)
class Judge:
    """The task: the sums of a piece, for every policy. model: of the rewards, None where no estimator needs one.
    commonest: the reward that is no event. tail: how many of the greatest weights to keep.
    """

    reader: Reader
    period: Interval
    policies: tuple[Travelling, ...]
    model: CrossFitted | None
    parts: Parts | None
    commonest: float
    tail: int
    seed: int
    most: int = MOST_CLUSTERS
    most_of_group: int = MOST_CLUSTERS // 8

    def __call__(self, piece: Piece) -> Judged:
        mapping = self.reader.mapping
        default, reward_range = mapping.default or "", mapping.reward_range
        entries = [one.arrived(default=default, reward_range=reward_range, seed=self.seed) for one in self.policies]
        found = Judged()
        for log in self.reader.parts(piece):
            rows = inside(log, self.period)
            if rows.any():
                found = found.and_then(self._batch(log if rows.all() else log[rows], entries))
        return found

    def _batch(self, log: Log, entries: Sequence[Entry]) -> Judged:
        q = self.model.predict(log, fold_of(log.persons, self.seed)) if self.model is not None else None
        targets = [target_of(log, entry, lambda what, done: None) for entry in entries]
        sums, eligible = {}, {}
        everybody = np.ones(len(log), dtype=bool)
        for name, members in ((WHOLE, everybody), *(self.parts.members(log) if self.parts is not None else ())):
            if not members.any():
                continue
            most = self.most if name == WHOLE else self.most_of_group
            part, rows = (log, slice(None)) if members.all() else (log[members], members)
            sums[name] = self._sums(part, [target[rows] for target in targets], None if q is None else q[rows], most)
            eligible[name] = part.eligible.sum(axis=0)
        return Judged(sums, eligible, log.probabilities is not None, log.duplicates)

    def _sums(self, log: Log, targets: Sequence[Floats], q: Floats | None, most: int) -> Sums:
        rounds = Rounds(
            persons=log.persons,
            times=log.times,
            rewards=log.rewards,
            rewarded=log.rewards != self.commonest,
            weights=np.array([weights(log, target) for target in targets]).reshape(-1, len(log)),
            expected=None if q is None else np.array([expectation(pmf, q) for pmf in targets]).reshape(-1, len(log)),
            predicted=None if q is None else q[np.arange(len(log)), log.chosen],
        )
        unlogged = log.probabilities <= 0.0 if log.probabilities is not None else None
        return sums_of(
            rounds,
            heaviness=[heaviness(log, target) for target in targets],
            never=[0.0 if unlogged is None else float(target[unlogged].sum()) for target in targets],
            most=most,
            tail=self.tail,
        )


def _added(first: Mapping[str, T], second: Mapping[str, T], plus: Callable[[T, T], T]) -> dict[str, T]:
    """By name, what either has, and of what both have the sum."""
    return {**first, **second, **{name: plus(first[name], second[name]) for name in first.keys() & second.keys()}}
