"""Logs that others kept, written as if they had been served: a campaign, its decisions, their outcomes and rewards.

They are marked as observed: evaluated by the propensity that was told, not drawn by us, not learned.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from policies.expressions import is_name
from policies.types import Value
from server.campaigns.model import Campaign
from server.campaigns.versions import put_campaign, set_state
from server.errors import Conflict, NoSuchCampaign, Unavailable
from server.ids import RANDOM, make_decision_id, person_key
from server.records import Choice, Decision, Group, Kind, Outcome, Reason, State
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store import outcomes as outcome_rows
from server.store import training as training_rows
from server.store.database import Database
from server.store.training import Earned
from simulator.logs.log import Round
from simulator.logs.rounds import known_propensity
from simulator.sources.files import Source

CHUNK = 2_000
WINDOW = timedelta(seconds=1)
"""The reward window of an imported campaign: what its log says has already happened."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import wrote."""

    campaign: str
    slot: str
    decisions: int
    outcomes: int


def import_log(
    database: Database,
    source: Source,
    *,
    campaign: str,
    now: datetime,
    progress: Callable[[float], None] = lambda done: None,
) -> Imported:
    """Write a log under a new campaign. Rows without times get one second each, the last at `now`.

    The campaign is a draft until all rows are there. Raises Conflict where the campaign exists, InvalidCampaign for a
    name or variants that no campaign can have.
    """
    model = campaign_of(source, campaign)
    with database.reading() as connection:
        try:
            campaign_rows.read_version(connection, campaign)
        except NoSuchCampaign:
            pass
        else:
            raise Conflict(f"campaign {campaign!r} exists: import under another name")
    put = put_campaign(database, model, _comment(source), now=now, state=State.DRAFT)
    metric = next(iter(model.metrics))
    rounds = sorted(source.rounds, key=lambda one: one.time)
    written = happened = 0
    for start in range(0, len(rounds), CHUNK):
        chunk = rounds[start : start + CHUNK]
        decided = [
            _decision(database.secret, one, index, source, put.stored.number, model, now=now, total=len(rounds))
            for index, one in enumerate(chunk, start=start)
        ]
        outcomes = [
            Outcome(decision.id, campaign, metric, one.reward, decision.at, now)
            for decision, one in zip(decided, chunk, strict=True)
            if one.reward != 0.0
        ]
        earned = [Earned(decision.id, one.reward, {}) for decision, one in zip(decided, chunk, strict=True)]
        with database.writing([campaign]) as connection:
            lease = training_rows.acquire(connection, campaign, holder="import", now=now, lasts=timedelta(minutes=1))
            if lease is None:
                raise Unavailable(f"campaign {campaign!r} is being trained: import under another name")
            decision_rows.insert_rows(connection, decided)
            outcome_rows.insert_rows(connection, outcomes)
            training_rows.append_rewards(connection, lease, earned, now=now)
        written, happened = written + len(decided), happened + len(outcomes)
        progress(written / len(rounds))
    with database.writing() as connection:
        training_rows.release(connection, "import", now=now)
    set_state(database, campaign, State.ACTIVE, now=now)
    return Imported(campaign, source.slot, written, happened)


def campaign_of(source: Source, name: str) -> Campaign:
    """A campaign that could have kept this log. Raises InvalidCampaign."""
    kinds: dict[str, str] = {}
    for one in source.rounds:
        for key, value in one.context.items():
            kinds.setdefault(key, _kind(value))
    metric = source.reward if is_name(source.reward) else "reward"
    low, high = source.reward_range.low, source.reward_range.high
    variants = [{"id": action.id, "features": dict(action.features)} for action in source.actions]
    return Campaign.from_document(
        {
            "campaign": name,
            "description": f"Imported from {source.name}",
            "metrics": {metric: "sum"},
            "reward": {
                "window": f"{WINDOW.seconds}s",
                "default": min(max(0.0, low), high),
                "range": [low, high],
                "value": metric,
            },
            "context": kinds if all(map(is_name, kinds)) else "any",
            "clock": False,  # who chose did not look at it, and what was told is judged as it was told
            "slots": {source.slot: {"default": source.default or source.actions[0].id, "variants": variants}},
        }
    )


def _decision(
    secret: bytes,
    one: Round,
    index: int,
    source: Source,
    number: int,
    campaign: Campaign,
    *,
    now: datetime,
    total: int,
) -> Decision:
    at = datetime.fromtimestamp(one.time, UTC) if source.timed else now - timedelta(seconds=total - 1 - index)
    row = hashlib.blake2b(f"{campaign.campaign}\x00{index}".encode(), digest_size=RANDOM).digest()
    return Decision(
        id=make_decision_id(secret, at=at, campaign_number=number, random=row),
        campaign=campaign.campaign,
        version=1,
        at=at,
        person=None if one.person is None else person_key(secret, str(one.person)),
        context=one.context,
        ignored_context=(),
        labels={"import": source.name, "row": index + 1},
        time_zone=None,
        group=Group.POLICY,
        snapshot=None,
        window_closes_at=at + WINDOW,
        choices=(_choice(one, source, at),),
        activated_at=at,
    )


def _choice(one: Round, source: Source, at: datetime) -> Choice:
    known: Sequence[float] = () if one.probabilities is None else [float(p) for p in one.probabilities]
    return Choice(
        slot=source.slot,
        variant=one.chosen,
        content={},
        propensity=known_propensity(one),
        kind=Kind.OBSERVED,
        reason=Reason.IMPORTED,
        policy="imported",
        explore=0.0,
        eligible=tuple(action.id for action in one.actions),
        probabilities=tuple(known),
        activated_at=at,
    )


def _kind(value: Value) -> str:
    match value:
        case bool():
            return "flag"
        case str():
            return "text"
        case tuple():
            return "texts"
        case _:
            return "number"


def _comment(source: Source) -> str:
    return f"# imported from {source.name}\n"
