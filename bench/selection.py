"""How much is lost by leaving the choice of an estimator to `--estimator best`, and what is gained by the choice of a
limit for weights, on logs whose truth is known.

    python -m bench.selection --logs 200

The cells are those of bench.coverage, with the model used there, which is a good one, and with one that knows no more
than the mean reward. Of each estimator the root mean squared error, as a multiple of the least one of those that were
chosen from; and of each estimator with a limit, as a multiple of that of the same one without.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.cells import spread
from bench.children import run
from bench.coverage import RATES, ROUNDS, WEIGHTS, drawn, world
from bench.figures import Figures, as_text, machine
from bench.registry import Benchmark
from simulator.estimators import USUAL, Estimate, Evidence, Method, clipped_ips, dros, estimates_of, switch_dr
from simulator.estimators.tuned import LIMITS
from simulator.estimators.weights import slope

NAMES = (*USUAL, "best")
SEED = 5
NEAR = (1.1, 1.25)
"""What counts as near to the least error."""
GOOD, POOR = "a good model", "a model that knows only the mean reward"
LIMITED: Mapping[str, Callable[..., Estimate]] = {"clipped_ips": clipped_ips, "switch_dr": switch_dr, "dros": dros}
QUANTILE = 1.96


def cell(rate: float, heaviest: int, rounds: int, logs: int, model: str = GOOD) -> NDArray[np.float64]:
    """(NAMES,) root mean squared errors over the logs that hold anything about the judged policy."""
    found = [estimates_of(NAMES, x, Method("normal")) for x in seen(rate, heaviest, rounds, logs, model)]
    return roots(np.array([[one[name].value for name in NAMES] for one in found]), world(rate, heaviest).truth)


def cell_of_limits(rate: float, heaviest: int, rounds: int, logs: int, model: str) -> NDArray[np.float64]:
    """(LIMITED, 3) root mean squared errors: without a limit, with the one that SLOPE alone takes, and as it is."""
    values = []
    for x in seen(rate, heaviest, rounds, logs, model):
        for estimator in LIMITED.values():
            tried = [estimator(replace(x, possible=None), limits=[limit]) for limit in LIMITS]  # no interval needed
            narrowest = slope([one.value for one in tried], [QUANTILE * one.standard_error for one in tried])
            values.append([tried[0].value, tried[narrowest].value, estimator(x).value])
    return roots(np.array(values).reshape(-1, len(LIMITED), 3), world(rate, heaviest).truth)


def seen(rate: float, heaviest: int, rounds: int, logs: int, model: str) -> Iterator[Evidence]:
    """What logs say, of those that say anything about the judged policy."""
    rng = np.random.default_rng((SEED, heaviest, rounds, int(rate * 1000)))
    for _ in range(logs):
        x = drawn(world(rate, heaviest), rng, rounds, 1)
        if x.weights.any():
            yield ignorant(x) if model == POOR else x


def roots(values: NDArray[np.float64], truth: float) -> NDArray[np.float64]:
    """The root mean squared errors over the first axis, that of the logs."""
    found: NDArray[np.float64] = np.sqrt(np.mean((values - truth) ** 2, axis=0))
    return found


def ignorant(x: Evidence) -> Evidence:
    """With a model that expects of everything the mean reward of the other half of the rounds, odd or even."""
    odd = np.arange(len(x.rewards)) % 2 == 1
    mean = np.where(odd, x.rewards[~odd].mean(), x.rewards[odd].mean())
    return replace(x, expected=mean, predicted=mean)


def measure(logs: int, model: str = GOOD) -> Figures:
    """One row a cell, and a last one with the worst of each column."""
    cells = [(rate, heaviest, n) for rate in RATES for heaviest in WEIGHTS for n in ROUNDS]
    errors = np.array(spread(cell, [(RATES[rate], heaviest, n, logs, model) for rate, heaviest, n in cells]))
    ratios = errors / errors[:, :-1].min(axis=1, keepdims=True)
    names = [f"{rate}, weights to {heaviest}, {n:,} rounds" for rate, heaviest, n in cells]
    near = [f"in {np.mean(ratios[:, -1] <= most):.0%} of the cells within {most - 1.0:.0%}" for most in NEAR]
    document: dict[str, Any] = {
        "logs": logs,
        "model": model,
        "cells": [
            {"cell": name, **dict(zip(NAMES, row.tolist(), strict=True))}
            for name, row in zip(names, ratios, strict=True)
        ],
    }
    return Figures(
        title=f"selection, {model}: root mean squared error over {logs:,} logs / that of the best of the first four; "
        f"`best` is {' and '.join(near)}",
        header=("", *NAMES),
        rows=tuple(
            (name, *(f"{ratio:.2f}" for ratio in row))
            for name, row in zip((*names, "the worst"), (*ratios, ratios.max(axis=0)), strict=True)
        ),
        document=document,
    )


def measure_limits(logs: int) -> Figures:
    """One row an estimator and model: over the cells, the geometric mean and the greatest of the ratios."""
    cells = [(RATES[rate], heaviest, n) for rate in RATES for heaviest in WEIGHTS for n in ROUNDS]
    rows: list[tuple[str, ...]] = []
    document: dict[str, Any] = {"logs": logs, "rows": []}
    for model in (GOOD, POOR):
        errors = np.array(spread(cell_of_limits, [(*one, logs, model) for one in cells]))
        ratios = errors[..., 1:] / errors[..., :1]
        means, worst = np.exp(np.log(ratios).mean(axis=0)), ratios.max(axis=0)
        for place, name in enumerate(LIMITED):
            if name == "clipped_ips" and model == POOR:
                continue  # it has no model
            row = name if name == "clipped_ips" else f"{name}, {model}"
            told = [means[place, 0], worst[place, 0], means[place, 1], worst[place, 1]]
            rows.append((row, *(f"{one:.2f}" for one in told)))
            document["rows"].append({"row": row, "ratios": [float(one) for one in told]})
    return Figures(
        title=f"selection, limits of weights: root mean squared error over {logs:,} logs / that without a limit; over "
        f"{len(cells)} cells",
        header=("", "SLOPE alone, mean", "worst", "as it is, mean", "worst"),
        rows=tuple(rows),
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
    for model in (GOOD, POOR):
        yield measure(logs, model)
    yield measure_limits(logs // 2)


BENCHMARK = Benchmark(
    about="what it costs to let the data choose the estimator",
    quick=lambda: tables(50),
)

if __name__ == "__main__":
    run(main)
