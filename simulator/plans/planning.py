"""Will the traffic suffice? Simulates a campaign in which one variant is better, and counts how often its log tells.

Nothing is known of the context, so that a round is its variant and its reward: all rounds that were decided by one
state of the policy are drawn together, as counts and sums. For rewards of 0 and 1 that is exact; other sums are Normal.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulator.checks.overlap import MIN_ESS, MIN_EVENTS
from simulator.distributions import norm_isf
from simulator.logs.log import Floats

Shares = Callable[[Floats], Floats]
"""(3, runs, K) how often each variant was shown, the sums of its rewards and of their squares, as far as known;
(runs, K) probabilities out.
"""

REPORTED = (1, 2, 3, 5, 7, 10, 14, 21, 28, 42, 60, 90, 120, 180, 270, 365, 540, 730)
"""Days after which a plan says how things are, as far as its horizon reaches."""

STEPS = 40
"""A policy that learns is asked anew whenever the log has grown by one of so many equal factors."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What is known of a campaign. The first of K `variants` is the default, with a mean reward and a deviation; the
    others are like it, but the second, which earns `difference` more.

    per_day: decisions. binary: rewards are 0 or 1. delay: days until a reward is known. together: how many times the
    variance of a mean is what it would be if every visit were somebody else's, at least 1.
    """

    per_day: float
    mean: float
    deviation: float
    difference: float
    variants: int
    binary: bool = False
    delay: float = 0.0
    together: float = 1.0

    def __post_init__(self) -> None:
        for name, least in (("per_day", 0.0), ("deviation", 0.0), ("difference", 0.0)):
            if not least < getattr(self, name) < np.inf:
                raise ValueError(f"{name} {getattr(self, name)}: expected more than {least:g}")
        if self.variants < 2:
            raise ValueError(f"{self.variants} variants: expected at least 2, or there is nothing to find")
        if self.binary and not (self.mean > 0.0 and self.mean + self.difference < 1.0):
            raise ValueError(
                f"mean reward {self.mean:g} and difference {self.difference:g}: rewards are 0 or 1, and expected were "
                "a mean above 0 and both together below 1"
            )

    @property
    def means(self) -> Floats:
        """(K,) the truth."""
        means = np.full(self.variants, self.mean)
        means[1] += self.difference
        return means

    @property
    def variances(self) -> Floats:
        """(K,) of one reward."""
        means = self.means
        return means * (1.0 - means) if self.binary else np.full(self.variants, self.deviation**2)


@dataclass(frozen=True, slots=True)
class Aim:
    """level: of the intervals. power: the probability with which the difference should be found. horizon: days."""

    level: float = 0.95
    power: float = 0.8
    horizon: float = 90.0


@dataclass(frozen=True, slots=True)
class Point:
    """What to expect after so many days. power: the share of simulations in which an evaluation of what is known by
    then finds the difference. gain: what the policy earned more than the default would, in all, with the range in
    which it lies at the level asked.
    """

    day: float
    decisions: int
    power: float
    gain: float
    gain_low: float
    gain_high: float


@dataclass(frozen=True, slots=True)
class Plan:
    """decisions, days: until the difference is found with the power asked, None where the horizon is too near.
    even_split: the decisions that an even split among the variants takes, in closed form, whatever the horizon.
    """

    decisions: int | None
    days: float | None
    points: tuple[Point, ...]
    even_split: int


def even_split(rates: Rates, aim: Aim) -> int:
    """Decisions by which two of K variants with equal shares are told apart: K·(z_{α/2} + z_β)²·(σ₁² + σ₂²)/δ², with α
    split among the K-1 comparisons with the default (Bonferroni). Two-sample z-test; Cohen 1988.
    """
    alpha = (1.0 - aim.level) / (rates.variants - 1)
    quantiles = norm_isf(alpha / 2.0) + norm_isf(1.0 - aim.power)
    variance = float(rates.variances[:2].sum()) * rates.together
    return int(np.ceil(rates.variants * float(quantiles) ** 2 * variance / rates.difference**2))


def plan(
    rates: Rates, aim: Aim, shares: Shares, *, learns: bool, seed: int = 0, simulations: int | None = None
) -> Plan:
    """Simulate the campaign under a policy, and evaluate its log as it grows.

    The difference is found where the interval of the second variant's value less the default's, both by SNIPS, lies
    above 0 at the level asked, split among the K-1 comparisons; and where neither would be refused for too small an
    effective sample size, or too few rewarded rounds. `simulations`: by default 150 of a policy that learns, and 4,000
    of one that does not; fewer of very many variants. Raises ValueError for a horizon without a decision.
    """
    k, total = rates.variants, int(rates.per_day * aim.horizon)
    if total < 1:
        raise ValueError(f"{rates.per_day:g} decisions a day for {aim.horizon:g} days: expected at least one decision")
    days = [*(float(day) for day in REPORTED if day < aim.horizon), aim.horizon]
    ends = _ends(rates, total, days)
    runs = simulations or (min(150, max(30, 3_000 // k)) if learns else min(4_000, max(100, 100_000 // k)))
    found, gains = _simulated(rates, aim, shares, ends, learns=learns, runs=runs, rng=np.random.default_rng(seed))
    tail = (1.0 - aim.level) / 2.0
    points = []
    for day in days:
        known = _through(ends, rates, day - rates.delay)
        gain = gains[_through(ends, rates, day)]
        low, high = np.quantile(gain, (tail, 1.0 - tail))
        points.append(
            Point(day, int(rates.per_day * day), float(found[known]), float(gain.mean()), float(low), float(high))
        )
    needed = _needed(np.concatenate(([0.0], ends)), found, aim.power)
    taken = None if needed is None else needed / rates.per_day + rates.delay
    if needed is None or taken is None or taken > aim.horizon:
        return Plan(None, None, tuple(points), even_split(rates, aim))
    return Plan(int(np.ceil(needed)), taken, tuple(points), even_split(rates, aim))


def _ends(rates: Rates, total: int, days: list[float]) -> Floats:
    """(steps,) how many decisions there are at the end of each: growing by a factor, and at every reported day, also
    when its rewards are known.
    """
    first = min(total, 10 * rates.variants)
    reported = [rates.per_day * after for day in days for after in (day, day - rates.delay)]
    ends = np.floor(np.concatenate((np.geomspace(first, total, STEPS), reported)) + 1e-9)
    return np.unique(ends[(ends >= 1.0) & (ends <= total)])


def _through(ends: Floats, rates: Rates, day: float) -> int:
    """How many steps had ended by this day."""
    return int(np.searchsorted(ends, rates.per_day * day + 1e-6, side="right"))


def _simulated(
    rates: Rates, aim: Aim, shares: Shares, ends: Floats, *, learns: bool, runs: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """(steps + 1,) the share of runs that have found the difference after each step, none at first; (steps + 1, runs)
    what the policy has gained.
    """
    k, means = rates.variants, rates.means
    deviations = np.sqrt(rates.variances)
    z = norm_isf((1.0 - aim.level) / (k - 1) / 2.0)
    learned = np.zeros((ends.size + 1 if learns else 1, 3, runs, k))  # counts, sums, squares after each step
    seen = np.zeros((5, runs, 2))  # of the two that are compared: Σ1/p, Σr/p, Σ1/p², Σr/p², Σr²/p²
    found, gains = np.zeros(ends.size + 1), np.zeros((ends.size + 1, runs))
    starts = np.concatenate(([0.0], ends[:-1]))
    known, pmf = -1, np.empty((runs, k))
    for step, (start, end) in enumerate(zip(starts, ends, strict=True)):
        now_known = int(np.searchsorted(ends, start - rates.per_day * rates.delay + 1e-6, side="right"))
        if known < 0 or (learns and now_known != known):
            known = now_known if learns else 0
            pmf = shares(learned[known])
        counts = rng.multinomial(int(end - start), pmf).astype(np.float64)
        if rates.binary:
            sums = rng.binomial(counts.astype(np.int64), means).astype(np.float64)
            squares = sums
        else:
            sums = rng.normal(counts * means, np.sqrt(counts) * deviations)
            squares = counts * deviations**2 + np.divide(sums**2, counts, out=np.zeros_like(sums), where=counts > 0.0)
        if learns:
            learned[step + 1] = learned[step] + (counts, sums, squares)
        weight = np.divide(1.0, pmf, out=np.zeros_like(pmf), where=pmf > 0.0)
        weighted = (counts * weight, sums * weight, counts * weight**2, sums * weight**2, squares * weight**2)
        seen += np.array(weighted)[:, :, :2]
        found[step + 1] = _found(seen, z, rates, rng)
        gains[step + 1] = gains[step] + counts @ (means - rates.mean)
    return found, gains


def _found(seen: Floats, z: float, rates: Rates, rng: np.random.Generator) -> float:
    """The share of runs in which the difference is beyond z standard errors, and nothing would be refused. What persons
    who come again add to the error is added as noise.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        w, wr, ww, wwr, wwrr = seen
        values = wr / w
        variances = (wwrr - 2.0 * values * wwr + values**2 * ww) / w**2
        enough = w**2 / ww >= MIN_ESS
        if rates.binary:
            enough &= wr**2 / wwrr >= MIN_EVENTS
        errors = np.sqrt(variances.sum(axis=1))
        noise = (rates.together - 1.0) ** 0.5 * errors * rng.standard_normal(len(errors))
        told = values[:, 1] - values[:, 0] + noise > z * rates.together**0.5 * errors
    return float(np.mean(told & enough.all(axis=1)))


def _needed(ends: Floats, found: Floats, power: float) -> float | None:
    """How many decisions have the power for the first time, between two steps as on a line; None where none has."""
    reached = np.flatnonzero(found >= power)
    if reached.size == 0:
        return None
    after = int(reached[0])
    before = after - 1
    share = (power - found[before]) / (found[after] - found[before])
    return float(ends[before] + share * (ends[after] - ends[before]))
