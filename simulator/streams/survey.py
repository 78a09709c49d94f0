"""What has to be known of the whole log before any of it can be judged: a first look at a few of its columns."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.logs.distinct import distinct
from simulator.logs.log import Codes, LogError, when
from simulator.streams.pieces import Piece, Reader
from simulator.streams.sums import mixed

SKETCH = 65_536
"""Persons are counted exactly up to so many, and beyond with an error of 0.4 %."""

MOST_VALUES = 10_000
"""Different rewards that are counted; of more, those that were seen most."""


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """Of some rounds. ids: the variants. rewards: how often each was seen, the commonest ones. hashes: the least of the
    persons' hashes, see `persons`. spans: of each batch in turn its rounds, and its first and last time.
    """

    n: int
    ids: frozenset[str]
    total: float
    rewarded: int
    rewards: Counter[float]
    hashes: NDArray[np.uint64]
    spans: tuple[tuple[int, float, float], ...]

    @property
    def start(self) -> float:
        return min(start for _, start, _ in self.spans)

    @property
    def end(self) -> float:
        return max(end for _, _, end in self.spans)

    @property
    def persons(self) -> int:
        """How many there are: exactly, or from the k-th least of k hashes (Bar-Yossef et al. 2002)."""
        if self.hashes.size < SKETCH:
            return int(self.hashes.size)
        return round((SKETCH - 1) / (float(self.hashes[-1]) / 2.0**64))

    @property
    def commonest(self) -> float:
        """The reward that was seen most; of several the least."""
        most = max(self.rewards.values())
        return min(reward for reward, count in self.rewards.items() if count == most)


@dataclass(frozen=True, slots=True)
class Look:
    """The task: a survey of one piece."""

    reader: Reader

    def __call__(self, piece: Piece) -> Survey:
        found = None
        for log in self.reader.briefly.parts(piece):
            values, counts = np.unique(log.rewards, return_counts=True)
            part = Survey(
                n=len(log),
                ids=frozenset(log.ids),
                total=float(log.rewards.sum()),
                rewarded=int(np.count_nonzero(log.rewards)),
                rewards=Counter(dict(zip(values.tolist(), counts.tolist(), strict=True))),
                hashes=_least(log.persons),
                spans=((len(log), float(log.times[0]), float(log.times[-1])),),
            )
            found = part if found is None else both(found, part)
        assert found is not None  # a piece has rows
        return found


def both(first: Survey, second: Survey) -> Survey:
    """The survey of the rounds of both, of which the second come later in the log."""
    rewards = first.rewards + second.rewards
    return Survey(
        n=first.n + second.n,
        ids=first.ids | second.ids,
        total=first.total + second.total,
        rewarded=first.rewarded + second.rewarded,
        rewards=Counter(dict(rewards.most_common(MOST_VALUES))) if len(rewards) > 2 * MOST_VALUES else rewards,
        hashes=distinct(np.concatenate([first.hashes, second.hashes]))[:SKETCH],
        spans=first.spans + second.spans,
    )


def check_order(name: str, survey: Survey, *, column: str | None) -> None:
    """Raise LogError unless every batch begins no earlier than the one before it ended: what is earlier can't be told
    from what is later without reading all of it at once.
    """
    row, last = 0, -np.inf
    for rows, start, end in survey.spans:
        if start < last:
            raise LogError(
                name,
                [
                    f"times go back near row {row:,}: from {when(last, timed=True)} to {when(start, timed=True)}; "
                    f"expected rows in the order of column {column!r}, and files that are named in that order, since "
                    "what is trained on must be earlier than what is judged"
                ],
            )
        row, last = row + rows, end


def _least(persons: Codes) -> NDArray[np.uint64]:
    return distinct(mixed(distinct(persons)))[:SKETCH]
