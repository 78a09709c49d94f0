"""What was truly earned more than by people to whom nothing was personalised: an experiment, not an estimate.

The control group is drawn by person and always gets the same policy, so that the plain difference of the two means is
unbiased: no weights, no model. By intention to treat: what was meant for policies counts as treated even where a
default was shown instead, since leaving that out would compare different people.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from policies.types import RewardRange
from simulator.asked import Asked
from simulator.comparisons import Pair, pair_of
from simulator.estimators import Estimate
from simulator.estimators.estimate import estimate
from simulator.intervals.clustered import Persons, Possible, numbered
from simulator.logs.distinct import distinct
from simulator.logs.log import Codes, Flags, Floats, Log
from simulator.rows import CONTROL, LOGGED, Period, Row
from simulator.sentences import LANGUAGES, Language

MIN_ROUNDS = 50
"""Below this number of decisions in either group a mean says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Decisions with and without the control group, n of them, in any order.

    rewards, times: (n,), unix seconds. persons: (n,) codes, one person the same in both groups. control: (n,) whether
    the decision was of the control group. Raises ValueError for columns of different lengths.
    """

    rewards: Floats
    times: Floats
    persons: Codes
    control: Flags

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in ("rewards", "times", "persons", "control")}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of {lengths} rows: expected as many in each")

    @classmethod
    def of_rows(
        cls,
        rewards: Sequence[float],
        times: Sequence[float],
        persons: Sequence[str | int | None],
        control: Sequence[bool],
    ) -> "Trial":
        """From one value a decision; persons: whatever tells one from another, None for an anonymous visit."""
        known: dict[str | int, int] = {}
        codes = [-1 - row if one is None else known.setdefault(one, len(known)) for row, one in enumerate(persons)]
        return cls(np.array(rewards), np.array(times), np.array(codes, dtype=np.int64), np.array(control, dtype=bool))

    def between(self, start: float, end: float) -> "Trial":
        """The decisions of this period, both ends included."""
        kept = (self.times >= start) & (self.times <= end)
        return Trial(self.rewards[kept], self.times[kept], self.persons[kept], self.control[kept])


def lifted(
    trial: Trial,
    *,
    reward_range: RewardRange,
    confidence: float,
    language: Language = LANGUAGES["en"],
    timed: bool = True,
) -> tuple[Row, Pair | None]:
    """The row of the control group, and what all others earned against it: Σr/n of the treated minus that of the
    control group. The row is refused, and the pair None, where a group has too few decisions or is of one person.

    With n rounds in both groups, m of them treated, ψ = n/m (r - mean) for these and -n/(n-m) (r - mean) for the
    others, clustered by person: the errors of two independent means, as Welch's.
    """
    n, controls = trial.control.size, int(trial.control.sum())
    times = trial.times[trial.control]
    start, end = (float(times.min()), float(times.max())) if controls else (0.0, 0.0)
    row = Row(CONTROL, CONTROL, {}, None, None, None, Period(start, end, controls, timed))
    for what, size, persons in (
        (language.control, controls, trial.persons[trial.control]),
        (language.treated, n - controls, trial.persons[~trial.control]),
    ):
        if size < MIN_ROUNDS or distinct(persons).size < 2:
            return replace(row, refusal=_too_few(language, what, size)), None
    persons = numbered(trial.persons)
    seen = (min(reward_range.low, float(trial.rewards.min())), max(reward_range.high, float(trial.rewards.max())))
    control = _mean(trial.rewards, trial.control, persons, seen, confidence)
    treated = _mean(trial.rewards, ~trial.control, persons, seen, confidence)
    note = language.control_earned.format(
        rounds=language.whole(controls), others=language.whole(n - controls), value=language.number(treated.value)
    )
    pair = pair_of(LOGGED, treated, CONTROL, control, persons, confidence)
    return replace(row, estimates={"mean": control}, note=note), pair


def lift_in(trial: Trial | None, judged: Log, asked: Asked) -> tuple[tuple[Row, ...], Pair | None]:
    """The row of the control group in the judged period, if there is one, and what was served against it."""
    if trial is None or not trial.control.any():
        return (), None
    kept = trial.between(float(judged.times[0]), float(judged.times[-1]))
    row, pair = lifted(
        kept,
        reward_range=judged.reward_range,
        confidence=asked.confidence,
        language=asked.language,
        timed=judged.timed,
    )
    return (row,), pair


def _mean(rewards: Floats, members: Flags, persons: Persons, seen: tuple[float, float], confidence: float) -> Estimate:
    """The mean of some of the rounds, with its influence on all of them: what two groups are compared by."""
    n, size = members.size, int(members.sum())
    value = float(rewards[members].mean())
    influence = np.where(members, (rewards - value) * (n / size), 0.0)
    possible = Possible(n / size, n / size, *seen)
    found = estimate(
        "mean",
        value,
        influence,
        persons,
        weights=None,
        confidence=confidence,
        possible=possible,
        shares=members / size,
    )
    clusters = int(distinct(persons[members]).size)
    low, high = (float(np.clip(side, *seen)) for side in (found.low, found.high))
    return replace(found, low=low, high=high, n=size, ess=float(size), clusters=clusters)


def _too_few(language: Language, group: str, rounds: int) -> str:
    if rounds < MIN_ROUNDS:
        return language.control_too_few.format(rounds=language.whole(rounds), group=group, least=MIN_ROUNDS)
    return language.control_one_person.format(rounds=language.whole(rounds), group=group)
