"""Between the contract's messages and the domain's records. Nothing else knows both."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from elige.client.values import fill, to_dict
from elige.v1 import campaigns_pb2, common_pb2, decisions_pb2, evaluations_pb2, log_pb2
from server.activations import ActivateRequest
from server.campaigns.context import read_context
from server.decide import DecideRequest, SlotOptions
from server.errors import EligeError, InvalidRequest, NotSupportedYet
from server.explain import Explanation, SlotExplanation, Verdict
from server.observe import ObservedChoice, ObserveRequest
from server.outcomes import RewardRequest
from server.records import (
    Activated,
    ActivationStatus,
    Candidate,
    Choice,
    Decision,
    Group,
    Kind,
    Matured,
    OutcomeStatus,
    Reason,
    Recorded,
    Refusal,
    State,
)
from server.store.outcomes import LoggedOutcome

MAX_STRUCT = 256 * 1024
"""Bytes of a context, of labels, of a candidate's content or features."""
MAX_DETAIL = 1_500
"""Bytes of an error's text. Outside ASCII each becomes three in a status."""

_KINDS = {
    Kind.POLICY: decisions_pb2.DECISION_KIND_DRAWN,
    Kind.FALLBACK: decisions_pb2.DECISION_KIND_FALLBACK,
    Kind.OBSERVED: decisions_pb2.DECISION_KIND_OBSERVED,
}
_REASONS = {
    Reason.DRAWN: decisions_pb2.REASON_DRAWN,
    Reason.NOTHING_ELIGIBLE: decisions_pb2.REASON_NOTHING_ELIGIBLE,
    Reason.POLICY_FAILED: decisions_pb2.REASON_POLICY_FAILED,
    Reason.CAMPAIGN_DRAFT: decisions_pb2.REASON_CAMPAIGN_DRAFT,
    Reason.CAMPAIGN_PAUSED: decisions_pb2.REASON_CAMPAIGN_PAUSED,
    Reason.CAMPAIGN_KILLED: decisions_pb2.REASON_CAMPAIGN_KILLED,
    Reason.IMPORTED: decisions_pb2.REASON_OBSERVED,
    Reason.OBSERVED: decisions_pb2.REASON_OBSERVED,
    Reason.OPTED_OUT: decisions_pb2.REASON_OPTED_OUT,
}
_GROUPS = {Group.POLICY: decisions_pb2.GROUP_POLICY, Group.CONTROL: decisions_pb2.GROUP_CONTROL}
_STATUSES = {
    OutcomeStatus.ACCEPTED: decisions_pb2.REWARD_STATUS_ACCEPTED,
    OutcomeStatus.PENDING: decisions_pb2.REWARD_STATUS_PENDING,
    OutcomeStatus.LATE: decisions_pb2.REWARD_STATUS_LATE,
    OutcomeStatus.DUPLICATE: decisions_pb2.REWARD_STATUS_DUPLICATE,
}
_ACTIVATE_STATUSES = {
    ActivationStatus.ACTIVATED: decisions_pb2.ACTIVATE_STATUS_ACTIVATED,
    ActivationStatus.ALREADY_ACTIVE: decisions_pb2.ACTIVATE_STATUS_ALREADY_ACTIVE,
    ActivationStatus.PENDING: decisions_pb2.ACTIVATE_STATUS_PENDING,
    ActivationStatus.EXPIRED: decisions_pb2.ACTIVATE_STATUS_EXPIRED,
}
_VERDICTS = {
    Verdict.AGREES: evaluations_pb2.VERDICT_AGREES,
    Verdict.DIFFERS: evaluations_pb2.VERDICT_DIFFERS,
    Verdict.NOT_RECOMPUTABLE: evaluations_pb2.VERDICT_NOT_RECOMPUTABLE,
    Verdict.NOT_APPLICABLE: evaluations_pb2.VERDICT_NOT_APPLICABLE,
}
STATES = {
    State.DRAFT: campaigns_pb2.CAMPAIGN_STATE_DRAFT,
    State.ACTIVE: campaigns_pb2.CAMPAIGN_STATE_ACTIVE,
    State.PAUSED: campaigns_pb2.CAMPAIGN_STATE_PAUSED,
    State.KILLED: campaigns_pb2.CAMPAIGN_STATE_KILLED,
    State.ARCHIVED: campaigns_pb2.CAMPAIGN_STATE_ARCHIVED,
}


