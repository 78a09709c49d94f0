"""From outcomes that were told of persons to the decisions that they credit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from server.campaigns.model import Campaign
from server.errors import DiskFull, EligeError, NothingShown, Unavailable
from server.outcomes import RewardRequest, metric_of
from server.store.attribution import Shown, Told, last_shown, told_before
from server.store.database import Database
from server.store.front import Front
from server.store.people import keys_of_each
from server.times import CLOCK_SKEW, told_time

Credit: TypeAlias = Shown | Told | None


@dataclass(frozen=True, slots=True)
class OfPerson:
    """An outcome of a metric that was told of a person: by their keyed hash."""

    person: str
    campaign: str
    metric: str
    at: datetime
    key: str | None

    @property
    def by(self) -> datetime:
        """Until when something was shown that it may credit: two clocks never agree."""
        return self.at + CLOCK_SKEW


def of_person(request: RewardRequest, person: str, *, campaign: Campaign, now: datetime) -> OfPerson:
    """What is asked about an outcome. `person`: their keyed hash. Raises InvalidRequest, NotDeclared."""
    at = told_time(request.at, decided=None, now=now)
    metric = request.metric or metric_of(campaign, None)
    return OfPerson(person, campaign.campaign, metric, at, request.key)


def credited(database: Database, front: Front, told: Sequence[OfPerson]) -> list[Credit | EligeError]:
    """Of each outcome, in order: the last decision of its campaign that was shown to the person at or before it,
    whichever of their keys it was shown under; or what became of the same outcome when it was told before. None while
    the database is away, if the outbox in front of it knows of no decision.

    Answers NothingShown; Unavailable and DiskFull where nothing else knows.
    """
    keys: Mapping[str, Sequence[str]] = {one.person: (one.person,) for one in told}
    found: list[Credit] = [None] * len(told)
    knows = front.asks_first
    if knows:
        try:
            keys, found = _from_database(database, told)
        except (Unavailable, DiskFull) as error:
            if front.outbox is None:
                return [type(error)(str(error)) for _ in told]
            front.presence.lost(str(error))
            knows = False
    answers: list[Credit | EligeError] = []
    for one, shown in zip(told, found, strict=True):
        last = shown if isinstance(shown, Told) else _later(shown, front, one, keys[one.person])
        answers.append(NothingShown(one.campaign, one.at) if last is None and knows else last)
    return answers


def _from_database(database: Database, told: Sequence[OfPerson]) -> tuple[Mapping[str, Sequence[str]], list[Credit]]:
    """All keys of the persons, and what the database knows of each outcome."""
    found: list[Credit] = []
    with database.reading() as connection:
        keys = keys_of_each(connection, {one.person for one in told})
        for one in told:
            theirs = keys[one.person]
            # first: meanwhile they may have been shown another one
            before = one.key and told_before(connection, one.campaign, theirs, one.metric, one.key)
            found.append(before or last_shown(connection, one.campaign, theirs, by=one.by))
    return keys, found


def _later(shown: Shown | None, front: Front, one: OfPerson, keys: Sequence[str]) -> Shown | None:
    """Of what the database knows and what is not drained yet, the one that was shown later."""
    undrained = front.last_shown(one.campaign, keys, by=one.by)
    known = [found for found in (shown, undrained) if found is not None]
    return max(known, key=lambda found: (found.shown_at, found.decision_id), default=None)
