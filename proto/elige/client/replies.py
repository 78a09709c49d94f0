"""What the service answers, as records. Pure."""

from typing import Any, Protocol

from elige.client.errors import EligeError
from elige.client.records import (
    ActivateAnswer,
    Campaign,
    Check,
    Choice,
    Decision,
    Erasure,
    Explanation,
    LoggedDecision,
    Mistake,
    Outcome,
    PutAnswer,
    Refusal,
    Retraining,
    RewardAnswer,
    SlotExplanation,
    SlotPolicy,
    VariantExplanation,
    VariantStatus,
)
from elige.client.values import moment, optional, to_dict
from elige.v1 import campaigns_pb2, common_pb2, decisions_pb2, evaluations_pb2, log_pb2, people_pb2


class _Enum(Protocol):
    """The part of a generated enum that is used here."""

    def Name(self, number: Any) -> str: ...  # noqa: N802 (protobuf's name)


def decision(message: decisions_pb2.Decision) -> Decision:
    """A decision as a record."""
    return Decision(
        id=message.decision_id,
        campaign=message.campaign,
        version=message.version,
        choices={choice.slot: _choice(choice) for choice in message.choices},
        policy=message.policy,
        snapshot=message.snapshot,
        group=name_of(decisions_pb2.Group, message.group, "GROUP_"),
        reason=name_of(decisions_pb2.Reason, message.reason, "REASON_"),
        kind=name_of(decisions_pb2.DecisionKind, message.kind, "DECISION_KIND_"),
        origin_id=message.origin_decision_id,
        superseded_by=message.superseded_by,
        window_closes_at=moment(message, "window_closes_at"),
        refusals=tuple(map(_refusal, message.refusals)),
        ignored_context=tuple(message.ignored_context),
    )


def decide_result(message: decisions_pb2.DecideResult) -> Decision | EligeError:
    """One item of a batch: what was decided, or why nothing was."""
    return _error(message.error) if message.HasField("error") else decision(message.decision)


def activate_answer(message: decisions_pb2.ActivateResponse) -> ActivateAnswer:
    """What became of an activation."""
    return ActivateAnswer(
        status=name_of(decisions_pb2.ActivateStatus, message.status, "ACTIVATE_STATUS_"),
        window_closes_at=moment(message, "window_closes_at"),
    )


def activate_result(message: decisions_pb2.ActivateResult) -> ActivateAnswer | EligeError:
    """One item of a batch: what became of it, or why it was refused."""
    return _error(message.error) if message.HasField("error") else activate_answer(message.answer)


def reward_answer(message: decisions_pb2.RewardResponse) -> RewardAnswer:
    """What became of an outcome."""
    return RewardAnswer(
        status=name_of(decisions_pb2.RewardStatus, message.status, "REWARD_STATUS_"),
        decision_id=message.decision_id,
        learned_at=moment(message, "learned_at"),
    )


def reward_result(message: decisions_pb2.RewardResult) -> RewardAnswer | EligeError:
    """One item of a batch: what became of it, or why it was refused."""
    return _error(message.error) if message.HasField("error") else reward_answer(message.answer)


def campaign(message: campaigns_pb2.Campaign) -> Campaign:
    """A campaign as a record."""
    return Campaign(
        name=message.name,
        version=message.version,
        number=message.number,
        state=name_of(campaigns_pb2.CampaignState, message.state, "CAMPAIGN_STATE_"),
        source=message.source,
        document=to_dict(message.document),
        policies=tuple(map(_slot_policy, message.policies)),
        variant_states=tuple(
            VariantStatus(
                slot=status.slot,
                variant=status.variant,
                state=name_of(campaigns_pb2.VariantState, status.state, "VARIANT_STATE_"),
            )
            for status in message.variant_states
        ),
        snapshot=message.snapshot,
        snapshot_pinned=message.snapshot_pinned,
        created_at=moment(message, "created_at"),
        created_by=message.created_by,
    )


def put_answer(message: campaigns_pb2.PutCampaignResponse) -> PutAnswer:
    """What became of a campaign file without mistakes."""
    return PutAnswer(
        result=name_of(campaigns_pb2.PutResult, message.result, "PUT_RESULT_"), campaign=campaign(message.campaign)
    )


def mistake(message: campaigns_pb2.Mistake) -> Mistake:
    """One mistake in a campaign file."""
    return Mistake(
        line=message.line,
        column=message.column,
        field=message.field,
        value=message.value,
        expected=message.expected,
        message=message.message,
    )


def explanation(message: evaluations_pb2.Explanation) -> Explanation:
    """A decision, computed again."""
    return Explanation(
        agrees=message.agrees,
        logged=logged(message.record),
        slots=tuple(map(_slot_explanation, message.slots)),
    )