def read_decide(message: decisions_pb2.DecideRequest) -> DecideRequest:
    """Raises NotSupportedYet for what a later version does, InvalidRequest for what can't be."""
    if not message.campaign:
        raise InvalidRequest("campaign: missing")
    if message.HasField("activation_ttl") and not message.defer_activation:
        raise InvalidRequest("activation_ttl: only with defer_activation")
    if message.HasField("send_deadline"):
        raise NotSupportedYet("send_deadline")
    ttl = read_duration(message.activation_ttl, "activation_ttl") if message.HasField("activation_ttl") else None
    return DecideRequest(
        campaign=message.campaign,
        person=message.person or None,
        context=_read_struct(message.context, "context"),
        labels=_read_struct(message.labels, "labels"),
        slots=frozenset(message.slots),
        options={name: _slot_options(options) for name, options in message.slot_options.items()},
        time_zone=message.time_zone or None,
        request_id=message.request_id or None,
        defer_activation=message.defer_activation,
        activation_ttl=ttl,
        opted_out=message.opted_out,
        dry_run=message.dry_run,
    )


def read_observe(message: decisions_pb2.ObserveDecisionRequest) -> ObserveRequest:
    """Raises NotSupportedYet, InvalidRequest."""
    if not message.campaign:
        raise InvalidRequest("campaign: missing")
    if any(one.HasField("send_at") for one in message.choices):
        raise NotSupportedYet("send_at")
    return ObserveRequest(
        campaign=message.campaign,
        choices=tuple(
            ObservedChoice(
                slot=one.slot,
                variant=one.variant,
                propensity=one.propensity if one.HasField("propensity") else None,
                eligible=tuple(one.eligible),
                candidates=tuple(map(_candidate, one.candidates)),
            )
            for one in message.choices
        ),
        person=message.person or None,
        context=_read_struct(message.context, "context"),
        labels=_read_struct(message.labels, "labels"),
        time_zone=message.time_zone or None,
        request_id=message.request_id or None,
        at=_read_time(message.at) if message.HasField("at") else None,
    )


def _slot_options(options: decisions_pb2.SlotOptions) -> SlotOptions:
    return SlotOptions(
        exclude=frozenset(options.exclude),
        candidates=tuple(map(_candidate, options.candidates)),
    )


def _candidate(candidate: decisions_pb2.Candidate) -> Candidate:
    return Candidate(
        id=candidate.id,
        content=_read_struct(candidate.content, "content of a candidate"),
        features=read_context("any", _read_struct(candidate.features, "features of a candidate"))[0],
    )


def _read_struct(struct: Struct, what: str) -> dict[str, Any]:
    if (size := struct.ByteSize()) > MAX_STRUCT:
        raise InvalidRequest(f"{what} of {size} bytes: expected at most {MAX_STRUCT}")
    return to_dict(struct)


def read_reward(message: decisions_pb2.RewardRequest) -> RewardRequest:
    """Raises InvalidRequest."""
    by_person = message.person or message.campaign
    if message.decision_id and by_person:
        raise InvalidRequest("decision_id with person or campaign: expected either one or the other")
    if by_person and not (message.person and message.campaign):
        missing = "person" if message.campaign else "campaign"
        raise InvalidRequest(f"{missing}: missing; expected both person and campaign, or a decision_id")
    if not (message.decision_id or by_person):
        raise InvalidRequest("decision_id: missing; expected it, or person and campaign")
    return RewardRequest(
        decision_id=message.decision_id or None,
        person=message.person or None,
        campaign=message.campaign or None,
        metric=message.metric or None,
        value=message.value if message.HasField("value") else None,
        at=_read_time(message.at) if message.HasField("at") else None,
        slot=message.slot or None,
        key=message.key or None,
    )


