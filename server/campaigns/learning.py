"""Which policy a slot has, what that policy sees, and which saved states it can go on from. Pure."""

from collections.abc import Iterable
from datetime import datetime

import orjson

from policies.base import Policy
from policies.registry import create, learns
from policies.types import Action, Features
from policies.wording import wording
from server.campaigns.context import clock
from server.campaigns.model import Campaign
from server.records import Candidate, Choice, Decision, SlotState


def build_policy(campaign: Campaign, slot: str, state: bytes | None = None) -> Policy:
    """The policy of a slot; a learner goes on from `state`. Raises UnreadableSnapshot."""
    spec = campaign.policy_of(slot)
    default = campaign.slots[slot].default or ""
    return create(spec, default=default, reward_range=campaign.reward_range, state=state)


def configuration(campaign: Campaign, slot: str) -> str:
    """What a slot's snapshots can be loaded under. Where this changes, learning starts again from the log."""
    reward_range = campaign.reward_range
    settings = {
        "policy": str(campaign.policy_of(slot)),
        "reward_range": [reward_range.low, reward_range.high],
        "wording": campaign.slots[slot].worded,
        "clock": campaign.clock,
    }
    return orjson.dumps(settings).decode()


def learning_slots(campaign: Campaign) -> tuple[str, ...]:
    """The slots whose policy learns."""
    return tuple(slot for slot in campaign.slots if learns(campaign.policy_of(slot)))


def matching_states(campaign: Campaign, states: Iterable[SlotState]) -> dict[str, SlotState]:
    """By slot, those states that this version of the campaign can go on from."""
    return {
        one.slot: one
        for one in states
        if one.state is not None
        and one.slot in campaign.slots
        and one.configuration == configuration(campaign, one.slot)
    }


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
