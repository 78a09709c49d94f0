"""The records every policy reads and writes. All frozen; arrays have stated shapes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Value = str | float | bool | tuple[str, ...]
"""One feature: a text, a finite number, a flag, or a list of texts."""

Features = Mapping[str, Value]
"""Name to value. A missing name is missing, never zero."""

Pmf = NDArray[np.float64]
"""(k,) probabilities over k actions, in the order of the actions; non-negative, summing to 1."""


@dataclass(frozen=True, slots=True)
class Action:
    """One variant as a policy sees it: its id and its features, declared ones and those of its text (wording.py)."""

    id: str
    features: Features = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """One matured choice: what was known, what could be chosen, with which probability, and what it earned.

    `probabilities` is the logged pmf over `actions`, (k,); `chosen` indexes both. `reward` is finite.
    """

    context: Features
    actions: tuple[Action, ...]
    probabilities: Pmf
    chosen: int
    reward: float

    @property
    def propensity(self) -> float:
        """The exact probability with which the chosen action was drawn."""
        return float(self.probabilities[self.chosen])


@dataclass(frozen=True, slots=True)
class RewardRange:
    """The declared bounds of a reward. Learners that need a cost range take it from here, never from data:

    an estimated range would change with every retraining.
    """

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"reward range [{self.low}, {self.high}]: expected two finite numbers, low < high")

    def scaled(self, reward: float) -> float:
        """The reward mapped to [0, 1]: 0 for `low`, 1 for `high`; what lies outside the range is clipped."""
        return min(1.0, max(0.0, (reward - self.low) / (self.high - self.low)))
