"""Learners that need no more than tallies: of every variant, and of every variant in every segment, the weight of its
examples and the sums of their rewards and squared rewards.

Rewards are scaled to [0, 1] by the declared range. What was chosen depended on what was known before, not on the reward
that followed, so the posterior of a variant needs its plain rewards and no importance weights.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson

from policies.base import UnreadableSnapshot, uniform
from policies.features import escape
from policies.types import Action, Features, Pmf, RewardRange, TrainingExample, Value

Key = tuple[str, ...]
"""() for all examples, (variant,) for a variant's, (variant, segment) for those of one segment."""

MAX_SEGMENTS = 1_000
"""Values of the segment's key that have tallies of their own: the first ones seen. The others count for everybody."""

MAX_VARIANTS = 5_000
"""Variants that have tallies: those chosen last. Where calls bring candidates of their own there is no end to them."""

_MAX_CACHED = 1_000


class Tally(NamedTuple):
    """Of some examples: the weight n, and Σr and Σr² of their scaled rewards."""

    n: float
    r: float
    rr: float

    @property
    def scatter(self) -> float:
        """Σ(r - mean)², never negative."""
        return max(0.0, self.rr - self.r * self.r / self.n) if self.n > 0.0 else 0.0


def decay_of(half_life: float) -> float:
    """What one new example leaves of all earlier ones, so that `half_life` examples leave half. 0 forgets nothing."""
    return 2.0 ** (-1.0 / half_life) if half_life else 1.0


