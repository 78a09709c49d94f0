"""What calls answer: frozen records with the words of the contract, explained field by field in `elige/v1/*.proto`.

Enum values are their names in lower case without prefix (`REASON_NOTHING_ELIGIBLE` is `"nothing_eligible"`); one that
is newer than this client is its number as text. Times have the zone UTC. What is not set is None, or empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Content = Mapping[str, Any]
"""A JSON object. Whole numbers are int, others float."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen for one slot."""

    slot: str
    variant: str
    content: Content
    propensity: float | None
    """The exact probability with which `variant` was drawn; None only for an observed choice where it is unknown."""
    send_at: datetime | None
    probabilities: Mapping[str, float]
    """Variant to probability over all that were eligible; empty unless asked for."""
    policy: str
    reason: str
    kind: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one variant could not be chosen."""

    slot: str
    variant: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided: `decision["headline"].content["text"]`."""

    id: str
    campaign: str
    version: int
    choices: Mapping[str, Choice]
    """Slot to choice, in the campaign's order. Empty for a person who is held out: show nothing."""
    policy: str
    snapshot: str
    group: str
    reason: str
    kind: str
    origin_id: str
    superseded_by: str
    window_closes_at: datetime | None
    refusals: tuple[Refusal, ...]
    ignored_context: tuple[str, ...]

    def __getitem__(self, slot: str) -> Choice:
        """The choice for `slot`. Raises KeyError, which names the slots there are."""
        try:
            return self.choices[slot]
        except KeyError:
            known = ", ".join(map(repr, self.choices)) or f"none, since {self.reason}"
            raise KeyError(f"no slot {slot!r} in this decision of {self.campaign!r}; there are: {known}") from None


@dataclass(frozen=True, slots=True)
class ActivateAnswer:
    """What became of an activation: `status` is `activated`, `already_active`, `pending` or `expired`."""

    status: str
    window_closes_at: datetime | None
    """When the reward window closes that the first activation began; None if it is expired or that is not known yet."""


@dataclass(frozen=True, slots=True)
class RewardAnswer:
    """What became of an outcome: `status` is `accepted`, `pending`, `late` or `duplicate`."""

    status: str
    decision_id: str
    learned_at: datetime | None
    """When the reward window closes and it will be learned; None if it will not be, or that is not known yet."""


@dataclass(frozen=True, slots=True)
class SlotPolicy:
    """The policy of one slot, with its exact configuration."""

    slot: str
    policy: str
    arguments: str


@dataclass(frozen=True, slots=True)
class VariantStatus:
    """A variant that is paused or pinned."""

    slot: str
    variant: str
    state: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """One version of a campaign. In lists `source` and `document` are empty."""

    name: str
    version: int
    number: int
    state: str
    source: str
    document: Content
    policies: tuple[SlotPolicy, ...]
    variant_states: tuple[VariantStatus, ...]
    snapshot: str
    snapshot_pinned: bool
    created_at: datetime | None
    created_by: str


@dataclass(frozen=True, slots=True)
class PutAnswer:
    """What became of a campaign file, or would for a dry run: `result` is `created`, `changed` or `unchanged`."""

    result: str
    campaign: Campaign


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong in a campaign file. Line and column count from 1; 0 where there is none."""

    line: int
    column: int
    field: str
    value: str
    expected: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something that happened after a decision."""

    metric: str
    value: float
    at: datetime | None
    received_at: datetime | None
    slot: str
    key: str
    late: bool


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """A decision as it is in the log, with what came of it."""

    decision: Decision
    decided_at: datetime | None
    person_key: str
    context: Content
    labels: Content
    activation: str
    activated_at: datetime | None
    outcomes: tuple[Outcome, ...]
    reward: float | None
    sequence: int | None
    matured_at: datetime | None
    erased: bool


@dataclass(frozen=True, slots=True)
class PersonExport:
    """All that is stored about a person."""

    person_keys: tuple[str, ...]
    """The keyed hashes under which they are stored: their own and those linked to it."""
    decisions: tuple[LoggedDecision, ...]
    """In all campaigns, oldest first."""


@dataclass(frozen=True, slots=True)
class Retraining:
    """A campaign that is trained without an erased person. `new_lineage` is empty before it has begun."""

    campaign: str
    old_lineage: str
    new_lineage: str
    progress: float
    """The share of what the old lineage knows that the new one has learned, from 0 to 1."""
    done: bool


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure and how far it is: `state` is `retraining`, `done` or `failed`. A dry run has no `id`, and its `state`
    is `unspecified`.
    """

    id: str
    state: str
    decisions: int
    outcomes: int
    keys: int
    """How many decisions were blanked, how many outcomes and links removed."""
    retrainings: tuple[Retraining, ...]
    started_at: datetime | None
    finished_at: datetime | None
    error: str
    """Why it failed; it is tried again."""


@dataclass(frozen=True, slots=True)
class VariantExplanation:
    """One variant, as logged and as computed again; None for what can't be."""

    variant: str
    logged_eligible: bool
    recomputed_eligible: bool | None
    refusal: Refusal | None
    policy_probability: float | None
    logged_probability: float | None
    recomputed_probability: float | None


@dataclass(frozen=True, slots=True)
class Check:
    """Whether one part (`rules`, `policy`, `bounds`, `draw`) agrees with the log, and if not, why."""

    part: str
    verdict: str
    detail: str


@dataclass(frozen=True, slots=True)
class SlotExplanation:
    """One slot of a decision, computed again."""

    slot: str
    logged_variant: str
    recomputed_variant: str | None
    logged_draw_point: float | None
    recomputed_draw_point: float | None
    variants: tuple[VariantExplanation, ...]
    checks: tuple[Check, ...]
    policy: SlotPolicy


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, computed again. `agrees`: all that could be computed again is as logged."""

    agrees: bool
    logged: LoggedDecision
    slots: tuple[SlotExplanation, ...]
