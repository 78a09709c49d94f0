"""What a campaign's own log says of its traffic and its rewards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from server.campaigns.model import Campaign
from server.records import Kind, Matured
from server.store import decisions as decision_rows
from server.store import training as training_rows
from server.store.database import Database
from server.store.rates import read_traffic
from simulator.estimators import effective_sample_size
from simulator.intervals.clustered import clustered
from simulator.logs.log import Codes, Floats

LOOKED_BACK = timedelta(days=28)
SHORTEST = timedelta(hours=1)
"""A campaign that is younger is taken to be of this age: two decisions in a second are not 172,800 a day."""
SAMPLE = 20_000
"""The newest rewards, from which their mean and deviation are taken."""
CHUNK = 5_000
MIN_ESS = 100.0
"""Fewer decisions than these in which the defaults were shown say too little of them."""


@dataclass(frozen=True, slots=True)
class Rewards:
    """Of the recent rewards: n of them, with the mean and the deviation of those of the defaults, or, if these were
    shown too seldom (`of_defaults` is False), of all. binary: all are 0 or 1. together: how many times the variance of
    their mean is what it would be without repeated visits, at least 1. eligible: the commonest number of variants.
    """

    n: int
    mean: float
    deviation: float
    of_defaults: bool
    binary: bool
    together: float
    eligible: int


def decisions_per_day(database: Database, campaign: str, *, now: datetime) -> float | None:
    """Of the last 28 days, or of as many as there are; None where there was no decision in them."""
    with database.reading() as connection:
        traffic = read_traffic(connection, campaign, since=now - LOOKED_BACK, until=now)
    if traffic.first is None or traffic.decisions == 0:
        return None
    length = min(max(now - traffic.first, SHORTEST), LOOKED_BACK)
    return traffic.decisions / (length / timedelta(days=1))


def recent_rewards(database: Database, campaign: Campaign, slot: str, *, now: datetime) -> Rewards | None:
    """Of the decisions of the last 28 days whose slot was drawn, or told with its propensity; None without any."""
    rows = list(_recent(database, campaign.campaign, slot, since=now - LOOKED_BACK))
    if not rows:
        return None
    rewards = np.array([row.reward_of(slot) for row in rows], dtype=np.float64)
    weights = np.array([_weight(campaign, row) for row in rows])
    of_defaults = effective_sample_size(weights) >= MIN_ESS
    kept = weights if of_defaults else np.ones(rewards.size)
    mean = float(np.average(rewards, weights=kept))
    _, persons = np.unique([row.decision.person or row.decision.id for row in rows], return_inverse=True)
    return Rewards(
        n=rewards.size,
        mean=mean,
        deviation=float(np.sqrt(np.average((rewards - mean) ** 2, weights=kept))),
        of_defaults=of_defaults,
        binary=bool(np.isin(rewards, (0.0, 1.0)).all()),
        together=_together(rewards, persons),
        eligible=_eligible(rows, slot),
    )


def _recent(database: Database, campaign: str, slot: str, *, since: datetime) -> Iterator[Matured]:
    with database.reading() as connection:
        after = max(0, training_rows.last_sequence(connection, campaign) - SAMPLE)
    while True:
        with database.reading() as connection:
            rows = decision_rows.matured(connection, campaign, after=after, limit=CHUNK, since=since, counting=True)
        if not rows:
            return
        yield from (row for row in rows if _counts(row, slot))
        after = rows[-1].sequence


def _counts(row: Matured, slot: str) -> bool:
    known = all(one.kind is not Kind.FALLBACK and one.propensity is not None for one in row.decision.choices)
    there = any(one.slot == slot for one in row.decision.choices)
    return known and there and row.reward_of(slot) is not None


def _weight(campaign: Campaign, row: Matured) -> float:
    """1 / the propensity of the defaults in all slots that have one, if these were shown; else 0."""
    weight = 1.0
    for choice in row.decision.choices:
        default = campaign.slots[choice.slot].default if choice.slot in campaign.slots else None
        if default is None:
            continue
        if choice.variant != default or choice.propensity is None:
            return 0.0
        weight /= choice.propensity
    return weight


def _together(rewards: Floats, persons: Codes) -> float:
    scatter = rewards - rewards.mean()
    if np.unique(persons).size < 2 or not scatter.any():
        return 1.0
    alone = np.arange(rewards.size)
    errors = [clustered(0.0, scatter, codes, confidence=0.5).standard_error for codes in (persons, alone)]
    return max(1.0, float((errors[0] / errors[1]) ** 2))


def _eligible(rows: Sequence[Matured], slot: str) -> int:
    sizes = [len(one.eligible) for row in rows for one in row.decision.choices if one.slot == slot]
    return int(np.bincount(sizes).argmax())
