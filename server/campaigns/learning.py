"""Which policy a slot has, what that policy sees, and which saved states it can go on from. Pure."""

from collections.abc import Iterable

import orjson

from policies.base import Policy
from policies.registry import create, learns
from policies.types import Action
from server.campaigns.model import Campaign
from server.records import Choice, SlotState


def build_policy(campaign: Campaign, slot: str, state: bytes | None = None) -> Policy:
    """The policy of a slot; a learner goes on from `state`. Raises UnreadableSnapshot."""
    spec = campaign.policy_of(slot)
    default = campaign.slots[slot].default or ""
    return create(spec, default=default, reward_range=campaign.reward_range, state=state)


def configuration(campaign: Campaign, slot: str) -> str:
    """What a slot's snapshots can be loaded under. Where this changes, learning starts again from the log."""
    reward_range = campaign.reward_range
    settings = {"policy": str(campaign.policy_of(slot)), "reward_range": [reward_range.low, reward_range.high]}
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


def actions_of(campaign: Campaign, choice: Choice) -> tuple[Action, ...]:
    """The eligible variants of a choice as its policy saw them."""
    known = {candidate.id: Action(candidate.id, candidate.features) for candidate in choice.candidates}
    if choice.slot in campaign.slots:
        for variant in campaign.slots[choice.slot].variants:
            known.setdefault(variant.id, Action(variant.id, variant.features))
    return tuple(known[variant] for variant in choice.eligible)