def write_decision(
    decision: Decision, *, repeated: bool = False, probabilities: bool = False, refusals: bool = False
) -> decisions_pb2.Decision:
    kind = decisions_pb2.DECISION_KIND_REPEATED if repeated else write_kind(decision.kind, decision.reason)
    message = decisions_pb2.Decision(
        decision_id=decision.id,
        campaign=decision.campaign,
        version=decision.version,
        choices=[_write_choice(choice, probabilities=probabilities) for choice in decision.choices],
        policy=decision.policy,
        snapshot="" if decision.snapshot is None else str(decision.snapshot),
        group=_GROUPS[decision.group],
        reason=_REASONS[decision.reason],
        kind=kind,
        superseded_by=decision.superseded_by or "",
        ignored_context=decision.ignored_context,
    )
    if decision.id and decision.window_closes_at is not None:
        message.window_closes_at.FromDatetime(decision.window_closes_at)
    if refusals:
        message.refusals.extend(_write_refusal(one) for choice in decision.choices for one in choice.refusals)
    return message


def _write_choice(choice: Choice, *, probabilities: bool) -> decisions_pb2.Choice:
    message = decisions_pb2.Choice(
        slot=choice.slot,
        variant=choice.variant,
        propensity=choice.propensity,
        policy=choice.policy if choice.kind is Kind.POLICY else "",
        reason=_REASONS[choice.reason],
        kind=write_kind(choice.kind, choice.reason),
    )
    fill(message.content, choice.content, name="content")
    if probabilities:
        for variant, probability in zip(choice.eligible, choice.probabilities, strict=False):
            message.probabilities.add(variant=variant, probability=probability)
    return message


def write_kind(kind: Kind, reason: Reason) -> decisions_pb2.DecisionKind:
    """Of a decision or a choice."""
    return decisions_pb2.DECISION_KIND_OPTED_OUT if reason is Reason.OPTED_OUT else _KINDS[kind]


def read_activate(message: decisions_pb2.ActivateRequest) -> ActivateRequest:
    """Raises InvalidRequest."""
    if not message.decision_id:
        raise InvalidRequest("decision_id: missing")
    at = _read_time(message.at) if message.HasField("at") else None
    return ActivateRequest(message.decision_id, slots=tuple(message.slots), at=at)


def write_activated(activated: Activated) -> decisions_pb2.ActivateResponse:
    message = decisions_pb2.ActivateResponse(status=_ACTIVATE_STATUSES[activated.status])
    if activated.window_closes_at is not None:
        message.window_closes_at.FromDatetime(activated.window_closes_at)
    return message


def write_recorded(recorded: Recorded, decision_id: str) -> decisions_pb2.RewardResponse:
    """`decision_id`: the one of which it was told, if it was."""
    credited = decision_id or recorded.decision_id or ""
    message = decisions_pb2.RewardResponse(status=_STATUSES[recorded.status], decision_id=credited)
    if recorded.learned_at is not None:
        message.learned_at.FromDatetime(recorded.learned_at)
    return message


def write_explained(explained: Explanation) -> evaluations_pb2.Explanation:
    return evaluations_pb2.Explanation(
        record=write_record(explained.decision, explained.outcomes, explained.matured),
        agrees=explained.agrees,
        slots=[_write_slot(slot) for slot in explained.slots],
    )


def write_record(
    decision: Decision, outcomes: Sequence[LoggedOutcome], matured: Matured | None
) -> log_pb2.DecisionRecord:
    message = log_pb2.DecisionRecord(
        decision=write_decision(decision, probabilities=True, refusals=True),
        person_key=decision.person or "",
        erased=decision.erased,
        activation=_activation(decision, matured),
    )
    fill(message.context, decision.context, name="context")
    fill(message.labels, decision.labels, name="labels")
    message.decided_at.FromDatetime(decision.at)
    if decision.activated_at is not None:
        message.activated_at.FromDatetime(decision.activated_at)
    closes = decision.window_closes_at
    for one in outcomes:
        happened = one.outcome
        message.outcomes.add(
            metric=happened.metric,
            value=happened.value,
            at=timestamp(happened.at),
            received_at=timestamp(happened.received_at),
            slot=happened.slot or "",
            key=happened.key or "",
            late=one.status is OutcomeStatus.LATE or (closes is not None and happened.at > closes),
        )
    if matured:
        message.sequence = matured.sequence
        message.matured_at.FromDatetime(matured.matured_at)
        if matured.reward is not None:
            message.reward = matured.reward
    return message


