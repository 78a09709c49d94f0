"""People dealt to folds, so that no round is predicted by a model that saw its person."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulator.intervals.clustered import NoSupport
from simulator.logs.log import Flags, Floats, Log

FOLDS = 3

Fit = Callable[[Flags, Flags], Floats]
"""From (n,) the rounds to fit on and (n,) the m rounds to predict to (m, K) rewards."""


def by_person(log: Log, fit: Fit, *, seed: int, progress: Callable[[float], None]) -> Floats:
    """(n, K) predictions of FOLDS models, within the rewards seen, 0 outside the eligible actions. Raises NoSupport
    with fewer than 2 persons.
    """
    persons, which = np.unique(log.persons, return_inverse=True)
    if persons.size < 2:
        raise NoSupport(f"{len(log)} rounds of 1 person: a model can't be fitted on other people")
    folds = min(FOLDS, persons.size)
    fold_of: NDArray[np.intp] = (np.random.default_rng(seed).permutation(persons.size) % folds)[which.reshape(-1)]
    q = np.zeros(log.eligible.shape)
    for fold in range(folds):
        q[fold_of == fold] = fit(fold_of != fold, fold_of == fold)
        progress((fold + 1) / folds)
    return np.where(log.eligible, np.clip(q, log.rewards.min(), log.rewards.max()), 0.0)
