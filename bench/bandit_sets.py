"""Classification sets as bandits: a row is a context, a class is a variant, and only the right one earns 1.

What a policy earns in one pass shows how fast it learns from what it chose, where the truth is known and the same for
all: Bietti, Agarwal and Langford 2021, "A contextual bandit bake-off".
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets

from policies.base import sample
from policies.types import Action, Features, Pmf

_LOADERS: dict[str, Callable[[], Any]] = {
    "digits": datasets.load_digits,
    "wine": datasets.load_wine,
    "breast cancer": datasets.load_breast_cancer,
    "iris": datasets.load_iris,
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
    loaded = _LOADERS[name]()
    x = np.asarray(loaded.data, dtype=np.float64)
    names = [str(feature) for feature in loaded.feature_names]
    return Problem(
        x=x,
        contexts=tuple(dict(zip(names, row.tolist(), strict=True)) for row in x),
        right=np.asarray(loaded.target, dtype=np.intp),
        variants=tuple(Action(str(label)) for label in loaded.target_names),
    )


def one_pass(
    given: Problem, shuffle: int, pmf: Callable[[int], Pmf], learn: Callable[[int, Pmf, int, float], None]
) -> float:
    """The mean reward when every row is decided by `pmf(row)`, then learned by `learn(row, pmf, chosen, reward)`.

    The order of the rows and the points of the draws depend on `shuffle` alone.
    """
    n = given.right.size
    rng = np.random.default_rng(shuffle)
    total = 0.0
    for row, point in zip(rng.permutation(n), rng.random(n), strict=True):
        probabilities = pmf(row)
        chosen = sample(probabilities, point)
        reward = float(chosen == given.right[row])
        total += reward
        learn(row, probabilities, chosen, reward)
    return total / n
