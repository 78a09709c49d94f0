"""Worlds of one slot, drawn whole: who comes when, how probable an event is, what it is worth, and when it is known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from policies.base import Policy, uniform
from policies.types import Action, Features, RewardRange
from simulator.logs.contexts import Contexts
from simulator.logs.log import Codes, Floats, Indices, Log

DAY = 86_400.0

START = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
"""Monday, at midnight in UTC: when the worlds begin."""


@dataclass(frozen=True, slots=True)
class Come:
    """Who comes: contexts (n,), persons (n,) codes. eagerness: (n,) what nobody sees and every chance is multiplied by,
    with a mean of 1 whatever the context; None where all are alike.
    """

    contexts: Sequence[Features]
    persons: Codes
    eagerness: Floats | None = None


@dataclass(frozen=True, slots=True)
class Amounts:
    """What events are worth: their mean, and (n,) of them drawn. high: the greatest."""

    mean: float
    draw: Callable[[int, np.random.Generator], Floats]
    high: float


ONES = Amounts(1.0, lambda n, rng: np.ones(n), 1.0)


@dataclass(frozen=True, slots=True)
class Delays:
    """Days until an event is known, exponential and cut off at `window`, by which everything is known: of K variants
    the `scales` (K,) in days.
    """

    scales: tuple[float, ...]
    window: float

    def cdf(self, variant: int, days: Floats) -> Floats:
        """The share of a variant's events that are known after so many days."""
        share = np.expm1(-np.clip(days, 0.0, self.window) / self.scales[variant])
        known: Floats = share / np.expm1(-self.window / self.scales[variant])
        return known

    def draw(self, chosen: Indices, rng: np.random.Generator) -> Floats:
        """(n,) days, for the variants chosen."""
        scales = np.array(self.scales)[chosen]
        return -scales * np.log1p(rng.random(len(chosen)) * np.expm1(-self.window / scales))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A log, and (n,) the seconds after which the reward of each round is known: for one without a reward, the whole
    window. None where rewards come at once.
    """

    log: Log
    delays: Floats | None

    def as_of(self, time: float) -> Log:
        """What is known at a moment, unix seconds: the rounds so far, with a reward of 0 where it has not come yet."""
        rewards = self.log.rewards
        if self.delays is not None:
            rewards = np.where(self.log.times + self.delays <= time, rewards, 0.0)
        return replace(self.log, rewards=rewards)[self.log.times <= time]


@dataclass(frozen=True, slots=True)
class SlotWorld:
    """One slot, and the truth about it.

    days: how long a log of it lasts, whatever its number of rounds; they come evenly. come: who comes at (n,) times.
    chances: (n, K) of an event, from contexts and times, for a person of mean eagerness. changes_at: when what is best
    changes, unix seconds; None where it never does.
    """

    name: str
    slot: str
    variants: tuple[Action, ...]
    default: str
    days: float
    come: Callable[[Floats, np.random.Generator], Come]
    chances: Callable[[Sequence[Features], Floats], Floats]
    amounts: Amounts = ONES
    delays: Delays | None = None
    changes_at: float | None = None

    def draw(self, n: int, *, policy: Policy | None = None, seed: int = 0) -> Drawn:
        """As `log`, with the delays."""
        rng = np.random.default_rng(seed)
        times = evenly(n, days=self.days)
        come = self.come(times, rng)
        pmf = self._pmf(come.contexts, policy)
        chosen = drawn(pmf, rng)
        rows = np.arange(n)
        chances = self.chances(come.contexts, times)[rows, chosen]
        chances = chances if come.eagerness is None else chances * come.eagerness
        happened = rng.random(n) < chances
        rewards = np.zeros(n)
        rewards[happened] = self.amounts.draw(int(happened.sum()), rng)
        delays = None
        if self.delays is not None:
            delays = np.where(happened, self.delays.draw(chosen, rng), self.delays.window) * DAY
        log = Log(
            actions=self.variants,
            contexts=Contexts.of(come.contexts),
            eligible=np.ones(pmf.shape, dtype=np.bool_),
            chosen=chosen,
            propensities=pmf[rows, chosen],
            probabilities=pmf,
            rewards=rewards,
            times=times,
            persons=come.persons,
            slot=self.slot,
            default=self.default,
            name=self.name,
            reward_range=RewardRange(0.0, self.amounts.high),
        )
        return Drawn(log, delays)

    def log(self, n: int, *, policy: Policy | None = None, seed: int = 0) -> Log:
        """As `KnownWorld` says."""
        return self.draw(n, policy=policy, seed=seed).log

    def expected_rewards(self, log: Log) -> Floats:
        """As `KnownWorld` says."""
        return self.chances(log.contexts, log.times) * self.amounts.mean

    def _pmf(self, contexts: Sequence[Features], policy: Policy | None) -> Floats:
        if policy is None:
            return np.tile(uniform(len(self.variants)), (len(contexts), 1))
        return np.array([policy.pmf(context, self.variants) for context in contexts])


def drawn(pmf: Floats, rng: np.random.Generator) -> Indices:
    """(n,) one action a round, by the (n, K) probabilities; never one of probability 0."""
    points = rng.random(len(pmf))[:, None] * pmf.sum(axis=1, keepdims=True)
    found: Indices = (np.cumsum(pmf, axis=1) <= points).sum(axis=1)
    last = pmf.shape[1] - 1 - np.argmax(pmf[:, ::-1] > 0.0, axis=1)  # where rounding went beyond the last
    chosen: Indices = np.minimum(found, last)
    return chosen


def evenly(n: int, *, days: float) -> Floats:
    """(n,) unix seconds, evenly from START on."""
    return START + (np.arange(n, dtype=np.float64) + 0.5) * (days * DAY / n)


def alone(n: int) -> Codes:
    """(n,) every visit somebody else's."""
    return np.arange(n, dtype=np.int64)
