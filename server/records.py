"""The domain's records, as the rooms of the server hand them to each other. All frozen; all times aware, in UTC."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from policies.types import Features


class State(StrEnum):
    """What a campaign does at present. Outcomes of earlier decisions are accepted in every state."""

    DRAFT = "draft"  # not started: the defaults; a dry run decides as if it were active
    ACTIVE = "active"  # decides and learns
    PAUSED = "paused"  # the defaults; windows that close are still learned
    KILLED = "killed"  # the defaults, and nothing is learned
    ARCHIVED = "archived"  # over for good; what is in the log can still be evaluated


class Kind(StrEnum):
    """How a choice came about, which decides what it counts for."""

    POLICY = "policy"  # drawn from the policy's probabilities: learned and evaluated
    FALLBACK = "fallback"  # the slot's default, because the policy could not be asked: neither learned nor evaluated
    OBSERVED = "observed"  # chosen elsewhere and told to us: evaluated by the propensity told, learned where asked for


class Reason(StrEnum):
    """Why this variant."""

    DRAWN = "drawn"
    NOTHING_ELIGIBLE = "nothing_eligible"  # every variant was excluded
    POLICY_FAILED = "policy_failed"  # the policy raised or returned no distribution
    CAMPAIGN_DRAFT = "campaign_draft"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_KILLED = "campaign_killed"
    IMPORTED = "imported"  # from a log that others kept
    OBSERVED = "observed"  # another system chose it
    OPTED_OUT = "opted_out"  # the person is not to be personalised: defaults, not logged


class Group(StrEnum):
    """Which part of the people this person belongs to."""

    POLICY = "policy"
    CONTROL = "control"  # drawn by person, and never given what policies choose: what lift is measured against


class Excluded(StrEnum):
    """Why a decision has its place in the sequence and counts for nothing: it is neither learned nor evaluated."""

    EXPIRED = "expired"  # its activation was deferred, and none of its slots was shown in time
    CANCELLED = "cancelled"  # an outcome says that it never arrived: a mail that bounced
    ERASED = "erased"  # its person was erased


class OutcomeStatus(StrEnum):
    """What became of an outcome."""

    ACCEPTED = "accepted"  # inside the window: counts in the reward
    PENDING = "pending"  # its decision is genuine but not stored yet, or not known yet: counts once it is
    LATE = "late"  # stored, but after the window or after the decision was learned: does not count
    DUPLICATE = "duplicate"  # its key was seen before for this decision and metric: not stored again


class ActivationStatus(StrEnum):
    """What became of an activation."""

    ACTIVATED = "activated"  # a slot counts from now on
    ALREADY_ACTIVE = "already_active"  # every slot was shown before: the first time stands
    PENDING = "pending"  # its decision is genuine but not stored yet: applied once it is
    EXPIRED = "expired"  # its time to live was over: it does not count


@dataclass(frozen=True, slots=True)
class Candidate:
    """A variant that exists only in one call."""

    id: str
    content: Mapping[str, Any]
    features: Features


@dataclass(frozen=True, slots=True)
class Refusal:
    """A variant that was not eligible, and why."""

    slot: str
    variant: str
    reason: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What one slot shows. `probabilities` is aligned with `eligible` and exact.

    Both are empty for a fallback; of a choice made elsewhere the propensity may be all that is known, or not even that.
    `activated_at`: when it was shown; None as long as it was not.
    """

    slot: str
    variant: str
    content: Mapping[str, Any]
    propensity: float | None
    kind: Kind
    reason: Reason
    policy: str
    explore: float
    eligible: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    activated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, immutable. `id` is empty for a decision that is not logged (dry run, opted out).

    `activate_by`: when a deferred activation is given up; None where nothing was deferred. `activated_at`: when the
    first slot was shown. `window_closes_at`: None as long as no window has begun.
    """

    id: str
    campaign: str
    version: int
    at: datetime
    person: str | None
    context: Features
    ignored_context: tuple[str, ...]
    labels: Mapping[str, Any]
    time_zone: str | None
    group: Group
    snapshot: int | None
    window_closes_at: datetime | None
    choices: tuple[Choice, ...]
    activate_by: datetime | None = None
    activated_at: datetime | None = None
    request_id: str | None = None
    request_hash: str | None = None
    superseded_by: str | None = None
    erased: bool = False

    @property
    def kind(self) -> Kind:
        """The kind of the slot that gives the reason."""
        return self._telling.kind

    @property
    def policy(self) -> str:
        """The policy of the first slot that one drew; every choice names its own."""
        return next((choice.policy for choice in self.choices if choice.kind is Kind.POLICY), "")

    @property
    def reason(self) -> Reason:
        """The first reason that is not a plain draw."""
        return self._telling.reason

    @property
    def _telling(self) -> Choice:
        """The first choice that was not simply drawn, else the first of all."""
        return next((choice for choice in self.choices if choice.reason is not Reason.DRAWN), self.choices[0])


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something that happened after a decision. `key` makes it count once; a slot narrows it to that slot.

    `person`: their keyed hash, where it was told of a person; `decision_id` is then the last decision shown to them,
    None while that is not known.
    """

    decision_id: str | None
    campaign: str
    metric: str
    value: float
    at: datetime
    received_at: datetime
    slot: str | None = None
    key: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer to one outcome."""

    status: OutcomeStatus
    learned_at: datetime | None
    """When the window closes and the reward will be learned; None for what will not be learned."""
    kind: Kind | None = None
    """What a campaign may learn of its decision: choices that were drawn, or observed; None if there are neither."""
    decision_id: str | None = None
    """The decision that it credits; None while that is not known, and for a duplicate."""


@dataclass(frozen=True, slots=True)
class Activation:
    """Slots of a decision were really shown. No slots: all that waited. `longest_window` cuts the window it begins."""

    decision_id: str
    campaign: str
    slots: tuple[str, ...]
    at: datetime
    longest_window: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Activated:
    """The answer to one activation."""

    status: ActivationStatus
    window_closes_at: datetime | None
    """When the window closes that the first activation began; None while that is not known, and where none began."""


@dataclass(frozen=True, slots=True)
class Matured:
    """A decision whose window closed, with what it earned and its place in the campaign's sequence.

    `reward` is None where the formula gave no finite number, `error` then says why; or where it is `excluded`.
    `slot_rewards` holds the slots that have outcomes of their own.
    """

    decision: Decision
    sequence: int
    reward: float | None
    slot_rewards: Mapping[str, float]
    matured_at: datetime
    error: str | None = None
    excluded: Excluded | None = None

    def reward_of(self, slot: str) -> float | None:
        """What this slot's choice earned: its own reward where it has one, else the decision's; None if never shown."""
        if any(choice.slot == slot and choice.activated_at is None for choice in self.decision.choices):
            return None
        return self.slot_rewards.get(slot, self.reward)


@dataclass(frozen=True, slots=True)
class SlotState:
    """One slot's learner inside a snapshot. `configuration` is what the bytes can be loaded under.

    `state` is None once the snapshot was thinned out: it can be rebuilt from the log. `digest` stays, so that damaged
    bytes and bytes that were rebuilt otherwise are recognised. Of the lineage up to here: `examples`, how many choices
    it learned, and the sums of its weighted losses and of their weights (server/training/losses.py); None where they
    were not counted.
    """

    slot: str
    policy: str
    arguments: str
    configuration: str
    state: bytes | None
    digest: str
    examples: int | None = None
    loss_sum: float | None = None
    loss_weight: float | None = None

    @property
    def intact(self) -> bool:
        """Whether the bytes are there, as they were written."""
        return self.state is not None and state_digest(self.state) == self.digest

    @property
    def progressive_loss(self) -> float | None:
        """Its mean loss, each taken before learning, from 0 (the best) to 1; None where nothing could be said."""
        return self.loss_sum / self.loss_weight if self.loss_sum is not None and self.loss_weight else None


def state_digest(state: bytes) -> str:
    """32 hexadecimal digits that tell one trained state from any other."""
    return hashlib.blake2b(state, digest_size=16, person=b"elige-state").hexdigest()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An immutable trained state of a campaign's learners.

    Made from `parent` by learning sequence numbers `trained_from`..`trained_through`, in that order: the boundaries
    of a segment, kept for ever, so that retraining makes the same calls. `version` is the campaign's that learned.
    `skipped`: it passed its segment over and has its parent's bytes, in a lineage of its own: a roll-back. It serves
    only if it is `published` and not `withdrawn`.
    """

    id: int
    campaign: str
    version: int
    lineage: int
    parent: int | None
    trained_from: int
    trained_through: int
    examples: int
    created_at: datetime
    versions: Mapping[str, str]
    slots: tuple[SlotState, ...]
    published: bool = True
    skipped: bool = False
    base: bool = False
    withdrawn: bool = False

    @property
    def intact(self) -> bool:
        """Whether every slot's bytes are there, as they were written."""
        return all(slot.intact for slot in self.slots)
