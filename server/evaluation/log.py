"""From the store to the simulator: one slot's log of a campaign."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from server.campaigns.model import Campaign
from server.errors import Unavailable
from server.evaluation.extent import Extent
from server.evaluation.reading import Reading, Wanted, read
from server.records import Matured, Outcome
from server.reward_anew import OtherReward, earned_anew, with_reward
from server.store import campaigns as campaign_rows
from server.store import counts
from server.store import decisions as decision_rows
from server.store import outcomes as outcome_rows
from server.store import training as training_rows
from server.store.counts import Counted
from server.store.database import Database
from simulator import Log

CHUNK = 5_000
READS = 5
"""How often a log is read from which something is taken away meanwhile."""

OnLeftOut = Callable[[int], None]
"""Told how many decisions are not in the log because nobody knows how probable they were."""


def read_log(
    database: Database,
    campaign: str,
    *,
    slot: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    where: str | None = None,
    reward: OtherReward | None = None,
    extent: Extent | None = None,
    progress: Callable[[float], None] = lambda done: None,
    left_out: OnLeftOut = lambda decisions: None,
) -> Log:
    """The matured decisions of one slot (the first by default) that were drawn, or told with their propensity.

    `where`: a CEL test over context, labels, `group` and `version`. `reward`: what they earn, other than they did.
    `extent`: what of the log to see, by default all of it. `left_out` hears how many were told without it, if any.
    Raises NoSuchCampaign, ExpressionError, InvalidCampaign for a reward that can't be, and InvalidRequest for a slot
    that there isn't or when no decision is left.
    """
    wanted = Wanted((slot or first_slot(newest_campaign(database, campaign, extent)),), where)
    return read_stored(
        database,
        campaign,
        wanted,
        since=since,
        until=until,
        reward=reward,
        extent=extent,
        progress=progress,
        left_out=left_out,
    ).slots[0]


def read_stored(
    database: Database,
    campaign: str,
    wanted: Wanted,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    reward: OtherReward | None = None,
    extent: Extent | None = None,
    progress: Callable[[float], None] = lambda done: None,
    left_out: OnLeftOut = lambda decisions: None,
) -> Reading:
    """As `read_log`, of several slots, and with what no policy sees.

    It is the log of one moment, though it is read in pieces: where a person was erased, or what is old dropped, between
    the first and the last, it is read anew. Raises what `read_log` raises, and Unavailable where that never ends.
    """
    newest = newest_campaign(database, campaign, extent)
    if reward is not None:
        newest = with_reward(newest, reward)
    versions, outcomes_of = _Versions(database, campaign), partial(_outcomes_of, database)
    with database.reading() as connection:
        through = extent.through if extent else training_rows.last_sequence(connection, campaign)
        before = counts.count_matured(connection, campaign, through=through)
    for _ in range(READS):
        unknown = [0]
        rows: Iterable[Matured] = _matured(
            database, campaign, since=since, until=until, through=through, progress=progress
        )
        if reward is not None:
            rows = earned_anew(rows, newest, outcomes_of)
        reading = read(rows, newest, versions, outcomes_of, wanted, left_out=unknown.append)
        slots = [log.slot for log in reading.slots]
        with database.reading() as connection:
            # each that is erased or dropped makes them fewer, and nothing makes them more
            after = counts.count_matured(connection, campaign, through=through)
            if after == before:
                why = counts.count_left_out(connection, campaign, slots, since=since, until=until, through=through)
                if unknown[-1]:
                    left_out(unknown[-1])
                return replace(reading, counted=Counted(after, why))
        before = after
    raise Unavailable(f"decisions of {campaign!r} are erased or dropped while they are read: ask again in a while")


def first_slot(campaign: Campaign) -> str:
    """The one that is meant where none is named."""
    return next(iter(campaign.slots))


def newest_campaign(database: Database, campaign: str, extent: Extent | None = None) -> Campaign:
    """The version in force, or that of the extent. Raises NoSuchCampaign."""
    version = extent.version if extent else None
    with database.reading() as connection:
        return Campaign.from_document(campaign_rows.read_version(connection, campaign, version).document)


class _Versions:
    """A campaign's versions, each read once."""

    def __init__(self, database: Database, campaign: str) -> None:
        self._database, self._campaign = database, campaign
        self._known: dict[int, Campaign] = {}

    def __call__(self, version: int) -> Campaign:
        if version not in self._known:
            with self._database.reading() as connection:
                stored = campaign_rows.read_version(connection, self._campaign, version)
            self._known[version] = Campaign.from_document(stored.document)
        return self._known[version]


def _matured(
    database: Database,
    campaign: str,
    *,
    since: datetime | None,
    until: datetime | None,
    through: int,
    progress: Callable[[float], None],
) -> Iterator[Matured]:
    """In chunks of the sequence: a long read would keep the write-ahead log from being recycled."""
    after = 0
    while True:
        with database.reading() as connection:
            rows = decision_rows.matured(
                connection, campaign, after=after, through=through, limit=CHUNK, since=since, until=until
            )
        if not rows:
            return
        yield from rows
        after = rows[-1].sequence
        progress(after / through)


def _outcomes_of(database: Database, ids: Sequence[str]) -> Mapping[str, Sequence[Outcome]]:
    with database.reading() as connection:
        return outcome_rows.of_decisions(connection, ids)
