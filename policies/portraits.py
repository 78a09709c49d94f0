"""What distinguishes the people of each segment from everybody, in the units in which their contexts came."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from policies.kmeans import Floats
from policies.people import NO, TEXT, YES, Encoding, Person
from policies.segmentation import Segmentation

MAX_TRAITS = 3
_SMALL = 0.2
"""Standardised differences below this are small (Cohen 1988) and not told."""
_CERTAIN = 2.0
"""Standard errors that a difference has to have beside."""


class Kind(StrEnum):
    """What is compared: a number's mean, or the share who have a text, have it in a list, say yes, say nothing."""

    MEAN = "mean"
    TEXT = "text"
    LISTED = "listed"
    YES = "yes"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Trait:
    """One thing by which a segment differs. here, everybody: a mean in the key's own unit, or a share from 0 to 1.

    value: the text in question, where there is one. difference: (here - everybody) / the standard deviation of all.
    """

    key: str
    kind: Kind
    value: str
    here: float
    everybody: float
    difference: float

    @property
    def lift(self) -> float:
        """How many times as large as everybody's; NaN where that is 0."""
        return self.here / self.everybody if self.everybody else float("nan")


@dataclass(frozen=True, slots=True)
class Portrait:
    """One segment: the label that its people have, its share of the decisions, and its traits, the clearest first."""

    label: str
    share: float
    traits: tuple[Trait, ...]


def describe(segmentation: Segmentation) -> tuple[Portrait, ...]:
    """Every segment, the largest first, as the kept sample shows it; empty before there are any."""
    segments, people = segmentation.segments, segmentation.sample
    if segments is None:
        return ()
    numbers = np.array([segments.number_of(person) for person in people])
    compared = [(trait, values) for trait, values in _columns(people, segments.encoding) if np.nanstd(values) > 0.0]
    portraits = [
        Portrait(str(number), float(np.mean(numbers == number)), _traits(compared, numbers == number))
        for number in segments.numbers
    ]
    return tuple(sorted(portraits, key=lambda portrait: (-portrait.share, int(portrait.label))))


def sentence(portrait: Portrait) -> str:
    """The portrait in English: one line."""
    traits = ", ".join(map(_said, portrait.traits)) or "like everybody"
    return f"segment {portrait.label}, {portrait.share:.0%} of decisions: {traits}"


_Compared = tuple[tuple[str, Kind, str], Floats]
"""Key, kind and value, and (n,) what each person has of it; NaN for a number that is missing."""


def _columns(people: Sequence[Person], encoding: Encoding) -> Iterator[_Compared]:
    for key in encoding.numbers:
        yield (key, Kind.MEAN, ""), np.array([_number(person.get(key)) for person in people])
    for key, token in encoding.tokens:
        if token != NO:  # of a flag, yes alone: who does not say yes says no, or nothing
            kind = Kind.YES if token == YES else Kind.TEXT if token[0] == TEXT else Kind.LISTED
            value = "" if kind is Kind.YES else token[1:]
            yield (key, kind, value), np.array([float(_has(person.get(key), token)) for person in people])
    for key in sorted({*encoding.numbers, *(key for key, _ in encoding.tokens)}):
        yield (key, Kind.MISSING, ""), np.array([float(key not in person) for person in people])


def _number(value: float | tuple[str, ...] | None) -> float:
    return value if isinstance(value, float) else float("nan")


def _has(value: float | tuple[str, ...] | None, token: str) -> bool:
    return isinstance(value, tuple) and token in value


def _traits(compared: Sequence[_Compared], members: NDArray[np.bool_]) -> tuple[Trait, ...]:
    """The clearest differences, one a key. Of two that are as clear, what is more common here is told."""
    least = max(_SMALL, _CERTAIN / math.sqrt(np.count_nonzero(members)))
    found: dict[str, Trait] = {}
    for (key, kind, value), values in compared:
        here = values[members & ~np.isnan(values)]
        if here.size == 0:
            continue
        mean, everybody = float(here.mean()), float(np.nanmean(values))
        difference = (mean - everybody) / float(np.nanstd(values))
        clearest = found.get(key)
        if abs(difference) >= least and (clearest is None or _clarity(difference) > _clarity(clearest.difference)):
            found[key] = Trait(_read(key), kind, _read(value), mean, everybody, difference)
    return tuple(sorted(found.values(), key=lambda trait: -abs(trait.difference))[:MAX_TRAITS])


def _clarity(difference: float) -> tuple[float, bool]:
    return round(abs(difference), 9), difference > 0.0  # rounded: yes and no of one thing differ alike


def _read(escaped: str) -> str:
    return unquote(escaped, errors="replace")


def _said(trait: Trait) -> str:
    if trait.kind is Kind.MEAN:
        return f"{trait.key} {_short(trait.here)} on average (everybody {_short(trait.everybody)})"
    what = {
        Kind.TEXT: f"{trait.key} {trait.value}",
        Kind.LISTED: f"{trait.key} with {trait.value}",
        Kind.YES: trait.key,
        Kind.MISSING: f"{trait.key} not known",
    }[trait.kind]
    return f"{what} for {trait.here:.0%} (everybody {trait.everybody:.0%})"


def _short(number: float) -> str:
    return f"{number:,.0f}" if 100.0 <= abs(number) < 1e15 else f"{number:.3g}"
