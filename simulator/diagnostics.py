"""Can this log judge that policy at all? The answer comes before any estimate, and a no comes with its reason."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from simulator.estimators import effective_sample_size
from simulator.intervals import Possible
from simulator.log import Flags, Floats, Log

MIN_SUPPORT = 0.95
"""Below this share of the policy's probability on choices the log could have shown: refused."""

MIN_ESS = 50.0
"""Below this effective sample size an interval means nothing: refused."""

MIN_EVENTS = 5.0
"""Below this effective number of rewarded rounds: refused."""

BLOCK = 65_536
WARN_EVENTS = 30.0
WARN_ESS_SHARE = 0.1  # of the rounds
WARN_WEIGHT_ERRORS = 4.0  # standard errors between the mean weight and 1
SUPPORT_ERRORS = 2.0  # standard errors of doubt that an estimated support is given before it is refused


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """How much of a log speaks about one policy, and whether that is enough.

    support: the share of the policy's probability on choices the log could have shown. Exact where the log's
    probabilities are known; else the mean weight, whose expectation it is (`support_exact` is False).
    ess: (Σw)²/Σw². events: the same over rewarded rounds only. mean_weight: near 1 if propensities and support are
    right. refusal: why the log can't judge the policy, or None. warnings: what to keep in mind where it can.
    """

    n: int
    support: float
    support_exact: bool
    ess: float
    events: float
    max_weight: float
    mean_weight: float
    refusal: str | None
    warnings: tuple[str, ...]


def weights(log: Log, target: Floats) -> Floats:
    """(n,) w = π(chosen|x)/propensity, for the policy's (n, K) pmf."""
    return target[np.arange(len(log)), log.chosen] / log.propensities


def earned_range(log: Log) -> tuple[float, float]:
    """What a mean reward can be: the declared range, or what was seen if that is wider."""
    return min(log.reward_range.low, float(log.rewards.min())), max(log.reward_range.high, float(log.rewards.max()))


def possible(log: Log, target: Floats) -> Possible:
    """What this log could have held for the (n, K) pmf of a policy: exact where all logged probabilities are known,
    else by the weights that were seen, and the least propensity.
    """
    low, high = earned_range(log)
    if log.probabilities is None:
        w = weights(log, target)
        most = max(float(w.max()), 1.0 / float(log.propensities.min()))
        return Possible(float(np.sqrt(np.mean(w**3))), most, low, high)
    cubes, most = 0.0, 0.0
    for rows in _blocks(len(log)):
        pmf, logged = target[rows], log.probabilities[rows]
        ratio = np.divide(pmf, logged, out=np.zeros_like(pmf), where=logged > 0.0)
        cubes += float(np.einsum("ij,ij,ij->", pmf, ratio, ratio))  # E[w³ | x] = Σ π³/p²
        most = max(most, float(ratio.max()))
    return Possible(float(np.sqrt(cubes / len(log))), most, low, high)


def diagnose(log: Log, target: Floats) -> Diagnostics:
    """Judge the (n, K) pmf of a policy against what the log holds. Needs no model and no estimate."""
    w = weights(log, target)
    n, mean_weight = len(log), float(w.mean())
    error = float(w.std(ddof=1)) / np.sqrt(n) if n > 1 else float("inf")
    exact = log.probabilities is not None
    if log.probabilities is not None:
        never = (float(target[rows][log.probabilities[rows] <= 0.0].sum()) for rows in _blocks(n))
        support = 1.0 - sum(never) / n
    else:
        # E[w | x] = Σ over the supported a of π(a|x): what the probabilities would tell, the weights estimate
        support = min(1.0, mean_weight)
    found = Diagnostics(
        n=n,
        support=support,
        support_exact=exact,
        ess=effective_sample_size(w),
        events=effective_sample_size(w[_rewarded(log)]),
        max_weight=float(w.max()),
        mean_weight=mean_weight,
        refusal=None,
        warnings=(),
    )
    refusal = _refusal(found, most_support=support if exact else mean_weight + SUPPORT_ERRORS * error)
    caution = () if refusal else tuple(_warnings(found, error))
    return replace(found, refusal=refusal, warnings=caution)


def _blocks(n: int) -> Iterator[slice]:
    """Rows some at a time: what is computed of them needs no memory of the size of the log."""
    return (slice(start, start + BLOCK) for start in range(0, n, BLOCK))


def _rewarded(log: Log) -> Flags:
    """(n,) rounds whose reward is not the commonest one: with rare clicks, the clicks."""
    values, counts = np.unique(log.rewards, return_counts=True)
    rewarded: Flags = log.rewards != values[np.argmax(counts)]
    return rewarded


def _refusal(found: Diagnostics, *, most_support: float) -> str | None:
    if found.ess == 0.0:
        return f"none of the {found.n:,} logged choices is one that this policy would ever make"
    if most_support < MIN_SUPPORT:
        return (
            f"{'' if found.support_exact else 'about '}{found.support:.1%} of what it would do could have been seen "
            f"in this log; at least {MIN_SUPPORT:.0%} is needed"
        )
    if found.ess < MIN_ESS:
        return (
            f"{found.n:,} rounds tell as much about it as {found.ess:.1f} rounds of its own would; "
            f"at least {MIN_ESS:.0f} are needed"
        )
    if found.events < MIN_EVENTS:
        return (
            f"the rewarded rounds that speak about it count as {found.events:.1f}; at least {MIN_EVENTS:.0f} are needed"
        )
    return None


def _warnings(found: Diagnostics, error: float) -> list[str]:
    texts = []
    if found.support < 1.0 and found.support_exact:
        texts.append(f"{1.0 - found.support:.1%} of what it would do was never possible in this log")
    if found.ess < WARN_ESS_SHARE * found.n:
        texts.append(
            f"the log was gathered by a very different policy: {found.n:,} rounds count as {found.ess:,.0f}, "
            f"one of them as {found.max_weight:,.0f}"
        )
    if found.events < WARN_EVENTS:
        texts.append(f"few rewarded rounds speak about it (they count as {found.events:.1f}): the interval is rough")
    if abs(found.mean_weight - 1.0) > WARN_WEIGHT_ERRORS * error + 1e-6 and found.support > MIN_SUPPORT:
        texts.append(
            f"the mean weight is {found.mean_weight:.3f} where 1 is expected: the logged propensities look wrong"
        )
    return texts
