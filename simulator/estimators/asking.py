"""What was asked for, by name: which estimators and which interval; and the estimates, as asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from simulator.estimators.basis import INTERVALS, NORMAL, SKEWED, basis_of
from simulator.estimators.best import BEST, best_of
from simulator.estimators.estimate import Estimate, symmetric, with_basis
from simulator.estimators.evidence import Evidence
from simulator.estimators.registry import ESTIMATORS, FEATURED, HEADLINES, NAMES, USUAL, Estimator
from simulator.intervals import Resampling
from simulator.logs.log import Log


def estimator_of(name: str) -> Estimator:
    """The estimator of this name, as `dr` or `mips:tone`. Raises ValueError with the known names."""
    if name in ESTIMATORS:
        return ESTIMATORS[name]
    family, _, feature = name.partition(":")
    if family not in FEATURED:
        raise ValueError(f"estimator {name!r}: expected one of {', '.join(NAMES)}")
    return FEATURED[family](feature)


def check_names(estimators: Iterable[str], interval: str, *, model: bool = True) -> tuple[str, ...]:
    """The estimators to compute. The usual ones are those of them that have such an interval, and need no model where
    there is none; of others, one that lacks either is an error. Where only `best` is asked for, the usual ones stand
    beside it. Raises ValueError.
    """
    if interval not in INTERVALS:
        raise ValueError(f"interval {interval!r}: expected one of {', '.join(INTERVALS)}")
    names = tuple(dict.fromkeys(estimators))
    if not names:
        raise ValueError(f"no estimator: expected some of {', '.join(NAMES)}")
    if BEST in names and len(names) == 1:
        names = (*USUAL, BEST)
    known = {name: estimator_of(name) for name in names if name != BEST}
    lacking = [name for name, one in known.items() if one.kind not in INTERVALS[interval]]
    modelled = [] if model else [name for name, one in known.items() if one.modelled]
    if names in (USUAL, (*USUAL, BEST)):
        return tuple(name for name in names if name not in (*lacking, *modelled))
    if modelled:
        raise ValueError(f"estimator {modelled[0]!r} needs a model of the rewards, and model 'none' is asked for")
    if lacking:
        has = [name for name, one in ESTIMATORS.items() if one.kind in INTERVALS[interval]]
        raise ValueError(f"estimator {lacking[0]!r} has no {interval} interval: these have: {', '.join(has)}")
    return names


def headline_of(estimators: Sequence[str]) -> str:
    """Which of them to read first."""
    if BEST in estimators:
        return BEST
    return min(estimators, key=lambda name: HEADLINES.index(name.partition(":")[0]))


def modelled(estimators: Iterable[str]) -> bool:
    """Whether any of them needs a model of the rewards."""
    return any(name != BEST and estimator_of(name).modelled for name in estimators)


def unsuited(estimators: Iterable[str], log: Log) -> str | None:
    """Why this log does not allow one of them; None where it allows all."""
    for name in estimators:
        if name.partition(":")[0] not in FEATURED:
            continue
        if log.probabilities is None:
            return f"estimator {name!r}: this log knows only the propensity of what was chosen, and it takes all"
        try:
            estimator_of(name).check(log)
        except ValueError as error:
            return f"estimator {name!r}: {error}"
    return None


@dataclass(frozen=True, slots=True)
class Method:
    """How intervals are made. resampling: of the rounds that are judged; the bootstrap needs it."""

    interval: str = SKEWED
    confidence: float = 0.95
    resampling: Resampling | None = None


def estimates_of(names: Sequence[str], seen: Evidence, method: Method) -> dict[str, Estimate]:
    """Of what a log says about one policy: by name, in the order asked."""
    skewed = {name: estimator_of(name).of(seen, method.confidence) for name in names if name != BEST}
    found = {name: _with_method(one, estimator_of(name), seen, method) for name, one in skewed.items()}
    return {name: best_of(found, skewed, seen.persons) if name == BEST else found[name] for name in names}


def with_method(found: Estimate, kind: str, seen: Evidence, method: Method) -> Estimate:
    """The same estimate with an interval by this method."""
    if method.interval == SKEWED:
        return found
    if method.interval == NORMAL:
        return symmetric(found, confidence=method.confidence)
    basis = basis_of(method.interval, kind, seen, method.resampling)
    return with_basis(found, basis, confidence=method.confidence)


def _with_method(found: Estimate, estimator: Estimator, seen: Evidence, method: Method) -> Estimate:
    own = seen if method.interval in (SKEWED, NORMAL) else estimator.seen(seen)
    return with_method(found, estimator.kind, own, method)
