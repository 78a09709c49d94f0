"""Vowpal Wabbit's regression as a model of the rewards."""

from collections.abc import Callable

import numpy as np

from policies.vowpal_regression import VowpalRegression
from simulator.logs.log import Flags, Floats, Log
from simulator.models.folds import by_person


def vowpal_rewards(log: Log, *, seed: int, progress: Callable[[float], None]) -> Floats:
    """(n, K) what a linear regression over context, variant and their products expects, learned in the order of the
    log; logistic where rewards are only 0 and 1.
    """
    clicks = bool(np.isin(log.rewards, (0.0, 1.0)).all())

    def fit(others: Flags, inside: Flags) -> Floats:
        model = VowpalRegression(logistic=clicks, seed=seed)
        model.learn(
            (log.contexts[row], log.actions[log.chosen[row]], float(log.rewards[row]))
            for row in np.flatnonzero(others).tolist()
        )
        return np.array([model.expected(log.contexts[row], log.actions) for row in np.flatnonzero(inside).tolist()])

    return by_person(log, fit, seed=seed, progress=progress)
