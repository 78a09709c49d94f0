"""Classification sets as bandits: a row is a context, a class is a variant, and only the right one earns 1.

Bietti, Agarwal and Langford 2021, "A contextual bandit bake-off". The sets come with scikit-learn.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from policies.base import Policy, uniform
from policies.types import Action, Features
from simulator.logs.contexts import Contexts
from simulator.logs.log import Floats, Log
from simulator.worlds.single import drawn, evenly

_LOADERS = {
    "digits": "load_digits",
    "wine": "load_wine",
    "breast cancer": "load_breast_cancer",
    "iris": "load_iris",
}
SETS = tuple(_LOADERS)


@dataclass(frozen=True, eq=False)
class Problem:
    """n rows of d numbers, as they are in the set: x (n, d), and by name as contexts (n,).

    right: (n,) the place in `variants` of the one that earns 1.
    """

    x: NDArray[np.float64]
    contexts: tuple[Features, ...]
    right: NDArray[np.intp]
    variants: tuple[Action, ...]


@lru_cache(maxsize=1)  # a process is given the cells of one set after another
def problem(name: str) -> Problem:
    """One of SETS."""
    from sklearn import datasets  # slow to import

    loaded = getattr(datasets, _LOADERS[name])()
    x = np.asarray(loaded.data, dtype=np.float64)
    names = [str(feature) for feature in loaded.feature_names]
    return Problem(
        x=x,
        contexts=tuple(dict(zip(names, row.tolist(), strict=True)) for row in x),
        right=np.asarray(loaded.target, dtype=np.intp),
        variants=tuple(Action(str(label)) for label in loaded.target_names),
    )


@dataclass(frozen=True, slots=True)
class ClassificationWorld:
    """Rows of one of SETS, each drawn at random any number of times. The row is the person: what is drawn twice is not
    independent.
    """

    name: str
    set: str

    def log(self, n: int, *, policy: Policy | None = None, seed: int = 0) -> Log:
        """As `KnownWorld` says."""
        given, rng = problem(self.set), np.random.default_rng(seed)
        rows = rng.integers(len(given.right), size=n)
        if policy is None:
            pmf = np.tile(uniform(len(given.variants)), (n, 1))
        else:
            pmf = np.array([policy.pmf(given.contexts[row], given.variants) for row in rows])
        chosen = drawn(pmf, rng)
        return Log(
            actions=given.variants,
            contexts=Contexts.of(given.contexts[row] for row in rows),
            eligible=np.ones(pmf.shape, dtype=np.bool_),
            chosen=chosen,
            propensities=pmf[np.arange(n), chosen],
            probabilities=pmf,
            rewards=(chosen == given.right[rows]).astype(np.float64),
            times=evenly(n, days=1.0),
            persons=rows.astype(np.int64),
            slot="class",
            default=given.variants[0].id,
            name=self.name,
        )

    def expected_rewards(self, log: Log) -> Floats:
        """As `KnownWorld` says: 1 for the right class."""
        given = problem(self.set)
        return np.eye(len(given.variants))[given.right[log.persons]]
