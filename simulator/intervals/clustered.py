"""Intervals around an estimate, clustered by person.

The visits of one person are not independent: intervals that treat them so cover far less than they claim. Neither does
a symmetric interval cover where few of the rounds carry most of the weight, or few are rewarded: a log that happens to
hold none of the rare, heavy events has a small value and a small standard error at once.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from simulator.distributions import f_isf, gamma_ppf, norm_isf, t_isf
from simulator.intervals.linear import Linear, sum_of_products, sum_of_squares
from simulator.logs.log import Floats

Persons = NDArray[np.int64]

LEAST_TAIL, MOST_TAIL = 1e-12, 0.499
"""Between these a p-value is looked for; what is beyond is 0 or 1."""


HEAVIEST = 1e6
"""Of the weights that were not seen, in the Cressie-Read and the likelihood interval, or 100 times the persons: with
greater ones their limits do not move any more, and from 1e8 on, which leaves no digit to the others, are wrong.
"""


class NoSupport(ValueError):
    """The log does not hold what this estimate needs; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A standard error, and the interval at the asked confidence. df: degrees of freedom of the error; `freedom`."""

    standard_error: float
    low: float
    high: float
    clusters: int
    df: float


@dataclass(frozen=True, slots=True)
class Possible:
    """What this log could have held for a policy, whether or not it does.

    weight: √E[w³], what an event weighs that would have mattered: the size-biased mean of the weights, and that of
    the weights as they enter the variance, in the middle between them. max_weight: the greatest weight of all.
    low, high: of a reward.
    """

    weight: float
    max_weight: float
    low: float
    high: float


def clustered(
    value: float, influence: Floats, persons: Persons, *, confidence: float, shares: Floats | None = None
) -> Interval:
    """Sandwich interval: value ± t·se, se² = G/(G-1) · Σ_g T_g² / n², T_g = Σ_{i in g} ψ_i · (1 - 1/G)/(1 - h_g).

    influence: (n,) ψ, what each round adds to n·(value - truth), summing to 0 over the sample. persons: (n,) codes
    of the G clusters. shares: (n,) how much of the value each round makes, by default 1/n; h_g is that of a person.
    With one round a person, se is the usual standard deviation over √n. The value is drawn towards whoever comes often,
    whose sum is therefore too small: the factor, 1 where all come equally often, makes se² that of the jackknife over
    persons. Degrees of freedom of t: `freedom`. Liang & Zeger 1986; Cameron & Miller 2015; MacKinnon, Nielsen & Webb
    2023. Raises NoSupport with fewer than 2 persons.
    """
    return _symmetric(value, _totals(persons, influence, shares), len(influence), confidence)


def skewed(
    value: float,
    influence: Floats,
    persons: Persons,
    *,
    up: float,
    down: float,
    confidence: float,
    shares: Floats | None = None,
) -> Interval:
    """An interval whose sides have their own length: as far as what was seen, and what was not, could have been more.

    The persons' sums of ψ are parted into those that raise the value and those that lower it. Each part is a weighted
    sum of counts, and has the gamma limits of Fay & Feuer (1997): for the sum Y and its sum of squares V, lower
    V/2Y · χ²(α/2; 2Y²/V), and upper the same of Y and V with one more event of size k, (V+k²)/2(Y+k) · χ²(1-α/2;
    2(Y+k)²/(V+k²)). The limits of the difference follow from those of the parts: U = value + √((u₊-Y₊)² + (Y₋-l₋)²),
    and so for L (Zou & Donner 2008, MOVER). Where events are many and small, it is the symmetric interval.

    up, down: the size of an event that this log could have held and that would raise (lower) the value, on the scale
    of ψ. It counts as often as visits of one person go together: by the ratio of the persons' variance to the rounds'.
    The quantiles are widened by t/z with the degrees of freedom of `freedom`. Raises NoSupport with fewer than 2
    persons.
    """
    n, totals = len(influence), _totals(persons, influence, shares)
    symmetric = _symmetric(value, totals, n, confidence)
    less, more = Sides.of_totals(influence, totals, up=up, down=down).at((1.0 - confidence) / 2.0)
    return replace(symmetric, low=value - less, high=value + more)


def freedom(shares: Floats) -> float:
    """How many persons who come equally often would tell as much, 1/Σh_g² (Kish 1965), less 1; at least 1. shares: (G,)
    h_g, as much of the value as each person makes. Where few persons make most of a log, its errors are known as badly
    as if there were none but these (Carter, Schnepel & Steigerwald 2017).
    """
    return max(1.0, 1.0 / sum_of_products(shares, shares) - 1.0)


def p_value(
    value: float, influence: Floats, persons: Persons, *, up: float, down: float, shares: Floats | None = None
) -> float:
    """How surprising the value would be if the truth were 0: 1 less the greatest confidence at which the skewed
    interval leaves 0 out. In [0, 1]. Raises NoSupport with fewer than 2 persons.
    """
    totals = _totals(persons, influence, shares)
    _symmetric(value, totals, len(influence), 0.95)  # raises
    sides = Sides.of_totals(influence, totals, up=up, down=down)

    def beyond(tail: float) -> float:
        less, more = sides.at(tail)
        return (less if value > 0.0 else more) - abs(value)

    if beyond(MOST_TAIL) >= 0.0:
        return 1.0
    if beyond(LEAST_TAIL) <= 0.0:
        return 0.0
    return 2.0 * float(brentq(beyond, LEAST_TAIL, MOST_TAIL, xtol=1e-12))


def cressie_read(
    rewards: Floats, weights: Floats, persons: Persons, possible: Possible, *, confidence: float
) -> tuple[float, float]:
    """The limits of the value over all distributions that put mass on the rounds seen and on one more, of the least or
    the greatest weight, that have mean weight 1, and that are near to the sample in the Cressie-Read divergence of
    power -2. Karampatziakis, Langford & Mineiro 2020, in closed form. rewards, weights: (n,).

    Persons stand for rounds: their sums of w and of w·r, in units of the mean number of visits. Wide, since any weight
    may be missing, and therefore a bound for other intervals.
    """
    codes = numbered(persons)
    w, wr, visits = (_sums(codes, column) for column in (weights, weights * rewards, None))
    return cressie_read_of_persons(w, wr, visits, possible, confidence=confidence)


def cressie_read_of_persons(
    w: Floats, wr: Floats, visits: Floats, possible: Possible, *, confidence: float
) -> tuple[float, float]:
    """As `cressie_read`, of the (G,) sums of w and of w·r by person, and how many rounds each has."""
    each = float(visits.mean())
    seen = _Moments(
        n=w.size,
        w=float(w.sum()) / each,
        wr=float(wr.sum()) / each,
        w_w=sum_of_products(w, w) / each**2,
        w_wr=sum_of_products(w, wr) / each**2,
        wr_wr=sum_of_products(wr, wr) / each**2,
    )
    unseen = min(possible.max_weight * float(visits.max()) / each, max(HEAVIEST, 100.0 * seen.n))
    heaviest = max(unseen, float(w.max()) / each, 1.0 + 1e-9)
    distance = _least_distance(seen, heaviest if seen.w < seen.n else 0.0)
    distance += f_isf(1.0 - confidence, freedom(visits / visits.sum()) + 1.0)
    low = _cressie_read_limit(seen, possible.low, heaviest, distance)
    high = -_cressie_read_limit(replace(seen, wr=-seen.wr, w_wr=-seen.w_wr), -possible.high, heaviest, distance)
    return max(low, possible.low), min(high, possible.high)


def numbered(persons: Persons) -> Persons:
    """(n,) the same persons under the codes 0 to G-1. Intervals do this by themselves, by sorting: who asks for many of
    the same rounds does it once.
    """
    if persons.size and persons.min() == 0 and persons.max() < persons.size and np.bincount(persons).all():
        return persons
    _, codes = np.unique(persons, return_inverse=True)
    return codes.reshape(-1).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Totals:
    """sums: (G,) T_g of each person, as `clustered` takes them; df: see `freedom`."""

    sums: Floats
    df: float


def _totals(persons: Persons, influence: Floats, shares: Floats | None) -> _Totals:
    n = len(influence)
    if isinstance(influence, Linear):  # of a log larger than memory: it knows its clusters
        sums, parts = influence.by_cluster(), influence.columns.visits / n
    else:
        codes = numbered(persons)
        sums, parts = _sums(codes, influence), _sums(codes, None) / n if shares is None else _sums(codes, shares)
    if parts.max() < 1.0:  # else there is nobody to compare with
        sums = sums * ((1.0 - 1.0 / sums.size) / (1.0 - parts))
    return _Totals(sums, freedom(parts))


def _sums(codes: Persons, column: Floats | None) -> Floats:
    """(G,) the sums of an (n,) column by code; without one, how many rounds each has."""
    return np.bincount(codes, weights=column).astype(np.float64, copy=False)


def _symmetric(value: float, totals: _Totals, n: int, confidence: float) -> Interval:
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence {confidence}: expected a number between 0 and 1")
    clusters = totals.sums.size
    if clusters < 2:
        raise NoSupport(f"{n} rounds of {clusters} person: an interval needs at least 2 persons")
    error = float(np.sqrt(clusters / (clusters - 1) * sum_of_products(totals.sums, totals.sums))) / n
    half = t_isf((1.0 - confidence) / 2.0, totals.df) * error
    return Interval(error, value - half, value + half, clusters, totals.df)


@dataclass(frozen=True, slots=True)
class Sides:
    """What the sides of a skewed interval are made of, at any confidence. (sum, sum of squares) of the persons who
    raise the value and of those who lower it, and the size of an event of either kind that was not seen.
    """

    raising: tuple[float, float]
    lowering: tuple[float, float]
    up: float
    down: float
    df: float

    @classmethod
    def of(
        cls, influence: Floats, persons: Persons, *, up: float, down: float, shares: Floats | None = None
    ) -> "Sides":
        """Those of `skewed`, which takes the same."""
        return cls.of_totals(influence, _totals(persons, influence, shares), up=up, down=down)

    @classmethod
    def of_totals(cls, influence: Floats, totals: _Totals, *, up: float, down: float) -> "Sides":
        n, squares, sums = len(influence), sum_of_squares(influence), totals.sums
        together = max(1.0, sum_of_products(sums, sums) / squares) if squares > 0.0 else 1.0
        raising, lowering = np.maximum(sums, 0.0), np.minimum(sums, 0.0)
        return cls(
            raising=(float(raising.sum()) / n, sum_of_products(raising, raising) / n**2),
            lowering=(-float(lowering.sum()) / n, sum_of_products(lowering, lowering) / n**2),
            up=up * together / n,
            down=down * together / n,
            df=totals.df,
        )

    def grown(self, times: float) -> "Sides":
        """About what they will be when the log is so many times as long, and like this."""
        raising, lowering = ((total, squares / times) for total, squares in (self.raising, self.lowering))
        return Sides(raising, lowering, self.up / times, self.down / times, self.df * times)

    def at(self, tail: float) -> tuple[float, float]:
        """How far the interval reaches below and above the value, each of which is exceeded with probability `tail`."""
        more_raising, less_raising = _gamma_deviations(*self.raising, self.up, tail)
        more_lowering, less_lowering = _gamma_deviations(*self.lowering, self.down, tail)
        few = t_isf(tail, self.df) / norm_isf(tail)
        return few * float(np.hypot(less_raising, more_lowering)), few * float(np.hypot(more_raising, less_lowering))


def _gamma_deviations(total: float, squares: float, jump: float, tail: float) -> tuple[float, float]:
    """How much more, and how much less, the expectation of a sum of events may be than what was seen."""
    lower = _gamma_quantile(total, squares, tail) if total > 0.0 else 0.0
    upper = _gamma_quantile(total + jump, squares + jump**2, 1.0 - tail) if total + jump > 0.0 else 0.0
    return upper - total, total - lower


def _gamma_quantile(mean: float, variance: float, probability: float) -> float:
    return gamma_ppf(probability, mean**2 / variance, scale=variance / mean)


@dataclass(frozen=True, slots=True)
class _Moments:
    """Of n numbers w and w·r: their sums, and those of their products."""

    n: int
    w: float
    wr: float
    w_w: float
    w_wr: float
    wr_wr: float


def _least_distance(seen: _Moments, unseen: float) -> float:
    """How far the nearest distribution of mean weight 1 is from the sample."""
    n = seen.n
    mean, square = (unseen + seen.w) / (n + 1), (unseen**2 + seen.w_w) / (n + 1)
    spread = square - mean**2
    return float((n + 1) * (mean - 1.0) ** 2 / spread) if spread > 0.0 else 0.0


def _cressie_read_limit(seen: _Moments, reward: float, heaviest: float, distance: float) -> float:
    """The least value; `reward` is that of the round that was not seen."""
    n = seen.n
    found = []
    for unseen in (0.0, heaviest):
        mean_w = (unseen + seen.w) / (n + 1)
        mean_wr = (unseen * reward + seen.wr) / (n + 1)
        var_w = (unseen**2 + seen.w_w) / (n + 1) - mean_w**2
        var_wr = ((unseen * reward) ** 2 + seen.wr_wr) / (n + 1) - mean_wr**2
        cov = (unseen**2 * reward + seen.w_wr) / (n + 1) - mean_w * mean_wr
        if var_w <= 0.0:
            continue
        left = distance / (n + 1) - (1.0 - mean_w) ** 2 / var_w  # of the distance, after the mean weight is 1
        residual = var_wr - cov**2 / var_w
        if left >= 0.0 and residual >= 0.0:
            found.append(mean_wr + (1.0 - mean_w) * cov / var_w - np.sqrt(left * residual))
    return float(min(found, default=-np.inf))
