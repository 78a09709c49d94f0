"""The weights of the rounds, from which the estimators work: what is behind most of their names.

An estimator that is called by a name of its own is often another one with other weights: clipped IPS is IPS with
`clipped` weights, switch-DR is DR with `switched` ones, DR with optimistic shrinkage is DR with `shrunk` ones, MIPS is
IPS with `marginalised` ones, the balanced estimator of several loggers is IPS with `balanced` ones, and the kernel
estimators of ordered variants are IPS, SNIPS and DR with `smoothed` ones. All but the balanced trade bias for variance.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.logs.log import Floats


def clipped(weights: Floats, most: float) -> Floats:
    """min(w, most): (n,). Ionides 2008; in bandits Bottou et al. 2013."""
    return np.minimum(weights, most)


def switched(weights: Floats, most: float) -> Floats:
    """w where w ≤ most, else 0: (n,). With it, DR leaves to its model what the log hardly saw. Wang, Agarwal & Dudík
    2017.
    """
    return np.where(weights <= most, weights, 0.0)


def shrunk(weights: Floats, scale: float) -> Floats:
    """scale · w / (w² + scale): (n,). Optimistic shrinkage: the weight that minimises a bound of the error of DR; all
    of w for an infinite scale, next to nothing for a small one. Su, Dimakopoulou, Krishnamurthy & Dudík 2020.
    """
    if np.isinf(scale):
        return weights
    return scale * weights / (weights**2 + scale)


def marginalised(target: Floats, logged: Floats, chosen: NDArray[np.intp], kinds: NDArray[np.intp]) -> Floats:
    """Σ π(a|x) / Σ p(a|x), both over the actions of the kind of the chosen: (n,). MIPS, Saito & Joachims 2022: unbiased
    if a variant works only through its kind. target, logged: (n, K); kinds: (K,) a code of each action's features.
    """
    one_of = np.eye(int(kinds.max()) + 1)[kinds]  # (K, kinds)
    rows, seen = np.arange(len(chosen)), kinds[chosen]
    weights: Floats = (target @ one_of)[rows, seen] / (logged @ one_of)[rows, seen]
    return weights


def balanced(target: Floats, propensities: Floats, shares: Floats) -> Floats:
    """π(a|x) / Σ_l share_l · p_l(a|x): (n,). Several loggers as one that is drawn first: unbiased, with less variance
    than each by itself. target: (n,) of the chosen; propensities: (n, L) that each logger would have had for it;
    shares: (L,) of the rounds. Agarwal, Basu, Schnabel & Joachims 2017.
    """
    weights: Floats = target / (propensities @ shares)
    return weights


Kernel = Callable[[Floats], Floats]

KERNELS: Mapping[str, Kernel] = {
    "gaussian": lambda u: np.exp(-(u**2) / 2.0) / np.sqrt(2.0 * np.pi),
    "epanechnikov": lambda u: np.where(np.abs(u) <= 1.0, 0.75 * (1.0 - u**2), 0.0),
    "triangular": lambda u: np.where(np.abs(u) <= 1.0, 1.0 - np.abs(u), 0.0),
    "cosine": lambda u: np.where(np.abs(u) <= 1.0, np.pi / 4.0 * np.cos(np.pi * u / 2.0), 0.0),
}


def smoothed(actions: Floats, target: Floats, densities: Floats, *, bandwidth: float, kernel: str) -> Floats:
    """K((a - target)/h) / (h · density): (n,). For variants with an order, such as hours: choices near to what the
    policy would have made speak for it. actions, target: (n,) what was chosen, and what the policy chooses; densities:
    (n,) of the logged choice. Kallus & Zhou 2018. Raises ValueError for a kernel that is none of KERNELS.
    """
    if kernel not in KERNELS:
        raise ValueError(f"kernel {kernel!r}: expected one of {list(KERNELS)}")
    if not bandwidth > 0.0:
        raise ValueError(f"bandwidth {bandwidth}: expected more than 0")
    return KERNELS[kernel]((actions - target) / bandwidth) / (bandwidth * densities)


def slope(values: Sequence[float], half_widths: Sequence[float]) -> int:
    """SLOPE: which of several estimates to believe, ordered from the least biased to the most: the narrowest of those
    that are `agreeing`. Su, Srinath & Krishnamurthy 2020, with the constant of Tucker & Lee 2021.

    Where each is off by no more than its bias and its half-width, it is off by no more than √6 + 3 times the least sum
    of the two. Half-widths need not fall from one to the next: what is no narrower is not taken.
    """
    among = half_widths[: agreeing(values, half_widths)]
    return min(range(len(among)), key=lambda i: among[i])


def agreeing(values: Sequence[float], half_widths: Sequence[float]) -> int:
    """How many of the first agree with each other, ordered from the least biased to the most: |v_i - v_j| ≤ half_i +
    (√6 - 1) half_j for all j < i.
    """
    slack = np.sqrt(6.0) - 1.0
    for i in range(1, len(values)):
        if any(abs(values[i] - values[j]) > half_widths[i] + slack * half_widths[j] for j in range(i)):
            return i
    return len(values)
