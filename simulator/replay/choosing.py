"""Which method a log allows, and why."""

import numpy as np

from simulator.logs.log import Log
from simulator.replay.record import AUTO, PROGRESSIVE, REJECTION, SEQUENTIAL

LEAST_OWN = 200
"""Rounds that a learner should be able to call its own: with fewer it learns next to nothing."""
RARE = 0.01
"""The quantile of the logged propensities by which it is guessed how many there will be."""


def method_for(log: Log, asked: str) -> tuple[str, str]:
    """A method other than `auto`, and in a few words why."""
    if asked != AUTO:
        return asked, "as asked"
    if uniform(log):
        return REJECTION, "every eligible variant was equally probable, in every round"
    rare = float(np.quantile(log.propensities, RARE))
    if len(log) * rare >= LEAST_OWN:
        least, most = log.propensities.min(), log.propensities.max()
        return SEQUENTIAL, f"the logged propensities differ, from {least:.3g} to {most:.3g}"
    return PROGRESSIVE, (
        f"the log's rare choices, of propensity {rare:.3g}, would leave a learner about {len(log) * rare:,.0f} "
        f"of {len(log):,} rounds of its own; at least {LEAST_OWN} are needed"
    )


def uniform(log: Log) -> bool:
    """Whether every eligible variant was equally probable, as far as the log tells, among as many in every round."""
    sizes = log.eligible.sum(axis=1)
    if sizes.min() != sizes.max() or not np.allclose(log.propensities, 1.0 / sizes, rtol=1e-6):
        return False
    return log.probabilities is None or bool(
        np.allclose(log.probabilities[log.eligible], 1.0 / float(sizes[0]), rtol=1e-6)
    )
