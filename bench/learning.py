"""How much policies earn while they learn, and afterwards: where the truth is known, and on two real experiments.

    python -m bench learning                     the three tables of docs/benchmarks.md
    python -m bench.learning --only classification --policy linear --policy squarecb:learning_rate=0.1

All policies of a table meet the same people with the same draw points, and every seed is committed: with the same
versions of packages the figures come out the same.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import classification, hillstrom, upworthy
from bench.children import run
from bench.figures import Figures, as_text, machine, write_json
from bench.real_data import NoData
from bench.registry import Benchmark
from policies.registry import MENU

LEARNERS = tuple(name for name, entry in MENU.items() if entry.learns)
"""The whole menu as it is by default, but for what somebody decided beforehand: there is nothing to learn in that."""


@dataclass(frozen=True, slots=True)
class Table:
    """`measure(policies, repeats)`: the table of these rows. `policies`, `repeats`: what the docs show."""

    measure: Callable[[Sequence[str], int], Figures]
    policies: tuple[str, ...]
    repeats: int


TABLES = {
    "classification": Table(
        classification.measure,
        (
            "uniform",
            classification.TOLD,
            classification.PLAIN,
            *LEARNERS,
            "squarecb:learning_rate=0.1",
            "squarecb:interactions=quadratic",
            "squarecb:gamma_scale=1000,learning_rate=1,numbers=value",
            "regcb:bound=optimistic",
        ),
        classification.SHUFFLES,
    ),
    "hillstrom": Table(
        hillstrom.measure,
        ("uniform", *LEARNERS, "squarecb:learning_rate=0.1", "regcb:bound=optimistic"),
        hillstrom.SPLITS,
    ),
    # of Vowpal Wabbit's only two: without context they differ in how they explore, and most explore for ever
    "upworthy": Table(
        upworthy.measure,
        (
            "uniform",
            *upworthy.REFERENCES,
            *("auto", "best_variant", "thompson", "gaussian", "squarecb", "epsilon"),
        ),
        upworthy.TESTS,
    ),
}


def measure(names: Sequence[str], policies: Sequence[str] = (), repeats: int = 0) -> Iterator[Figures]:
    """These tables, each as soon as it is there; of these policies and so many repeats where any are given."""
    for name in names:
        table = TABLES[name]
        try:
            yield table.measure(policies or table.policies, repeats or table.repeats)
        except NoData as absent:
            yield Figures(f"{name}: left out, {absent}", header=(), rows=(), document={"left_out": str(absent)})


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.learning", description="How much policies earn.")
    parser.add_argument("--only", action="append", choices=TABLES, help="a table; may be repeated; by default all")
    parser.add_argument(
        "--policy", action="append", metavar="SPEC", help="a row; may be repeated; by default the docs'"
    )
    parser.add_argument("--repeats", type=int, metavar="N", help="shuffles, splits or tests; by default the docs'")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, unrounded, here as well")
    options = parser.parse_args(arguments)
    print("{cores} cores, Python {python}".format(**machine()), flush=True)
    results = []
    for figures in measure(options.only or tuple(TABLES), options.policy or (), options.repeats or 0):
        results.append(figures)
        print(f"\n{as_text(figures)}", flush=True)
    if options.json:
        write_json(options.json, results)


BENCHMARK = Benchmark(
    about="how much policies earn: classification sets as bandits, a real e-mail campaign, real headline tests",
    quick=lambda: measure(tuple(TABLES)),
)

if __name__ == "__main__":
    run(main)
