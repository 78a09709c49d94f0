"""Which benchmarks there are: every module of this package that defines `BENCHMARK`. To add one, add its file."""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import bench
from bench.figures import Figures


@dataclass(frozen=True, slots=True)
class Benchmark:
    """`about`: one line. `quick`: runs it with the settings of docs/benchmarks.md and gives its tables one by one."""

    about: str
    quick: Callable[[], Iterable[Figures]]


def benchmarks() -> dict[str, Benchmark]:
    """By module name, in alphabetical order."""
    return dict(_found())


def _found() -> Iterator[tuple[str, Benchmark]]:
    for module in pkgutil.iter_modules(bench.__path__):
        if module.name == "__main__":  # importing it would run everything
            continue
        found = getattr(importlib.import_module(f"bench.{module.name}"), "BENCHMARK", None)
        if isinstance(found, Benchmark):
            yield module.name, found
