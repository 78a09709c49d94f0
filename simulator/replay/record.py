"""How a learner is replayed, and what is told of it beside its row. Frozen."""

from dataclasses import asdict, dataclass
from datetime import timedelta

import numpy as np

from simulator.logs.log import Floats, Log, when
from simulator.replay.words import WORDS, Words
from simulator.sentences import LANGUAGES

AUTO, REJECTION, SEQUENTIAL, PROGRESSIVE = "auto", "rejection", "dr", "progressive"
METHODS = (AUTO, REJECTION, SEQUENTIAL, PROGRESSIVE)


@dataclass(frozen=True, slots=True)
class Replaying:
    """How learners are replayed.

    method: one of METHODS. every: it learns after so many decisions of its own, or each time so much time has gone by.
    delay: seconds after a decision until its reward is known, one for all or (n,) for the rounds that are judged.
    passes: over the log, each with other draws; their mean is told. cut: see `simulator.replay.accepting.Sequential`.
    Raises ValueError.
    """

    method: str = AUTO
    every: int | timedelta = 100
    delay: Floats | float = 0.0
    passes: int = 3
    cut: float = 0.05

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"replay {self.method!r}: expected one of {', '.join(METHODS)}")
        if (self.every.total_seconds() if isinstance(self.every, timedelta) else self.every) <= 0:
            raise ValueError(f"every {self.every}: expected at least one decision, or some time")
        if self.passes < 1:
            raise ValueError(f"passes {self.passes}: expected at least 1")
        if not 0.0 <= self.cut < 1.0:
            raise ValueError(f"cut {self.cut}: expected a number from 0 to below 1")

    def delays(self, log: Log) -> Floats:
        """(n,) seconds. Raises ValueError for another shape, and for what is negative or no number."""
        told = np.asarray(self.delay, dtype=np.float64)
        if told.shape not in ((), (len(log),)):
            raise ValueError(
                f"delay of shape {told.shape}: expected one number, or one for each of {len(log):,} rounds"
            )
        delays = np.broadcast_to(told, (len(log),))
        if not np.all(delays >= 0.0):
            raise ValueError(f"delay {delays[~(delays >= 0.0)][0]}: expected seconds, 0 or more")
        return delays


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the log in time: n rounds, on which the learner was told `used` on average over the passes. Its value
    there, and in all from the beginning up to its end, each with an interval; None where nothing was used.

    start, end: unix seconds, or rows where the log has no times.
    """

    start: float
    end: float
    n: int
    used: float
    value: tuple[float, float, float] | None
    so_far: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class Replay:
    """One learner as it went through the log. why: the method was chosen. used: rounds that became its own; learned:
    those of them that it learned before the log ended; means over the passes. curve: in time order.
    """

    policy: str
    method: str
    why: str
    passes: int
    every: str
    n: int
    used: float
    learned: float
    curve: tuple[Stretch, ...]

    def note(self, lang: str) -> str:
        """How its row came about, in a line."""
        words, language = WORDS[lang], LANGUAGES[lang]
        return words.note.format(
            how=_how(self.method, words),
            used=language.whole(self.used),
            n=language.whole(self.n),
            passes=words.passes.format(passes=self.passes) if self.passes > 1 else "",
            every=self.every,
        )

    def to_dict(self, *, timed: bool) -> dict[str, object]:
        """Plain, ready for JSON; values are lists of value, low and high."""
        curve = [
            {**asdict(one), "start": when(one.start, timed=timed), "end": when(one.end, timed=timed)}
            for one in self.curve
        ]
        return {**asdict(self), "curve": curve}


def _how(method: str, words: Words) -> str:
    told = {REJECTION: words.by_rejection, SEQUENTIAL: words.sequential, PROGRESSIVE: words.progressive}
    return told[method]


def estimator_of(method: str, words: Words) -> str:
    """By what the value of a replayed learner was estimated."""
    return {
        REJECTION: words.mean_of_rejection,
        SEQUENTIAL: words.mean_of_sequential,
        PROGRESSIVE: words.mean_of_progressive,
    }[method]
