"""How long `Decide` takes while the same server plans, and while it diagnoses.

    python -m bench.beside --rounds 4 --in-flight 8

Starts `elige serve` on a fresh database and trains a campaign's learner. In each round the same load calls the server
alone, while plans are asked for one after the other, and while diagnoses are.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from bench import campaign
from bench.children import child, run
from bench.figures import Figures, as_text, machine
from bench.harness import Round, Side, compare, duration
from bench.load import load
from bench.registry import Benchmark
from bench.serve import WARM_UP_SECONDS, elige_server, train
from elige.client import Client

ALONE = "alone"
POLICY = "auto"
"""What is planned for: of all policies, the one whose simulation computes longest."""
CALL_SECONDS = 120.0


def measure(*, rounds: int, seconds: float, in_flight: int) -> Iterator[Figures]:
    """What the decisions took, and what the calls beside them. Raises ChildFailed."""
    with tempfile.TemporaryDirectory(prefix="elige-bench-") as name, ExitStack() as opened:
        folder = Path(name)
        with elige_server(folder, dev=True) as target:
            train(target)
        target = opened.enter_context(elige_server(folder))
        elige = opened.enter_context(Client(target, timeout=CALL_SECONDS))
        command = ["-m", "bench.load", target, "--in-flight", str(in_flight), "--rewards", "0"]
        alone = load(opened.enter_context(child(command, name="load", folder=folder)))
        calls: dict[str, Callable[[], object]] = {
            "plans": lambda: elige.plan(campaign.NAME, policy=POLICY),
            "diagnoses": lambda: elige.diagnose(campaign.NAME),
        }
        took: dict[str, list[float]] = {name: [] for name in calls}
        sides = {f"beside {name}": beside(alone, call, took=took[name]) for name, call in calls.items()}
        alone(WARM_UP_SECONDS)
        found = compare({ALONE: alone, **sides}, baseline=ALONE, rounds=rounds, seconds_per_round=seconds)
    yield found.figures(
        f"beside: Decide while a plan for {POLICY!r}, or a diagnosis, is asked for again and again, "
        f"{len(campaign.VARIANTS)} variants, squarecb, {in_flight} in flight, {rounds} rounds of {seconds:g} s a side"
    )
    yield Figures(
        title="beside: these calls themselves, while the load takes what it can get",
        header=("", "made", "median", "longest"),
        rows=tuple(
            (name, f"{len(times)}", duration(float(np.median(times))), duration(max(times)))
            for name, times in took.items()
        ),
        document=took,
    )


def beside(side: Side, call: Callable[[], object], *, took: list[float]) -> Side:
    """The side while somebody makes the call again and again, each of which `took` so many seconds. The last one has
    ended when the round has: what is left of it would slow another side. Raises what the call raises.
    """

    def both(seconds: float) -> Round:
        over, failed = threading.Event(), []

        def calls() -> None:
            try:
                while not over.is_set():
                    began = time.perf_counter()
                    call()
                    took.append(time.perf_counter() - began)
            except Exception as error:  # noqa: BLE001 told by who waits for it
                failed.append(error)

        caller = threading.Thread(target=calls, name="bench-beside")
        caller.start()
        try:
            done = side(seconds)
        finally:
            over.set()
            caller.join()
        if failed:
            raise failed[0]
        return done

    return both


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.beside", description="Decide beside plans and diagnoses.")
    parser.add_argument("--rounds", type=int, default=4, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=3.0, help="a round and side; default: %(default)s")
    parser.add_argument("--in-flight", type=int, default=8, help="calls at once; default: %(default)s")
    options = vars(parser.parse_args(arguments))
    print("{cores} cores, Python {python}\n".format(**machine()), flush=True)
    for figures in measure(**options):
        print(f"{as_text(figures)}\n", flush=True)


BENCHMARK = Benchmark(
    about="Decide while plans and diagnoses are made beside it",
    quick=lambda: measure(rounds=3, seconds=2.0, in_flight=8),
)

if __name__ == "__main__":
    run(main)