def _activation(decision: Decision, matured: Matured | None) -> log_pb2.ActivationState:
    if decision.activated_at is not None:
        return log_pb2.ACTIVATION_STATE_ACTIVE
    return log_pb2.ACTIVATION_STATE_EXPIRED if matured else log_pb2.ACTIVATION_STATE_WAITING


def _write_slot(slot: SlotExplanation) -> evaluations_pb2.SlotExplanation:
    choice = slot.logged
    message = evaluations_pb2.SlotExplanation(slot=choice.slot, logged_variant=choice.variant)
    if slot.recomputed_variant is not None:
        message.recomputed_variant = slot.recomputed_variant
    if slot.point is not None:
        message.recomputed_draw_point = slot.point
    logged = dict(zip(choice.eligible, choice.probabilities, strict=False))
    scores = dict(zip(choice.eligible, slot.scores, strict=False))
    bounded = dict(zip(choice.eligible, slot.bounded, strict=False))
    refused = {refusal.variant: refusal for refusal in choice.refusals}
    for variant in dict.fromkeys((*slot.offered, *choice.eligible)):
        row = message.variants.add(variant=variant, logged_eligible=variant in choice.eligible)
        if slot.eligible.verdict is not Verdict.NOT_RECOMPUTABLE:
            row.recomputed_eligible = variant not in refused and variant in slot.offered
        if variant in refused:
            row.refusal.CopyFrom(_write_refusal(refused[variant]))
        if variant in logged:
            row.logged_probability = logged[variant]
        if variant in scores:
            row.policy_probability = scores[variant]
            row.recomputed_probability = bounded[variant]
    parts = evaluations_pb2.ExplanationPart
    for part, check in (
        (parts.EXPLANATION_PART_RULES, slot.eligible),
        (parts.EXPLANATION_PART_POLICY, slot.policy),
        (parts.EXPLANATION_PART_BOUNDS, slot.bounds),
        (parts.EXPLANATION_PART_DRAW, slot.draw),
    ):
        message.checks.add(part=part, verdict=_VERDICTS[check.verdict], detail=check.detail)
    message.policy.slot, message.policy.policy, message.policy.arguments = choice.slot, choice.policy, slot.arguments
    return message


def _write_refusal(refusal: Refusal) -> decisions_pb2.Refusal:
    return decisions_pb2.Refusal(
        slot=refusal.slot,
        variant=refusal.variant,
        reason=decisions_pb2.REFUSAL_REASON_EXCLUDED,
        detail="the request excluded it",
    )


def write_error(error: EligeError) -> common_pb2.Error:
    return common_pb2.Error(code=f"ERROR_CODE_{error.code}", message=shortened(str(error)))


def shortened(text: str) -> str:
    """At most MAX_DETAIL bytes of it: gRPC drops the whole answer for a status that does not fit its trailers."""
    raw = text.encode("utf-8", "replace")
    return text if len(raw) <= MAX_DETAIL else raw[:MAX_DETAIL].decode("utf-8", "ignore") + "…"


def status_code(error: EligeError) -> grpc.StatusCode:
    return grpc.StatusCode[error.code]


def timestamp(at: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(at)
    return made


def read_duration(message: Duration, name: str) -> timedelta:
    """Raises InvalidRequest."""
    try:
        return message.ToTimedelta()
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(f"{name}: {message.seconds} s is too long to be a duration") from error


def _read_time(message: Timestamp) -> datetime:
    try:
        return message.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(f"at: {message.seconds} s is no time of this calendar") from error
