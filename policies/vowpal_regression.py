"""The mean reward of a variant in a context, by Vowpal Wabbit's linear regression."""

from collections.abc import Iterable, Sequence

import numpy as np

from policies.features import ACTION, CONTEXT, action_line, context_line, numbers_of
from policies.scales import Scales
from policies.types import Action, Features, Pmf
from policies.vowpal import workspace

PASSES = 3
"""How often the rewards are gone through: once leaves rare variants far from what they earned."""


class VowpalRegression:
    """Rewards by context and variant, with all products of their features. One learner; not thread-safe."""

    def __init__(self, *, logistic: bool, seed: int) -> None:
        """logistic: rewards are 0 or 1, and a chance is what is expected."""
        loss = "--loss_function logistic --link logistic" if logistic else "--loss_function squared"
        self._workspace = workspace(f"{loss} --quadratic {CONTEXT}{ACTION} --random_seed {seed}")
        self._logistic = logistic
        self._scales = Scales()
        self._mean, self._spread = 0.0, 1.0

    def learn(self, rewards: Iterable[tuple[Features, Action, float]]) -> None:
        """What was known, what was shown, what it earned; to be called once."""
        known = list(rewards)
        for context, _, _ in known:
            self._scales.learn(numbers_of(context))
        if not self._logistic and known:  # far from 0 they would be learned too slowly
            earned = [reward for _, _, reward in known]
            self._mean, self._spread = float(np.mean(earned)), float(np.std(earned)) or 1.0
        lines = [
            f"{self._label(reward):.9g} {self._features(context)} {action_line(action)}"
            for context, action, reward in known
        ]
        for _ in range(PASSES):
            for line in lines:
                self._workspace.learn(line)

    def expected(self, context: Features, actions: Sequence[Action]) -> Pmf:
        """(k,) the mean reward of each action."""
        shared = self._features(context)
        found = np.array([float(self._workspace.predict(f"{shared} {action_line(action)}")) for action in actions])
        return self._mean + self._spread * found

    def _label(self, reward: float) -> float:
        return 2.0 * reward - 1.0 if self._logistic else (reward - self._mean) / self._spread

    def _features(self, context: Features) -> str:
        return context_line(context, self._scales).removeprefix("shared ")
