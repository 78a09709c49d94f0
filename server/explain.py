"""Why a decision came out as it did: recomputed from the log and the snapshot, and held against what was logged."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from policies.base import Learner, Policy, draw_point, sample
from policies.bounds import bounded
from policies.types import Features
from server.campaigns.learning import actions_of, build_policy, matching_states, seen_by_policy
from server.campaigns.model import Campaign
from server.decide import with_contents
from server.errors import EligeError, NoSuchDecision, WrongState
from server.ids import read_decision_id
from server.records import Choice, Decision, Kind, Matured, Snapshot
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store import outcomes as outcome_rows
from server.store.database import Database
from server.store.outcomes import LoggedOutcome
from server.times import CLOCK_SKEW
from server.training.learners import package_versions
from server.training.restore import restore

TOLERANCE = 1e-9
"""How far a recomputed probability may be from the logged one."""


class Verdict(StrEnum):
    """Whether something recomputed agrees with the log."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_RECOMPUTABLE = "not_recomputable"  # what it needs is gone, or is other software by now
    NOT_APPLICABLE = "not_applicable"  # nothing was drawn, or no policy was asked


@dataclass(frozen=True, slots=True)
class Check:
    """One step recomputed. `detail`: what differs, or why it can't be recomputed. Where it agrees it is empty, or says
    which bounds could not be kept.
    """

    verdict: Verdict
    detail: str = ""

    @classmethod
    def that(cls, agrees: bool, otherwise: str) -> "Check":
        return cls(Verdict.AGREES) if agrees else cls(Verdict.DIFFERS, otherwise)


