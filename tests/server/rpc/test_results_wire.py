"""A whole result in the contract's words: a page with its slots, groups, stretches, metrics, refusals and findings."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from elige.client.values import to_dict
from elige.v1 import estimates_pb2
from server.evaluation.asking import drafted
from server.evaluation.computing import compute
from server.evaluation.request import EvaluationRequest
from server.rpc.results_wire import write_result
from server.store.database import Database


@pytest.fixture
def result(
    put: Any, hero: str, log: Any, clock: Any, new_trainer: Callable[..., Any], database: Database
) -> estimates_pb2.EvaluationResult:
    put(hero.replace("context:", "policy: uniform\ncontext:"))
    for _ in range(2):
        log.visits(240)
        clock.move(hours=1)
    new_trainer().step(clock.move(hours=1))
    request = EvaluationRequest(
        "hero",
        policies=("headline=fixed:price + cta=uniform", "fixed:hours"),
        by=("country",),
        every=timedelta(hours=1),
        metrics=("click",),
        estimators=("snips",),
    )
    computed = compute(database, drafted(database, request, evaluation_id="e1", now=clock()))
    return write_result(computed.result, computed.provenance)


def key(one: estimates_pb2.Estimate) -> tuple[Any, ...]:
    period = one.period.since.ToDatetime(UTC) if one.HasField("period") else None
    return one.policy, one.estimator, one.slot, one.metric, one.segment, period


def test_estimates_are_told_apart_by_what_they_name(result: estimates_pb2.EvaluationResult) -> None:
    assert max(Counter(map(key, result.estimates)).values()) == 1
    logged = [one for one in result.estimates if one.policy == "logged"]
    assert {one.slot for one in logged} == {"", "headline", "cta"}
    assert {one.metric for one in logged} == {"", "click"}
    assert {one.segment for one in logged} == {"", "country=ES", "country=PT"}
    hours = sorted(one.period.since.ToDatetime(UTC) for one in logged if one.HasField("period"))
    assert hours == [datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 13, tzinfo=UTC)]
    whole = [one for one in logged if key(one)[2:] == ("", "", "", None)]
    assert [one.decisions for one in whole] == [480]
    assert sum(one.decisions for one in logged if one.segment) == 480


def test_every_estimate_is_a_value_or_a_refusal_with_its_reason(result: estimates_pb2.EvaluationResult) -> None:
    for one in result.estimates:
        answer = one.WhichOneof("answer")
        if answer == "value":
            assert one.value.low <= one.value.value <= one.value.high
            assert one.value.level == 0.95
            assert one.value.method
            assert 0.0 < one.support <= 1.0 + 1e-9
        else:
            assert one.refusal.reason
            assert one.refusal.message
    assert {one.WhichOneof("answer") for one in result.estimates} >= {"value"}


def test_policies_findings_and_comparisons(result: estimates_pb2.EvaluationResult) -> None:
    roles = {one.label: one.role for one in result.policies}
    asked = "headline=fixed:price + cta=uniform"
    assert roles[asked] == estimates_pb2.POLICY_ROLE_CANDIDATE
    assert roles["logged"] == estimates_pb2.POLICY_ROLE_LOGGED
    assert [one.role for one in result.policies] == sorted(one.role for one in result.policies)
    assert {one.policy for one in result.comparisons} >= {asked}
    assert all(one.sentence and 0.0 <= one.p_value <= 1.0 for one in result.comparisons)
    assert all(one.check and one.message and one.severity for one in result.findings)
    assert to_dict(result.provenance)["extent"]["through"] == 480
    assert result.comparisons[0].sentence in result.summary
    told = {one.label: [(slot.slot, slot.policy, slot.arguments) for slot in one.arguments] for one in result.policies}
    assert told[asked] == [("headline", "fixed:price", "fixed:price"), ("cta", "uniform", "uniform")]
    assert told["fixed:hours"] == [("headline", "fixed:hours", "fixed:hours")], "the other is as logged"
    assert told["logged"] == []
