"""Every benchmark with short settings: the figures of docs/benchmarks.md.

    python -m bench                          all of them
    python -m bench serve --json serve.json  some, and the unrounded figures as JSON

Each takes some seconds to half a minute, but for `learning`: a quarter of an hour.
"""

import argparse
from pathlib import Path

from bench.children import run
from bench.figures import as_text, machine, write_json
from bench.registry import benchmarks


def main(arguments: list[str] | None = None) -> None:
    known = benchmarks()
    listed = "\n".join(f"  {name:12} {benchmark.about}" for name, benchmark in known.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=f"Run benchmarks with short settings.\n\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones; by default all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, unrounded, here as well")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"no benchmark {unknown[0]!r}; there are: {', '.join(known)}")
    print("{cores} cores, Python {python}".format(**machine()))
    results = []
    for name in options.names or known:
        for figures in known[name].quick():
            results.append(figures)
            print(f"\n{as_text(figures)}", flush=True)
    if options.json:
        write_json(options.json, results)


if __name__ == "__main__":
    run(main)