@dataclass(frozen=True, slots=True)
class SlotExplanation:
    """One slot's choice, step by step.

    `offered`: all variants there were, the campaign's and then the call's. `scores` is the policy's pmf over the
    eligible ones, `bounded` the same after the bounds: what was drawn from. Both are empty where no policy was asked,
    or where it can't be asked any more.
    """

    logged: Choice
    offered: tuple[str, ...]
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
        return all(one.verdict is not Verdict.DIFFERS for one in (self.eligible, self.policy, self.bounds, self.draw))


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision recomputed, with what came of it. `matured`: None before its window has closed and it was matured."""

    decision: Decision
    outcomes: tuple[LoggedOutcome, ...]
    matured: Matured | None
    slots: tuple[SlotExplanation, ...]

    @property
    def agrees(self) -> bool:
        return all(slot.agrees for slot in self.slots)


def explain(database: Database, decision_id: str) -> Explanation:
    """Recompute a stored decision. Raises InvalidRequest for an id that is not ours, and WrongState for one that is,
    but whose decision is not stored.
    """
    read_decision_id(database.secret, decision_id)
    with database.reading() as connection:
        try:
            decision = decision_rows.read(connection, decision_id)
        except NoSuchDecision as error:
            raise WrongState(f"decision {decision_id!r} is genuine, but not in the log (yet)") from error
        stored = campaign_rows.read_version(connection, decision.campaign, decision.version)
        outcomes = outcome_rows.history(connection, decision_id)
        matured = decision_rows.matured_one(connection, decision_id)
    campaign = Campaign.from_document(stored.document)
    snapshot, trouble = _snapshot(database, decision)
    explained: list[SlotExplanation] = []
    for position, choice in enumerate(decision.choices):
        if decision.erased:
            explained.append(_erased(decision, choice, secret=database.secret))
            continue
        context = seen_by_policy(campaign, decision, position)
        match choice.kind:
            case Kind.POLICY:
                one = _drawn(campaign, decision, choice, context, snapshot, trouble, secret=database.secret)
            case Kind.FALLBACK:
                one = _fallback(campaign, choice)
            case Kind.OBSERVED:
                one = _observed(campaign, choice)
        explained.append(one)
    return Explanation(with_contents(campaign, decision), tuple(outcomes), matured, tuple(explained))


def _snapshot(database: Database, decision: Decision) -> tuple[Snapshot | None, str]:
    if decision.snapshot is None:
        return None, ""
    try:
        found = restore(database, decision.snapshot)
    except EligeError as error:
        return None, str(error)
    if found.campaign != decision.campaign or found.created_at > decision.at + CLOCK_SKEW:
        return None, f"snapshot {found.id} is not here: it was of the database from which the decision was imported"
    return found, ""


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
    variant, draw = _draw(choice, point)
    unknown = Check(Verdict.NOT_RECOMPUTABLE, trouble)
    base = SlotExplanation(
        logged=choice,
        offered=_offered(campaign, choice),
        eligible=_eligible(campaign, choice),
        policy=unknown,
        bounds=unknown,
        draw=draw,
        point=point,
        recomputed_variant=variant,
    )
    if trouble:
        return base
    try:
        policy = _policy(campaign, choice.slot, snapshot)
        actions = actions_of(campaign, choice, worded=campaign.slots[choice.slot].worded)
        scores = policy.pmf(context, actions)
    except Exception as error:  # noqa: BLE001 whatever a policy raises, the rest can be explained
        unknown = Check(Verdict.NOT_RECOMPUTABLE, f"the policy can't be asked any more: {error}")
        return replace(base, policy=unknown, bounds=unknown)
    served, note = bounded(scores, actions, explore=choice.explore, bounds=campaign.bounds_of(choice.slot))
    # only what was drawn from is logged: policy and bounds can be held against it together, not apart
    same = _same_probabilities(choice, served.tolist(), snapshot)
    return replace(
        base,
        policy=same,
        bounds=replace(same, detail=note) if same.verdict is Verdict.AGREES else same,
        arguments=policy.arguments if isinstance(policy, Learner) else choice.policy,
        scores=tuple(scores.tolist()),
        bounded=tuple(served.tolist()),
    )


def _erased(decision: Decision, choice: Choice, *, secret: bytes) -> SlotExplanation:
    """The draw alone: what was known of the person is gone, and what only their call offered."""
    gone = Check(Verdict.NOT_RECOMPUTABLE, "its person was erased")
    if choice.kind is not Kind.POLICY:
        nothing_drawn = Check(Verdict.NOT_APPLICABLE, "nothing was drawn")
        return SlotExplanation(choice, choice.eligible, gone, gone, gone, nothing_drawn)
    point = draw_point(secret, decision.id, choice.slot)
    variant, draw = _draw(choice, point)
    shown = SlotExplanation(choice, choice.eligible, gone, gone, gone, draw)
    return replace(shown, point=point, recomputed_variant=variant)


def _draw(choice: Choice, point: float) -> tuple[str | None, Check]:
    """The variant on which the point falls in the logged probabilities, and whether that is what is logged."""
    logged = dict(zip(choice.eligible, choice.probabilities, strict=False))
    total = sum(choice.probabilities)
    if len(choice.probabilities) != len(choice.eligible) or not abs(total - 1.0) <= TOLERANCE:
        detail = f"{len(choice.probabilities)} probabilities for {len(choice.eligible)} variants, their sum {total}"
        return None, Check(Verdict.DIFFERS, detail)
    drawn = choice.eligible[sample(np.array(choice.probabilities), point)]
    right = drawn == choice.variant and logged[drawn] == choice.propensity
    gives = f"the draw gives {drawn!r} at {logged[drawn]}; logged: {choice.variant!r} at {choice.propensity}"
    return drawn, Check.that(right, gives)


def _same_probabilities(choice: Choice, recomputed: list[float], snapshot: Snapshot | None) -> Check:
    if len(recomputed) != len(choice.probabilities):
        return Check(Verdict.DIFFERS, f"{len(choice.probabilities)} probabilities for {len(recomputed)} variants")
    gap = max(abs(one - other) for one, other in zip(recomputed, choice.probabilities, strict=True))
    if gap <= TOLERANCE:
        return Check(Verdict.AGREES)
    if snapshot and dict(snapshot.versions) != dict(package_versions()):
        other = ", ".join(f"{name} {version}" for name, version in snapshot.versions.items())
        return Check(Verdict.NOT_RECOMPUTABLE, f"trained with other software ({other}): differs by up to {gap:.3g}")
    return Check(Verdict.DIFFERS, f"recomputed probabilities differ by up to {gap:.3g}")


def _policy(campaign: Campaign, slot: str, snapshot: Snapshot | None) -> Policy:
    states = matching_states(campaign, snapshot.slots) if snapshot else {}
    return build_policy(campaign, slot, states[slot].state if slot in states else None)


def _offered(campaign: Campaign, choice: Choice) -> tuple[str, ...]:
    declared = [variant.id for variant in campaign.slots[choice.slot].variants]
    return (*declared, *(candidate.id for candidate in choice.candidates))


def _eligible(campaign: Campaign, choice: Choice) -> Check:
    refused = {refusal.variant for refusal in choice.refusals}
    recomputed = tuple(variant for variant in _offered(campaign, choice) if variant not in refused)
    return Check.that(recomputed == choice.eligible, f"recomputed {list(recomputed)}, logged {list(choice.eligible)}")


def _fallback(campaign: Campaign, choice: Choice) -> SlotExplanation:
    """No policy was asked: what can be checked is that the default was shown."""
    offered = _offered(campaign, choice)
    default = campaign.slots[choice.slot].default or offered[0]
    right = choice.variant == default and choice.propensity == 1.0
    shown = f"the default is {default!r} at 1.0; logged: {choice.variant!r} at {choice.propensity}"
    because = Check(Verdict.NOT_APPLICABLE, f"no policy was asked: {choice.reason.value}")
    return SlotExplanation(choice, offered, Check.that(right, shown), because, because, because)


def _observed(campaign: Campaign, choice: Choice) -> SlotExplanation:
    told = Check(Verdict.NOT_RECOMPUTABLE, "chosen elsewhere: only what we were told is known")
    not_ours = Check(Verdict.NOT_APPLICABLE, "nothing was drawn by us")
    return SlotExplanation(choice, _offered(campaign, choice), told, told, not_ours, not_ours)
