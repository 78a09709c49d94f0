"""What policies earn in one pass over classification sets, between uniform and a learner that is told everything."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bench import plain_vw
from bench.bandit_sets import one_pass
from bench.cells import spread
from bench.figures import Figures
from policies.base import Learner
from policies.registry import PolicySpec, create
from policies.types import Pmf, RewardRange, TrainingExample
from simulator.worlds.classification import SETS, Problem, problem

SHUFFLES = 10
"""Orders of the rows; the seed of each is its number."""

TOLD = "full information"
"""A learner that is told the right class of every row, not only whether its choice was right."""

PLAIN = f"plain VW, best of {len(plain_vw.SETTINGS)} settings"
"""For each set the setting that earned the most on it."""

TARGETS = {"digits": 0.71, "wine": 0.90, "breast cancer": 0.96, "iris": 0.81}
"""What plain Vowpal Wabbit earned at best over its options and encodings when the project began."""

Floats = NDArray[np.float64]


def earned(name: str, policy: str, shuffle: int) -> float:
    """The mean reward of one pass: of a specification, or of TOLD."""
    given = problem(name)
    if policy == TOLD:
        return _told(given, shuffle)
    built = create(PolicySpec.parse(policy), default="", reward_range=RewardRange(), seed=shuffle)

    def pmf(row: int) -> Pmf:
        return built.pmf(given.contexts[row], given.variants)

    def learn(row: int, probabilities: Pmf, chosen: int, reward: float) -> None:
        if isinstance(built, Learner):
            built.learn([TrainingExample(given.contexts[row], given.variants, probabilities, chosen, reward)])

    return one_pass(given, shuffle, pmf, learn)


def _told(given: Problem, shuffle: int) -> float:
    """Logistic regression on standardised features, fitted again whenever the rows seen have grown by a tenth."""
    order = np.random.default_rng(shuffle).permutation(given.right.size)
    x, right = given.x[order], given.right[order]
    total, seen = 1.0 / len(given.variants), 1  # nothing is known of the first row
    while seen < right.size:
        until = min(right.size, seen + max(1, seen // 10))
        total += np.count_nonzero(_classifier(x[:seen], right[:seen])(x[seen:until]) == right[seen:until])
        seen = until
    return float(total / right.size)


def _classifier(x: Floats, right: NDArray[np.intp]) -> Callable[[Floats], NDArray[np.intp]]:
    if np.all(right == right[0]):
        return lambda rows: np.full(len(rows), right[0])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(x, right)
    return lambda rows: np.asarray(model.predict(rows))


def measure(policies: Sequence[str], shuffles: int = SHUFFLES) -> Figures:
    """Policies in rows, TOLD and PLAIN among them where they are asked for; sets in columns."""
    rows = {PLAIN: best_plain(shuffles)} if PLAIN in policies else {}
    named = [policy for policy in policies if policy != PLAIN]
    cells = [(name, policy, shuffle) for name in SETS for policy in named for shuffle in range(shuffles)]
    rewards = np.array(spread(earned, cells)).reshape(len(SETS), len(named), shuffles)
    rows |= {policy: rewards[:, i] for i, policy in enumerate(named)}
    return Figures(
        title=f"classification: mean reward of one pass ± standard error, {shuffles} shuffles (target in brackets)",
        header=("policy", *(f"{name} ({TARGETS[name]:.2f})" for name in SETS)),
        rows=tuple((policy, *map(_text, rows[policy])) for policy in policies),
        document={name: {policy: rows[policy][i].tolist() for policy in policies} for i, name in enumerate(SETS)},
    )


def best_plain(shuffles: int) -> Floats:
    """(len(SETS), shuffles) what plain Vowpal Wabbit earns with the setting that is best for the set."""
    settings = range(len(plain_vw.SETTINGS))
    cells = [(name, setting, shuffle) for name in SETS for setting in settings for shuffle in range(shuffles)]
    rewards = np.array(spread(plain_vw.earned, cells)).reshape(len(SETS), len(settings), shuffles)
    return np.array([of_set[of_set.mean(axis=1).argmax()] for of_set in rewards])


def _text(rewards: Floats) -> str:
    """rewards: (shuffles,), at least 2."""
    return f"{rewards.mean():.3f} ± {rewards.std(ddof=1) / np.sqrt(rewards.size):.3f}"
