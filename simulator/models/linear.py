"""q(x, a): the reward expected of each action in each context, cross-fitted so that no round predicts itself.

One linear model over every context feature, every action feature and all their products. Written as scores =
C · W · Aᵀ it predicts all n × K rewards in two matrix products, which is why it is linear: 100,000 rounds of 10
actions take seconds. Logistic where rewards are only 0 and 1, else ridge. Numbers enter standardised and, so that
the model may bend, as one flag for each of up to 8 ranges; texts as flags. The products let each variant have its own
audience. The penalty shrinks them towards what the variants share, so that a rare variant is not believed too soon.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit

from simulator.intervals.clustered import NoSupport
from simulator.logs.encoding import Encoder, encode
from simulator.logs.log import Floats, Log

PENALTY = {"logistic": 1.0, "ridge": 5.0}
"""L2, in units of squared weights: ½·penalty·|w|² against the log likelihood, penalty·|w|² against squared errors."""


def cross_fitted(log: Log, *, folds: int = 3, seed: int = 0, progress: Callable[[float], None] | None = None) -> Floats:
    """(n, K) q(x, a) for every round and action, each round predicted by a model that never saw its person.

    Persons are dealt to the folds by a seeded shuffle. Predictions stay within the rewards seen. Zero outside the
    eligible actions. Raises NoSupport with fewer than 2 persons.
    """
    persons, which = np.unique(log.persons, return_inverse=True)
    if persons.size < 2:
        raise NoSupport(f"{len(log)} rounds of 1 person: a model can't be fitted on other people")
    deal = np.random.default_rng(seed).permutation(persons.size) % min(folds, persons.size)
    fold_of_round = deal[which.reshape(-1)]
    model = CrossFitted.fit(log, fold_of_round, folds=int(deal.max()) + 1, progress=progress)
    return model.predict(log, fold_of_round)


@dataclass(frozen=True, slots=True, eq=False)
class CrossFitted:
    """The models of `cross_fitted`, to predict rounds that are not those they were fitted on. low, high: of the rewards
    seen.
    """

    encoder: Encoder
    models: tuple["LinearModel", ...]
    low: float
    high: float

    @classmethod
    def fit(
        cls,
        log: Log,
        fold_of_round: NDArray[np.intp],
        *,
        folds: int,
        progress: Callable[[float], None] | None = None,
    ) -> "CrossFitted":
        """One model a fold, fitted on the rounds of the others. fold_of_round: (n,) from 0 to folds - 1, by person.

        Raises NoSupport where a fold has all of the rounds.
        """
        encoder, actions = Encoder.fit(log.contexts), encoded_actions(log)
        contexts = encoder.transform(log.contexts)
        models = []
        for fold in range(folds):
            others = fold_of_round != fold
            if not others.any():
                raise NoSupport(f"all {len(log)} rounds are of one fold: a model can't be fitted on other people")
            models.append(_fit(contexts[others], actions, log.chosen[others], log.rewards[others]))
            if progress is not None:
                progress((fold + 1) / folds)
        return cls(encoder, tuple(models), float(log.rewards.min()), float(log.rewards.max()))

    def predict(self, log: Log, fold_of_round: NDArray[np.intp]) -> Floats:
        """(n, K) q(x, a) of rounds over the same actions, each by the model that never saw its person. Within the
        rewards seen; zero outside the eligible actions.
        """
        contexts, actions = self.encoder.transform(log.contexts), encoded_actions(log)
        q = np.zeros((len(log), len(log.actions)))
        for fold, model in enumerate(self.models):
            inside = fold_of_round == fold
            q[inside] = model(contexts[inside], actions)
        return np.where(log.eligible, np.clip(q, self.low, self.high), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class LinearModel:
    """Scores C · W · Aᵀ + intercept, as they are, or as chances. weights: (d, a) W."""

    weights: Floats
    intercept: float = 0.0
    logistic: bool = False

    def __call__(self, contexts: sparse.csr_array, actions: Floats) -> Floats:
        """(m, K) rewards expected. contexts: (m, d); actions: (K, a)."""
        scores = contexts @ self.weights @ actions.T
        return np.asarray(expit(scores) if self.logistic else scores + self.intercept)


def encoded_actions(log: Log) -> Floats:
    """(K, a) the features of the actions, and who each is."""
    columns: Floats = encode([{**action.features, "\x00id": action.id} for action in log.actions]).toarray()
    return columns


def _fit(contexts: sparse.csr_array, actions: Floats, chosen: NDArray[np.intp], rewards: Floats) -> LinearModel:
    """The model fitted on these rounds."""
    shape = (contexts.shape[1], actions.shape[1])
    if np.all(rewards == rewards[0]):
        return LinearModel(np.zeros(shape), float(rewards[0]))
    products = _products(contexts, sparse.csr_array(actions)[chosen])
    if np.isin(rewards, (0.0, 1.0)).all():
        return LinearModel(_logistic(products, rewards).reshape(shape), logistic=True)
    from sklearn.linear_model import Ridge  # slow to import

    ridge = Ridge(alpha=PENALTY["ridge"], solver="sparse_cg", tol=1e-6, max_iter=1000).fit(products, rewards)
    return LinearModel(ridge.coef_.reshape(shape), float(ridge.intercept_))


def _products(left: sparse.csr_array, right: sparse.csr_array) -> sparse.csr_array:
    """(n, d·m): the products of each row's entries, row by row (the face-splitting product)."""
    many, few = np.diff(right.indptr), np.diff(left.indptr)
    row_of_left = np.repeat(np.arange(left.shape[0]), few)
    repeats = many[row_of_left]  # each entry on the left meets every entry of its row on the right
    ends = np.cumsum(repeats)
    within = np.arange(ends[-1]) - np.repeat(ends - repeats, repeats)
    partner = np.repeat(right.indptr[row_of_left], repeats) + within
    columns = np.repeat(left.indices.astype(np.int64), repeats) * right.shape[1] + right.indices[partner]
    data = np.repeat(left.data, repeats) * right.data[partner]
    indptr = np.concatenate([[0], np.cumsum(many * few)])
    return sparse.csr_array((data, columns, indptr), shape=(left.shape[0], left.shape[1] * right.shape[1]))


def _logistic(X: sparse.csr_array, y: Floats) -> Floats:
    """(p,) L2-penalised logistic weights by L-BFGS. The constant, column 0, starts at the base rate, unpenalised."""
    transposed = X.T.tocsr()
    penalty = np.full(X.shape[1], PENALTY["logistic"])
    penalty[0] = 0.0
    start = np.zeros(X.shape[1])
    start[0] = np.log(y.mean() / (1.0 - y.mean()))

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = X @ weights
        value = float(np.sum(np.logaddexp(0.0, scores) - y * scores) + 0.5 * np.sum(penalty * weights**2))
        return value, transposed @ (expit(scores) - y) + penalty * weights

    # an unfinished fit is still a sound q: cross-fitting, not convergence, keeps DR unbiased
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 60}).x)
