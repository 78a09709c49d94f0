"""The numbers of a context, each on a scale of its own: how far it lies from those seen so far.

A linear learner that takes small steps needs features of one size: years of age must not outweigh a rate, nor an order
of 10,000 all others. Numbers are squashed, and measured from their running mean in running standard deviations.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

MAX_NUMBERS = 1_000
"""Keys that have a scale: the first ones seen. Others are no features."""

_FARTHEST = 5.0
_FINEST = 1e-6  # squashed numbers that differ by less are alike


def squash(number: float) -> float:
    """sign(x)·log(1 + |x|): keeps order and sign, and an order value of 10,000 (9.2) does not swamp a flag (1)."""
    return math.copysign(math.log1p(abs(number)), number)


Seen = tuple[int, float, float]
"""Of the squashed values of one key: how many, their mean x̄, and Σ(x - x̄)²."""

_NOTHING: Seen = (0, 0.0, 0.0)


class Scales:
    """What was seen of each number, by key."""

    def __init__(self, seen: dict[str, Seen] | None = None) -> None:
        self.seen = {} if seen is None else seen
        self._units: dict[str, tuple[float, float]] = {}  # mean, and 1 / deviation: asked much more often than learned

    def learn(self, numbers: Iterable[tuple[str, float]]) -> None:
        """Count the numbers of one context, by key. Welford 1962."""
        self._units.clear()
        for name, value in numbers:
            n, mean, scatter = self.seen.get(name, _NOTHING)
            if not n and len(self.seen) >= MAX_NUMBERS:
                continue
            off = squash(value) - mean
            mean += off / (n + 1)
            self.seen[name] = (n + 1, mean, scatter + off * (squash(value) - mean))

    def standard(self, name: str, value: float) -> float | None:
        """Deviations from the mean, at most 5 either way; None for a key that was never seen with a number."""
        unit = self._units.get(name) or self._unit(name)
        if unit is None:
            return None
        deviations = (squash(value) - unit[0]) * unit[1]
        return max(-_FARTHEST, min(_FARTHEST, deviations))

    def _unit(self, name: str) -> tuple[float, float] | None:
        if (known := self.seen.get(name)) is None:
            return None
        n, mean, scatter = known
        deviation = math.sqrt(scatter / (n - 1)) if n > 1 else 0.0
        self._units[name] = unit = (mean, 1.0 / max(deviation, _FINEST))
        return unit

    def document(self) -> Mapping[str, Sequence[float]]:
        """For a snapshot."""
        return {name: list(seen) for name, seen in self.seen.items()}

    @classmethod
    def from_document(cls, document: Mapping[str, Sequence[float]]) -> "Scales":
        """Raises TypeError or ValueError for what `document` did not give."""
        return cls({name: (int(n), float(mean), float(scatter)) for name, (n, mean, scatter) in document.items()})
