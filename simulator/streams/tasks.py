"""The tasks that come before judging: a sample of persons, a learner trained; and how policies get to processes."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from policies.base import Learner, Policy
from policies.registry import PolicySpec, create
from policies.types import RewardRange, TrainingExample
from simulator.candidates import Entry
from simulator.engines.local import portable
from simulator.logs.log import Codes, Flags, Log
from simulator.streams.pieces import Piece, Reader
from simulator.streams.sums import mixed

SAMPLED = 1
"""The salt of who is in the sample, which has nothing to do with who is in which fold or cluster."""

SEGMENT = 50_000
"""Rounds that are learned together, whatever files, row groups and pieces they are in."""

Interval = tuple[float, float]
"""The rounds later than the first time and not later than the second."""


def inside(log: Log, period: Interval) -> Flags:
    """(n,) the rounds of the period."""
    return np.asarray((log.times > period[0]) & (log.times <= period[1]))


def is_sampled(persons: Codes, share: float, seed: int) -> Flags:
    """(n,) the persons of a seeded sample of this share: all of a person's rounds, or none."""
    points = mixed(persons, salted(seed, SAMPLED)).astype(np.float64) / 2.0**64
    return np.asarray(points < share)


def salted(seed: int, purpose: int) -> int:
    """A salt for `mixed`. purpose: 1 to 3."""
    return seed % 2**32 * 4 + purpose


@dataclass(frozen=True, slots=True)
class Sample:
    """The task: the rounds of some persons in a piece, as logs."""

    reader: Reader
    share: float
    seed: int

    def __call__(self, piece: Piece) -> list[Log]:
        found = []
        for log in self.reader.parts(piece):
            taken = is_sampled(log.persons, self.share, self.seed)
            if taken.any():
                found.append(log if taken.all() else log[taken])
        return found


@dataclass(frozen=True, slots=True)
class Train:
    """The task: the bytes of a learner that was trained on the earlier part of the log in one pass, in segments."""

    reader: Reader
    pieces: tuple[Piece, ...]
    period: Interval
    default: str
    reward_range: RewardRange
    seed: int

    def __call__(self, spec: PolicySpec) -> bytes:
        learner = create(spec, default=self.default, reward_range=self.reward_range, seed=self.seed)
        assert isinstance(learner, Learner)  # no other is trained
        examples = self._examples()
        while segment := list(islice(examples, SEGMENT)):
            learner.learn(segment)
        return learner.dump()

    def _examples(self) -> Iterator[TrainingExample]:
        for piece in self.pieces:
            for log in self.reader.parts(piece):
                rows = inside(log, self.period)
                if rows.any():
                    yield from (log if rows.all() else log[rows]).examples()


@dataclass(frozen=True, slots=True)
class Travelling:
    """A policy on its way to other processes: its specification, with what it has learned; else the policy itself.

    Vowpal Wabbit's learners can't be pickled: from their specification and their bytes they are built anew.
    """

    name: str
    role: str
    ignores_context: bool
    spec: PolicySpec | None
    state: bytes | None
    itself: Policy | None

    @classmethod
    def of(cls, entry: Entry, state: bytes | None = None) -> "Travelling":
        """state: of a learner that was trained elsewhere."""
        itself = entry.policy if entry.spec is None and not entry.ignores_context else None
        spec = entry.spec or (PolicySpec.parse(entry.name) if itself is None else None)
        return cls(entry.name, entry.role, entry.ignores_context, spec, state, itself)

    @property
    def portable(self) -> bool:
        """Whether it can arrive."""
        return self.itself is None or portable(self.itself)

    def arrived(self, *, default: str, reward_range: RewardRange, seed: int) -> Entry:
        """The policy, to be asked."""
        policy = self.itself
        if self.spec is not None:
            policy = create(self.spec, default=default, reward_range=reward_range, seed=seed, state=self.state)
        assert policy is not None  # one of the two is there
        return Entry(self.name, self.role, policy, ignores_context=self.ignores_context)
