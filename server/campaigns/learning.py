"""Which policy a slot has, what that policy sees, and which saved states it can go on from. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from policies.base import Policy
from policies.registry import create, learns
from policies.types import Action, Features
from policies.wording import wording
from server.campaigns.context import clock
from server.campaigns.model import DEFAULT_LEARN_FROM, Campaign
from server.records import Candidate, Choice, Decision, Kind, SlotState


def build_policy(campaign: Campaign, slot: str, state: bytes | None = None) -> Policy:
    """The policy of a slot; a learner goes on from `state`. Raises UnreadableSnapshot."""
    spec = campaign.policy_of(slot)
    default = campaign.slots[slot].default or ""
    return create(spec, default=default, reward_range=campaign.reward_range, state=state)


def configuration(campaign: Campaign, slot: str) -> str:
    """What a slot's snapshots can be loaded under. Where this changes, learning starts again from the log."""
    reward_range = campaign.reward_range
    settings: dict[str, Any] = {
        "policy": str(campaign.policy_of(slot)),
        "reward_range": [reward_range.low, reward_range.high],
        "wording": campaign.slots[slot].worded,
        "clock": campaign.clock,
    }
    if campaign.learn_from != DEFAULT_LEARN_FROM:  # states that were saved before there was a choice stay valid
        settings["learn_from"] = campaign.learn_from
    return orjson.dumps(settings).decode()


def learning_slots(campaign: Campaign) -> tuple[str, ...]:
    """The slots whose policy learns: none where the campaign only logs."""
    return tuple(slot for slot in campaign.slots if campaign.learn_from and learns(campaign.policy_of(slot)))


def counts(campaign: Campaign, kind: Kind) -> bool:
    """Whether the campaign learns from choices that came about so."""
    return _LEARNED_AS.get(kind) in campaign.learn_from


_LEARNED_AS = {Kind.POLICY: "drawn", Kind.OBSERVED: "observed"}


def matching_states(campaign: Campaign, states: Iterable[SlotState]) -> dict[str, SlotState]:
    """By slot, those states that this version of the campaign can go on from, or, where it only logs, decide by."""
    return {
        one.slot: one
        for one in states
        if one.state is not None and one.slot in campaign.slots and _fits(one.configuration, campaign, one.slot)
    }


def _fits(saved: str, campaign: Campaign, slot: str) -> bool:
    if campaign.learn_from:
        return saved == configuration(campaign, slot)
    # what learns nothing decides by what was learned before, whatever that was learned from
    return _but_learned_from(saved) == _but_learned_from(configuration(campaign, slot))


def _but_learned_from(saved: str) -> dict[str, Any]:
    return {name: value for name, value in orjson.loads(saved).items() if name != "learn_from"}


def goes_on(campaign: Campaign, states: Iterable[SlotState]) -> bool:
    """Whether this version's learners can go on from a snapshot's states; else a new lineage starts from the log.

    Every slot that learns has to have its state there: one learner at place 0 and another further on would need two
    positions.
    """
    return set(learning_slots(campaign)) == set(matching_states(campaign, states))


def fits(campaign: Campaign, states: Iterable[SlotState]) -> bool:
    """Whether this version can serve from a snapshot's states: every slot that learns has its own there."""
    matching = set(matching_states(campaign, states))
    return bool(matching) and matching >= set(learning_slots(campaign))


def earlier_choices(choices: Iterable[Choice]) -> dict[str, str]:
    """What the slots before chose, as context for the next: `slot.headline` (no declared name holds a dot)."""
    return {f"slot.{choice.slot}": choice.variant for choice in choices}


def seen_context(
    campaign: Campaign, sent: Features, *, at: datetime, time_zone: str | None, earlier: Iterable[Choice]
) -> Features:
    """All that a policy of this campaign sees of a request: what was sent, the time where the campaign has a clock,
    and what the slots before chose.
    """
    time = clock(at, time_zone) if campaign.clock else {}
    return {**sent, **time, **earlier_choices(earlier)}


def seen_by_policy(campaign: Campaign, decision: Decision, position: int) -> Features:
    """The same from the log, for the choice at this place. `campaign` is the version whose policy looks: to one that
    begins to see the time, or ceases to, earlier decisions look as they would have.
    """
    earlier = decision.choices[:position]
    return seen_context(campaign, decision.context, at=decision.at, time_zone=decision.time_zone, earlier=earlier)


def candidate_action(candidate: Candidate, *, worded: bool) -> Action:
    """A variant that a call brought, as a policy sees it: with the features of its own text if `worded`."""
    text = wording(candidate.content) if worded else {}
    return Action(candidate.id, {**candidate.features, **text})


def actions_of(decided: Campaign, choice: Choice, *, worded: bool) -> tuple[Action, ...]:
    """The eligible variants of a choice as a policy sees them. Features and texts are those of the version that
    decided; whether the texts are seen is up to the version whose policy looks.
    """
    known = {candidate.id: candidate_action(candidate, worded=worded) for candidate in choice.candidates}
    slot = decided.slots.get(choice.slot)
    declared = {} if slot is None else slot.worded_actions if worded else slot.plain_actions
    return tuple(known[variant] if variant in known else declared[variant] for variant in choice.eligible)
