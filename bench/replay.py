"""Replaying a policy over a log, beside Vowpal Wabbit's own driver on the same rows.

    python -m bench.replay --rows 100000

The driver is that of Vowpal Wabbit's command line: given a file, the Python package hands over to it, and it reads the
text, predicts and learns every example in C++. Each run is a process of its own.
"""

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import vowpalwabbit

from bench.children import run
from bench.figures import Figures, as_text, machine
from bench.logs import log_rows
from bench.registry import Benchmark
from policies.base import Learner
from policies.features import action_line, context_line, numbers_of
from policies.registry import PolicySpec, create
from policies.scales import Scales
from policies.types import RewardRange, TrainingExample
from simulator.logs.log import Log
from simulator.replay.record import PROGRESSIVE, REJECTION, SEQUENTIAL, Replaying
from simulator.replay.replaying import replay

SPEC = PolicySpec("epsilon")
VARIANTS = 10
EVERY = 100
"""Rounds of its own between two times that a learner learns."""
DRIVER = "Vowpal Wabbit's driver"


def measure(*, rows: int, rounds: int) -> Figures:
    """Rows a second; the ratio is that of one round's runs, and the median over the rounds is what to read."""
    with TemporaryDirectory(prefix="elige-bench-") as folder:
        text = Path(folder) / "log.txt"
        _alone(write_text, (text, rows))
        sides: dict[str, Callable[[], float]] = {DRIVER: partial(_alone, driven, (text, rows))}
        for method in (PROGRESSIVE, REJECTION, SEQUENTIAL):
            sides[method] = partial(_alone, replayed, (method, rows))
        rates = np.array([[run_side() for run_side in sides.values()] for _ in range(rounds)])
    ratios = rates / rates[:, :1]
    return Figures(
        title=f"replay: {SPEC}, {rows:,} rows of {VARIANTS} variants, one pass, learning every {EVERY}, {rounds} runs",
        header=("side", "rows/s", f"rate / {DRIVER} (min..max)"),
        rows=tuple(
            (name, f"{np.median(rate):,.0f}", f"{np.median(ratio):.2f} ({ratio.min():.2f}..{ratio.max():.2f})")
            for name, rate, ratio in zip(sides, rates.T, ratios.T, strict=True)
        ),
        document={name: rate.tolist() for name, rate in zip(sides, rates.T, strict=True)},
    )


def _alone(task: Callable[..., float], arguments: tuple[object, ...]) -> float:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as one:
        return one.submit(task, *arguments).result()


def write_text(path: Path, count: int) -> float:
    """The log as Vowpal Wabbit's text, with the features that our learners see. How many rows there are."""
    scales = Scales()
    with path.open("w", encoding="utf-8") as file:
        for row in log_rows(count, VARIANTS):
            scales.learn(numbers_of(row.context))
            lines = [action_line(action) for action in row.actions]
            lines[row.chosen] = f"0:{-row.reward:g}:{row.propensity:g} {lines[row.chosen]}"
            file.write("\n".join((context_line(row.context, scales), *lines, "", "")))
    return float(count)


def driven(path: Path, count: int) -> float:
    """Rows a second of the driver, under the arguments of our learner. Raises ValueError if it did not see them all."""
    start = time.perf_counter()
    workspace = vowpalwabbit.Workspace(f"--quiet -d {path} {_learner(0).arguments}")
    seconds = time.perf_counter() - start
    if (seen := workspace.get_weighted_examples()) != count:
        raise ValueError(f"the driver saw {seen} of {count} rows")
    return count / seconds


def replayed(method: str, count: int) -> float:
    """Rows a second of one pass."""
    log = _log(log_rows(count, VARIANTS))
    q = np.zeros(log.eligible.shape)
    start = time.perf_counter()
    replay(log, str(SPEC), _learner, q, Replaying(method, every=EVERY, passes=1))
    return count / (time.perf_counter() - start)


def _log(rows: list[TrainingExample]) -> Log:
    shape = (len(rows), VARIANTS)
    return Log(
        actions=rows[0].actions,
        contexts=[row.context for row in rows],  # type: ignore[arg-type]
        eligible=np.ones(shape, dtype=bool),
        chosen=np.array([row.chosen for row in rows]),
        propensities=np.full(len(rows), 1.0 / VARIANTS),
        probabilities=np.full(shape, 1.0 / VARIANTS),
        rewards=np.array([row.reward for row in rows]),
        times=np.arange(len(rows), dtype=np.float64),
        persons=np.arange(len(rows)),
    )


def _learner(seed: int) -> Learner:
    built = create(SPEC, default="", reward_range=RewardRange(), seed=seed)
    assert isinstance(built, Learner)  # as the specification is
    return built


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.replay", description="Replaying a policy over a log.")
    parser.add_argument("--rows", type=int, default=100_000, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    options = parser.parse_args(arguments)
    print("{cores} cores, Python {python}\n".format(**machine()), flush=True)
    print(as_text(measure(rows=options.rows, rounds=options.rounds)))


BENCHMARK = Benchmark(
    about="replaying a policy over a log, beside Vowpal Wabbit's own driver on the same rows",
    quick=lambda: [measure(rows=20_000, rounds=3)],
)

if __name__ == "__main__":
    run(main)
