"""From the store to the simulator: one slot's log of a campaign, and its snapshots as policies to judge."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from policies.base import Policy
from policies.bounds import Bounds, bounded
from policies.expressions import compile_expression
from policies.portraits import describe, sentence
from policies.segmentation import Segmentation
from policies.segments import Segmented
from policies.types import Action, Features, Pmf
from server.campaigns.catalogue import serve
from server.campaigns.learning import actions_of, build_policy, matching_states, seen_by_policy
from server.campaigns.model import Campaign
from server.errors import InvalidRequest
from server.records import Decision, Kind, Matured, Outcome
from server.reward_anew import OtherReward, earned_anew, with_reward
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store import outcomes as outcome_rows
from server.store import training as training_rows
from server.store.database import Database
from server.training.restore import restore
from simulator import By, Candidate, Log, Round

CHUNK = 5_000
SNAPSHOT = "snapshot:"
SEGMENTS = "segment"

OnLeftOut = Callable[[int], None]
"""Told how many decisions are not in the log because nobody knows how probable they were."""


@dataclass(frozen=True, slots=True)
class Served:
    """A policy as it is served: with the explore share on top, inside the bounds."""

    policy: Policy
    explore: float
    bounds: Bounds

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        return bounded(self.policy.pmf(context, actions), actions, explore=self.explore, bounds=self.bounds).pmf


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
    newest = _campaign(database, campaign)
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


def snapshot_candidate(database: Database, campaign: str, slot: str, name: str) -> Candidate:
    """The policy of `snapshot:NUMBER`, as it was served; judged only on decisions later than those it learned.

    Raises NoSuchSnapshot, InvalidRequest.
    """
    number = name.removeprefix(SNAPSHOT)
    if not number.isdecimal():
        raise InvalidRequest(f"{name!r}: expected {SNAPSHOT}NUMBER, as elige campaign show prints it")
    snapshot = restore(database, int(number))
    if snapshot.campaign != campaign:
        raise InvalidRequest(f"snapshot {number} is of campaign {snapshot.campaign!r}, not {campaign!r}")
    with database.reading() as connection:
        stored = campaign_rows.read_version(connection, campaign, snapshot.version)
        last = training_rows.last_decision_learned(connection, campaign, snapshot.trained_through)
    last = last or snapshot.created_at  # what it learned is past its retention: all of it was earlier than this
    trained = Campaign.from_document(stored.document)
    states = matching_states(trained, snapshot.slots)
    if slot not in states:
        raise InvalidRequest(f"snapshot {number} has learned nothing for slot {slot!r}")
    newest = _campaign(database, campaign)
    if slot in newest.slots and _sight(trained, slot) != _sight(newest, slot):
        raise InvalidRequest(
            f"snapshot {number} was trained with {_sight(trained, slot)}, and the log is read with "
            f"{_sight(newest, slot)}, as the campaign is now: expected a snapshot that sees the same"
        )
    built = build_policy(trained, slot, states[slot].state)
    policy = Served(built, trained.explore_of(slot), trained.bounds_of(slot))
    return Candidate(name, policy, judged_after=last.timestamp(), note=f"{states[slot].policy}, as served")


def groups_by(database: Database, log: Log, key: str) -> By:
    """What makes groups of the people in the log of a campaign's slot: a key of their contexts; where none is called
    so, `segment` means the segments of the newest snapshot. Raises InvalidRequest.
    """
    known = {name for context in log.contexts for name in context}
    if key in known:
        return By(key, lambda context: context.get(key))
    if key != SEGMENTS:
        names = ", ".join(sorted(known)) or "none"
        raise InvalidRequest(f"no context of this log has a key {key!r}; there are: {names}, and {SEGMENTS!r}")
    segmentation = _segmentation(database, log.name, log.slot)
    return By(key, segmentation.label, {one.label: sentence(one) for one in describe(segmentation)})


def _segmentation(database: Database, campaign: str, slot: str) -> Segmentation:
    with database.reading() as connection:
        stored = campaign_rows.read_version(connection, campaign)
        newest = training_rows.newest_snapshot_id(connection, campaign)
    served = serve(stored, restore(database, newest) if newest is not None else None).slots[slot]
    if not isinstance(served.policy, Segmented):
        raise InvalidRequest(
            f"slot {slot!r} of campaign {campaign!r} is decided by {served.policy_name!r}, which makes no segments; "
            "segments does, or squarecb:segments=8"
        )
    if served.policy.segmentation.segments is None:
        raise InvalidRequest(f"slot {slot!r} of campaign {campaign!r} has no segments yet: it has learned too little")
    return served.policy.segmentation


def _campaign(database: Database, campaign: str) -> Campaign:
    with database.reading() as connection:
        return Campaign.from_document(campaign_rows.read_version(connection, campaign).document)


def _sight(campaign: Campaign, slot: str) -> str:
    """Which of the features that we make the policy of a slot sees, as a campaign file says it."""
    wording, clock = ("true" if seen else "false" for seen in (campaign.slots[slot].worded, campaign.clock))
    return f"wording: {wording}, clock: {clock}"


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
