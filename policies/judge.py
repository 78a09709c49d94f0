"""Which of several policies would have earned the most, by one log and while they learn: progressive validation.

Every policy is asked about a decision before it learns from it, so that no decision judges what was learned from it.
What an action would have earned is estimated doubly robustly (Dudík, Langford and Li 2011), which no error of the
reward model can bias, because the propensities are exact. The policies are judged on the same decisions: what matters
are their differences, which vary much less than their values.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.types import Pmf

Floats = NDArray[np.float64]


def doubly_robust(expected: Floats, *, chosen: int, propensity: float, reward: float) -> Floats:
    """(k,) what each action would have earned: q(a), and for the chosen one q(a) + (r - q(a)) / p.

    expected: (k,) q, from what was known before. The value of a policy on this decision is its pmf @ this; that of
    always one action is its entry.
    """
    earned = expected.copy()
    earned[chosen] += (reward - expected[chosen]) / propensity
    return earned


def anytime_half_width(variance: float, n: float, *, alpha: float = 0.05, tuned_for: float = 1_000.0) -> float:
    """Half the width of an interval for a mean that holds with probability 1 - alpha at every n at once.

    σ · √(2 (nρ² + 1) / (nρ)² · log(√(nρ² + 1) / α)), for the running mean of n terms that may depend on those before
    them; ρ makes it narrowest at n = `tuned_for`. Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, "Time-uniform
    central limit theory and asymptotic confidence sequences": as asymptotic as a normal interval is.
    """
    rho2 = (-2.0 * math.log(alpha) + math.log(-2.0 * math.log(alpha) + 1.0)) / tuned_for
    spread = n * rho2 + 1.0
    return math.sqrt(2.0 * variance * spread / (n * n * rho2) * math.log(math.sqrt(spread) / alpha))


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more one policy earned than another on the same n decisions: the mean and the variance of one.

    `effective` is how many decisions drawn by the less supported of the two would tell as much: (Σw)² / Σw² of the
    importance weights w = π(chosen) / propensity.
    """

    mean: float
    variance: float
    n: float
    effective: float

    @property
    def standard_error(self) -> float:
        return math.sqrt(self.variance / self.n) if self.n else math.inf

    def half_width(self, *, alpha: float = 0.05) -> float:
        """Of an interval that may be looked at as often as one likes, where all decisions count alike; where later ones
        count more, about that. Infinite before the first decision.
        """
        return anytime_half_width(self.variance, self.n, alpha=alpha) if self.n else math.inf


class Judge:
    """Running sums over the decisions on which m policies are judged.

    means: (m,) of what each would have earned. Later decisions may count more than earlier ones: `n` is that of as many
    decisions that count alike.
    """

    def __init__(self, policies: int) -> None:
        self.decisions = 0
        self.means: Floats = np.zeros(policies)
        self._scatter: Floats = np.zeros((policies, policies))  # Σ (v - v̄)(v - v̄)ᵀ
        self._weights: Floats = np.zeros((2, policies))  # Σw, Σw² of the importance weights
        self._total = self._squares = 0.0  # Σω, Σω² of what decisions count

    def add(self, pmfs: Sequence[Pmf], earned: Floats, *, chosen: int, propensity: float, decay: float = 1.0) -> None:
        """Count one more decision. pmfs: m of (k,); earned: (k,) what each action would have earned.

        What all earlier decisions count is multiplied by `decay`. West 1979, "Updating mean and variance estimates".
        """
        pmf = np.array(pmfs)
        ratio = pmf[:, chosen] / propensity
        self.decisions += 1
        self._total = self._total * decay + 1.0
        self._squares = self._squares * decay * decay + 1.0
        self._weights *= decay
        self._weights += (ratio, ratio * ratio)
        before = pmf @ earned - self.means
        self.means += before / self._total
        self._scatter *= decay
        self._scatter += (1.0 - 1.0 / self._total) * np.outer(before, before)

    @property
    def n(self) -> float:
        return self._total * self._total / self._squares if self.decisions else 0.0

    def difference(self, one: int, other: int) -> Difference:
        """How much more `one` earned than `other`."""
        scatter = self._scatter[one, one] + self._scatter[other, other] - 2.0 * self._scatter[one, other]
        weights, squares = self._weights[:, [one, other]]
        effective = np.divide(weights * weights, squares, out=np.zeros(2), where=squares > 0.0)
        return Difference(
            mean=float(self.means[one] - self.means[other]),
            variance=max(0.0, float(scatter)) / max(1.0, self._total),
            n=self.n,
            effective=float(effective.min()),
        )

    def document(self) -> Mapping[str, Any]:
        """For a snapshot; `read` gives an equal judge back."""
        return {
            "decisions": self.decisions,
            "total": self._total,
            "squares": self._squares,
            "means": self.means.tolist(),
            "scatter": self._scatter.tolist(),
            "weights": self._weights.tolist(),
        }

    @classmethod
    def read(cls, document: Mapping[str, Any], *, policies: int) -> "Judge":
        """Raises KeyError, TypeError or ValueError for another document than that of so many policies."""
        judge = cls(policies)
        judge.decisions = int(document["decisions"])
        judge._total, judge._squares = float(document["total"]), float(document["squares"])
        # into the arrays that are there: another shape is refused
        for array, name in ((judge.means, "means"), (judge._scatter, "scatter"), (judge._weights, "weights")):
            found = np.array(document[name], dtype=np.float64)
            if found.shape != array.shape:
                raise ValueError(f"{name} of shape {found.shape}: expected {array.shape}")
            array[...] = found
        return judge
