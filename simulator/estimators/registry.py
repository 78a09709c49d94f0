"""Which estimators an evaluation can be asked for, by name. To add one: write its function, then its line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulator.estimators.best import BEST
from simulator.estimators.cressie_read import cressie_read
from simulator.estimators.direct import dm
from simulator.estimators.doubly_robust import dr, sndr
from simulator.estimators.estimate import Estimate
from simulator.estimators.evidence import Evidence
from simulator.estimators.features import kinds_of, places_of
from simulator.estimators.importance import ips, snips
from simulator.estimators.related import kernel, marginal, mips
from simulator.estimators.tuned import clipped_ips, dros, switch_dr
from simulator.logs.log import Log


@dataclass(frozen=True, slots=True)
class Estimator:
    """of: the estimate from what a log says, at a confidence. modelled: it needs a model of the rewards. kind: what its
    interval is that of, one of `basis.KINDS`, on what `seen` makes of the evidence. check: raises ValueError where the
    variants of a log do not allow it.
    """

    of: Callable[[Evidence, float], Estimate]
    kind: str
    modelled: bool = False
    seen: Callable[[Evidence], Evidence] = lambda evidence: evidence
    check: Callable[[Log], object] = lambda log: None


ESTIMATORS: Mapping[str, Estimator] = {
    "ips": Estimator(
        lambda x, level: ips(x.rewards, x.weights, x.persons, confidence=level, possible=x.possible),
        kind="ips",
    ),
    "snips": Estimator(
        lambda x, level: snips(x.rewards, x.weights, x.persons, confidence=level, possible=x.possible),
        kind="snips",
    ),
    "dm": Estimator(
        lambda x, level: dm(x.expected, x.persons, confidence=level),
        kind="dm",
        modelled=True,
    ),
    "dr": Estimator(
        lambda x, level: dr(
            x.rewards, x.weights, x.expected, x.predicted, x.persons, confidence=level, possible=x.possible
        ),
        kind="dr",
        modelled=True,
    ),
    "sndr": Estimator(
        lambda x, level: sndr(
            x.rewards, x.weights, x.expected, x.predicted, x.persons, confidence=level, possible=x.possible
        ),
        kind="sndr",
        modelled=True,
    ),
    "clipped_ips": Estimator(lambda x, level: clipped_ips(x, confidence=level), kind="ips"),
    "switch_dr": Estimator(lambda x, level: switch_dr(x, confidence=level), kind="dr", modelled=True),
    "dros": Estimator(lambda x, level: dros(x, confidence=level), kind="dr", modelled=True),
    "cressie_read": Estimator(
        lambda x, level: cressie_read(x.rewards, x.weights, x.persons, confidence=level, possible=x.possible),
        kind="cressie_read",
    ),
}
"""By name; `estimator_of` knows these, and those that take a feature."""

USUAL = ("ips", "snips", "dm", "dr")
"""Those computed unless others are asked for."""

HEADLINES = (
    "dr", "sndr", "cressie_read", "snips", "ips", "dros", "switch_dr", "clipped_ips", "mips", "kernel", "dm",
)  # fmt: skip
"""The first of these that was asked for is the one to read first, but for `best`, which comes before them."""

FEATURED: Mapping[str, Callable[[str], Estimator]] = {
    "mips": lambda feature: Estimator(
        lambda x, level: mips(x, feature=feature, confidence=level),
        kind="ips",
        seen=lambda x: marginal(x, feature),
        check=lambda log: kinds_of(log.actions, feature),
    ),
    "kernel": lambda feature: Estimator(
        lambda x, level: kernel(x, feature=feature, confidence=level),
        kind="ips",
        check=lambda log: places_of(log.actions, feature),
    ),
}
"""Those that look at features of the variants: `mips`, `kernel`, or `mips:tone` where one is to be named."""

NAMES = (*ESTIMATORS, *FEATURED, BEST)
"""All that may be asked for."""
