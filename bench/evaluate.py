"""Evaluating a log: time and memory, beside the Open Bandit Pipeline with its bootstrap where that is installed.

    python -m bench.evaluate --rounds 1000000 --variants 10 --obp /path/to/python

`--obp`: a Python of another environment, in which `pip install obp` was done: it needs other versions than we do. Each
side is a process of its own, which makes the same log from the same seed, and then estimates.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from bench.children import ROOT, ChildFailed, run
from bench.evaluating import BOOTSTRAP, ESTIMATORS, Measured
from bench.figures import Figures, as_text, machine
from bench.harness import duration
from bench.registry import Benchmark

SECONDS = 3_600.0
"""How long a side may take."""


def measure(*, rounds: int, variants: int, obp: Path | None) -> Figures:
    """One row an estimator. Raises ChildFailed, also where the sides' values differ."""
    ours = _side(Path(sys.executable), "ours", rounds, variants)
    theirs = _side(obp, "obp", rounds, variants) if obp else None
    rows = []
    for name in ESTIMATORS:
        row = [name, duration(ours.seconds[name])]
        if theirs:
            if not np.isclose(ours.values[name], theirs.values[name], rtol=1e-6):
                raise ChildFailed(f"{name}: {ours.values[name]} here, {theirs.values[name]} there")
            row += [duration(theirs.seconds[name]), f"{theirs.seconds[name] / ours.seconds[name]:.0f}"]
        rows.append(tuple(row))
    memory = ["memory", f"{ours.memory / 1e6:,.0f} MB"]
    if theirs:
        memory += [f"{theirs.memory / 1e6:,.0f} MB", f"{theirs.memory / max(ours.memory, 1):.1f}"]
    return Figures(
        title=f"evaluate: {rounds:,} rounds x {variants} variants, value and 95 % interval"
        + (f"; Open Bandit Pipeline with {BOOTSTRAP:,} bootstrap samples" if theirs else ""),
        header=("", "elige", *(("obp", "times as much") if theirs else ())),
        rows=(*rows, tuple(memory)),
        document={"ours": asdict(ours), "theirs": asdict(theirs) if theirs else None},
    )


def _side(python: Path, side: str, rounds: int, variants: int) -> Measured:
    command = [str(python), str(Path(__file__).with_name("evaluating.py")), side, str(rounds), str(variants)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise ChildFailed(f"{side} ended with {done.returncode}; its last words:\n{done.stderr[-2000:].strip()}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.evaluate", description="Time and memory of an evaluation.")
    parser.add_argument("--rounds", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--variants", type=int, default=10, help="default: %(default)s")
    parser.add_argument("--obp", type=Path, metavar="PYTHON", help="a Python in whose environment obp is installed")
    options = parser.parse_args(arguments)
    print("{cores} cores, Python {python}".format(**machine()))
    print(f"\n{as_text(measure(rounds=options.rounds, variants=options.variants, obp=options.obp))}", flush=True)


def _quick() -> Iterator[Figures]:
    yield measure(rounds=200_000, variants=10, obp=None)


BENCHMARK = Benchmark(about="evaluating a log: time and memory", quick=_quick)

if __name__ == "__main__":
    run(main)
