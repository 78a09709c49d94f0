"""What a model of the rewards is worth: how far off DR and DM are with each, and how long it takes to fit.

    python -m bench.models --logs 10 --rounds 2000

Logs are of worlds whose truth is known, decided at random. Judged are the policy that takes what is truly best in nine
of ten cases, and every variant by itself. All models see the same logs, one after the other.
"""

import argparse
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bench.cells import spread
from bench.children import run
from bench.figures import Figures, as_text, machine
from bench.registry import Benchmark
from simulator.diagnostics import of_chosen, possible, weights
from simulator.estimators import Evidence, dm, dr, expectation
from simulator.logs.log import Floats, Log
from simulator.models import LINEAR, NONE, VW, RewardModel, model_rewards
from simulator.truth import Truth
from simulator.worlds import world

WORLDS = ("landing", "newsletter", "segments", "seasonal", "rare", "send_times", "repeat_visitors", "wine")
BOOSTED = "boosted trees"
MODELS = (NONE, LINEAR, VW, BOOSTED)
COLUMNS = ("DR error", "DR width", "DM error", "seconds")


def one_log(name: str, rounds: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(MODELS, policies, 3): what DR is off the truth, how wide its interval is, what DM is off; (MODELS,) seconds."""
    known = world(name)
    log = known.log(rounds, seed=seed)
    truth = Truth.on(log, known.expected_rewards)
    targets = policies(truth.rewards)
    found, seconds = [], []
    for model in MODELS:
        chosen = fitted(model, log)
        with threadpool_limits(1):  # here again: scikit-learn's threads are known once it is imported
            start = perf_counter()
            q = model_rewards(log, chosen, seed=seed, progress=lambda done: None)
            seconds.append(perf_counter() - start)
        found.append([judged(log, q, target, truth.of(target)) for target in targets])
    return np.array(found), np.array(seconds)


def policies(rewards: Floats) -> list[Floats]:
    """(n, K) each: the best in nine of ten cases, and every variant by itself. rewards: (n, K) those expected."""
    n, variants = rewards.shape
    good = np.full((n, variants), 0.1 / variants)
    good[np.arange(n), rewards.argmax(axis=1)] += 0.9
    return [good, *(np.tile(row, (n, 1)) for row in np.eye(variants))]


def judged(log: Log, q: Floats, target: Floats, truth: float) -> tuple[float, float, float]:
    w = weights(log, target)
    x = Evidence(log.rewards, w, expectation(target, q), of_chosen(log, q), log.persons, possible(log, target))
    robust = dr(x.rewards, x.weights, x.expected, x.predicted, x.persons, possible=x.possible)
    return robust.value - truth, robust.high - robust.low, dm(x.expected, x.persons).value - truth


def fitted(model: str, log: Log) -> RewardModel:
    """What `--model` or `evaluate(model=...)` takes."""
    if model != BOOSTED:
        return model
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor  # slow to import

    clicks = bool(np.isin(log.rewards, (0.0, 1.0)).all())
    boosted: RewardModel = (HistGradientBoostingClassifier if clicks else HistGradientBoostingRegressor)(random_state=0)
    return boosted


def measure(logs: int, rounds: int, worlds: tuple[str, ...] = WORLDS) -> Figures:
    """One row a world and model. Errors and widths over those of DR without a model, times over those of LINEAR."""
    found = spread(one_log, [(name, rounds, seed) for name in worlds for seed in range(logs)])
    rows: list[tuple[str, ...]] = []
    document: dict[str, Any] = {"logs": logs, "rounds": rounds, "rows": []}
    for place, name in enumerate(worlds):
        of_world = found[place * logs : (place + 1) * logs]
        told, seconds = np.array([one for one, _ in of_world]), np.array([each for _, each in of_world])
        errors, widths = np.sqrt(np.mean(told**2, axis=(0, 2))), told[..., 1].mean(axis=(0, 2))
        slower = np.median(seconds / seconds[:, MODELS.index(LINEAR), None], axis=0)
        for i, model in enumerate(MODELS):
            ratios = [errors[i, 0] / errors[0, 0], widths[i] / widths[0], errors[i, 2] / errors[0, 0], slower[i]]
            if model == NONE:  # DM is then 0 for every policy, and nothing is fitted
                cells: tuple[str, ...] = (*(f"{one:.2f}" for one in ratios[:2]), "", "")
            else:
                cells = (*(f"{one:.2f}" for one in ratios[:3]), f"{ratios[3]:.1f}")
            rows.append((f"{name}, {model}", *cells))
            row = {"world": name, "model": model, "median seconds": float(np.median(seconds[:, i]))}
            document["rows"].append({**row, **dict(zip(COLUMNS, map(float, ratios), strict=True))})
    return Figures(
        title=f"models: {logs} logs of {rounds:,} rounds a world; root mean squared errors and mean width / those of "
        f"DR without a model, time / that of {LINEAR}",
        header=("", "DR error", "DR width", "DM error", "time"),
        rows=tuple(rows),
        document=document,
    )


def tables(logs: int, rounds: int) -> Iterator[Figures]:
    yield measure(logs, rounds)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.models", description="What a model of the rewards is worth.")
    parser.add_argument("--logs", type=int, default=10, help="a world; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=2_000, help="a log; default: %(default)s")
    options = parser.parse_args(arguments)
    print("{cores} cores, Python {python}".format(**machine()))
    for figures in tables(options.logs, options.rounds):
        print(f"\n{as_text(figures)}", flush=True)


BENCHMARK = Benchmark(
    about="what a model of the rewards is worth, and what it costs",
    quick=lambda: tables(3, 1_000),
)

if __name__ == "__main__":
    run(main)
