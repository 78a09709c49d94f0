"""Evaluations, decisions, diagnoses and plans, by both clients."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf import json_format

from elige.client import AsyncClient, Client, EligeError, Evaluation, PlanPoint, Quantity, evaluation_operations
from elige.v1 import evaluations_pb2 as pb

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
QUANTITY = {"value": 0.2, "low": 0.1, "high": 0.3, "level": 0.95, "method": "skewed", "standardError": 0.05}
DONE = {
    "id": "e1",
    "state": "EVALUATION_STATE_DONE",
    "progress": 1.0,
    "request": {"campaign": "hero", "trainShare": 0.5},
    "createdAt": "2026-01-02T03:04:05Z",
    "result": {
        "period": {"since": "2026-01-02T03:04:05Z"},
        "decisions": "400",
        "people": "300",
        "exclusions": [{"reason": "fallback", "decisions": "7"}],
        "policies": [
            {
                "label": "logged",
                "role": "POLICY_ROLE_LOGGED",
                "note": "as it was",
                "arguments": [{"slot": "cta", "policy": "epsilon", "arguments": "--cb_explore_adf"}],
                "findings": [{"check": "support", "severity": "SEVERITY_RED", "slot": "cta", "segment": "country=ES"}],
            }
        ],
        "notes": ["beware"],
        "trained": {"until": "2026-01-02T03:04:05Z"},
        "grid": {"chosen": "auto", "estimates": [{"policy": "auto", "estimator": "dr", "note": "cut at 9"}]},
        "replays": [{"policy": "auto", "used": 7}],
        "estimates": [
            {"policy": "logged", "estimator": "mean", "period": {"since": "2026-01-02T03:04:05Z"}, "value": QUANTITY},
            {"policy": "logged", "estimator": "mean", "decisions": "400", "value": QUANTITY},
            {"policy": "auto", "estimator": "dr", "refusal": {"reason": "support", "message": "none of it"}},
        ],
        "comparisons": [
            {
                "policy": "auto",
                "against": "logged",
                "difference": QUANTITY,
                "pValue": 0.5,
                "sentence": "?",
                "relative": QUANTITY,
                "moreDecisions": "70",
            }
        ],
        "findings": [{"check": "drift", "severity": "SEVERITY_AMBER", "message": "it drifts", "numbers": {"psi": 0.2}}],
        "summary": "nobody knows",
        "provenance": {"seed": 3},
    },
}


def message(document: dict[str, Any]) -> pb.Evaluation:
    return json_format.ParseDict(document, pb.Evaluation())


def test_an_evaluation_is_asked_for_as_said(elige: Any, service: Any) -> None:
    service.answers["StartEvaluation"] = message({"id": "e1", "state": "EVALUATION_STATE_QUEUED"})
    asked = elige.start_evaluation(
        "hero",
        policies=["squarecb:gamma=30", "snapshot:12"],
        since=AT,
        until=AT + timedelta(days=1),
        where="country == 'ES'",
        estimators=["dr"],
        reward="click",
        reward_low=0.0,
        reward_high=1.0,
        interval="normal",
        model="vw",
        grid=["squarecb:gamma_scale=1|2"],
        replay="auto",
        learn_every="1h",
        estimate_propensities=True,
        by=["country"],
        metrics=["click"],
        every=timedelta(days=1),
        level=0.9,
        force=True,
        seed=3,
        language="es",
        request_id="r1",
    )
    assert (asked.id, asked.state, asked.result, asked.error) == ("e1", "queued", None, "")
    (request,) = service.requests
    assert [(one.name, one.snapshot) for one in request.policies] == [("squarecb:gamma=30", ""), ("", "12")]
    assert (request.campaign, request.where, list(request.by)) == ("hero", "country == 'ES'", ["country"])
    assert request.period.until.ToDatetime(UTC) == AT + timedelta(days=1)
    assert (request.every.seconds, request.level, request.force, request.seed) == (86_400, 0.9, True, 3)
    assert (request.language, request.request_id) == ("es", "r1")
    assert (request.reward, request.reward_low, request.reward_high) == ("click", 0.0, 1.0)
    assert (request.interval, request.model, list(request.grid)) == ("normal", "vw", ["squarecb:gamma_scale=1|2"])
    assert (request.replay, request.learn_every, request.estimate_propensities) == ("auto", "1h", True)
    assert not request.HasField("train_share")


def test_it_is_safe_to_repeat_without_being_asked(elige: Any, service: Any) -> None:
    service.answers["StartEvaluation"] = message({"id": "e1"})
    elige.start_evaluation("hero")
    elige.start_evaluation("hero")
    first, second = (one.request_id for one in service.requests)
    assert first
    assert first != second
    with pytest.raises(TypeError, match="policies: expected a list of texts, got the text 'auto'"):
        elige.start_evaluation("hero", policies="auto")
    with pytest.raises(ValueError, match=r"since: .* has no time zone"):
        elige.start_evaluation("hero", since=datetime(2026, 1, 1))


def test_a_result_is_read(elige: Any, service: Any) -> None:
    service.answers["GetEvaluation"] = message(DONE)
    found = elige.evaluation("e1")
    assert service.requests[0].id == "e1"
    assert (found.state, found.created_at, found.finished_at) == ("done", AT, None)
    assert found.request == {"campaign": "hero", "train_share": 0.5}
    result = found.result
    assert (result.since, result.until, result.decisions, result.people) == (AT, None, 400, 300)
    assert (result.exclusions, result.policies) == ({"fallback": 7}, {"logged": "logged"})
    logged = result.estimate("logged", "mean")
    assert (logged.since, logged.decisions) == (None, 400)
    assert logged.value == Quantity(0.2, 0.1, 0.3, 0.95, "skewed", 0.05, forced=False)
    refused = result.estimate("auto")
    assert (refused.value, refused.reason, refused.refusal) == (None, "support", "none of it")
    with pytest.raises(KeyError, match="no estimate"):
        result.estimate("auto", "ips")
    (comparison,) = result.comparisons
    assert (comparison.difference, comparison.p_value, comparison.sentence) == (logged.value, 0.5, "?")
    assert (comparison.relative, comparison.more_decisions) == (logged.value, 70)
    (judged,) = result.judged
    assert (judged.label, judged.role, judged.note) == ("logged", "logged", "as it was")
    assert judged.arguments == {"cta": "--cb_explore_adf"}
    assert [(one.severity, one.slot, one.segment, one.since) for one in judged.findings] == [
        ("red", "cta", "country=ES", None)
    ]
    assert (result.notes, result.trained_since, result.trained_until) == (("beware",), None, AT)
    assert (result.grid.chosen, result.grid.estimates[0].note, result.grid.since) == ("auto", "cut at 9", None)
    assert result.replays == ({"policy": "auto", "used": 7},)
    (finding,) = result.findings
    assert (finding.check, finding.severity, finding.numbers) == ("drift", "amber", {"psi": 0.2})
    assert (result.summary, result.provenance) == ("nobody knows", {"seed": 3})


def test_waiting_for_the_end(elige: Any, service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation_operations, "SHORTEST_PAUSE", 0.001)
    running = message({"id": "e1", "state": "EVALUATION_STATE_RUNNING", "progress": 0.25})
    error = {"code": "ERROR_CODE_FAILED_PRECONDITION", "message": "no decision"}
    failed = message({"id": "e1", "state": "EVALUATION_STATE_FAILED", "error": error})
    away = grpc.StatusCode.UNAVAILABLE  # for longer than gRPC itself tries again
    service.answers["GetEvaluation"] = [running, *[away] * 4, failed]
    found = elige.wait_for_evaluation("e1")
    assert (found.state, found.error_code, found.error) == ("failed", "FAILED_PRECONDITION", "no decision")

    service.answers["GetEvaluation"] = running
    with pytest.raises(EligeError, match=r"^DEADLINE_EXCEEDED: evaluation 'e1' is running, 25%, after 0.02 seconds"):
        elige.wait_for_evaluation("e1", timeout=0.02)
    service.answers["GetEvaluation"] = grpc.StatusCode.NOT_FOUND
    with pytest.raises(EligeError, match=r"^NOT_FOUND"):
        elige.wait_for_evaluation("e1")
    monkeypatch.setattr(evaluation_operations, "PATIENCE", 0.0)
    service.answers["GetEvaluation"] = grpc.StatusCode.UNAVAILABLE
    with pytest.raises(EligeError, match=r"^UNAVAILABLE"):
        elige.wait_for_evaluation("e1")


def test_no_more_are_listed_than_wanted(elige: Any, service: Any) -> None:
    def page(request: pb.ListEvaluationsRequest) -> pb.ListEvaluationsResponse:
        return pb.ListEvaluationsResponse(evaluations=[{"id": "e"}] * request.page_size, next_page_token="more")

    service.answers["ListEvaluations"] = page
    assert len(elige.evaluations(limit=1_003)) == 1_003
    assert [one.page_size for one in service.requests] == [1_000, 3]


def test_lists_turn_all_pages(elige: Any, service: Any) -> None:
    def page(request: pb.ListEvaluationsRequest) -> pb.ListEvaluationsResponse:
        number = "2" if request.page_token else "1"
        token = "" if request.page_token else "t"
        return pb.ListEvaluationsResponse(evaluations=[{"id": number}], next_page_token=token)

    service.answers["ListEvaluations"] = page
    assert [one.id for one in elige.evaluations(campaign="hero", states=["done"])] == ["1", "2"]
    assert {(one.campaign, tuple(one.states)) for one in service.requests} == {("hero", (pb.EVALUATION_STATE_DONE,))}
    with pytest.raises(ValueError, match="no state 'over'; expected one of 'queued', 'running', 'done'"):
        elige.evaluations(states=["over"])


def test_cancelling(elige: Any, service: Any) -> None:
    service.answers["CancelEvaluation"] = message({"id": "e1", "state": "EVALUATION_STATE_CANCELLED"})
    assert elige.cancel_evaluation("e1").state == "cancelled"
    service.answers["CancelEvaluation"] = grpc.StatusCode.NOT_FOUND
    with pytest.raises(EligeError, match="NOT_FOUND"):
        elige.cancel_evaluation("e2")


def test_decisions_as_many_as_wanted(elige: Any, service: Any) -> None:
    def page(request: pb.ListDecisionsRequest) -> pb.ListDecisionsResponse:
        made = [{"decision": {"decision_id": str(number)}} for number in range(request.page_size)]
        return pb.ListDecisionsResponse(decisions=made, next_page_token="more")

    service.answers["ListDecisions"] = page
    found = elige.decisions("hero", person="ana", since=AT, kinds=["drawn", "observed"], where="x == 1", limit=1_200)
    assert len(found) == 1_200
    assert [one.page_size for one in service.requests] == [1_000, 200]
    request = service.requests[0]
    assert (request.campaign, request.person, request.where, len(request.kinds)) == ("hero", "ana", "x == 1", 2)
    assert request.period.since.ToDatetime(UTC) == AT
    assert not request.period.HasField("until")
    with pytest.raises(ValueError, match="no kind 'lost'"):
        elige.decisions(kinds=["lost"])


def test_a_diagnosis_and_a_plan(elige: Any, service: Any) -> None:
    findings = [{"check": "trainer", "severity": "SEVERITY_RED", "message": "none", "advice": "start one"}]
    service.answers["Diagnose"] = json_format.ParseDict(
        {"severity": "SEVERITY_RED", "findings": findings}, pb.DiagnoseResponse()
    )
    told = elige.diagnose("hero", until=AT)
    assert (told.severity, told.findings[0].advice) == ("red", "start one")
    assert service.requests[0].period.until.ToDatetime(UTC) == AT

    point = {"after": "86400s", "decisions": "500", "power": 0.4, "gain": QUANTITY}
    planned = {"decisionsNeeded": "900", "points": [point], "assumptions": {"level": 0.95}, "summary": "soon"}
    service.answers["Plan"] = json_format.ParseDict(planned, pb.PlanResponse())
    plan = elige.plan("hero", difference=0.1, policy="epsilon:epsilon=0.1", horizon=timedelta(days=30))
    assert (plan.decisions_needed, plan.time_needed, plan.summary) == (900, None, "soon")
    gain = Quantity(0.2, 0.1, 0.3, 0.95, "skewed", 0.05, forced=False)
    assert plan.points == (PlanPoint(timedelta(days=1), 500, 0.4, gain),)
    request = service.requests[1]
    assert (request.difference, request.policy.name, request.horizon.seconds) == (0.1, "epsilon:epsilon=0.1", 2_592_000)
    assert not request.HasField("level")


RUNNING = message({"id": "e1", "state": "EVALUATION_STATE_RUNNING", "stage": "judging"})


def test_watching(service: Any) -> None:
    service.answers["WatchEvaluation"] = lambda request: iter([RUNNING, message(DONE)])
    with Client(service.target) as elige:
        told = list(elige.watch_evaluation("e1"))
        assert [(one.state, one.stage) for one in told] == [("running", "judging"), ("done", "")]
        service.answers["WatchEvaluation"] = grpc.StatusCode.NOT_FOUND
        with pytest.raises(EligeError, match="NOT_FOUND"):
            next(elige.watch_evaluation("e2"))


def test_watching_in_a_loop_of_events(service: Any) -> None:
    service.answers["WatchEvaluation"] = lambda request: iter([RUNNING, message(DONE)])

    async def scenario() -> None:
        async with AsyncClient(service.target) as elige:
            told = [one async for one in elige.watch_evaluation("e1")]
            assert [one.state for one in told] == ["running", "done"]
            service.answers["WatchEvaluation"] = grpc.StatusCode.NOT_FOUND
            with pytest.raises(EligeError, match="NOT_FOUND"):
                async for _ in elige.watch_evaluation("e2"):
                    pass

    asyncio.run(scenario())


def test_what_is_followed_says_in_what_it_comes() -> None:
    assert inspect.signature(Client.watch_evaluation).return_annotation == Iterator[Evaluation]
    assert inspect.signature(AsyncClient.watch_evaluation).return_annotation == AsyncIterator[Evaluation]
    assert "comes at once and after every progress" in (Client.watch_evaluation.__doc__ or "")
