"""What must hold of the columns of a log, whatever their order: said of each kind of violation once, with its count."""

import numpy as np
from numpy.typing import NDArray

from simulator.logs.problems import Problems

SUM_TOLERANCE = 1e-6

LEAST = 1e-30
"""Of a probability that is not 0: the fourth powers of weights are still finite numbers."""

GREATEST, SMALLEST = 1e100, 1e-100
"""Of a reward, and of the bounds of its range: the sums of squared weighted rewards are still finite numbers; and of
the largest of them, where not all are 0: its powers still are not.
"""

EARLIEST, LATEST = -62_135_596_800.0, 253_402_300_800.0
"""Seconds from 1970 to the years 1 and 10000: dates end there."""

Floats = NDArray[np.float64]


def check_rounds(
    problems: Problems,
    *,
    eligible: NDArray[np.bool_],
    chosen: NDArray[np.intp],
    propensities: Floats,
    probabilities: Floats | None,
    rewards: Floats,
    times: Floats,
) -> None:
    """Note every violation of what `Log` promises, but for the order of times."""
    k, rows = eligible.shape[1], np.arange(len(chosen))
    check = problems.check
    check("eligible", ~eligible.any(axis=1), eligible, "at least one eligible action")
    outside = (chosen < 0) | (chosen >= k)
    check("chosen", outside, chosen, f"an index from 0 to {k - 1}")
    places = np.where(outside, 0, chosen)
    check("chosen", ~outside & ~eligible[rows, places], chosen, "an eligible action")
    bad = ~((propensities > 0.0) & (propensities <= 1.0))
    check("propensities", bad, propensities, "a number in (0, 1]; a log without them is no evidence")
    tiny = ~bad & (propensities < LEAST)
    check("propensities", tiny, propensities, f"at least {LEAST:g}; nothing rarer is ever drawn")
    check("rewards", ~np.isfinite(rewards), rewards, "a finite number")
    huge = np.isfinite(rewards) & (np.abs(rewards) > GREATEST)
    check("rewards", huge, rewards, f"a number from {-GREATEST:g} to {GREATEST:g}")
    if 0.0 < (largest := float(np.abs(rewards).max(initial=0.0))) < SMALLEST:
        problems.note(f"rewards: {largest:g} is the largest; expected at least {SMALLEST:g}, in another unit, or all 0")
    check("times", ~np.isfinite(times), times, "a finite number of seconds")
    beyond = np.isfinite(times) & ((times < EARLIEST) | (times >= LATEST))
    check("times", beyond, times, "seconds since 1970, of the years 1 to 9999; milliseconds are 1,000 times as many")
    alone = (eligible.sum(axis=1) == 1) & ~bad & (np.abs(propensities - 1.0) > SUM_TOLERANCE)
    check("propensities", alone, propensities, "1, since only one action is eligible")
    if probabilities is None:
        return
    sums = probabilities.sum(axis=1)
    negative = ~(np.isfinite(probabilities) & (probabilities >= 0.0)).all(axis=1)
    check("probabilities", negative, probabilities, "non-negative numbers")
    rare = ~negative & ((probabilities > 0.0) & (probabilities < LEAST)).any(axis=1)
    check("probabilities", rare, probabilities, f"0, or at least {LEAST:g}")
    off = ~negative & ~(np.abs(sums - 1.0) <= SUM_TOLERANCE)
    check("probabilities", off, sums, f"a sum of 1 within {SUM_TOLERANCE:g}")
    stray = ((probabilities != 0.0) & ~eligible).any(axis=1)
    check("probabilities", stray, probabilities, "0 outside the eligible actions")
    drawn = probabilities[rows, places]
    differs = ~outside & ~bad & ~(np.abs(drawn - propensities) <= SUM_TOLERANCE)
    check("probabilities", differs, drawn, "the propensity, for the chosen action")
