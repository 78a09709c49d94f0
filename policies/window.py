"""Forgetting, for learners that can't discount the past: retraining over a sliding window, without a log.

Two learners of the same kind, staggered: the one that serves has learned the last N to 2N examples and nothing else,
the younger one beside it the last 0 to N. At every Nth example the younger takes over and a new one begins. It costs
twice the learning and twice the bytes, and what is forgotten goes in steps of N.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from policies.base import Learner, UnreadableSnapshot
from policies.packing import pack, unpack
from policies.types import Action, Features, Pmf, TrainingExample

Build = Callable[[bytes | None], Learner]
"""A learner, from nothing or from its state."""

_AT_ONCE = 1_000
"""Examples that are held in memory, since two learners need them."""


class Windowed:
    """A learner of the last N to 2N examples; of all there were, until there are 2N."""

    def __init__(self, build: Build, *, window: int, state: bytes | None = None) -> None:
        """`window`: N ≥ 1, in examples. With `state`, both learners go on from there. Raises UnreadableSnapshot."""
        self._build = build
        self._window = window
        self._packed_as = f"--retrained_over_the_last {window}..{2 * window}"
        if state is None:
            self.examples = 0
            self._serving, self._younger = build(None), build(None)
        else:
            document, parts = unpack(state, self._packed_as)
            self.examples = _count(document)
            if len(parts) != 2:
                raise UnreadableSnapshot(f"{len(parts)} learners: expected the one that serves and a younger one")
            self._serving, self._younger = map(build, parts)
        self.arguments = f"{self._packed_as} {self._serving.arguments}"

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        """(k,) the probabilities of the learner that serves."""
        return self._serving.pmf(context, actions)

    def learn(self, examples: Iterable[TrainingExample]) -> None:
        for part in self._parts(iter(examples)):
            self._serving.learn(part)
            if self.examples >= self._window:  # before, the younger one would learn all that the other one has learned
                self._younger.learn(part)
            self.examples += len(part)
            if self.examples % self._window == 0 and self.examples > self._window:
                self._serving, self._younger = self._younger, self._build(None)

    def _parts(self, examples: Iterator[TrainingExample]) -> Iterator[list[TrainingExample]]:
        """The examples, cut where one learner takes over from the other, wherever a call of `learn` began."""
        while part := list(islice(examples, min(_AT_ONCE, self._window - self.examples % self._window))):
            yield part

    def dump(self) -> bytes:
        return pack(self._packed_as, {"examples": self.examples}, [self._serving.dump(), self._younger.dump()])


def _count(document: Any) -> int:
    count = document.get("examples") if isinstance(document, dict) else None
    if not isinstance(count, int) or count < 0:
        raise UnreadableSnapshot(f"{str(document)[:80]!r}: expected the number of examples")
    return count
