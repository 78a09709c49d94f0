"""What distinguishes the people of each segment from everybody, in the units in which their contexts came."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from policies.kmeans import Floats
from policies.people import NO, TEXT, YES, Encoding, Person
from policies.segmentation import Segmentation
from policies.writing import WRITINGS, Writing

MAX_TRAITS = 3
_SMALL = 0.2
"""Standardised differences below this are small (Cohen 1988) and not told."""
_CERTAIN = 2.0
"""Standard errors that a difference has to have beside."""


@dataclass(frozen=True, slots=True)
class Words:
    """Templates: of a segment, and of its traits by their kind."""

    segment: str
    like_everybody: str
    mean: str
    text: str
    listed: str
    yes: str
    missing: str
    share: str


WORDS: Mapping[str, Words] = {
    "en": Words(
        segment="segment {label}, {share} of decisions: {traits}",
        like_everybody="like everybody",
        mean="{key} {here} on average (everybody {everybody})",
        text="{key} {value}",
        listed="{key} with {value}",
        yes="{key}",
        missing="{key} not known",
        share="{what} for {here} (everybody {everybody})",
    ),
    "es": Words(
        segment="segmento {label}, {share} de las decisiones: {traits}",
        like_everybody="como todos",
        mean="{key} {here} de media (todos, {everybody})",
        text="{key} {value}",
        listed="{key} con {value}",
        yes="{key}",
        missing="{key} no se sabe",
        share="{what} en el {here} (todos, {everybody})",
    ),
}


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


def sentence(portrait: Portrait, lang: str = "en") -> str:
    """The portrait in English or Spanish: one line."""
    words = WORDS[lang]
    traits = ", ".join(_said(trait, lang) for trait in portrait.traits) or words.like_everybody
    return words.segment.format(label=portrait.label, share=WRITINGS[lang].cell(portrait.share), traits=traits)


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


def _said(trait: Trait, lang: str) -> str:
    words, writing = WORDS[lang], WRITINGS[lang]
    if trait.kind is Kind.MEAN:
        here, everybody = (_short(number, writing) for number in (trait.here, trait.everybody))
        return words.mean.format(key=trait.key, here=here, everybody=everybody)
    what = {
        Kind.TEXT: words.text,
        Kind.LISTED: words.listed,
        Kind.YES: words.yes,
        Kind.MISSING: words.missing,
    }[trait.kind].format(key=trait.key, value=trait.value)
    return words.share.format(what=what, here=writing.cell(trait.here), everybody=writing.cell(trait.everybody))


def _short(number: float, writing: Writing) -> str:
    return writing.whole(number) if 100.0 <= abs(number) < 1e15 else writing.number(number, 3)
