"""Any scikit-learn estimator, on the features of the context beside those of the action."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from simulator.logs.encoding import Encoder
from simulator.logs.log import Flags, Floats, Log
from simulator.models.folds import by_person
from simulator.models.linear import encoded_actions

DENSE = 512
"""Columns up to which the features are given as a plain array, which not every estimator can do without."""


def any_estimator(log: Log, model: Any, *, seed: int, progress: Callable[[float], None]) -> Floats:
    """(n, K) what clones of this estimator expect. A linear one knows no products of context and action features, and
    therefore no audiences: trees, or a pipeline with PolynomialFeatures, do. What is left to chance, its own
    `random_state` decides.
    """
    from sklearn.base import clone  # slow to import

    contexts, actions = Encoder.fit(log.contexts).transform(log.contexts), encoded_actions(log)

    def fit(others: Flags, inside: Flags) -> Floats:
        rewards = log.rewards[others]
        if np.all(rewards == rewards[0]):
            return np.full((int(inside.sum()), len(actions)), rewards[0])
        fitted = clone(model)
        fitted.fit(_beside(contexts[others], actions[log.chosen[others]]), rewards)
        rows = contexts[inside]
        columns = (_expected(fitted, _beside(rows, np.tile(action, (rows.shape[0], 1)))) for action in actions)
        return np.stack(list(columns), axis=1)

    return by_person(log, fit, seed=seed, progress=progress)


def _beside(contexts: sparse.csr_array, actions: Floats) -> Any:
    if contexts.shape[1] + actions.shape[1] <= DENSE:
        return np.hstack([contexts.toarray(), actions])
    return sparse.hstack([contexts, sparse.csr_array(actions)], format="csr")


def _expected(fitted: Any, features: Any) -> Floats:
    """(m,) the mean reward: of a classifier the classes by their chances."""
    from sklearn.base import is_classifier  # slow to import

    if is_classifier(fitted):
        chances = fitted.predict_proba(features)
        return np.asarray(chances @ np.asarray(fitted.classes_, dtype=np.float64))
    return np.asarray(fitted.predict(features), dtype=np.float64).reshape(-1)
