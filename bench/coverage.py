"""How often a nominal 95 % interval holds the truth, and how wide it is, on logs whose truth is known.

    python -m bench.coverage --logs 2000
    python -m bench.coverage --logs 2000 --only people
    python -m bench.coverage --logs 2000 --intervals likelihood,bootstrap,empirical_bernstein,anytime

Cells are rewards (common, 6 %, 1 %) by weights (to 8, 42, 200) by rounds (300, 2,000, 20,000); then rounds a person.
The intervals are those that `elige evaluate` prints, beside the symmetric ones of the same estimates and the
Cressie-Read interval; with --intervals, those that `elige evaluate --interval` makes: of SNIPS, and of IPS where a
ratio has none.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.cells import spread
from bench.children import run
from bench.figures import Figures, as_text, machine
from bench.registry import Benchmark
from simulator.estimators import Evidence, Method, estimates_of, expectation
from simulator.intervals import Resampling
from simulator.intervals.clustered import Possible
from simulator.intervals.clustered import cressie_read as cressie_read_limits
from simulator.logs.log import Floats

GROUPS, VARIANTS = 5, 10
RATES = {"common": 0.4, "6 %": 0.06, "1 %": 0.01}
"""Of the judged policy: what it truly earns a round."""
WEIGHTS = (8, 42, 200)
ROUNDS = (300, 2_000, 20_000)
VISITS = (1, 3, 10)
"""Rounds a person, whose chances differ from those of the others by up to half, all of theirs together."""
PRIOR = 10.0
"""Rounds of the mean reward that the model of the doubly robust estimate adds to each cell."""
CHUNK = 100
NOMINAL, AT_LEAST = 0.95, 0.93
CRESSIE_READ = "Cressie-Read"
PRINTED = ("SNIPS", "DR", "SNIPS, symmetric", "DR, symmetric", CRESSIE_READ)


@dataclass(frozen=True, slots=True)
class World:
    """GROUPS kinds of visitors, as frequent as each other. policy, logged, rewards: (GROUPS, VARIANTS), the judged and
    the logged probabilities, and the chance of a reward.
    """

    policy: Floats
    logged: Floats
    rewards: Floats

    @property
    def truth(self) -> float:
        return float((self.policy * self.rewards).sum(axis=1).mean())

    @property
    def possible(self) -> Possible:
        ratio = self.policy / self.logged
        return Possible(float(np.sqrt((self.policy * ratio**2).sum(axis=1).mean())), float(ratio.max()), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Counted:
    """Of one cell: (logs, intervals, 2), the limits."""

    limits: NDArray[np.float64]
    truth: float
    names: tuple[str, ...] = PRINTED

    def covers(self, interval: str) -> float:
        low, high = self.limits[:, self.names.index(interval)].T
        return float(np.mean((low <= self.truth) & (self.truth <= high)))

    def width(self, interval: str) -> float:
        low, high = self.limits[:, self.names.index(interval)].T
        return float(np.mean(high - low))


@lru_cache
def world(rate: float, heaviest: int) -> World:
    """The judged policy shows each kind of visitor what is best for them in nine of ten cases. The logged one showed
    that rarely: `heaviest` times as rarely to the first kind, as often to the last, and between them in equal ratios.
    """
    rng = np.random.default_rng(11)
    kinds = np.arange(GROUPS)
    policy = np.full((GROUPS, VARIANTS), 0.1 / VARIANTS)
    policy[kinds, kinds] += 0.9
    logged = np.empty((GROUPS, VARIANTS))
    for kind in kinds:
        best = policy[kind, kind] / heaviest ** (1.0 - kind / (GROUPS - 1))
        others = (1.0 - best) * rng.dirichlet(np.full(VARIANTS - 1, 3.0))
        logged[kind] = np.insert(others, kind, best)
    logged = np.maximum(logged, policy / heaviest)
    logged /= logged.sum(axis=1, keepdims=True)
    chances = rng.uniform(0.3, 1.0, size=(GROUPS, VARIANTS))
    chances[kinds, kinds] *= 2.0
    value = (policy * chances).sum(axis=1).mean()
    return World(policy, logged, np.minimum(chances * rate / value, 0.95))


def cell(
    rate: float, heaviest: int, rounds: int, visits: int, logs: int, seed: int, names: tuple[str, ...] = PRINTED
) -> NDArray[np.float64]:
    """(logs, intervals, 2)."""
    of = world(rate, heaviest)
    rng = np.random.default_rng((seed, heaviest, rounds, visits, int(rate * 1000)))
    return np.array([_limits(drawn(of, rng, rounds, visits), names) for _ in range(logs)])


def drawn(of: World, rng: np.random.Generator, rounds: int, visits: int) -> Evidence:
    """One log, as what it says about the judged policy."""
    persons = np.arange(rounds) // visits
    kinds = rng.integers(GROUPS, size=persons[-1] + 1)[persons]
    eager = rng.choice([0.5, 1.5], size=persons[-1] + 1)[persons] if visits > 1 else np.ones(rounds)
    points = rng.random(rounds)[:, None]
    chosen = np.minimum((points > np.cumsum(of.logged, axis=1)[kinds]).sum(axis=1), VARIANTS - 1)
    rewards = (rng.random(rounds) < np.minimum(of.rewards[kinds, chosen] * eager, 1.0)).astype(np.float64)
    target = of.policy[kinds]
    weights = target[np.arange(rounds), chosen] / of.logged[kinds, chosen]
    q = _model(kinds, chosen, rewards, persons, rng)
    expected, predicted = expectation(target, q), q[np.arange(rounds), chosen]
    return Evidence(rewards, weights, expected, predicted, persons, of.possible)


def _limits(x: Evidence, names: tuple[str, ...]) -> list[tuple[float, float]]:
    if not x.weights.any():
        return [(0.0, 1.0)] * len(names)
    found = (_KNOWN[name](x) for name in names)
    return [(max(low, 0.0), min(high, 1.0)) for low, high in found]


def _made(estimator: str, interval: str) -> Callable[[Evidence], tuple[float, float]]:
    def limits(x: Evidence) -> tuple[float, float]:
        resampling = Resampling.of(x.persons, seed=0) if interval == "bootstrap" else None
        found = estimates_of([estimator], x, Method(interval, NOMINAL, resampling))[estimator]
        return found.low, found.high

    return limits


def _of_cressie_read(x: Evidence) -> tuple[float, float]:
    assert x.possible is not None
    return cressie_read_limits(x.rewards, x.weights, x.persons, x.possible, confidence=NOMINAL)


_KNOWN: Mapping[str, Callable[[Evidence], tuple[float, float]]] = {
    "SNIPS": _made("snips", "skewed"),
    "DR": _made("dr", "skewed"),
    "SNIPS, symmetric": _made("snips", "normal"),
    "DR, symmetric": _made("dr", "normal"),
    CRESSIE_READ: _of_cressie_read,
    "skewed": _made("snips", "skewed"),
    "normal": _made("snips", "normal"),
    "bootstrap": _made("snips", "bootstrap"),
    "likelihood": _made("snips", "likelihood"),
    "empirical_bernstein": _made("ips", "empirical_bernstein"),
    "anytime": _made("ips", "anytime"),
}


def _model(
    kinds: NDArray[np.int64],
    chosen: NDArray[np.int64],
    rewards: Floats,
    persons: NDArray[np.int64],
    rng: np.random.Generator,
) -> Floats:
    """(n, VARIANTS) mean rewards by kind and variant among the persons of the other half, drawn to the mean of all."""
    half = rng.permutation(persons[-1] + 1)[persons] % 2
    places = kinds * VARIANTS + chosen
    q = np.empty((len(rewards), VARIANTS))
    for one in (0, 1):
        other = half != one
        counts = np.bincount(places[other], minlength=GROUPS * VARIANTS)
        sums = np.bincount(places[other], weights=rewards[other], minlength=GROUPS * VARIANTS)
        means = (sums + PRIOR * rewards[other].mean()) / (counts + PRIOR)
        q[half == one] = means.reshape(GROUPS, VARIANTS)[kinds[half == one]]
    return q


def measure(
    *,
    logs: int,
    rates: Sequence[str] = tuple(RATES),
    weights: Sequence[int] = WEIGHTS,
    rounds: Sequence[int] = ROUNDS,
    visits: Sequence[int] = (1,),
    title: str = "coverage",
    names: tuple[str, ...] = PRINTED,
) -> Figures:
    """One row a cell: of each interval the share of logs in which it holds the truth, and its mean width."""
    cells = [(rate, heaviest, n, m) for rate in rates for heaviest in weights for n in rounds for m in visits]
    pieces = [
        (RATES[rate], heaviest, n, m, min(CHUNK, logs - CHUNK * piece), piece, names)
        for rate, heaviest, n, m in cells
        for piece in range(ceil(logs / CHUNK))
    ]
    found = spread(cell, pieces)
    rows: list[tuple[str, ...]] = []
    document: dict[str, Any] = {"nominal": NOMINAL, "logs": logs, "cells": []}
    for place, (rate, heaviest, n, m) in enumerate(cells):
        of_cell = found[place * ceil(logs / CHUNK) : (place + 1) * ceil(logs / CHUNK)]
        counted = Counted(np.concatenate(of_cell), world(RATES[rate], heaviest).truth, names)
        told = {name: (counted.covers(name), counted.width(name)) for name in names}
        name = f"{rate}, weights to {heaviest}, {n:,} rounds" + (f", {m} a person" if len(visits) > 1 else "")
        rows.append((name, *(_told(covers, width) for covers, width in told.values())))
        document["cells"].append({"cell": name, **{name: list(pair) for name, pair in told.items()}})
    return Figures(
        title=f"{title}: share of {logs:,} logs whose nominal 95 % interval holds the truth / mean width; "
        f"* below {AT_LEAST}",
        header=("", *names),
        rows=tuple(rows),
        document=document,
    )


def of_people(logs: int, names: tuple[str, ...] = PRINTED) -> Figures:
    """The cells with several rounds a person."""
    title = "coverage, people who come again"
    return measure(logs=logs, weights=(42,), rounds=(2_000,), visits=VISITS, title=title, names=names)


def _told(covers: float, width: float) -> str:
    return f"{covers:.3f}{'*' if covers < AT_LEAST else ''} / {width:.3f}"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.coverage", description="How often intervals hold the truth.")
    parser.add_argument("--logs", type=int, default=2_000, help="a cell; default: %(default)s")
    parser.add_argument("--only", choices=("cells", "people"), help="one of the two tables")
    parser.add_argument(
        "--intervals", metavar="NAME,NAME", help=f"instead of those of the usual tables, some of: {', '.join(_KNOWN)}"
    )
    options = parser.parse_args(arguments)
    names = tuple(options.intervals.split(",")) if options.intervals else PRINTED
    if unknown := [name for name in names if name not in _KNOWN]:
        parser.error(f"no interval {unknown[0]!r}; there are: {', '.join(_KNOWN)}")
    print("{cores} cores, Python {python}".format(**machine()))
    for figures in tables(options.logs, only=options.only, names=names):
        print(f"\n{as_text(figures)}", flush=True)


def tables(logs: int, *, only: str | None = None, names: tuple[str, ...] = PRINTED) -> Iterator[Figures]:
    if only != "people":
        yield measure(logs=logs, names=names)
    if only != "cells":
        yield of_people(logs, names)


BENCHMARK = Benchmark(
    about="how often intervals of the evaluation hold the truth",
    quick=lambda: tables(100),
)

if __name__ == "__main__":
    run(main)
