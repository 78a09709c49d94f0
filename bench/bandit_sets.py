"""One pass over a classification set as a bandit: what a policy earns while it learns from what it chose.

It shows how fast a policy learns, where the truth is known and the same for all: Bietti, Agarwal and Langford 2021, "A
contextual bandit bake-off".
"""

from collections.abc import Callable

import numpy as np

from policies.base import sample
from policies.types import Pmf
from simulator.worlds.classification import Problem


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
