"""Micro-segments: the kinds of people that a campaign sees, found by k-means over their contexts, whatever they earn.

A segmentation keeps a sample of the contexts that it was given, and finds its segments in it again and again. A segment
keeps its number for as long as most of its people had that number before; else it is a new one, with a number that was
never used. So most of what was learned under a number was learned of people like those who have it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from policies.base import UnreadableSnapshot
from policies.kmeans import Clusters, Floats, Labels, best_start, lloyd, means, spread_out
from policies.people import Encoding, Person, fit_encoding, person_of
from policies.types import Features

SAMPLE = 2_000
"""Contexts that are kept."""
HORIZON = 20_000
"""Up to so many examples each is kept with the same chance; from then on the sample forgets, at a mean age of these."""
FIRST_FIT, FIRST_PEOPLE = 100, 20
"""Before so many examples, and so many a segment, there are no segments."""
LONGEST_WAIT = 10_000
"""Segments are found again whenever the examples have doubled, and at the latest after so many more."""

MAX_SEGMENTS = 50
_STARTS = 4
_MUCH_BETTER = 0.9
"""A new start takes the place of the old segments only where it costs less than this share of what they do."""


@dataclass(frozen=True, slots=True)
class Segments:
    """What one fit found. centres (m, d) in the columns of the encoding; numbers: (m,) what the segments are called."""

    encoding: Encoding
    centres: Floats
    numbers: tuple[int, ...]
    _lengths: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_lengths", 0.5 * np.einsum("md,md->m", self.centres, self.centres))

    def number_of(self, person: Person) -> int:
        """The segment whose centre is nearest."""
        columns, values = self.encoding.of(person)
        # half of |x - c|², without |x|², which is the same for every segment
        distances = self._lengths - np.einsum("mj,j->m", self.centres[:, columns], values)
        return self.numbers[int(distances.argmin())]


class Segmentation:
    """Up to k segments, learned from one context after another. The same contexts in the same order give the same
    segments, wherever learning stopped in between. Not thread-safe: one owner at a time.
    """

    def __init__(self, k: int, *, seed: int = 0) -> None:
        self.k = k
        self.seed = seed
        self.examples = 0
        self.sample: list[Person] = []
        self.segments: Segments | None = None
        self._next_fit = max(FIRST_FIT, FIRST_PEOPLE * k)
        self._next_number = 1

    def label(self, context: Features) -> str | None:
        """The number of this context's segment, as text; None before there are any."""
        return None if self.segments is None else str(self.segments.number_of(person_of(context)))

    @property
    def labels(self) -> frozenset[str]:
        """The numbers in use."""
        return frozenset(map(str, self.segments.numbers if self.segments else ()))

    def add(self, context: Features) -> bool:
        """Take one more context; whether the segments were found again after it."""
        self.examples += 1
        self._keep(person_of(context))
        if self.examples < self._next_fit:
            return False
        self._fit()
        self._next_fit = self.examples + min(self.examples, LONGEST_WAIT)
        return True

    def _keep(self, person: Person) -> None:
        """A reservoir (Vitter 1985) that from the horizon on prefers what is newer (Aggarwal 2006)."""
        if len(self.sample) < SAMPLE:
            self.sample.append(person)
            return
        place = int(_point(self.seed, self.examples) * min(self.examples, HORIZON))
        if place < SAMPLE:
            self.sample[place] = person

    def _fit(self) -> None:
        encoding = fit_encoding(self.sample)
        points = encoding.matrix(self.sample)
        rng = np.random.default_rng((self.seed, self.examples))
        found = best_start(points, self.k, rng=rng, starts=_STARTS)
        if self.segments is None:
            self.segments = Segments(encoding, found.centres, self._new_numbers(len(found.centres)))
            return
        before = np.array([self.segments.number_of(person) for person in self.sample])
        moved = self._moved(points, before, rng)
        if moved.cost * _MUCH_BETTER <= found.cost:
            found = moved
        self.segments = Segments(encoding, found.centres, self._numbers(found.labels, before))

    def _moved(self, points: Floats, before: Labels, rng: np.random.Generator) -> Clusters:
        """The old segments, from where their people are now; what became empty starts where it is needed."""
        _, labels = np.unique(before, return_inverse=True)
        return lloyd(points, spread_out(points, self.k, rng=rng, begin=means(points, labels)))

    def _numbers(self, labels: Labels, before: Labels) -> tuple[int, ...]:
        """What each of the found segments is called."""
        kept = inherited(labels, before)
        count = int(labels.max()) + 1
        fresh = iter(self._new_numbers(count - len(kept)))
        return tuple(kept[label] if label in kept else next(fresh) for label in range(count))

    def _new_numbers(self, count: int) -> tuple[int, ...]:
        first = self._next_number
        self._next_number += count
        return tuple(range(first, first + count))

    def document(self) -> dict[str, Any]:
        """All of it, as plain values for JSON."""
        segments = self.segments
        return {
            "k": self.k,
            "seed": self.seed,
            "examples": self.examples,
            "next_fit": self._next_fit,
            "next_number": self._next_number,
            "sample": self.sample,
            "segments": None
            if segments is None
            else [segments.encoding.document(), segments.centres.tolist(), segments.numbers],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], k: int, *, seed: int) -> "Segmentation":
        """Go on from a document. Raises UnreadableSnapshot for one that is none, or of another k or seed."""
        try:
            if (document["k"], document["seed"]) != (k, seed):
                raise ValueError(f"k, seed {document['k']}, {document['seed']}: expected {k}, {seed}")
            read = cls(k, seed=seed)
            read.examples, read._next_fit = int(document["examples"]), int(document["next_fit"])
            read._next_number = int(document["next_number"])
            read.sample = [_person(row) for row in document["sample"]]
            if (segments := document["segments"]) is not None:
                read.segments = _segments(*segments)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnreadableSnapshot(f"expected a segmentation, and found something else: {error!r}") from error
        return read


def inherited(labels: Labels, before: Labels) -> dict[int, int]:
    """By label, the old number that more than half of its people had. Where an old segment came apart, the part with
    most of them has its number, the first one of those that are as large.
    """
    claims: dict[int, tuple[int, int]] = {}  # by old number: how many people, and the label that they have now
    for label in range(int(labels.max()) + 1):
        numbers, counts = np.unique(before[labels == label], return_counts=True)
        old, people = int(numbers[counts.argmax()]), int(counts.max())
        if 2 * people > counts.sum() and people > claims.get(old, (0, 0))[0]:
            claims[old] = (people, label)
    return {label: old for old, (_, label) in claims.items()}


def _person(row: Mapping[str, Any]) -> Person:
    return {key: tuple(value) if isinstance(value, list) else float(value) for key, value in row.items()}


def _segments(encoding: Any, centres: Any, numbers: Any) -> Segments:
    read = Encoding.from_document(encoding)
    found = np.array(centres, dtype=np.float64)
    if found.shape != (len(numbers), read.width) or not np.isfinite(found).all():
        raise ValueError(f"centres of shape {found.shape}: expected ({len(numbers)}, {read.width}) finite numbers")
    return Segments(read, found, tuple(int(number) for number in numbers))


def _point(seed: int, example: int) -> float:
    """A point in [0, 1) for one example: the same wherever learning stopped before it."""
    digest = hashlib.blake2b(f"{seed}:{example}".encode(), digest_size=8, person=b"elige-sample").digest()
    return (int.from_bytes(digest, "big") >> 11) / float(1 << 53)
