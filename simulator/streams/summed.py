"""What the estimators and the diagnostics say of a log of which only sums are kept: the same numbers.

Each estimator is told as its value and its influence, a sum of columns; what makes an interval of them is the same
code as for a log in memory. There, and in `simulator.estimators`, are the formulas' sources.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from simulator.diagnostics import BOUNDS_CONFIDENCE, WHOLE, Diagnostics, error_of_mean, mean_error
from simulator.estimators import Estimate, effective_sample_size
from simulator.estimators.estimate import alike, estimate, jumps, with_sides
from simulator.intervals.clustered import NoSupport, Possible, cressie_read_of_persons
from simulator.intervals.linear import Columns, Linear
from simulator.pareto import shape_of_largest, tail_size
from simulator.streams.sums import CORRECTION, EXPECTED, ONE, REWARD, WEIGHT, WEIGHTED, Sums, form

NOBODY = np.zeros(0, dtype=np.int64)
"""Where persons are asked for: sums know their clusters."""


@dataclass(frozen=True, eq=False)
class Evident:
    """What sums say about one policy, the `place`-th of them; `least`, `greatest`: what a mean reward can be."""

    sums: Sums
    columns: Columns
    place: int
    least: float
    greatest: float

    @property
    def n(self) -> int:
        return self.sums.n

    @cached_property
    def one(self) -> Linear:
        return self.columns.form(ONE)

    @cached_property
    def w(self) -> Linear:
        return form(self.sums, self.columns, self.place, WEIGHT)

    @cached_property
    def wr(self) -> Linear:
        return form(self.sums, self.columns, self.place, WEIGHTED)

    @cached_property
    def expected(self) -> Linear:
        return form(self.sums, self.columns, self.place, EXPECTED)

    @cached_property
    def correction(self) -> Linear:
        return form(self.sums, self.columns, self.place, CORRECTION)

    @cached_property
    def ess(self) -> float:
        """(Σw)²/Σw²; 0 for no weight at all."""
        squares = self.w.sum_of_squares()
        return self.w.sum() ** 2 / squares if squares > 0.0 else 0.0

    @property
    def max_weight(self) -> float:
        return float(self.sums.greatest[self.place, 0])

    @cached_property
    def possible(self) -> Possible:
        weight = float(np.sqrt(self.sums.heaviness[self.place] / self.n))
        return Possible(weight, float(self.sums.heaviest[self.place]), self.least, self.greatest)


Estimator = Callable[[Evident, float], Estimate]


def earned(sums: Sums, bounds: tuple[float, float], confidence: float) -> Estimate:
    """The mean reward, as `simulator.estimators.mean` with its interval cut to the bounds."""
    columns = sums.columns
    reward = columns.form(REWARD)
    value = reward.sum() / sums.n
    influence = (reward - value * columns.form(ONE)).influence()
    seen = Possible(1.0, 1.0, *bounds)
    found = estimate("mean", value, influence, NOBODY, weights=None, confidence=confidence, possible=seen)
    return within(found, bounds)


def within(found: Estimate, bounds: tuple[float, float]) -> Estimate:
    """Value and interval cut to what a mean reward can be: no click rate is negative."""
    value, low, high = (float(np.clip(one, *bounds)) for one in (found.value, found.low, found.high))
    return replace(found, value=value, low=low, high=high)


def ips(x: Evident, confidence: float) -> Estimate:
    """Σwr/n."""
    _require_weight(x)
    value = x.wr.sum() / x.n
    return _weighted("ips", x, value, x.wr - value * x.one, confidence, possible=x.possible)


def snips(x: Evident, confidence: float) -> Estimate:
    """Σwr/Σw."""
    _require_weight(x)
    total = x.w.sum()
    value = x.wr.sum() / total
    influence = x.wr - value * x.w
    found = _weighted("snips", x, value, influence * (x.n / total), confidence)
    events = jumps(value, x.possible)
    return _bounded(with_sides(found, influence.influence(), NOBODY, events, confidence=confidence), x, confidence)


def dm(x: Evident, confidence: float) -> Estimate:
    """The mean over rounds of Σ_a π(a|x)·q(x, a)."""
    value = x.expected.sum() / x.n
    influence = (x.expected - value * x.one).influence()
    return estimate("dm", value, influence, NOBODY, weights=None, confidence=confidence)


def dr(x: Evident, confidence: float) -> Estimate:
    """The mean of Σ_a π(a|x)·q(x, a) + w·(r - q(x, chosen))."""
    scores = x.expected + x.correction
    value = scores.sum() / x.n
    found = _weighted("dr", x, value, scores - value * x.one, confidence, possible=x.possible)
    return _bounded(found, x, confidence)


def sndr(x: Evident, confidence: float) -> Estimate:
    """The mean of Σ_a π(a|x)·q(x, a), plus Σ w(r - q(x, chosen)) / Σw."""
    _require_weight(x)
    total, modelled = x.w.sum(), x.expected.sum() / x.n
    correction = x.correction.sum() / total
    influence = x.expected - modelled * x.one + (x.correction - correction * x.w) * (x.n / total)
    found = _weighted("sndr", x, modelled + correction, influence, confidence, possible=x.possible)
    return _bounded(found, x, confidence)


SUMMED: Mapping[str, Estimator] = {"ips": ips, "snips": snips, "dm": dm, "dr": dr, "sndr": sndr}
"""Those that sums suffice for, by the names of `simulator.estimators.ESTIMATORS`. The others choose a limit of the
weights from the data, and need every round for each limit that they try.
"""


def diagnostics(x: Evident, *, exact: bool) -> Diagnostics:
    """As `simulator.diagnostics.diagnose`. exact: the probabilities of the log are known."""
    n, mean_weight = x.n, x.w.sum() / x.n
    error = error_of_mean(mean_weight, (x.w - mean_weight * x.one).influence(), NOBODY)
    support = max(0.0, 1.0 - float(x.sums.never[x.place]) / n) if exact else min(1.0, mean_weight)
    rewarded, rewarded_squares = x.sums.events[:, x.place]
    bounds = _bounds(x, support, exact=exact)
    return Diagnostics(
        n=n,
        support=support,
        support_exact=exact,
        ess=x.ess,
        events=float(rewarded**2 / rewarded_squares) if rewarded_squares > 0.0 else 0.0,
        people=effective_sample_size(x.w.by_cluster()),
        max_weight=x.max_weight,
        mean_weight=mean_weight,
        mean_weight_error=mean_error(mean_weight, error, n, support if exact else None, lambda: x.possible),
        pareto_k=_pareto_shape(x),
        bounds=bounds,
    )


def _bounds(x: Evident, support: float, *, exact: bool) -> tuple[float, float] | None:
    missing = 1.0 - support
    if exact and missing <= WHOLE:
        return None
    if x.max_weight <= 0.0 or x.sums.clusters < 2:
        return x.least, x.greatest
    if exact:
        found = ips(x, BOUNDS_CONFIDENCE)
        low, high = found.low + missing * x.least, found.high + missing * x.greatest
    else:
        shifted = replace(x.possible, low=0.0, high=x.greatest - x.least)

        def limit(scores: Linear) -> float:
            value = scores.sum() / x.n
            return _weighted("ips", x, value, scores - value * x.one, BOUNDS_CONFIDENCE, possible=shifted).low

        low = x.least + limit(x.wr - x.least * x.w)
        high = x.greatest - limit(x.greatest * x.w - x.wr)
    return float(np.clip(low, x.least, x.greatest)), float(np.clip(high, x.least, x.greatest))


def _pareto_shape(x: Evident) -> float | None:
    return shape_of_largest(x.sums.greatest[x.place, : tail_size(int(x.sums.positive[x.place])) + 1])


def _weighted(
    name: str, x: Evident, value: float, influence: Linear, confidence: float, *, possible: Possible | None = None
) -> Estimate:
    found = estimate(name, value, influence.influence(), NOBODY, weights=None, confidence=confidence, possible=possible)
    return replace(found, ess=x.ess, max_weight=x.max_weight)


def _bounded(found: Estimate, x: Evident, confidence: float) -> Estimate:
    if alike(x.w.sum(), x.w.sum_of_squares(), x.n):
        return found
    w, wr, visits = x.w.by_cluster(), x.wr.by_cluster(), x.one.by_cluster()
    low, high = cressie_read_of_persons(w, wr, visits, x.possible, confidence=confidence)
    return replace(found, low=min(max(found.low, low), found.value), high=max(min(found.high, high), found.value))


def _require_weight(x: Evident) -> None:
    if x.max_weight <= 0.0:
        raise NoSupport(f"0 of {x.n} logged choices have positive probability under it")


def tail_needed(n: int) -> int:
    """How many of the greatest weights to keep of n rounds, for the shape of their tail."""
    return max(1, tail_size(n) + 1)
