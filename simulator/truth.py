"""What is true, where a log was drawn from a world that is known: beside each estimate, what it should have been."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from simulator.logs.log import Floats, Log
from simulator.rows import Row

ExpectedRewards = Callable[[Log], Floats]
"""A log in; (n, K) the mean reward of every action in every round out, given all that a policy could see and the time.
"""


@dataclass(frozen=True, slots=True)
class Truth:
    """rewards: (n, K) the expected reward of every action in every round. best: of the policy that chooses the best
    eligible action in every round: nothing earns more.
    """

    rewards: Floats
    best: float

    @classmethod
    def on(cls, log: Log, expected: ExpectedRewards) -> "Truth":
        """Of the rounds of this log."""
        rewards = expected(log)
        return cls(rewards, float(np.where(log.eligible, rewards, -np.inf).max(axis=1).mean()))

    def of(self, pmf: Floats) -> float:
        """The exact mean reward of a policy with this (n, K) pmf: Σᵢ Σₐ π(a) E[r | i, a] / n."""
        return float(np.einsum("ij,ij->", pmf, self.rewards)) / len(self.rewards)

    def told(self, row: Row, value: float | None) -> Row:
        """The row of a policy that is worth `value`, with that and its regret; as it is where nobody knows."""
        return row if value is None else replace(row, truth=value, regret=self.best - value)