class Tallies:
    """Tallies by key. Forgetting is exact: each new example multiplies all that came before by the decay."""

    def __init__(self, *, half_life: float = 0.0) -> None:
        self._decay = decay_of(half_life)
        self._rows: dict[Key, tuple[float, float, float, int]] = {}  # n, r, rr, and after which example
        self._segments: set[str] = set()
        self._variants = 0
        self.examples = 0

    @classmethod
    def told(cls, variants: Mapping[str, Tally]) -> "Tallies":
        """As after examples of these tallies, of which none is forgotten yet."""
        tallies = cls()
        tallies.examples = round(sum(tally.n for tally in variants.values()))
        total = Tally(*(sum(column) for column in zip(*variants.values(), strict=True)))
        for key, tally in (((), total), *(((variant,), tally) for variant, tally in variants.items())):
            tallies._rows[key] = (tally.n, tally.r, tally.rr, tallies.examples)
        tallies._variants = len(variants)
        return tallies

    def add(self, variant: str, segment: str | None, reward: float) -> None:
        """Count one example of a scaled reward."""
        self.examples += 1
        keys: list[Key] = [(), (variant,)]
        if segment is not None and (segment in self._segments or len(self._segments) < MAX_SEGMENTS):
            self._segments.add(segment)
            keys.append((variant, segment))
        for key in keys:
            n, r, rr = self.of(*key)
            if len(key) == 1 and key not in self._rows:
                self._variants += 1
            self._rows[key] = (n + 1.0, r + reward, rr + reward * reward, self.examples)
        if self._variants > MAX_VARIANTS:
            self._drop(MAX_VARIANTS // 10)

    def _drop(self, count: int) -> None:
        """Forget those variants that were not chosen for longest. What they say of everybody stays."""
        last = sorted((row[3], key[0]) for key, row in self._rows.items() if len(key) == 1)
        dropped = {variant for _, variant in last[:count]}
        self._rows = {key: row for key, row in self._rows.items() if not key or key[0] not in dropped}
        self._variants -= count

    def keep(self, segments: Collection[str | None]) -> None:
        """Forget every segment but these. What its examples say of everybody stays."""
        self._segments.intersection_update(segments)
        self._rows = {key: row for key, row in self._rows.items() if len(key) < 2 or key[1] in segments}

    def of(self, *key: str) -> Tally:
        """The tally of a key as it counts now; zeros for one that has no examples."""
        if (row := self._rows.get(key)) is None:
            return Tally(0.0, 0.0, 0.0)
        left = self._decay ** (self.examples - row[3])
        return Tally(row[0] * left, row[1] * left, row[2] * left)

    def variants(self) -> list[Tally]:
        """The tally of every variant that has one."""
        return [self.of(*key) for key in self._rows if len(key) == 1]

    def mean(self) -> float:
        """What a variant earns, as far as is known: the mean of all examples and two more, of rewards 0 and 1."""
        pooled = self.of()
        return (1.0 + pooled.r) / (2.0 + pooled.n)

    def variance(self) -> float:
        """Of the rewards of one variant, pooled over variants, with one more degree of freedom of variance 1/4."""
        tallies = self.variants()
        freedom = sum(max(0.0, tally.n - 1.0) for tally in tallies)
        return (0.25 + sum(tally.scatter for tally in tallies)) / (1.0 + freedom)

    def dump(self, arguments: str) -> bytes:
        """The state, in the order in which keys came: sums over them have to round alike after loading."""
        rows = [[list(key), *row] for key, row in self._rows.items()]
        return orjson.dumps({"arguments": arguments, "examples": self.examples, "tallies": rows})

    def load(self, state: bytes, arguments: str) -> None:
        """Go on from what `dump` wrote. Raises UnreadableSnapshot for anything else, or other arguments."""
        read = read_state(state, arguments)
        try:
            self.examples = int(read["examples"])
            for key, n, r, rr, after in read["tallies"]:
                self._rows[tuple(key)] = (float(n), float(r), float(rr), int(after))
        except (KeyError, TypeError, ValueError) as error:
            raise UnreadableSnapshot(f"{arguments!r}: expected tallies, and found others: {error!r}") from error
        self._segments = {key[1] for key in self._rows if len(key) == 2}
        self._variants = sum(len(key) == 1 for key in self._rows)


def read_state(state: bytes, arguments: str) -> dict[str, Any]:
    """The document that a learner of our own dumped. Raises UnreadableSnapshot."""
    try:
        read = orjson.loads(state)
    except orjson.JSONDecodeError as error:
        raise UnreadableSnapshot(f"{len(state)} bytes: expected a document of {arguments!r}: {error}") from error
    if not isinstance(read, dict) or read.get("arguments") != arguments:
        found = read.get("arguments") if isinstance(read, dict) else read
        raise UnreadableSnapshot(f"a snapshot of {str(found)[:80]!r}: expected one of {arguments!r}")
    return read


def segment_of(value: Value | None) -> str | None:
    """The segment of people with this value of the context key; None for what names none: missing, a list, no number.

    A text, a flag and a number are never the same segment, whatever the text.
    """
    if isinstance(value, str):
        return f"={escape(value)}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, tuple) or not math.isfinite(value):
        return None
    return f"{float(value) + 0.0!r}"  # 0.0 and -0.0 are one number


Shares = Callable[[Tallies, Sequence[str], str | None], Pmf]
"""Tallies, the k variants in the order of their ids, and the segment in; (k,) probabilities out. Pure."""


class TallyLearner:
    """A learner that is its tallies and a rule that turns them into probabilities.

    `by` names the context key that makes the segments; empty for none. The probabilities for a segment and a set of
    variants change only with learning, so they are computed once.
    """

    def __init__(
        self,
        name: str,
        shares: Shares,
        *,
        reward_range: RewardRange,
        by: str = "",
        half_life: float = 0.0,
        state: bytes | None = None,
    ) -> None:
        """With `state`, the learner goes on from there. Raises UnreadableSnapshot."""
        self.arguments = " ".join(
            (name, *((f"--by {escape(by)}",) if by else ()), *((f"--half_life {half_life!r}",) if half_life else ()))
        )
        self.tallies = Tallies(half_life=half_life)
        self._shares = shares
        self._range = reward_range
        self._by = by
        self._cached: dict[tuple[str | None, tuple[str, ...]], Pmf] = {}
        if state is not None:
            self.tallies.load(state, self.arguments)

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        """(k,) read-only; uniform before the first example."""
        if len(actions) == 1 or self.tallies.examples == 0:
            return uniform(len(actions))
        segment = self._segment(context)
        key = (segment, tuple(action.id for action in actions))
        if (pmf := self._cached.get(key)) is None:
            pmf = self._in_order_of_ids(key[1], segment)
            pmf.flags.writeable = False
            if len(self._cached) >= _MAX_CACHED:
                self._cached.clear()
            self._cached[key] = pmf
        return pmf

    def _in_order_of_ids(self, ids: Sequence[str], segment: str | None) -> Pmf:
        # sums and products round by their order, which must not be the caller's
        order = sorted(range(len(ids)), key=ids.__getitem__)
        pmf = np.empty(len(ids))
        pmf[order] = self._shares(self.tallies, [escape(ids[i]) for i in order], segment)
        return pmf

    def _segment(self, context: Features) -> str | None:
        return segment_of(context.get(self._by)) if self._by else None

    def learn(self, examples: Iterable[TrainingExample]) -> None:
        for example in examples:
            variant = escape(example.actions[example.chosen].id)
            self.tallies.add(variant, self._segment(example.context), self._range.scaled(example.reward))
        self._cached.clear()

    def dump(self) -> bytes:
        return self.tallies.dump(self.arguments)
