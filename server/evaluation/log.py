"""From the store to the simulator: one slot's log of a campaign."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from policies.expressions import compile_expression
from server.campaigns.learning import actions_of, seen_by_policy
from server.campaigns.model import Campaign
from server.errors import InvalidRequest
from server.records import Decision, Kind, Matured, Outcome
from server.reward_anew import OtherReward, earned_anew, with_reward
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store import outcomes as outcome_rows
from server.store import training as training_rows
from server.store.database import Database
from simulator import Log, Round

CHUNK = 5_000

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
    progress: Callable[[float], None] = lambda done: None,
    left_out: OnLeftOut = lambda decisions: None,
) -> Log:
    """The matured decisions of one slot (the first by default) that were drawn, or told with their propensity.

    `where`: a CEL test over the context. `reward`: what they earn, other than they did. `left_out` hears how many were
    told without it, if any. Raises NoSuchCampaign, ExpressionError, InvalidCampaign for a reward that can't be, and
    InvalidRequest for a slot that there isn't or when no decision is left.
    """
    newest = newest_campaign(database, campaign)
    rows: Iterable[Matured] = _matured(database, campaign, since=since, until=until, progress=progress)
    if reward is not None:
        newest = with_reward(newest, reward)
        rows = earned_anew(rows, newest, partial(_outcomes_of, database))
    return log_of(rows, newest, _Versions(database, campaign), slot=slot, where=where, left_out=left_out)


def log_of(
    rows: Iterable[Matured],
    newest: Campaign,
    versions: Callable[[int], Campaign],
    *,
    slot: str | None = None,
    where: str | None = None,
    left_out: OnLeftOut = lambda decisions: None,
) -> Log:
    """As `read_log`, of matured decisions wherever they were kept. Of two of one moment the first stays the first."""
    campaign = newest.campaign
    name = slot or next(iter(newest.slots))
    if name not in newest.slots:
        raise InvalidRequest(f"campaign {campaign!r} has no slot {name!r}; it has: {', '.join(newest.slots)}")
    names = None if newest.context == "any" else sorted(newest.context)
    test = compile_expression(where, names=names) if where else None
    rounds: list[Round] = []
    unknown = 0
    for row in rows:
        if found := _round(row, name, newest, versions):
            rounds.append(found)
        else:
            unknown += any(one.slot == name and one.propensity is None for one in row.decision.choices)
    kept = rounds if test is None else [one for one in rounds if test.test(one.context).holds]
    if not kept:
        raise InvalidRequest(_nothing(campaign, where if rounds else None, len(rounds), unknown=unknown))
    if unknown:
        left_out(unknown)
    return Log.from_rounds(
        kept,
        slot=name,
        default=newest.slots[name].default,
        name=campaign,
        reward_range=newest.reward_range,
    )


def newest_campaign(database: Database, campaign: str) -> Campaign:
    """The version in force. Raises NoSuchCampaign."""
    with database.reading() as connection:
        return Campaign.from_document(campaign_rows.read_version(connection, campaign).document)


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
    progress: Callable[[float], None],
) -> Iterator[Matured]:
    """In chunks of the sequence: a long read would keep the write-ahead log from being recycled."""
    with database.reading() as connection:
        last = training_rows.last_sequence(connection, campaign)
    after = 0
    while True:
        with database.reading() as connection:
            rows = decision_rows.matured(connection, campaign, after=after, limit=CHUNK, since=since, until=until)
        if not rows:
            return
        yield from rows
        after = rows[-1].sequence
        progress(after / last)


def _outcomes_of(database: Database, ids: Sequence[str]) -> Mapping[str, Sequence[Outcome]]:
    with database.reading() as connection:
        return outcome_rows.of_decisions(connection, ids)


def _nothing(campaign: str, where: str | None, found: int, *, unknown: int) -> str:
    if where:
        return f"{where!r} holds for none of the {found:,} decisions of campaign {campaign!r} in this period"
    if unknown:
        told = f"all {unknown:,} decisions of campaign {campaign!r} in this period were told without their propensity"
        return f"{told}: what other policies would have earned can't be estimated from them"
    return f"campaign {campaign!r} has no decision in this period whose reward window has closed: nothing to evaluate"


def _round(row: Matured, slot: str, newest: Campaign, versions: Callable[[int], Campaign]) -> Round | None:
    """A decision as a policy of the newest version would see it."""
    decision: Decision = row.decision
    for position, choice in enumerate(decision.choices):
        if choice.slot != slot:
            continue
        reward = row.reward_of(slot)
        if choice.kind is Kind.FALLBACK or choice.propensity is None or reward is None:
            return None
        return Round(
            context=seen_by_policy(newest, decision, position),
            actions=actions_of(versions(decision.version), choice, worded=newest.slots[slot].worded),
            chosen=choice.variant,
            propensity=choice.propensity,
            reward=reward,
            time=decision.at.timestamp(),
            probabilities=choice.probabilities or None,
            person=decision.person,
        )
    return None
