"""Between the contract's messages and the domain's records. Nothing else knows both."""

from datetime import UTC, datetime

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from elige.client.values import fill, to_dict
from elige.v1 import campaigns_pb2, common_pb2, decisions_pb2, evaluations_pb2, log_pb2
from server.campaigns.context import read_context
from server.decide import DecideRequest, SlotOptions
from server.errors import EligeError, InvalidRequest, NotSupportedYet
from server.explain import Check, SlotExplanation
from server.outcomes import RewardRequest
from server.records import Candidate, Choice, Decision, Group, Kind, OutcomeStatus, Reason, Recorded, State

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
    Reason.OPTED_OUT: decisions_pb2.REASON_OPTED_OUT,
}
_GROUPS = {Group.POLICY: decisions_pb2.GROUP_POLICY}
_STATUSES = {
    OutcomeStatus.ACCEPTED: decisions_pb2.REWARD_STATUS_ACCEPTED,
    OutcomeStatus.PENDING: decisions_pb2.REWARD_STATUS_PENDING,
    OutcomeStatus.LATE: decisions_pb2.REWARD_STATUS_LATE,
    OutcomeStatus.DUPLICATE: decisions_pb2.REWARD_STATUS_DUPLICATE,
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
    if message.defer_activation or message.HasField("activation_ttl"):
        raise NotSupportedYet("defer_activation")
    if message.HasField("send_deadline"):
        raise NotSupportedYet("send_deadline")
    return DecideRequest(
        campaign=message.campaign,
        person=message.person or None,
        context=to_dict(message.context),
        labels=to_dict(message.labels),
        slots=frozenset(message.slots),
        options={name: _slot_options(options) for name, options in message.slot_options.items()},
        time_zone=message.time_zone or None,
        request_id=message.request_id or None,
        opted_out=message.opted_out,
        dry_run=message.dry_run,
    )


def _slot_options(options: decisions_pb2.SlotOptions) -> SlotOptions:
    return SlotOptions(
        exclude=frozenset(options.exclude),
        candidates=tuple(
            Candidate(
                id=candidate.id,
                content=to_dict(candidate.content),
                features=read_context("any", to_dict(candidate.features))[0],
            )
            for candidate in options.candidates
        ),
    )


def read_reward(message: decisions_pb2.RewardRequest) -> RewardRequest:
    """Raises NotSupportedYet, InvalidRequest."""
    if message.person or (message.campaign and not message.decision_id):
        raise NotSupportedYet("attributing an outcome by person: give the decision_id")
    if not message.decision_id:
        raise InvalidRequest("decision_id: missing")
    return RewardRequest(
        decision_id=message.decision_id,
        metric=message.metric or None,
        value=message.value if message.HasField("value") else None,
        at=_read_time(message.at) if message.HasField("at") else None,
        slot=message.slot or None,
        key=message.key or None,
    )


def write_decision(
    decision: Decision, *, repeated: bool = False, probabilities: bool = False, refusals: bool = False
) -> decisions_pb2.Decision:
    kind = decisions_pb2.DECISION_KIND_REPEATED if repeated else _write_kind(decision.kind, decision.reason)
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
        ignored_context=decision.ignored_context,
    )
    if decision.id:
        message.window_closes_at.FromDatetime(decision.window_closes_at)
    if refusals:
        for choice in decision.choices:
            for refusal in choice.refusals:
                message.refusals.add(
                    slot=choice.slot,
                    variant=refusal.variant,
                    reason=decisions_pb2.REFUSAL_REASON_EXCLUDED,
                    detail="the request excluded it",
                )
    return message


def _write_choice(choice: Choice, *, probabilities: bool) -> decisions_pb2.Choice:
    message = decisions_pb2.Choice(
        slot=choice.slot,
        variant=choice.variant,
        propensity=choice.propensity,
        policy=choice.policy if choice.kind is Kind.POLICY else "",
        reason=_REASONS[choice.reason],
        kind=_write_kind(choice.kind, choice.reason),
    )
    fill(message.content, choice.content, name="content")
    if probabilities:
        for variant, probability in zip(choice.eligible, choice.probabilities, strict=False):
            message.probabilities.add(variant=variant, probability=probability)
    return message


def _write_kind(kind: Kind, reason: Reason) -> decisions_pb2.DecisionKind:
    return decisions_pb2.DECISION_KIND_OPTED_OUT if reason is Reason.OPTED_OUT else _KINDS[kind]


def write_recorded(recorded: Recorded, decision_id: str) -> decisions_pb2.RewardResponse:
    message = decisions_pb2.RewardResponse(status=_STATUSES[recorded.status], decision_id=decision_id)
    if recorded.learned_at is not None:
        message.learned_at.FromDatetime(recorded.learned_at)
    return message


def write_record(decision: Decision) -> log_pb2.DecisionRecord:
    message = log_pb2.DecisionRecord(
        decision=write_decision(decision, probabilities=True, refusals=True),
        person_key=decision.person or "",
        activation=log_pb2.ACTIVATION_STATE_ACTIVE,
    )
    fill(message.context, decision.context, name="context")
    fill(message.labels, decision.labels, name="labels")
    message.decided_at.FromDatetime(decision.at)
    message.activated_at.FromDatetime(decision.at)
    return message


def write_explanation(slot: SlotExplanation) -> evaluations_pb2.SlotExplanation:
    choice = slot.logged
    message = evaluations_pb2.SlotExplanation(slot=choice.slot, logged_variant=choice.variant)
    if slot.recomputed_variant is not None:
        message.recomputed_variant = slot.recomputed_variant
    if slot.point is not None:
        message.recomputed_draw_point = slot.point
    for index, variant in enumerate(choice.eligible):
        row = message.variants.add(variant=variant, logged_eligible=True)
        if choice.probabilities:
            row.logged_probability = choice.probabilities[index]
        if slot.scores:
            row.policy_probability = slot.scores[index]
            row.recomputed_probability = slot.bounded[index]
    for refusal in choice.refusals:
        row = message.variants.add(variant=refusal.variant, logged_eligible=False)
        row.refusal.slot, row.refusal.variant = refusal.slot, refusal.variant
        row.refusal.reason = decisions_pb2.REFUSAL_REASON_EXCLUDED
    parts = evaluations_pb2.ExplanationPart
    for part, check in (
        (parts.EXPLANATION_PART_RULES, slot.eligible),
        (parts.EXPLANATION_PART_POLICY, slot.policy),
        (parts.EXPLANATION_PART_BOUNDS, slot.bounds),
        (parts.EXPLANATION_PART_DRAW, slot.draw),
    ):
        message.checks.add(part=part, verdict=_verdict(check), detail=check.detail)
    message.policy.slot, message.policy.policy, message.policy.arguments = choice.slot, choice.policy, slot.arguments
    return message


def _verdict(check: Check) -> evaluations_pb2.Verdict:
    if check.agrees is None:
        return evaluations_pb2.VERDICT_NOT_RECOMPUTABLE
    return evaluations_pb2.VERDICT_AGREES if check.agrees else evaluations_pb2.VERDICT_DIFFERS


def write_error(error: EligeError) -> common_pb2.Error:
    return common_pb2.Error(code=f"ERROR_CODE_{error.code}", message=str(error))


def status_code(error: EligeError) -> grpc.StatusCode:
    return grpc.StatusCode[error.code]


def timestamp(at: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(at)
    return made


def _read_time(message: Timestamp) -> datetime:
    try:
        return message.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(f"at: {message.seconds} s is no time of this calendar") from error
