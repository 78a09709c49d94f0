"""q(x, a): the reward expected of each action in each context, cross-fitted so that no round predicts itself.

One linear model over every context feature, every action feature and all their products. Written as scores =
C · W · Aᵀ it predicts all n × K rewards in two matrix products, which is why it is linear: 100,000 rounds of 10
actions take seconds. Logistic where rewards are only 0 and 1, else ridge. Numbers enter standardised and, so that
the model may bend, as one flag for each of up to 8 ranges; texts as flags. The products let each variant have its own
audience. The penalty shrinks them towards what the variants share, so that a rare variant is not believed too soon.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import Ridge

from policies.types import Features, Value
from simulator.intervals import NoSupport
from simulator.log import Floats, Log

LEVELS = 200
"""Texts kept per feature, the most frequent ones; the others share one column."""

RANGES = 8
"""Ranges a number is cut into, of about equal counts."""

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
    contexts = encode(log.contexts)
    actions = encode([{**action.features, "\x00id": action.id} for action in log.actions]).toarray()
    q = np.zeros((len(log), len(log.actions)))
    for fold in range(int(deal.max()) + 1):
        inside = fold_of_round == fold
        model = _fit(contexts[~inside], actions, log.chosen[~inside], log.rewards[~inside])
        q[inside] = model(contexts[inside])
        if progress is not None:
            progress((fold + 1) / (deal.max() + 1))
    q = np.clip(q, log.rewards.min(), log.rewards.max())
    return np.where(log.eligible, q, 0.0)


def encode(rows: Sequence[Features]) -> sparse.csr_array:
    """(n, d) features as columns: a constant 1, numbers standardised and in ranges, texts and flags as 0 and 1.

    A missing feature is 0 in all its columns. Columns depend on the rows only, in the order of the names.
    """
    by_name: dict[str, list[tuple[int, Value]]] = {}
    for row, features in enumerate(rows):
        for name, value in features.items():
            by_name.setdefault(name, []).append((row, value))
    blocks = [sparse.csr_array(np.ones((len(rows), 1)))]
    for name in sorted(by_name):
        numbers = [(row, value) for row, value in by_name[name] if _is_number(value)]
        texts = [(row, text) for row, value in by_name[name] if not _is_number(value) for text in _texts(value)]
        blocks += [_number_columns(numbers, len(rows))] if numbers else []
        blocks += [_text_columns(texts, len(rows))] if texts else []
    return sparse.hstack(blocks, format="csr")


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _texts(value: Value) -> Iterable[str]:
    return value if isinstance(value, tuple) else (str(value),)


def _number_columns(numbers: Sequence[tuple[int, Value]], n: int) -> sparse.csr_array:
    rows = np.array([row for row, _ in numbers])
    # within what can be squared; beyond it the ranges still tell the numbers apart
    values = np.clip(np.array([value for _, value in numbers], dtype=np.float64), -1e150, 1e150)
    spread = float(values.std())
    # far outliers would otherwise rule the fit
    scaled = np.clip((values - values.mean()) / spread, -4.0, 4.0) if spread > 0.0 else np.zeros_like(values)
    cuts = np.unique(np.quantile(values, np.linspace(0.0, 1.0, RANGES + 1)[1:-1]))
    ranges = np.searchsorted(cuts, values, side="left") + 1
    data = np.concatenate([scaled, np.ones_like(values)])
    columns = np.concatenate([np.zeros_like(ranges), ranges])
    return sparse.csr_array((data, (np.concatenate([rows, rows]), columns)), shape=(n, cuts.size + 2))


def _text_columns(texts: Sequence[tuple[int, str]], n: int) -> sparse.csr_array:
    counts = Counter(text for _, text in texts)
    kept = sorted(counts, key=lambda text: (-counts[text], text))[:LEVELS]
    place = {text: column for column, text in enumerate(kept)}
    rows = [row for row, _ in texts]
    columns = [place.get(text, len(kept)) for _, text in texts]
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(n, len(kept) + 1))


def _fit(
    contexts: sparse.csr_array, actions: Floats, chosen: NDArray[np.intp], rewards: Floats
) -> Callable[[sparse.csr_array], Floats]:
    """The model fitted on these rounds, as a function from (m, d) contexts to (m, K) rewards."""
    if np.all(rewards == rewards[0]):
        constant = float(rewards[0])
        return lambda rows: np.full((rows.shape[0], actions.shape[0]), constant)
    products = _products(contexts, sparse.csr_array(actions)[chosen])
    shape = (contexts.shape[1], actions.shape[1])
    if np.isin(rewards, (0.0, 1.0)).all():
        weights = _logistic(products, rewards).reshape(shape)
        return lambda rows: expit(rows @ weights @ actions.T)
    ridge = Ridge(alpha=PENALTY["ridge"], solver="sparse_cg", tol=1e-6, max_iter=1000).fit(products, rewards)
    weights, intercept = ridge.coef_.reshape(shape), float(ridge.intercept_)
    return lambda rows: rows @ weights @ actions.T + intercept


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
