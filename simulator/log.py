"""The decisions of one slot and what they earned, as validated columns: all that an evaluation may know."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.types import Action, Features, Pmf, RewardRange, TrainingExample

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]
Codes = NDArray[np.int64]

SUM_TOLERANCE = 1e-6


class LogError(ValueError):
    """A log that can't be used; `problems` names every kind of violation with its count and first row."""

    def __init__(self, name: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"log {name!r}: " + "; ".join(problems))


@dataclass(frozen=True, slots=True)
class Round:
    """One decision and its reward, as `Log.from_rounds` reads them.

    `probabilities`: the pmf over `actions`, in their order; None when only the propensity of the chosen is known.
    `time`: unix seconds. `person`: whatever tells one person from another; None for an anonymous visit.
    """

    context: Features
    actions: tuple[Action, ...]
    chosen: str
    propensity: float
    reward: float
    time: float
    probabilities: Sequence[float] | Pmf | None = None
    person: str | int | None = None


@dataclass(frozen=True, slots=True)
class LogSummary:
    """What a log holds, in a few numbers. `start`, `end`: unix seconds, or row numbers when it is not `timed`."""

    name: str
    slot: str
    n: int
    persons: int
    variants: int
    mean_reward: float
    rewarded: int
    start: float
    end: float
    timed: bool
    probabilities_known: bool


