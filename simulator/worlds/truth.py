"""What is true on a log of a world: the exact value of any policy, and of the best."""

from typing import Protocol

import numpy as np

from policies.base import Policy
from simulator.logs.log import Floats, Log
from simulator.truth import Truth


class KnownWorld(Protocol):
    """A world that draws logs of one slot, and knows what it drew them from."""

    @property
    def name(self) -> str:
        """Also that of its logs."""
        ...

    def log(self, n: int, *, policy: Policy | None = None, seed: int = 0) -> Log:
        """n rounds that this policy decided, the uniform one by default, with the exact probabilities of its draws. The
        same seed draws the same log; a longer log is another one.
        """
        ...

    def expected_rewards(self, log: Log) -> Floats:
        """(n, K) the mean reward of every action in every round of a log of this world, or of a part of one, given all
        that a policy could see and the time; what it is where an action is not eligible means nothing.
        """
        ...


def true_value(world: KnownWorld, log: Log, policy: Policy) -> float:
    """The exact mean reward of a policy on the contexts, and at the times, of a log of this world."""
    return Truth.on(log, world.expected_rewards).of(pmf_of(log, policy))


def best_value(world: KnownWorld, log: Log) -> float:
    """The exact mean reward of the best choice in every round of a log of this world."""
    return Truth.on(log, world.expected_rewards).best


def pmf_of(log: Log, policy: Policy) -> Floats:
    """(n, K) the policy's probabilities on the eligible sets of a log, 0 elsewhere."""
    sets, which = log.eligible_sets
    offered = [tuple(log.actions[column] for column in columns) for columns in sets]
    pmf = np.zeros(log.eligible.shape)
    for row, (context, place) in enumerate(zip(log.contexts, which, strict=True)):
        pmf[row, sets[place]] = policy.pmf(context, offered[place])
    return pmf
