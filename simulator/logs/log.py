"""The decisions of one slot and what they earned, as validated columns: all that an evaluation may know."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.types import Action, Features, RewardRange, TrainingExample
from simulator.logs.contexts import Contexts, UnfitValue
from simulator.logs.distinct import distinct
from simulator.logs.problems import LogError, Problems
from simulator.logs.propensities import with_estimated
from simulator.logs.repeats import identical_rounds
from simulator.logs.rounds import Codes, Flags, Floats, Indices, Round, columns_of
from simulator.logs.validation import GREATEST, SUM_TOLERANCE, check_rounds

__all__ = ["SUM_TOLERANCE", "Codes", "Flags", "Floats", "Indices", "Log", "LogError", "LogSummary", "Round", "when"]


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
    propensities_estimated: bool = False
    duplicates: int = 0
    future: int = 0


@dataclass(frozen=True, eq=False)
class Log:
    """The decisions of one slot in time order: n rounds over a vocabulary of K actions.

    actions: (K,) the vocabulary. One variant with other features in another round is another action of the same id.
    contexts: (n,) the features of each round, as columns. eligible: (n, K), what could be chosen. chosen: (n,), into
    `actions`. propensities: (n,) the exact probability of each draw, in (0, 1]. probabilities: (n, K), zero outside
    `eligible`, or None when only the propensities are known. rewards: (n,). times: (n,) unix seconds, non-decreasing.
    persons: (n,) a code per person; each anonymous visit has its own, negative one.
    timed: False when `times` is only the order of the rows. propensities_estimated: at least one of them is a guess of
    `simulator.logs.propensities`; `probabilities` are then None. duplicates: rounds that repeat another one, in the
    whole log: by their id where rows have one, else all that is known of them being the same, person and time included.
    future: rounds later than the moment at which the whole log was read, where that was told. arrivals: (n,) when the
    last came of what a round earned, as a share of its reward window; nan where nothing did. None where nobody told.

    Raises LogError, with every kind of violation, unless all of this holds. The arrays are frozen.
    """

    actions: tuple[Action, ...]
    contexts: Contexts
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
    propensities_estimated: bool = False
    duplicates: int = 0
    future: int = 0
    arrivals: Floats | None = None

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "contexts", Contexts.of(self.contexts))
        except UnfitValue as error:
            raise LogError(self.name, [str(error)]) from error
        for name, kind in _COLUMNS.items():
            value = getattr(self, name)
            if value is not None:
                column: NDArray[Any] = np.asarray(value, dtype=kind)
                if column.flags.writeable:  # the caller may still write to it
                    column = column.copy()
                    column.flags.writeable = False
                object.__setattr__(self, name, column)
        problems = _shape_problems(self) or _value_problems(self)
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
        estimate: bool = False,
    ) -> "Log":
        """Columns from records in any order, read once and not kept: sorted by time, stably. Probabilities are kept if
        every round has them. estimate: propensities that nobody knows (nan) are estimated, and the log says so.
        """
        columns = columns_of(rounds, name=name)
        propensities = columns.propensities
        unknown = np.isnan(propensities)
        estimated = estimate and bool(unknown.any())
        if estimated:
            propensities = with_estimated(
                propensities, columns.contexts, columns.eligible, columns.chosen, columns.persons
            )
        repeated = identical_rounds(columns.persons, columns.times, columns.chosen, columns.rewards, columns.contexts)
        return cls(
            actions=columns.actions,
            contexts=columns.contexts,
            eligible=columns.eligible,
            chosen=columns.chosen,
            propensities=propensities,
            probabilities=None if estimated else columns.probabilities,
            rewards=columns.rewards,
            times=columns.times,
            persons=columns.persons,
            slot=slot,
            default=default,
            name=name,
            reward_range=reward_range or RewardRange(),
            timed=timed,
            propensities_estimated=estimated,
            duplicates=int(repeated.sum()),
        )

    def __len__(self) -> int:
        return len(self.contexts)

    def __repr__(self) -> str:
        start, end = (when(float(time), timed=self.timed) for time in (self.times[0], self.times[-1]))
        keys = ", ".join(self.contexts.keys) or "nothing"
        return (
            f"<Log {self.name!r}, {self.slot!r}: {len(self):,} rounds from {start} to {end}, {len(self.ids)} variants, "
            f"mean reward {self.rewards.mean():.4g}, contexts of {keys}>"
        )

    def __getitem__(self, rows: Flags | Indices | slice) -> "Log":
        """The log of these rounds, over the same vocabulary. Raises LogError when none is left."""
        times = self.times[rows]
        if times.size == 0:
            raise LogError(self.name, [f"0 of {len(self)} rounds are left by this selection; expected at least 1"])
        if times.size == len(self) and np.asarray(rows).dtype == np.bool_:
            return self
        if isinstance(rows, np.ndarray) and rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)  # once, and not for every column
        contexts = self.contexts.take(rows)
        taken = {name: getattr(self, name)[rows] for name in _COLUMNS if getattr(self, name) is not None}
        for column in taken.values():
            column.flags.writeable = False  # ours, and not to be copied once more
        if np.any(np.diff(times) < 0.0):
            return replace(self, contexts=contexts, **taken)  # which says what is wrong with it
        # rounds of a valid log in its order are one: to check them all again would take longer than to take them
        found = object.__new__(type(self))
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        found.__dict__.update(told | taken | {"contexts": contexts})
        return found

    def where(self, predicate: Callable[[Features], bool]) -> "Log":
        """The rounds whose context satisfies `predicate`. Raises LogError when there is none."""
        return self[self.contexts.where(predicate)]

    def as_of(self, now: float) -> "Log":
        """The same log, knowing that it was read at `now`, unix seconds: `future` counts what is later."""
        return replace(self, future=int(np.count_nonzero(self.times > now)) if self.timed else 0)

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
        for row, (context, place_of_set) in enumerate(zip(self.contexts, which.tolist(), strict=True)):
            columns = sets[place_of_set]
            place = int(np.searchsorted(columns, self.chosen[row]))
            if self.probabilities is not None:
                pmf = self.probabilities[row, columns]
            else:
                pmf = np.full(columns.size, (1.0 - self.propensities[row]) / max(1, columns.size - 1))
                pmf[place] = self.propensities[row]
            yield TrainingExample(context, offered[place_of_set], pmf, place, float(self.rewards[row]))

    def summary(self) -> LogSummary:
        """The log in a few numbers."""
        return LogSummary(
            name=self.name,
            slot=self.slot,
            n=len(self),
            persons=int(distinct(self.persons).size),
            variants=len(self.ids),
            mean_reward=float(self.rewards.mean()),
            rewarded=int(np.count_nonzero(self.rewards)),
            start=float(self.times[0]),
            end=float(self.times[-1]),
            timed=self.timed,
            probabilities_known=self.probabilities is not None,
            propensities_estimated=self.propensities_estimated,
            duplicates=self.duplicates,
            future=self.future,
        )


def when(time: float, *, timed: bool, row: str = "row {n}") -> str:
    """A time as people read it: ISO 8601 in UTC, or the row, in words of any language, when only the order is known."""
    return f"{datetime.fromtimestamp(time, tz=UTC):%Y-%m-%dT%H:%M:%SZ}" if timed else row.format(n=int(time))


_COLUMNS = {
    "eligible": np.bool_,
    "chosen": np.intp,
    "propensities": np.float64,
    "probabilities": np.float64,
    "rewards": np.float64,
    "times": np.float64,
    "persons": np.int64,
    "arrivals": np.float64,
}


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


def _value_problems(log: Log) -> list[str]:
    problems = Problems(len(log))
    check_rounds(problems, **{name: getattr(log, name) for name in _COLUMNS if name not in ("persons", "arrivals")})
    backwards = np.diff(log.times, prepend=log.times[0]) < 0.0
    problems.check("times", backwards, log.times, "a time not before that of the row above")
    low, high = log.reward_range.low, log.reward_range.high
    if low < -GREATEST or high > GREATEST:
        problems.note(f"reward range [{low:g}, {high:g}]: expected bounds from {-GREATEST:g} to {GREATEST:g}")
    return problems.texts
