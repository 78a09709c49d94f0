"""Which model of the rewards: the linear one, Vowpal Wabbit's regression, none, or the caller's own."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from simulator.asked import EvaluationError
from simulator.logs.log import Floats, Log
from simulator.models.any_estimator import any_estimator
from simulator.models.linear import cross_fitted
from simulator.models.vowpal import vowpal_rewards

LINEAR, VW, NONE = "linear", "vw", "none"
MODELS = (LINEAR, VW, NONE)


class ScikitEstimator(Protocol):
    """What is asked of a scikit-learn estimator; `sklearn.base.clone` makes a new one of it for each fold."""

    def fit(self, X: Any, y: Any) -> Any: ...

    def get_params(self, deep: bool = True) -> dict[str, Any]: ...


RewardModel = str | ScikitEstimator
"""One of MODELS, or a regressor with `predict`, or a classifier with `predict_proba` where rewards are 0 and 1."""


def check_model(model: RewardModel) -> None:
    """Raises EvaluationError."""
    if isinstance(model, str):
        if model not in MODELS:
            raise EvaluationError(f"model {model!r}: expected one of {', '.join(MODELS)}, or a scikit-learn estimator")
    elif isinstance(model, type) or not all(hasattr(model, name) for name in ("fit", "get_params")):
        raise EvaluationError(f"model {model!r}: expected one of {', '.join(MODELS)}, or an estimator with parameters")


def model_rewards(log: Log, model: RewardModel, *, seed: int, progress: Callable[[float], None]) -> Floats:
    """(n, K) q(x, a), each round predicted by a model that never saw its person; within the rewards seen, and 0 outside
    the eligible actions. Raises EvaluationError, and NoSupport with fewer than 2 persons.
    """
    check_model(model)
    if model == NONE:
        return np.zeros(log.eligible.shape)
    if model == LINEAR:
        return cross_fitted(log, seed=seed, progress=progress)
    if model == VW:
        return vowpal_rewards(log, seed=seed, progress=progress)
    from sklearn.base import is_classifier  # slow to import

    if is_classifier(model) and not np.isin(log.rewards, (0.0, 1.0)).all():
        raise EvaluationError(f"model {model!r}: a classifier, and the rewards are not only 0 and 1; take a regressor")
    return any_estimator(log, model, seed=seed, progress=progress)
