"""Groups of people in an evaluation: which rounds belong to which, and what stands for values too rare to be one."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from policies.types import Features, Value
from simulator.logs.log import Flags

MIN_ROUNDS = 200
"""Rounds that a group needs; smaller ones are pooled."""
MAX_GROUPS = 20
"""The largest ones; the others are pooled."""
MAX_NUMBERS = 8
"""Different numbers that are a group each; of more, each quarter of the rounds is one."""


@dataclass(frozen=True, slots=True)
class By:
    """What makes the groups. value: of one context, None where it has none; notes: a line on a group, by its name.
    values: of each round of the log, in its order, where it is not a context that tells, but a label.
    """

    key: str
    value: Callable[[Features], Value | None]
    notes: Mapping[str, str] = field(default_factory=dict)
    values: Sequence[Value | None] | None = None

    @classmethod
    def of_rounds(cls, key: str, values: Sequence[Value | None]) -> "By":
        """Groups by what is known of each round, and no policy sees."""
        return cls(key, lambda context: None, values=tuple(values))


def groups_of(contexts: Sequence[Features], by: By) -> Iterator[tuple[str, Flags]]:
    """Name and (n,) members of each group, the largest first and what was pooled last. Every round is in one."""
    values = by.values if by.values is not None else [by.value(context) for context in contexts]
    names = np.array(Naming.fit(values).names(values), dtype=object)
    sizes = Counter(names).most_common()
    own = [name for name, size in sizes[:MAX_GROUPS] if size >= MIN_ROUNDS]
    for name in own:
        yield name, names == name
    if pooled := len(sizes) - len(own):
        yield pooled_name(pooled), ~np.isin(names, own)


def pooled_name(values: int) -> str:
    """What the values that are no group of their own are called, together."""
    return f"(other: {values} value{'s' if values > 1 else ''})"


@dataclass(frozen=True, slots=True)
class Naming:
    """What the group of a value is called; values of one name are one group. ends: of the quarters of the numbers, None
    where each number is a group.
    """

    ends: tuple[float, ...] | None

    @classmethod
    def fit(cls, values: Sequence[Value | None]) -> "Naming":
        """Found out from these values, one a round."""
        numbers = np.array([_number(value) for value in values])
        known = np.sort(numbers[np.isfinite(numbers)])
        if np.unique(known).size <= MAX_NUMBERS:
            return cls(None)
        # equal numbers are in one quarter, so that quarters can be unequal, and fewer than four
        ends = np.unique(np.quantile(known, (0.25, 0.5, 0.75), method="inverted_cdf"))
        ends = ends[ends < known[-1]] if ends[0] < known[-1] else known[known < known[-1]][-1:]
        return cls(tuple(ends.tolist()))

    def names(self, values: Sequence[Value | None]) -> list[str]:
        """Of each of these values."""
        if self.ends is None:
            return [_name(value) for value in values]
        ends = self.ends
        quarters = [f"up to {ends[0]:.4g}", *(f"above {low:.4g}, up to {high:.4g}" for low, high in pairwise(ends))]
        quarters.append(f"above {ends[-1]:.4g}")
        numbers = np.array([_number(value) for value in values])
        places = np.searchsorted(ends, numbers, side="left")
        return [
            quarters[place] if np.isfinite(number) else _name(value)
            for place, number, value in zip(places, numbers, values, strict=True)
        ]


def _number(value: Value | None) -> float:
    return float(value) if isinstance(value, (float, int)) and not isinstance(value, bool) else np.nan


def _name(value: Value | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(sorted(set(value))) or "(none)"
    if isinstance(value, str):
        return value
    return "(not known)" if value is None or not np.isfinite(value) else f"{value:g}"