@dataclass(frozen=True, eq=False)
class Log:
    """The decisions of one slot in time order: n rounds over a vocabulary of K actions.

    actions: (K,) the vocabulary. One variant with other features in another round is another action of the same id.
    contexts: (n,) the features of each round. eligible: (n, K), what could be chosen. chosen: (n,), into `actions`.
    propensities: (n,) the exact probability of each draw, in (0, 1]. probabilities: (n, K), zero outside `eligible`,
    or None when only the propensities are known. rewards: (n,). times: (n,) unix seconds, non-decreasing.
    persons: (n,) a code per person; each anonymous visit has its own, negative one.
    timed: False when `times` is only the order of the rows.

    Raises LogError, with every kind of violation, unless all of this holds. The arrays are frozen.
    """

    actions: tuple[Action, ...]
    contexts: Sequence[Features]
    eligible: Flags
    chosen: Indices
    propensities: Floats
    probabilities: Floats | None
    rewards: Floats
    times: Floats
    persons: Codes
    slot: str = "variant"
    default: str | None = None
    name: str = "log"
    reward_range: RewardRange = field(default_factory=RewardRange)
    timed: bool = True

    def __post_init__(self) -> None:
        for name, kind in _COLUMNS.items():
            value = getattr(self, name)
            if value is not None:
                column: NDArray[Any] = np.asarray(value, dtype=kind)
                if column.flags.writeable:  # the caller may still write to it
                    column = column.copy()
                    column.flags.writeable = False
                object.__setattr__(self, name, column)
        problems = _shape_problems(self) or list(_value_problems(self))
        if problems:
            raise LogError(self.name, problems)

    @classmethod
    def from_rounds(
        cls,
        rounds: Iterable[Round],
        *,
        slot: str = "variant",
        default: str | None = None,
        name: str = "log",
        reward_range: RewardRange | None = None,
        timed: bool = True,
    ) -> "Log":
        """Columns from records in any order: sorted by time, stably. Probabilities are kept if every round has them."""
        ordered = sorted(rounds, key=lambda item: item.time)
        vocabulary = _Vocabulary()
        places = [vocabulary.columns(item.actions) for item in ordered]
        n, k = len(ordered), len(vocabulary.actions)
        known = all(item.probabilities is not None for item in ordered)
        eligible = np.zeros((n, k), dtype=bool)
        probabilities = np.zeros((n, k)) if known else None
        chosen = np.zeros(n, dtype=np.intp)
        problems = _Problems(n)
        for row, (item, columns) in enumerate(zip(ordered, places, strict=True)):
            eligible[row, columns] = True
            ids = [action.id for action in item.actions]
            if len(set(ids)) < len(ids):
                problems.add("actions", row, ids, "ids that differ within one round")
            if item.chosen not in ids:
                problems.add("chosen", row, item.chosen, f"one of {ids}")
                continue
            chosen[row] = columns[ids.index(item.chosen)]
            if probabilities is None or item.probabilities is None:
                continue
            if len(item.probabilities) != len(ids):
                problems.add("probabilities", row, len(item.probabilities), f"{len(ids)} numbers, one an action")
            else:
                probabilities[row, columns] = item.probabilities
        if problems.texts:
            raise LogError(name, problems.texts)
        return cls(
            actions=tuple(vocabulary.actions),
            contexts=tuple(item.context for item in ordered),
            eligible=eligible,
            chosen=chosen,
            propensities=np.array([item.propensity for item in ordered], dtype=np.float64),
            probabilities=probabilities,
            rewards=np.array([item.reward for item in ordered], dtype=np.float64),
            times=np.array([item.time for item in ordered], dtype=np.float64),
            persons=person_codes([item.person for item in ordered]),
            slot=slot,
            default=default,
            name=name,
            reward_range=reward_range or RewardRange(),
            timed=timed,
        )

    def __len__(self) -> int:
        return len(self.contexts)

    def __getitem__(self, rows: Flags | Indices | slice) -> "Log":
        """The log of these rounds, over the same vocabulary. Raises LogError when none is left."""
        index = np.arange(len(self))[rows]
        if index.size == 0:
            raise LogError(self.name, [f"0 of {len(self)} rounds are left by this selection; expected at least 1"])
        taken = {name: getattr(self, name)[index] for name in _COLUMNS if getattr(self, name) is not None}
        return replace(self, contexts=tuple(self.contexts[i] for i in index), **taken)

    def where(self, predicate: Callable[[Features], bool]) -> "Log":
        """The rounds whose context satisfies `predicate`. Raises LogError when there is none."""
        return self[np.array([bool(predicate(context)) for context in self.contexts])]

    def split(self, share: float) -> tuple["Log", "Log"]:
        """The earlier `share` of the rounds and the rest, cut at the nearest place between two different times."""
        if not 0.0 < share < 1.0:
            raise ValueError(f"share {share}: expected a number between 0 and 1")
        cuts = np.flatnonzero(np.diff(self.times) > 0.0) + 1
        if cuts.size == 0:
            raise LogError(self.name, [f"all {len(self)} rounds have the same time: earlier and later can't be told"])
        cut = int(cuts[np.argmin(np.abs(cuts - share * len(self)))])
        return self[:cut], self[cut:]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of the variants, each once, in the order of the vocabulary."""
        return tuple(dict.fromkeys(action.id for action in self.actions))

    @cached_property
    def eligible_sets(self) -> tuple[tuple[Indices, ...], Indices]:
        """The m different eligible sets as columns of the vocabulary, and (n,) which of them each round has."""
        packed = np.packbits(self.eligible, axis=1)
        _, first, which = np.unique(packed, axis=0, return_index=True, return_inverse=True)
        return tuple(np.flatnonzero(self.eligible[row]) for row in first), which.reshape(-1)

    def examples(self) -> Iterator[TrainingExample]:
        """What a learner may learn, in log order.

        Where only the propensity is known, the rest of the probability is spread evenly over the other actions: a
        place holder, since learners read no probability but that of the chosen action.
        """
        sets, which = self.eligible_sets
        offered = [tuple(self.actions[column] for column in columns) for columns in sets]
        for row in range(len(self)):
            columns = sets[which[row]]
            place = int(np.searchsorted(columns, self.chosen[row]))
            if self.probabilities is not None:
                pmf = self.probabilities[row, columns]
            else:
                pmf = np.full(columns.size, (1.0 - self.propensities[row]) / max(1, columns.size - 1))
                pmf[place] = self.propensities[row]
            yield TrainingExample(self.contexts[row], offered[which[row]], pmf, place, float(self.rewards[row]))

    def summary(self) -> LogSummary:
        """The log in a few numbers."""
        return LogSummary(
            name=self.name,
            slot=self.slot,
            n=len(self),
            persons=int(np.unique(self.persons).size),
            variants=len(self.ids),
            mean_reward=float(self.rewards.mean()),
            rewarded=int(np.count_nonzero(self.rewards)),
            start=float(self.times[0]),
            end=float(self.times[-1]),
            timed=self.timed,
            probabilities_known=self.probabilities is not None,
        )


def person_codes(persons: Iterable[str | int | None]) -> Codes:
    """(n,) 0, 1, 2 … for persons in order of appearance; -1, -2, -3 … for anonymous visits, each its own."""
    known: dict[str | int, int] = {}
    codes = (known.setdefault(p, len(known)) if p is not None else -1 - row for row, p in enumerate(persons))
    return np.fromiter(codes, dtype=np.int64)


def when(time: float, *, timed: bool) -> str:
    """A time as people read it: ISO 8601 in UTC, or the row when only the order is known."""
    return f"{datetime.fromtimestamp(time, tz=UTC):%Y-%m-%dT%H:%M:%SZ}" if timed else f"row {int(time)}"


_COLUMNS = {
    "eligible": np.bool_,
    "chosen": np.intp,
    "propensities": np.float64,
    "probabilities": np.float64,
    "rewards": np.float64,
    "times": np.float64,
    "persons": np.int64,
}


class _Vocabulary:
    """Every action seen, each once, equal when id and features are."""

    def __init__(self) -> None:
        self.actions: list[Action] = []
        self._places: dict[tuple[object, ...], int] = {}
        self._seen: dict[int, Indices] = {}  # rounds mostly share one tuple: by identity, features are read once
        self._kept: list[tuple[Action, ...]] = []  # keeps those tuples alive, so that no identity is used twice

    def columns(self, actions: tuple[Action, ...]) -> Indices:
        if (found := self._seen.get(id(actions))) is not None:
            return found
        columns = np.array([self._place(action) for action in actions], dtype=np.intp)
        self._seen[id(actions)] = columns
        self._kept.append(actions)
        return columns

    def _place(self, action: Action) -> int:
        key = (action.id, *sorted((name, type(value).__name__, value) for name, value in action.features.items()))
        if key not in self._places:
            self._places[key] = len(self.actions)
            self.actions.append(action)
        return self._places[key]


class _Problems:
    """Violations by column: a count and the first row of each."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._found: dict[str, tuple[int, str]] = {}

    def add(self, column: str, row: int, value: object, expected: str) -> None:
        count, first = self._found.get(column, (0, f"row {row} has {value!r}, expected {expected}"))
        self._found[column] = (count + 1, first)

    @property
    def texts(self) -> list[str]:
        return [f"{name}: {count} of {self._n} rows, first {first}" for name, (count, first) in self._found.items()]


