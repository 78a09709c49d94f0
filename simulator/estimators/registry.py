"""Which estimators an evaluation can be asked for, by name. To add one: write its function, then its line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulator.estimators.direct import dm
from simulator.estimators.doubly_robust import dr, sndr
from simulator.estimators.estimate import Estimate
from simulator.estimators.evidence import Evidence
from simulator.estimators.importance import ips, snips
from simulator.estimators.tuned import clipped_ips, dros, switch_dr


@dataclass(frozen=True, slots=True)
class Estimator:
    """of: the estimate from what a log says, at a confidence. modelled: it needs a model of the rewards."""

    of: Callable[[Evidence, float], Estimate]
    modelled: bool = False


ESTIMATORS: Mapping[str, Estimator] = {
    "ips": Estimator(
        lambda x, level: ips(x.rewards, x.weights, x.persons, confidence=level, possible=x.possible),
    ),
    "snips": Estimator(
        lambda x, level: snips(x.rewards, x.weights, x.persons, confidence=level, possible=x.possible),
    ),
    "dm": Estimator(
        lambda x, level: dm(x.expected, x.persons, confidence=level),
        modelled=True,
    ),
    "dr": Estimator(
        lambda x, level: dr(
            x.rewards, x.weights, x.expected, x.predicted, x.persons, confidence=level, possible=x.possible
        ),
        modelled=True,
    ),
    "sndr": Estimator(
        lambda x, level: sndr(
            x.rewards, x.weights, x.expected, x.predicted, x.persons, confidence=level, possible=x.possible
        ),
        modelled=True,
    ),
    "clipped_ips": Estimator(lambda x, level: clipped_ips(x, confidence=level)),
    "switch_dr": Estimator(lambda x, level: switch_dr(x, confidence=level), modelled=True),
    "dros": Estimator(lambda x, level: dros(x, confidence=level), modelled=True),
}

USUAL = ("ips", "snips", "dm", "dr")
"""Those computed unless others are asked for."""

HEADLINES = ("dr", "sndr", "snips", "ips", "dros", "switch_dr", "clipped_ips", "dm")
"""The first of these that was asked for is the one to read first."""
