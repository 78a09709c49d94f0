"""A trained state is tried before it may decide: asked for probabilities where the log says that it will be.

Always a copy, loaded from the bytes: to be asked moves what a learner counts, and the bytes that go on with it.
"""

from collections.abc import Callable, Iterable, Sequence

from policies.base import Policy, UnreadableSnapshot, checked
from policies.types import Action, Features
from server.campaigns.learning import actions_of, build_policy, seen_by_policy
from server.campaigns.model import Campaign
from server.errors import Diverged
from server.records import Decision, Matured, SlotState

VersionOf = Callable[[int], Campaign]
"""A campaign's version by number: the features of its variants are those of the version that decided."""

TRIED = 20
"""Decisions at the end of a segment for which what it made is asked."""


def try_states(campaign: Campaign, states: Iterable[SlotState], rows: Sequence[Matured], version_of: VersionOf) -> None:
    """Load each state as a server would, and ask it for the segment's last decisions. Raises Diverged."""
    decisions = [row.decision for row in rows[-TRIED:]]
    for state in states:
        try:
            policy = build_policy(campaign, state.slot, state.state)
        except UnreadableSnapshot as error:
            raise Diverged(f"slot {state.slot!r}: what was learned can't be loaded: {error}") from error
        try_policy(campaign, state.slot, policy, decisions, version_of)


def try_policy(
    campaign: Campaign, slot: str, policy: Policy, decisions: Iterable[Decision], version_of: VersionOf
) -> None:
    """Ask a policy about somebody of whom nothing is known, and for these decisions. Raises Diverged unless it answers
    every time with finite, non-negative probabilities that sum to 1.
    """
    declared = campaign.slots[slot]
    actions = tuple((declared.worded_actions if declared.worded else declared.plain_actions).values())
    if actions:
        _ask(slot, policy, {}, actions, "a context without features")
    for decision in decisions:
        for position, choice in enumerate(decision.choices):
            if choice.slot == slot and choice.eligible:
                context = seen_by_policy(campaign, decision, position)
                offered = actions_of(version_of(decision.version), choice, worded=declared.worded)
                _ask(slot, policy, context, offered, f"decision {decision.id}")


def _ask(slot: str, policy: Policy, context: Features, actions: tuple[Action, ...], about: str) -> None:
    try:
        checked(policy.pmf(context, actions), len(actions))
    except Exception as error:  # whatever it raises, a page would get its default for it
        raise Diverged(
            f"slot {slot!r}: asked for {about}, the learner fails: {type(error).__name__}: {error}"
        ) from error
