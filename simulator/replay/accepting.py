"""Which logged rounds become a learner's own: those that it might as well have brought about itself.

A learner's rounds are distributed as if it had decided itself when a round is kept with a probability in proportion to
π(chosen|x) / propensity. What was not kept it never sees.
"""

from collections import deque
from collections.abc import Iterable
from typing import Protocol

import numpy as np

from policies.base import Policy, sample
from policies.types import Pmf, TrainingExample
from simulator.logs.log import Floats

RECENT = 50
"""Rounds by which a rate is set: the last ones, and before there are any the first of the log."""


class Acceptance(Protocol):
    """Decides round after round. rate: c, with which the next round would be kept at weight 1."""

    rate: float

    def keeps(self, pmf: Pmf, logged: TrainingExample) -> bool:
        """pmf: (k,) of the learner over what was eligible."""
        ...

    def learned(self, learner: Policy) -> None:
        """The learner is another one from here on."""
        ...


class Rejection:
    """Keep a round when the learner's own draw is what was logged, and then with probability c / propensity.

    Li, Chu, Langford & Wang 2011, for logs in which every variant was equally probable: there the second is certain.
    c: the least propensity of the log, so that each round is kept with probability c·π/p, exactly.
    """

    def __init__(self, rng: np.random.Generator, *, least: float) -> None:
        self.rate = least
        self._rng = rng

    def keeps(self, pmf: Pmf, logged: TrainingExample) -> bool:
        drawn = sample(pmf, self._rng.random())
        return drawn == logged.chosen and self._rng.random() * logged.propensity < self.rate

    def learned(self, learner: Policy) -> None:
        """Its rate is that of the log."""


class Sequential:
    """Keep a round with probability min(1, c·π/p). Dudík, Erhan, Langford & Li 2012, "Sample-efficient nonstationary
    policy evaluation for contextual bandits", algorithm DR-ns.

    Each time the learner has learned, c becomes the greatest, 1 at most, with which no more than the share `cut` of
    what the learner would do in recent contexts has π/p beyond 1/c, where it is kept less often than it should be.
    That is a quantile of p/π as there; but of the learner as it now is, not as it was, and over its choices, not over
    the logged ones, of which those that matter to it may be few.
    """

    def __init__(
        self, rng: np.random.Generator, *, cut: float, known: bool, first: Iterable[TrainingExample], learner: Policy
    ) -> None:
        """known: whether the log has all probabilities. first: rounds of the log; learner: untrained."""
        self._rng, self._cut, self._known = rng, cut, known
        self._recent = deque(first, maxlen=RECENT)
        self.learned(learner)

    def keeps(self, pmf: Pmf, logged: TrainingExample) -> bool:
        self._recent.append(logged)
        return bool(self._rng.random() * logged.propensity < self.rate * pmf[logged.chosen])

    def learned(self, learner: Policy) -> None:
        ratios: list[float] = []
        shares: list[float] = []
        for one in self._recent:
            pmf = learner.pmf(one.context, one.actions)
            if self._known:
                possible = one.probabilities > 0.0
                ratios += (pmf[possible] / one.probabilities[possible]).tolist()
                shares += pmf[possible].tolist()
            else:  # a logged choice speaks for as many of the learner's as its weight
                ratios.append(float(pmf[one.chosen]) / one.propensity)
                shares.append(ratios[-1])
        self.rate = rate_of(np.array(ratios), np.array(shares), self._cut)


class Progressive:
    """Keep every round: the learner learns what others chose, by its propensity."""

    rate = 1.0

    def keeps(self, pmf: Pmf, logged: TrainingExample) -> bool:
        return True

    def learned(self, learner: Policy) -> None:
        """Its rate is 1."""


def rate_of(ratios: Floats, shares: Floats, cut: float) -> float:
    """The greatest c ≤ 1 such that choices whose ratio π/p is above 1/c are at most the share `cut` of all. shares: how
    much of all each is, up to a factor. 1 where there is none.
    """
    if not shares.any():
        return 1.0
    falling = np.argsort(-ratios, kind="stable")
    beyond = np.cumsum(shares[falling]) - shares[falling]  # what lies above each
    place = int(np.searchsorted(beyond, cut * float(shares.sum()), side="right")) - 1
    return min(1.0, 1.0 / float(ratios[falling[place]]))
