"""Logs whose truth is known, and learners whose every step is."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest

from policies.types import Action, Features, Pmf, TrainingExample
from simulator import Log

TRUTH = {"es": np.array([0.6, 0.2, 0.1]), "en": np.array([0.1, 0.2, 0.6])}
"""The chance of a click, by language and variant a, b, c."""
ACTIONS = tuple(Action(name) for name in "abc")


class Greedy:
    """Learns the mean of each variant by language, and shows the best with all but a tenth of the probability."""

    arguments = "greedy"

    def __init__(self) -> None:
        self.calls: list[list[TrainingExample]] = []
        self._sums = {lang: np.zeros((2, 3)) for lang in TRUTH}

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        tried, earned = self._sums[str(context["lang"])]
        if not self.calls:
            return np.full(3, 1 / 3)
        best = int(np.argmax((earned + 0.3) / (tried + 1.0)))
        return np.array([0.9 if place == best else 0.05 for place in range(3)])

    def learn(self, examples: Iterable[TrainingExample]) -> None:
        self.calls.append(list(examples))
        for one in self.calls[-1]:
            self._sums[str(one.context["lang"])][:, one.chosen] += (1.0, one.reward)

    def dump(self) -> bytes:
        return b""


@pytest.fixture
def known() -> Callable[..., Log]:
    """A factory: n rounds a minute apart of visitors of two languages, uniform or with `shares` by language."""

    def make(n: int = 600, *, seed: int = 0, shares: dict[str, list[float]] | None = None, **changes: object) -> Log:
        rng = np.random.default_rng(seed)
        langs = rng.choice(["es", "en"], size=n)
        even = {"es": [1 / 3] * 3, "en": [1 / 3] * 3}
        probabilities = np.array([(shares or even)[lang] for lang in langs])
        chosen = (rng.random(n)[:, None] > np.cumsum(probabilities, axis=1)).sum(axis=1).clip(0, 2)
        chance = np.array([TRUTH[lang][arm] for lang, arm in zip(langs, chosen, strict=True)])
        columns: dict[str, object] = {
            "actions": ACTIONS,
            "contexts": tuple({"lang": str(lang)} for lang in langs),
            "eligible": np.ones((n, 3), dtype=bool),
            "chosen": chosen,
            "propensities": probabilities[np.arange(n), chosen],
            "probabilities": probabilities,
            "rewards": (rng.random(n) < chance).astype(float),
            "times": np.arange(n) * 60.0,
            "persons": np.arange(n),
            "default": "a",
        }
        return Log(**{**columns, **changes})

    return make


def truth_of(log: Log) -> np.ndarray:
    """(n, K) the true mean rewards."""
    return np.array([TRUTH[str(context["lang"])] for context in log.contexts])
