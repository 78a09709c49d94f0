"""The checks of a log: how often they warn of sound ones, and how often they find what is wrong with others.

python -m bench.checks --logs 200
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from bench.children import run
from bench.figures import Figures, as_text, machine
from bench.registry import Benchmark
from policies.types import Action
from simulator import Log, Severity, diagnose_log
from simulator.logs.contexts import Contexts

ROUNDS = 2_000
VISITS = 6
"""A person, where they come again."""
COUNTRIES = ("ES", "PT", "MX")
VARIANTS = "abcd"
KINDS: Mapping[str, str] = {
    "uniform": "all variants alike",
    "shares": "shares of .7, .2, .07, .03",
    "contextual": "shares by country",
    "repeated": f"shares by country, {VISITS} visits a person",
    "sticky": f"drawn once a person, {VISITS} visits",
    "learning": "shares that move from uniform",
    "propensities": "propensities alone, another pmf in each round",
}
"""How choices are drawn."""


def sound_log(kind: str, *, seed: int, n: int = ROUNDS, **changes: object) -> Log:
    """A log of four variants whose probabilities are those of the draws; clicks depend on country and variant.
    kind: one of KINDS. changes: columns to have instead.
    """
    rng = np.random.default_rng(seed)
    again = kind in ("repeated", "sticky")
    persons = rng.integers(n // VISITS, size=n) if again else np.arange(n)
    country, age = rng.integers(3, size=n)[persons], rng.normal(40.0, 10.0, size=n)[persons]
    by_country = 0.9 * rng.dirichlet(np.ones(4), size=3) + 0.025
    time = np.linspace(0.0, 1.0, n)[:, None]
    pmf = {
        "uniform": np.full((n, 4), 0.25),
        "shares": np.tile([0.7, 0.2, 0.07, 0.03], (n, 1)),
        "learning": (1.0 - time) / 4 + time * by_country[0],
        "propensities": 0.8 * rng.dirichlet(np.ones(4), size=n) + 0.05,
    }.get(kind, by_country[country])
    luck = rng.random(n)[persons] if kind == "sticky" else rng.random(n)
    chosen = np.minimum((luck[:, None] > pmf.cumsum(axis=1)).sum(axis=1), 3)
    clicks = rng.uniform(0.02, 0.3, size=(3, 4))[country, chosen]
    columns: dict[str, object] = {
        "actions": tuple(Action(name) for name in VARIANTS),
        "contexts": Contexts.of({"country": COUNTRIES[c], "age": float(a)} for c, a in zip(country, age, strict=True)),
        "eligible": np.ones((n, 4), dtype=bool),
        "chosen": chosen,
        "propensities": pmf[np.arange(n), chosen],
        "probabilities": None if kind == "propensities" else pmf,
        "rewards": (rng.random(n) < clicks).astype(float),
        "times": np.arange(n) * 60.0,
        "persons": persons,
        "default": "a",
    }
    return Log(**{**columns, **changes})  # type: ignore[arg-type]


def lost(log: Log, share: float, seed: int) -> Log:
    """What is left when that share of the rounds of the commonest variant never reaches the log."""
    commonest = int(np.argmax(np.bincount(log.chosen)))
    luck = np.random.default_rng(seed).random(len(log))
    return log[(log.chosen != commonest) | (luck >= share)]


def said_otherwise(log: Log, power: float) -> Log:
    """What was drawn stays; what is said of it is that power of the probabilities: too bold above 1, too shy below."""
    if log.probabilities is None:
        raise ValueError(f"log {log.name!r}: expected all probabilities")
    pmf = log.probabilities**power
    pmf /= pmf.sum(axis=1, keepdims=True)
    return replace(log, probabilities=pmf, propensities=pmf[np.arange(len(log)), log.chosen])


SPOILT: Mapping[str, tuple[str, Callable[[Log, int], Log]]] = {
    "a tenth of the commonest variant lost": ("contextual", lambda log, seed: lost(log, 0.1, seed)),
    "a quarter of it lost": ("contextual", lambda log, seed: lost(log, 0.25, seed)),
    "a quarter of it lost, people who come again": ("repeated", lambda log, seed: lost(log, 0.25, seed)),
    "p squared": ("contextual", lambda log, seed: said_otherwise(log, 2.0)),
    "the square root of p": ("contextual", lambda log, seed: said_otherwise(log, 0.5)),
    "half of p, propensities alone": (
        "propensities",
        lambda log, seed: replace(log, propensities=log.propensities / 2.0),
    ),
}
"""What is wrong, in which kind of log."""


def measure(logs: int) -> Iterator[Figures]:
    """Two tables: sound logs of every kind, then spoilt ones."""
    yield _table(f"checks, {logs:,} sound logs of {ROUNDS:,} rounds each", logs, _sound())
    yield _table(f"checks, {logs:,} spoilt logs of {ROUNDS:,} rounds each", logs, _spoilt())


def _sound() -> Iterator[tuple[str, Callable[[int], Log]]]:
    for kind, about in KINDS.items():
        yield about, lambda seed, kind=kind: sound_log(kind, seed=seed)  # type: ignore[misc]


def _spoilt() -> Iterator[tuple[str, Callable[[int], Log]]]:
    for about, (kind, spoil) in SPOILT.items():
        yield about, lambda seed, kind=kind, spoil=spoil: spoil(sound_log(kind, seed=seed), seed)  # type: ignore[misc]


def _table(title: str, logs: int, cases: Iterator[tuple[str, Callable[[int], Log]]]) -> Figures:
    rows, document = [], []
    for about, make in cases:
        worst = [min(one.severity.rank for one in diagnose_log(make(seed))) for seed in range(logs)]
        red, amber = (sum(rank == of.rank for rank in worst) / logs for of in (Severity.RED, Severity.AMBER))
        rows.append((about, f"{red:.1%}", f"{amber:.1%}"))
        document.append({"logs": about, "red": red, "amber": amber})
    return Figures(title, ("", "red", "amber at worst"), tuple(rows), {"logs": logs, "cases": document})


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.checks", description="False alarms, and alarms.")
    parser.add_argument("--logs", type=int, default=200, help="of each kind; default: %(default)s")
    options = parser.parse_args(arguments)
    print("{cores} cores, Python {python}".format(**machine()))
    for figures in measure(options.logs):
        print(f"\n{as_text(figures)}", flush=True)


BENCHMARK = Benchmark(
    about="how often the checks of a log warn without reason, and how often with it",
    quick=lambda: measure(50),
)

if __name__ == "__main__":
    run(main)