def link_result(message: people_pb2.LinkResult) -> str | EligeError:
    """What became of one link, or why it was refused."""
    if message.HasField("error"):
        return _error(message.error)
    return name_of(people_pb2.LinkStatus, message.status, "LINK_STATUS_")


def erasure(message: people_pb2.Erasure) -> Erasure:
    """An erasure as a record."""
    return Erasure(
        id=message.id,
        state=name_of(people_pb2.ErasureState, message.state, "ERASURE_STATE_"),
        decisions=message.decisions,
        outcomes=message.outcomes,
        keys=message.keys,
        retrainings=tuple(
            Retraining(
                campaign=one.campaign,
                old_lineage=one.old_lineage,
                new_lineage=one.new_lineage,
                progress=one.progress,
                done=one.done,
            )
            for one in message.retrainings
        ),
        started_at=moment(message, "started_at"),
        finished_at=moment(message, "finished_at"),
        error=message.error.message,
    )


def _choice(message: decisions_pb2.Choice) -> Choice:
    return Choice(
        slot=message.slot,
        variant=message.variant,
        content=to_dict(message.content),
        propensity=optional(message, "propensity"),
        send_at=moment(message, "send_at"),
        probabilities={each.variant: each.probability for each in message.probabilities},
        policy=message.policy,
        reason=name_of(decisions_pb2.Reason, message.reason, "REASON_"),
        kind=name_of(decisions_pb2.DecisionKind, message.kind, "DECISION_KIND_"),
    )


def _refusal(message: decisions_pb2.Refusal) -> Refusal:
    return Refusal(
        slot=message.slot,
        variant=message.variant,
        reason=name_of(decisions_pb2.RefusalReason, message.reason, "REFUSAL_REASON_"),
        detail=message.detail,
    )


def _slot_policy(message: common_pb2.SlotPolicy) -> SlotPolicy:
    return SlotPolicy(slot=message.slot, policy=message.policy, arguments=message.arguments)


def logged(message: log_pb2.DecisionRecord) -> LoggedDecision:
    """A decision of the log, with what came of it."""
    return LoggedDecision(
        decision=decision(message.decision),
        decided_at=moment(message, "decided_at"),
        person_key=message.person_key,
        context=to_dict(message.context),
        labels=to_dict(message.labels),
        activation=name_of(log_pb2.ActivationState, message.activation, "ACTIVATION_STATE_"),
        activated_at=moment(message, "activated_at"),
        outcomes=tuple(
            Outcome(
                metric=outcome.metric,
                value=outcome.value,
                at=moment(outcome, "at"),
                received_at=moment(outcome, "received_at"),
                slot=outcome.slot,
                key=outcome.key,
                late=outcome.late,
            )
            for outcome in message.outcomes
        ),
        reward=optional(message, "reward"),
        sequence=optional(message, "sequence"),
        matured_at=moment(message, "matured_at"),
        erased=message.erased,
    )


def _slot_explanation(message: evaluations_pb2.SlotExplanation) -> SlotExplanation:
    return SlotExplanation(
        slot=message.slot,
        logged_variant=message.logged_variant,
        recomputed_variant=optional(message, "recomputed_variant"),
        logged_draw_point=optional(message, "logged_draw_point"),
        recomputed_draw_point=optional(message, "recomputed_draw_point"),
        variants=tuple(
            VariantExplanation(
                variant=each.variant,
                logged_eligible=each.logged_eligible,
                recomputed_eligible=optional(each, "recomputed_eligible"),
                refusal=_refusal(each.refusal) if each.HasField("refusal") else None,
                policy_probability=optional(each, "policy_probability"),
                logged_probability=optional(each, "logged_probability"),
                recomputed_probability=optional(each, "recomputed_probability"),
            )
            for each in message.variants
        ),
        checks=tuple(
            Check(
                part=name_of(evaluations_pb2.ExplanationPart, check.part, "EXPLANATION_PART_"),
                verdict=name_of(evaluations_pb2.Verdict, check.verdict, "VERDICT_"),
                detail=check.detail,
            )
            for check in message.checks
        ),
        policy=_slot_policy(message.policy),
    )


def _error(message: common_pb2.Error) -> EligeError:
    return EligeError(name_of(common_pb2.ErrorCode, message.code, "ERROR_CODE_").upper(), message.message)


def name_of(enum: _Enum, number: int, prefix: str) -> str:
    """The value's name in lower case without prefix; the number as text if it is newer than this client."""
    try:
        return enum.Name(number).removeprefix(prefix).lower()
    except ValueError:
        return str(number)
