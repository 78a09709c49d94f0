"""Evaluating a log that need not fit into memory: 10,000,000 rounds from Parquet, seconds and memory.

    python -m bench.streaming --rounds 10000000 --cores 2

The file is made first, in a temporary folder, and removed at the end; a process of its own then evaluates it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bench.children import ROOT, ChildFailed, run
from bench.figures import Figures, as_text, machine
from bench.harness import duration
from bench.registry import Benchmark

VARIANTS = 10
KINDS = 24
"""Kinds of visitors, each with its own probabilities."""

BLOCK = 250_000
"""Rows that are made at once; each block is a row group."""

SECONDS = 3_600.0
"""How long an evaluation may take."""

MAPPING = {
    "variant": "banner",
    "reward": "click",
    "probabilities": "chances",
    "time": "at",
    "person": "visitor",
    "context": {"country": "text", "device": "text", "age": "number"},
    "variants": [f"v{place}" for place in range(VARIANTS)],
    "default": "v0",
}


@dataclass(frozen=True)
class Measured:
    """Seconds; the greatest resident memory of the process and that of the largest of its workers, in bytes; how the
    uniform policy was judged, to see that it was.
    """

    seconds: float
    memory: int
    worker: int
    value: float
    truth: float


def measure(*, rounds: int, cores: int | None) -> Figures:
    """One row. Raises ChildFailed."""
    with tempfile.TemporaryDirectory(prefix="elige-bench-") as folder:
        path = Path(folder) / "log.parquet"
        truth = write_log(path, rounds)
        size = path.stat().st_size
        command = [sys.executable, "-m", "bench.streaming", "--evaluate", str(path), "--cores", str(cores or 0)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise ChildFailed(
            f"the evaluation ended with {done.returncode}; its last words:\n{done.stderr[-2000:].strip()}"
        )
    found = Measured(**json.loads(done.stdout.splitlines()[-1]), truth=truth)
    if abs(found.value - truth) > 0.02 * truth:
        raise ChildFailed(f"uniform is judged to earn {found.value}, where {truth} is the truth")
    used = cores or int(machine()["cores"])
    row = (
        "Parquet, in pieces",
        duration(found.seconds),
        f"{rounds / found.seconds:,.0f}",
        f"{found.memory / 1e6:,.0f} MB",
        f"{found.worker / 1e6:,.0f} MB",
        f"{size / 1e6:,.0f} MB",
    )
    return Figures(
        title=f"streaming: {rounds:,} rounds x {VARIANTS} variants; uniform and every variant judged by IPS, SNIPS, DM "
        f"and DR; {used} processes",
        header=("", "time", "rounds/s", "memory", "of each worker", "file"),
        rows=(row,),
        document={**asdict(found), "rounds": rounds, "file": size},
    )


def write_log(path: Path, rounds: int) -> float:
    """A log of persons who come about three times, with rewards of 2 to 8 %. Returns what uniform truly earns."""
    import pyarrow as pa
    from pyarrow import parquet

    rng = np.random.default_rng(8)
    chances = (0.8 * rng.dirichlet(np.ones(VARIANTS), size=KINDS) + 0.2 / VARIANTS).astype(np.float32)
    earned = rng.uniform(0.02, 0.08, size=(KINDS, VARIANTS))
    countries, devices = np.array([f"c{place}" for place in range(8)]), np.array(["phone", "tablet", "desk"])
    sums = chances.cumsum(axis=1)
    writer = None
    for start in range(0, rounds, BLOCK):
        n = min(BLOCK, rounds - start)
        kind = rng.integers(KINDS, size=n)
        chosen = np.minimum((rng.random(n)[:, None] > sums[kind]).sum(axis=1), VARIANTS - 1)
        lists = pa.FixedSizeListArray.from_arrays(pa.array(chances[kind].reshape(-1)), VARIANTS)
        table = pa.table(
            {
                "banner": np.array(MAPPING["variants"])[chosen],
                "click": (rng.random(n) < earned[kind, chosen]).astype(np.int8),
                "chances": lists.cast(pa.list_(pa.float32())),
                "at": (start + np.arange(n)) * 0.25,
                "visitor": rng.integers(max(2, rounds // 3), size=n),
                "country": countries[kind % 8],
                "device": devices[kind // 8],
                "age": rng.integers(18, 90, size=n).astype(np.float32),
            }
        )
        writer = writer or parquet.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    assert writer is not None  # there is a round
    writer.close()
    return float(earned.mean())


def evaluate(path: Path, cores: int | None) -> None:
    """Print what was measured as a line of JSON."""
    import resource
    import time

    from simulator import ColumnMapping, evaluate_parquet

    began = time.perf_counter()
    found = evaluate_parquet(path, ColumnMapping.from_dict(MAPPING), cores=cores)
    seconds = time.perf_counter() - began
    own, worker = (resource.getrusage(who).ru_maxrss * 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    value = found.row("uniform").estimates["dr"].value
    print(json.dumps({"seconds": seconds, "memory": own, "worker": worker, "value": value}))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.streaming", description="Evaluating a large log.")
    parser.add_argument("--rounds", type=int, default=10_000_000, help="default: %(default)s")
    parser.add_argument("--cores", type=int, default=0, help="default: all")
    parser.add_argument("--evaluate", type=Path, metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.evaluate:
        evaluate(options.evaluate, options.cores or None)
        return
    print("{cores} cores, Python {python}".format(**machine()))
    print(f"\n{as_text(measure(rounds=options.rounds, cores=options.cores or None))}", flush=True)


def _quick() -> Iterator[Figures]:
    yield measure(rounds=1_000_000, cores=None)


BENCHMARK = Benchmark(about="evaluating a log larger than memory: time and memory", quick=_quick)

if __name__ == "__main__":
    run(main)
