"""The numbers of a context, each on a scale of its own: how far it lies from those seen so far.

A linear learner that takes small steps needs features of one size: years of age must not outweigh a rate, nor an order
of 10,000 all others. Numbers are squashed, and measured from their running mean in running standard deviations.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

MAX_NUMBERS = 1_000
"""Keys that have a scale: the first ones seen. Others are no features."""

_FARTHEST = 5.0
_FINEST = 1e-6  # squashed numbers that differ by less are alike


def squash(number: float) -> float:
    """sign(x)·log(1 + |x|): keeps order and sign, and an order value of 10,000 (9.2) does not swamp a flag (1)."""
    return math.copysign(math.log1p(abs(number)), number)


class Seen(NamedTuple):
    """Of the squashed values of one key: how many, their mean x̄, and Σ(x - x̄)²."""

    n: int
    mean: float
    scatter: float

    def with_one_more(self, x: float) -> "Seen":
        """Welford 1962."""
        n = self.n + 1
        mean = self.mean + (x - self.mean) / n
        return Seen(n, mean, self.scatter + (x - self.mean) * (x - mean))

    @property
    def deviation(self) -> float:
        return math.sqrt(self.scatter / (self.n - 1)) if self.n > 1 else 0.0


class Scales:
    """What was seen of each number, by key."""

    def __init__(self, seen: dict[str, Seen] | None = None) -> None:
        self.seen = {} if seen is None else seen

    def learn(self, numbers: Iterable[tuple[str, float]]) -> None:
        """Count the numbers of one context, by key."""
        for name, value in numbers:
            known = self.seen.get(name)
            if known is None:
                if len(self.seen) >= MAX_NUMBERS:
                    continue
                known = Seen(0, 0.0, 0.0)
            self.seen[name] = known.with_one_more(squash(value))

    def standard(self, name: str, value: float) -> float | None:
        """Deviations from the mean, at most 5 either way; None for a key that was never seen with a number."""
        if (known := self.seen.get(name)) is None:
            return None
        z = (squash(value) - known.mean) / max(known.deviation, _FINEST)
        return max(-_FARTHEST, min(_FARTHEST, z))

    def document(self) -> Mapping[str, Sequence[float]]:
        """For a snapshot."""
        return {name: list(seen) for name, seen in self.seen.items()}

    @classmethod
    def from_document(cls, document: Mapping[str, Sequence[float]]) -> "Scales":
        """Raises TypeError or ValueError for what `document` did not give."""
        return cls({name: Seen(int(n), float(mean), float(scatter)) for name, (n, mean, scatter) in document.items()})
