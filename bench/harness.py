"""Compares sides on a machine whose speed drifts: short rounds, all sides in each, and the median of the ratios.

A shared machine can change its speed by half within a minute. Rates measured one after the other then say more about
the minute than about the code; the ratio of two rates from the same few seconds does not. Knows nothing of what is
measured: a side is a function that works for some seconds and says how long each call took.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.figures import Figures

Clock = Callable[[], float]
"""Seconds from any fixed moment on."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one side did in one round: `latencies` (n,), seconds, one a call; `seconds` from first start to last end."""

    seconds: float
    latencies: NDArray[np.float64]

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.latencies.size / self.seconds


Side = Callable[[float], Round]
"""Works for about so many seconds. Calls under way when they are over are finished, and count."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and greatest of one figure over the rounds."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Result:
    """One side over all rounds. `p50`, `p99`: of all its calls together, seconds. `rates`: one a round."""

    rates: tuple[float, ...]
    p50: float
    p99: float
    ratio: Spread
    """This side's rate over the baseline's in the same round."""

    @property
    def rate(self) -> float:
        """Calls a second in the median round."""
        return float(np.median(self.rates))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `compare` found, by side, in the order in which the sides were given."""

    baseline: str
    rounds: int
    seconds_per_round: float
    results: Mapping[str, Result]

    def document(self) -> dict[str, Any]:
        """For JSON. Latencies in seconds, rates in calls a second."""
        return {
            "baseline": self.baseline,
            "rounds": self.rounds,
            "seconds_per_round": self.seconds_per_round,
            "sides": {
                name: {
                    "rate": result.rate,
                    "rates": list(result.rates),
                    "p50": result.p50,
                    "p99": result.p99,
                    "ratio": {"median": result.ratio.median, "low": result.ratio.low, "high": result.ratio.high},
                }
                for name, result in self.results.items()
            },
        }

    def figures(self, title: str) -> Figures:
        """As a table for people."""
        return Figures(
            title=title,
            header=("side", "calls/s", "p50", "p99", f"rate / {self.baseline} (min..max)"),
            rows=tuple(
                (name, f"{result.rate:,.0f}", duration(result.p50), duration(result.p99), _spread(result.ratio))
                for name, result in self.results.items()
            ),
            document=self.document(),
        )


def compare(sides: Mapping[str, Side], *, baseline: str, rounds: int, seconds_per_round: float) -> Comparison:
    """Run all sides in each round, first the one after that which came first in the round before.

    Raises ValueError for settings that can't work, and for a side that made no call in a round.
    """
    if baseline not in sides:
        raise ValueError(f"no side {baseline!r} to compare with; there are: {', '.join(map(repr, sides))}")
    if rounds < 1:
        raise ValueError(f"{rounds} rounds: expected at least 1")
    if not seconds_per_round > 0:
        raise ValueError(f"{seconds_per_round} seconds a round: expected more than 0")
    names = list(sides)
    done: dict[str, list[Round]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)  # who comes later in a round finds caches and clocks in another state
        for name in names[first:] + names[:first]:
            one = sides[name](seconds_per_round)
            if one.latencies.size == 0:
                raise ValueError(f"{name} made no call in {seconds_per_round} s")
            done[name].append(one)
    return Comparison(
        baseline=baseline,
        rounds=rounds,
        seconds_per_round=seconds_per_round,
        results={name: _result(done[name], done[baseline]) for name in names},
    )


def one_after_another(call: Callable[[], object], *, clock: Clock = time.perf_counter) -> Side:
    """A side that makes one call after the other in this thread."""

    def side(seconds: float) -> Round:
        latencies = []
        began = before = clock()
        while before - began < seconds:
            call()
            after = clock()
            latencies.append(after - before)
            before = after
        return Round(before - began, np.array(latencies))

    return side


async def in_flight(
    call: Callable[[], Awaitable[object]], *, seconds: float, at_once: int, clock: Clock = time.perf_counter
) -> Round:
    """One round with `at_once` calls under way at any moment. A call that fails fails the round."""
    latencies: list[float] = []

    async def caller() -> None:
        before = clock()
        while before - began < seconds:
            await call()
            after = clock()
            latencies.append(after - before)
            before = after

    began = clock()
    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(caller())
    return Round(clock() - began, np.array(latencies))


def duration(seconds: float) -> str:
    """`12.3 ms`, `45.0 µs`: three digits, in the unit that suits."""
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= size), _UNITS[-1])
    return f"{seconds / size:#.3g}".rstrip(".") + f" {unit}"


_UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))


def _result(own: list[Round], others: list[Round]) -> Result:
    ratios = [one.rate / other.rate for one, other in zip(own, others, strict=True)]
    # over all calls: the median of the rounds' p99 would leave out the worst rounds, and they happened
    p50, p99 = np.percentile(np.concatenate([one.latencies for one in own]), (50, 99))
    return Result(
        rates=tuple(one.rate for one in own),
        p50=float(p50),
        p99=float(p99),
        ratio=Spread(float(np.median(ratios)), min(ratios), max(ratios)),
    )


def _spread(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.low:.2f}..{spread.high:.2f})"
