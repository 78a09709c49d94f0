"""Groups of people in an evaluation: which rounds belong to which, and what stands for values too rare to be one."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import methodcaller

import numpy as np

from policies.types import Features, Value
from simulator.asked import EvaluationError
from simulator.logs.log import Flags
from simulator.sentences import LANGUAGES

MIN_ROUNDS = 200
"""Rounds that a group needs; smaller ones are pooled."""
MAX_GROUPS = 20
"""The largest ones; the others are pooled."""
POOLED = -1
"""The place of what is in none of them."""
MAX_NUMBERS = 8
"""Different numbers that are a group each; of more, each quarter of the rounds is one."""
USUAL_DIGITS, QUARTER_DIGITS, MOST_DIGITS = 6, 4, 17
"""Significant digits of a number that is a group, and of the end of a quarter; more where they would not differ."""


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


Grouping = By | str | Sequence[By | str]
"""What makes groups: a key of the contexts by its name, what `By` says, or several of these."""


def asked_groups(by: Grouping | None, keys: Sequence[str]) -> tuple[By, ...]:
    """Each of them as a `By`. keys: those of the contexts. Raises EvaluationError for a name that is none of them."""
    asked = (by,) if isinstance(by, By | str) else tuple(by or ())
    for one in asked:
        if isinstance(one, str) and one not in keys:
            raise EvaluationError(f"no context of this log has a key {one!r}; there are: {', '.join(keys) or 'none'}")
    return tuple(one if isinstance(one, By) else By(one, methodcaller("get", one)) for one in asked)


def groups_of(contexts: Sequence[Features], by: By, *, lang: str = "en") -> Iterator[tuple[str, Flags]]:
    """Name and (n,) members of each group, the largest first and what was pooled last. Every round is in one."""
    values = by.values if by.values is not None else [by.value(context) for context in contexts]
    names = Naming.fit(values, lang=lang).names(values)
    sizes = Counter(names).most_common()
    own = [name for name, size in sizes[:MAX_GROUPS] if size >= MIN_ROUNDS]
    places = {name: place for place, name in enumerate(own)}
    which = np.fromiter((places.get(name, POOLED) for name in names), dtype=np.int8, count=len(names))
    for name, place in places.items():
        yield name, which == place
    if pooled := len(sizes) - len(own):
        yield pooled_name(pooled, lang), which == POOLED


@dataclass(frozen=True, slots=True)
class Names:
    """What groups are called that have no text of their own for a name. pooled: before the number of their
    values. few_people: of a group whose name might say who they are."""

    pooled: str
    one_value: str
    values: str
    up_to: str
    inside: str
    above: str
    yes: str
    no: str
    none: str
    not_known: str
    few_people: str


NAMES: Mapping[str, Names] = {
    "en": Names(
        pooled="(other: ",
        one_value="1 value)",
        values="{n} values)",
        up_to="up to {high}",
        inside="above {low}, up to {high}",
        above="above {low}",
        yes="yes",
        no="no",
        none="(none)",
        not_known="(not known)",
        few_people="(fewer than {n} people)",
    ),
    "es": Names(
        pooled="(otros: ",
        one_value="1 valor)",
        values="{n} valores)",
        up_to="hasta {high}",
        inside="más de {low}, hasta {high}",
        above="más de {low}",
        yes="sí",
        no="no",
        none="(ninguno)",
        not_known="(no se sabe)",
        few_people="(menos de {n} personas)",
    ),
}


def pooled_name(values: int, lang: str = "en") -> str:
    """What the values that are no group of their own are called, together."""
    names = NAMES[lang]
    return names.pooled + (names.one_value if values == 1 else names.values.format(n=values))


def is_pooled(name: str) -> bool:
    """Whether a group has such a name, in any language."""
    return any(name.startswith(names.pooled) for names in NAMES.values())


@dataclass(frozen=True, slots=True)
class Naming:
    """What the group of a value is called; values of one name are one group. ends: of the quarters of the numbers, None
    where each number is a group. digits: with which these numbers are told apart. lang: of the names.
    """

    ends: tuple[float, ...] | None
    digits: int = USUAL_DIGITS
    lang: str = "en"

    @classmethod
    def fit(cls, values: Sequence[Value | None], *, lang: str = "en") -> "Naming":
        """Found out from these values, one a round."""
        numbers = np.array([_number(value) for value in values])
        known = np.sort(numbers[np.isfinite(numbers)])
        if (each := np.unique(known)).size <= MAX_NUMBERS:
            return cls(None, _digits(each.tolist(), USUAL_DIGITS), lang)
        # equal numbers are in one quarter, so that quarters can be unequal, and fewer than four
        ends = np.unique(np.quantile(known, (0.25, 0.5, 0.75), method="inverted_cdf"))
        ends = ends[ends < known[-1]] if ends[0] < known[-1] else known[known < known[-1]][-1:]
        return cls(tuple(ends.tolist()), _digits(ends.tolist(), QUARTER_DIGITS), lang)

    def names(self, values: Sequence[Value | None]) -> list[str]:
        """Of each of these values."""
        if self.ends is None:
            return [self._name(value) for value in values]
        told, ends = NAMES[self.lang], [self._number(end) for end in self.ends]
        between = (told.inside.format(low=low, high=high) for low, high in pairwise(ends))
        quarters = [told.up_to.format(high=ends[0]), *between, told.above.format(low=ends[-1])]
        numbers = np.array([_number(value) for value in values])
        places = np.searchsorted(self.ends, numbers, side="left")
        return [
            quarters[place] if np.isfinite(number) else self._name(value)
            for place, number, value in zip(places, numbers, values, strict=True)
        ]

    def _name(self, value: Value | None) -> str:
        told = NAMES[self.lang]
        if isinstance(value, bool):
            return told.yes if value else told.no
        if isinstance(value, tuple):
            return ", ".join(sorted(set(value))) or told.none
        if isinstance(value, str):
            return value
        return told.not_known if value is None or not np.isfinite(value) else self._number(value)

    def _number(self, number: float) -> str:
        return LANGUAGES[self.lang].written(_written(number, self.digits))


def _number(value: Value | None) -> float:
    return float(value) if isinstance(value, (float, int)) and not isinstance(value, bool) else np.nan


def _digits(numbers: Sequence[float], least: int) -> int:
    """Significant digits with which no two of these different numbers are written alike; 20240101 needs eight."""
    written = (digits for digits in range(least, MOST_DIGITS) if _distinct(numbers, digits))
    return next(written, MOST_DIGITS)


def _distinct(numbers: Sequence[float], digits: int) -> bool:
    return len({_written(number, digits) for number in numbers}) == len(numbers)


def _written(number: float, digits: int) -> str:
    """With all its digits before the point: nobody reads 2.024e+07 as a day."""
    whole = len(str(int(abs(number))))
    return f"{number:.{max(digits, whole) if whole <= MOST_DIGITS else digits}g}"
