"""What EvaluationService answers, as records. Pure."""

from typing import Any

from google.protobuf import json_format

from elige.client.evaluation_records import (
    Comparison,
    Diagnosis,
    Estimate,
    Evaluation,
    EvaluationResult,
    Finding,
    GridResult,
    JudgedPolicy,
    Plan,
    PlanPoint,
    Quantity,
)
from elige.client.replies import name_of
from elige.client.values import moment, optional, to_dict
from elige.v1 import common_pb2, estimates_pb2, evaluations_pb2


def evaluation(message: evaluations_pb2.Evaluation) -> Evaluation:
    """An evaluation, with its result if it came along."""
    return Evaluation(
        id=message.id,
        state=name_of(evaluations_pb2.EvaluationState, message.state, "EVALUATION_STATE_"),
        progress=message.progress,
        stage=message.stage,
        request=json_format.MessageToDict(message.request, preserving_proto_field_name=True),
        created_at=moment(message, "created_at"),
        started_at=moment(message, "started_at"),
        finished_at=moment(message, "finished_at"),
        created_by=message.created_by,
        error=message.error.message,
        error_code=name_of(common_pb2.ErrorCode, message.error.code, "ERROR_CODE_").upper()
        if message.HasField("error")
        else "",
        result=_result(message.result) if message.HasField("result") else None,
    )


def diagnosis(message: evaluations_pb2.DiagnoseResponse) -> Diagnosis:
    """What was checked."""
    return Diagnosis(_severity(message.severity), tuple(map(_finding, message.findings)))


def plan(message: evaluations_pb2.PlanResponse) -> Plan:
    """Whether the traffic suffices."""
    return Plan(
        decisions_needed=optional(message, "decisions_needed"),
        time_needed=message.time_needed.ToTimedelta() if message.HasField("time_needed") else None,
        points=tuple(
            PlanPoint(one.after.ToTimedelta(), one.decisions, one.power, _quantity(one.gain)) for one in message.points
        ),
        assumptions=to_dict(message.assumptions),
        summary=message.summary,
    )


def _result(message: estimates_pb2.EvaluationResult) -> EvaluationResult:
    return EvaluationResult(
        since=moment(message.period, "since"),
        until=moment(message.period, "until"),
        decisions=message.decisions,
        people=message.people,
        exclusions={one.reason: one.decisions for one in message.exclusions},
        policies={one.label: name_of(estimates_pb2.PolicyRole, one.role, "POLICY_ROLE_") for one in message.policies},
        estimates=tuple(map(_estimate, message.estimates)),
        comparisons=tuple(map(_comparison, message.comparisons)),
        findings=tuple(map(_finding, message.findings)),
        summary=message.summary,
        provenance=to_dict(message.provenance),
        notes=tuple(message.notes),
        judged=tuple(map(_judged, message.policies)),
        trained_since=moment(message.trained, "since"),
        trained_until=moment(message.trained, "until"),
        grid=_grid(message.grid) if message.HasField("grid") else None,
        replays=tuple(map(to_dict, message.replays)),
    )


def _judged(message: estimates_pb2.JudgedPolicy) -> JudgedPolicy:
    return JudgedPolicy(
        label=message.label,
        role=name_of(estimates_pb2.PolicyRole, message.role, "POLICY_ROLE_"),
        note=message.note,
        findings=tuple(map(_finding, message.findings)),
        arguments={one.slot: one.arguments for one in message.arguments},
    )


def _grid(message: estimates_pb2.GridResult) -> GridResult:
    return GridResult(
        chosen=message.chosen,
        since=moment(message.period, "since"),
        until=moment(message.period, "until"),
        estimates=tuple(map(_estimate, message.estimates)),
        comparisons=tuple(map(_comparison, message.comparisons)),
    )


def _estimate(message: estimates_pb2.Estimate) -> Estimate:
    return Estimate(
        policy=message.policy,
        estimator=message.estimator,
        slot=message.slot,
        metric=message.metric,
        segment=message.segment,
        since=moment(message.period, "since"),
        until=moment(message.period, "until"),
        decisions=message.decisions,
        people=message.people,
        effective_sample_size=message.effective_sample_size,
        support=message.support,
        largest_weight=message.largest_weight,
        value=_maybe_quantity(message, "value"),
        reason=message.refusal.reason,
        refusal=message.refusal.message,
        note=message.note,
    )


def _comparison(message: estimates_pb2.Comparison) -> Comparison:
    return Comparison(
        policy=message.policy,
        against=message.against,
        estimator=message.estimator,
        slot=message.slot,
        metric=message.metric,
        segment=message.segment,
        difference=_maybe_quantity(message, "difference"),
        refusal=message.refusal.message,
        p_value=optional(message, "p_value"),
        sentence=message.sentence,
        relative=_maybe_quantity(message, "relative"),
        more_decisions=optional(message, "more_decisions"),
    )


def _finding(message: estimates_pb2.Finding) -> Finding:
    return Finding(
        check=message.check,
        severity=_severity(message.severity),
        message=message.message,
        advice=message.advice,
        numbers=to_dict(message.numbers),
        slot=message.slot,
        metric=message.metric,
        segment=message.segment,
        since=moment(message.period, "since"),
        until=moment(message.period, "until"),
    )


def _severity(number: int) -> str:
    return name_of(estimates_pb2.Severity, number, "SEVERITY_")


def _maybe_quantity(message: Any, field: str) -> Quantity | None:
    return _quantity(getattr(message, field)) if message.HasField(field) else None


def _quantity(message: estimates_pb2.Quantity) -> Quantity:
    return Quantity(
        value=message.value,
        low=message.low,
        high=message.high,
        level=message.level,
        method=message.method,
        standard_error=optional(message, "standard_error"),
        forced=message.forced,
    )
