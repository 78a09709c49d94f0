"""Why a decision came out as it did: recomputed from the log and the snapshot, and held against what was logged."""

from dataclasses import dataclass, replace

import numpy as np

from policies.base import Learner, Policy, draw_point, sample, with_exploration
from policies.types import Features
from server.campaigns.model import Campaign
from server.errors import EligeError
from server.records import Choice, Decision, Kind, Snapshot
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store.database import Database
from server.training.learners import actions_of, build_policy, earlier_choices, matching_states
from server.training.restore import restore

TOLERANCE = 1e-12
"""How far a recomputed probability may be from the logged one."""


@dataclass(frozen=True, slots=True)
class Check:
    """One step recomputed: whether it agrees; None where it can't be recomputed any more, and why."""

    agrees: bool | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SlotExplanation:
    """One slot's choice, step by step.

    `scores` is the policy's pmf over the eligible variants, `bounded` the same after the bounds: what was drawn from.
    """

    logged: Choice
    eligible: Check
    policy: Check
    bounds: Check
    draw: Check
    arguments: str = ""
    scores: tuple[float, ...] = ()
    bounded: tuple[float, ...] = ()
    point: float | None = None
    recomputed_variant: str | None = None

    @property
    def agrees(self) -> bool:
        """No step disagrees. A step that can't be recomputed does not count against it, and is told."""
        return all(check.agrees is not False for check in (self.eligible, self.policy, self.bounds, self.draw))


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision recomputed."""

    decision: Decision
    slots: tuple[SlotExplanation, ...]

    @property
    def agrees(self) -> bool:
        return all(slot.agrees for slot in self.slots)


def explain(database: Database, decision_id: str) -> Explanation:
    """Recompute a stored decision. Raises NoSuchDecision."""
    with database.reading() as connection:
        decision = decision_rows.read(connection, decision_id)
        stored = campaign_rows.read_version(connection, decision.campaign, decision.version)
    campaign = Campaign.from_document(stored.document)
    snapshot, trouble = _snapshot(database, decision.snapshot)
    explained: list[SlotExplanation] = []
    for position, choice in enumerate(decision.choices):
        context: Features = {**decision.context, **earlier_choices(decision.choices[:position])}
        if choice.kind is Kind.POLICY:
            explained.append(_drawn(campaign, decision, choice, context, snapshot, trouble, secret=database.secret))
        else:
            explained.append(_not_drawn(choice))
    return Explanation(decision, tuple(explained))


def _snapshot(database: Database, snapshot_id: int | None) -> tuple[Snapshot | None, str]:
    if snapshot_id is None:
        return None, ""
    try:
        return restore(database, snapshot_id), ""
    except EligeError as error:
        return None, str(error)


def _drawn(
    campaign: Campaign,
    decision: Decision,
    choice: Choice,
    context: Features,
    snapshot: Snapshot | None,
    trouble: str,
    *,
    secret: bytes,
) -> SlotExplanation:
    point = draw_point(secret, decision.id, choice.slot)
    logged = np.array(choice.probabilities)
    drawn = choice.eligible[sample(logged, point)]
    propensity = logged[choice.eligible.index(choice.variant)]
    right = drawn == choice.variant and propensity == choice.propensity
    base = SlotExplanation(
        logged=choice,
        eligible=_eligible(campaign, choice),
        policy=Check(None, trouble),
        bounds=Check(None, trouble),
        draw=Check(
            right, "" if right else f"the draw gives {drawn!r}; logged {choice.variant!r} at {choice.propensity}"
        ),
        point=point,
        recomputed_variant=drawn,
    )
    if trouble:
        return base
    try:
        policy = _policy(campaign, choice.slot, snapshot)
        scores = policy.pmf(context, actions_of(campaign, choice))
    except Exception as error:  # noqa: BLE001 whatever a policy raises, the rest can be explained
        unknown = Check(None, f"the policy can't be asked any more: {error}")
        return replace(base, policy=unknown, bounds=unknown)
    bounded = with_exploration(scores, choice.explore)
    gap = float(np.abs(bounded - logged).max())
    # only what was drawn from is logged: policy and bounds can be held against it together, not apart
    same = Check(gap <= TOLERANCE, "" if gap <= TOLERANCE else f"recomputed probabilities differ by up to {gap:.3g}")
    return replace(
        base,
        policy=same,
        bounds=same,
        arguments=policy.arguments if isinstance(policy, Learner) else choice.policy,
        scores=tuple(scores.tolist()),
        bounded=tuple(bounded.tolist()),
    )


def _policy(campaign: Campaign, slot: str, snapshot: Snapshot | None) -> Policy:
    states = matching_states(campaign, snapshot.slots) if snapshot else {}
    return build_policy(campaign, slot, states[slot].state if slot in states else None)


def _eligible(campaign: Campaign, choice: Choice) -> Check:
    refused = {refusal.variant for refusal in choice.refusals}
    declared = [variant.id for variant in campaign.slots[choice.slot].variants]
    offered = [*declared, *(candidate.id for candidate in choice.candidates)]
    recomputed = tuple(variant for variant in offered if variant not in refused)
    same = recomputed == choice.eligible
    return Check(same, "" if same else f"recomputed {list(recomputed)}, logged {list(choice.eligible)}")


def _not_drawn(choice: Choice) -> SlotExplanation:
    if choice.kind is Kind.OBSERVED:
        told = Check(None, "chosen elsewhere: only what we were told is known")
        return SlotExplanation(choice, told, told, told, told)
    default = Check(True, f"the default, because: {choice.reason.value}")
    return SlotExplanation(choice, default, default, default, default)
