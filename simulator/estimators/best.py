"""Which of several estimates to believe: that of the least estimated error."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simulator.estimators.errors import Error, error_of
from simulator.estimators.estimate import Estimate

BEST = "best"
UNBIASED = ("dr", "ips", "sndr", "cressie_read", "snips", "dros", "switch_dr", "clipped_ips", "kernel", "mips", "dm")
"""The first of these that was asked for tells the bias of the others. From the third on they have some themselves."""


def best_of(found: Mapping[str, Estimate], skewed: Mapping[str, Estimate], persons: NDArray[np.int64]) -> Estimate:
    """The estimate of least bias² + variance; its note names it and the next, with their estimated errors. Interval and
    error are those of the least biased one, widened to hold the value: the choice was made by the same data.

    found: with the intervals that were asked for. skewed: the same with theirs as they come, from which is chosen, so
    that the choice does not depend on how intervals are made.
    """
    errors = errors_of(skewed, persons)
    chosen = min(errors, key=lambda name: errors[name].root)
    reference = found[next(iter(errors))]
    value = found[chosen].value
    order = sorted(errors, key=lambda name: errors[name].root)
    told = f"{chosen}: RMSE {errors[chosen].root:.1g}" + "".join(f", {n} {errors[n].root:.1g}" for n in order[1:2])
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
    """By name, the least biased first, which tells the bias of the others. After Su, Srinath & Krishnamurthy 2020, who
    ask whether intervals meet, and Thomas & Brunskill 2016, who estimate bias and variance.
    """
    names = sorted(found, key=lambda name: UNBIASED.index(name.partition(":")[0]))
    return {name: error_of(found[name], found[names[0]], persons) for name in names}
