"""Groups of people in an evaluation: which rounds belong to which, and what stands for values too rare to be one."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from policies.types import Features, Value
from simulator.log import Flags

MIN_ROUNDS = 200
"""Rounds that a group needs; smaller ones are pooled."""
MAX_GROUPS = 20
"""The largest ones; the others are pooled."""
MAX_NUMBERS = 8
"""Different numbers that are a group each; of more, each quarter of the rounds is one."""


@dataclass(frozen=True, slots=True)
class By:
    """What makes the groups. value: of one context, None where it has none; notes: a line on a group, by its name."""

    key: str
    value: Callable[[Features], Value | None]
    notes: Mapping[str, str] = field(default_factory=dict)


def groups_of(contexts: Sequence[Features], by: By) -> Iterator[tuple[str, Flags]]:
    """Name and (n,) members of each group, the largest first and what was pooled last. Every round is in one."""
    names = np.array(_names([by.value(context) for context in contexts]), dtype=object)
    sizes = Counter(names).most_common()
    own = [name for name, size in sizes[:MAX_GROUPS] if size >= MIN_ROUNDS]
    for name in own:
        yield name, names == name
    if pooled := len(sizes) - len(own):
        yield f"(other: {pooled} value{'s' if pooled > 1 else ''})", ~np.isin(names, own)


def _names(values: Sequence[Value | None]) -> list[str]:
    """What each round's group is called; rounds of one name are one group."""
    numbers = np.array([_number(value) for value in values])
    known = np.sort(numbers[np.isfinite(numbers)])
    if np.unique(known).size <= MAX_NUMBERS:
        return [_name(value) for value in values]
    # the quarters of the numbers; equal ones are in one quarter, so that quarters can be unequal, and fewer than four
    ends = np.unique(np.quantile(known, (0.25, 0.5, 0.75), method="inverted_cdf"))
    ends = ends[ends < known[-1]] if ends[0] < known[-1] else known[known < known[-1]][-1:]
    quarters = [f"up to {ends[0]:.4g}", *(f"above {low:.4g}, up to {high:.4g}" for low, high in pairwise(ends))]
    quarters.append(f"above {ends[-1]:.4g}")
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
