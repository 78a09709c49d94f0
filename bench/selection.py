"""How much is lost by leaving the choice of an estimator to `--estimator best`, on logs whose truth is known.

    python -m bench.selection --logs 200

The cells are those of bench.coverage. Of each estimator the root mean squared error, as a multiple of the least one of
those that were chosen from.
"""

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.cells import spread
from bench.children import run
from bench.coverage import RATES, ROUNDS, WEIGHTS, drawn, world
from bench.figures import Figures, as_text, machine
from bench.registry import Benchmark
from simulator.estimators import USUAL, Method, estimates_of

NAMES = (*USUAL, "best")
SEED = 5
NEAR = (1.1, 1.25)
"""What counts as near to the least error."""


def cell(rate: float, heaviest: int, rounds: int, logs: int) -> NDArray[np.float64]:
    """(NAMES,) root mean squared errors over the logs that hold anything about the judged policy."""
    of = world(rate, heaviest)
    rng = np.random.default_rng((SEED, heaviest, rounds, int(rate * 1000)))
    seen = (drawn(of, rng, rounds, 1) for _ in range(logs))
    found = [estimates_of(NAMES, x, Method("normal")) for x in seen if x.weights.any()]
    errors = np.array([[one[name].value - of.truth for name in NAMES] for one in found])
    roots: NDArray[np.float64] = np.sqrt(np.mean(errors**2, axis=0))
    return roots


def measure(logs: int) -> Figures:
    """One row a cell, and a last one with the worst of each column."""
    cells = [(rate, heaviest, n) for rate in RATES for heaviest in WEIGHTS for n in ROUNDS]
    errors = np.array(spread(cell, [(RATES[rate], heaviest, n, logs) for rate, heaviest, n in cells]))
    ratios = errors / errors[:, :-1].min(axis=1, keepdims=True)
    names = [f"{rate}, weights to {heaviest}, {n:,} rounds" for rate, heaviest, n in cells]
    near = [f"in {np.mean(ratios[:, -1] <= most):.0%} of the cells within {most - 1.0:.0%}" for most in NEAR]
    document: dict[str, Any] = {
        "logs": logs,
        "cells": [
            {"cell": name, **dict(zip(NAMES, row.tolist(), strict=True))}
            for name, row in zip(names, ratios, strict=True)
        ],
    }
    return Figures(
        title=f"selection: root mean squared error over {logs:,} logs / that of the best of the first four; "
        f"`best` is {' and '.join(near)}",
        header=("", *NAMES),
        rows=tuple(
            (name, *(f"{ratio:.2f}" for ratio in row))
            for name, row in zip((*names, "the worst"), (*ratios, ratios.max(axis=0)), strict=True)
        ),
        document=document,
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.selection", description="What choosing an estimator costs.")
    parser.add_argument("--logs", type=int, default=200, help="a cell; default: %(default)s")
    options = parser.parse_args(arguments)
    print("{cores} cores, Python {python}".format(**machine()))
    for figures in tables(options.logs):
        print(f"\n{as_text(figures)}", flush=True)


def tables(logs: int) -> Iterator[Figures]:
    yield measure(logs)


BENCHMARK = Benchmark(
    about="what it costs to let the data choose the estimator",
    quick=lambda: tables(50),
)

if __name__ == "__main__":
    run(main)