def _shape_problems(log: Log) -> list[str]:
    n, k = len(log.contexts), len(log.actions)
    if n == 0:
        return ["no rounds; expected at least 1"]
    if k == 0:
        return ["no actions; expected at least 1"]
    problems = []
    for name in _COLUMNS:
        column = getattr(log, name)
        expected = (n, k) if name in ("eligible", "probabilities") else (n,)
        if column is not None and column.shape != expected:
            problems.append(f"{name}: shape {column.shape}, expected {expected}")
    return problems


def _value_problems(log: Log) -> Iterator[str]:
    n, k = len(log), len(log.actions)
    rows = np.arange(n)

    def report(column: str, bad: Any, values: NDArray[Any], expected: str) -> Iterator[str]:
        if bad.any():
            first = int(np.argmax(bad))
            value = values[first].item() if values[first].ndim == 0 else values[first].tolist()
            yield f"{column}: {int(bad.sum())} of {n} rows, first row {first} has {value!r}, expected {expected}"

    yield from report("eligible", ~log.eligible.any(axis=1), log.eligible, "at least one eligible action")
    outside = (log.chosen < 0) | (log.chosen >= k)
    yield from report("chosen", outside, log.chosen, f"an index from 0 to {k - 1}")
    chosen = np.where(outside, 0, log.chosen)
    yield from report("chosen", ~outside & ~log.eligible[rows, chosen], log.chosen, "an eligible action")
    bad = ~((log.propensities > 0.0) & (log.propensities <= 1.0))
    yield from report("propensities", bad, log.propensities, "a number in (0, 1]; a log without them is no evidence")
    yield from report("rewards", ~np.isfinite(log.rewards), log.rewards, "a finite number")
    yield from report("times", ~np.isfinite(log.times), log.times, "a finite number of seconds")
    backwards = np.diff(log.times, prepend=log.times[0]) < 0.0
    yield from report("times", backwards, log.times, "a time not before that of the row above")
    alone = (log.eligible.sum(axis=1) == 1) & ~bad & (np.abs(log.propensities - 1.0) > SUM_TOLERANCE)
    yield from report("propensities", alone, log.propensities, "1, since only one action is eligible")
    if log.probabilities is None:
        return
    sums = log.probabilities.sum(axis=1)
    negative = ~(np.isfinite(log.probabilities) & (log.probabilities >= 0.0)).all(axis=1)
    yield from report("probabilities", negative, log.probabilities, "non-negative numbers")
    off = ~negative & ~(np.abs(sums - 1.0) <= SUM_TOLERANCE)
    yield from report("probabilities", off, sums, f"a sum of 1 within {SUM_TOLERANCE:g}")
    stray = (np.where(log.eligible, 0.0, log.probabilities) != 0.0).any(axis=1)
    yield from report("probabilities", stray, log.probabilities, "0 outside the eligible actions")
    drawn = log.probabilities[rows, chosen]
    differs = ~outside & ~bad & ~(np.abs(drawn - log.propensities) <= SUM_TOLERANCE)
    yield from report("probabilities", differs, drawn, "the propensity, for the chosen action")
