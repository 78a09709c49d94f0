"""Which of several estimates to believe: that of the least estimated error."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulator.estimators.estimate import Estimate, estimate

BEST = "best"
UNBIASED = ("dr", "ips", "sndr", "cressie_read", "snips", "dros", "switch_dr", "clipped_ips", "kernel", "mips", "dm")
"""The first of these that was asked for tells the bias of the others. From the third on they have some themselves."""


@dataclass(frozen=True, slots=True)
class Error:
    """What is known of the mean squared error of an estimate: an estimated squared bias, and a variance."""

    bias2: float
    variance: float

    @property
    def root(self) -> float:
        return float(np.sqrt(self.bias2 + self.variance))


def best_of(found: Mapping[str, Estimate], persons: NDArray[np.int64]) -> Estimate:
    """The estimate of least bias² + variance; its note names it and the next, with their estimated errors. Interval and
    error are those of the least biased one, widened to hold the value: the choice was made by the same data.
    """
    errors = errors_of(found, persons)
    chosen = min(errors, key=lambda name: errors[name].root)
    reference = found[next(iter(errors))]
    value = found[chosen].value
    order = sorted(errors, key=lambda name: errors[name].root)
    told = f"{chosen}: error {errors[chosen].root:.1g}" + "".join(f", {n} {errors[n].root:.1g}" for n in order[1:2])
    return replace(
        reference,
        estimator=BEST,
        value=value,
        low=min(reference.low, value),
        high=max(reference.high, value),
        ess=found[chosen].ess,
        max_weight=found[chosen].max_weight,
        note=told,
    )


def errors_of(found: Mapping[str, Estimate], persons: NDArray[np.int64]) -> dict[str, Error]:
    """By name, the least biased first. The squared bias of an estimate is what its squared distance from the least
    biased one is more than the paired variance of that distance; after Su, Srinath & Krishnamurthy 2020, who ask
    whether intervals meet, and the squared error of bias and variance in Thomas & Brunskill 2016.
    """
    names = sorted(found, key=lambda name: UNBIASED.index(name.partition(":")[0]))
    reference = found[names[0]]
    errors = {}
    for name in names:
        apart = found[name].value - reference.value
        noise = 0.0
        if name != names[0]:
            influence = found[name].influence - reference.influence
            noise = estimate("distance", apart, influence, persons, weights=None, confidence=0.95).standard_error
        errors[name] = Error(max(0.0, apart**2 - noise**2), found[name].standard_error ** 2)
    return errors
