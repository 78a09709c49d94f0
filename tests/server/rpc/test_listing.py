"""Listing decisions, diagnosing and planning, through a real server."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from elige.client.values import to_dict
from elige.v1 import decisions_pb2, estimates_pb2
from elige.v1 import evaluations_pb2 as pb
from server.evaluation.diagnosing import examine
from server.store.database import Database

Refusal = Callable[..., tuple[str, str]]


@pytest.fixture
def made(put: Any, hero: str, log: Any, clock: Any, new_trainer: Callable[..., Any]) -> list[Any]:
    clock.now = datetime.now(UTC) - timedelta(days=1)
    put(hero.replace("context:", "policy: uniform\ncontext:"))
    made = log.visits(300)
    trainer = new_trainer()
    trainer.step(datetime.now(UTC))
    trainer.close(datetime.now(UTC))
    return [*made, *log.decide([{"country": "ES"}], person="ana", labels={"page": "/"})]


def test_decisions_page_by_page(server: Any, made: list[Any], refusal: Refusal) -> None:
    def listed(**asked: Any) -> Any:
        return server.evaluations.ListDecisions(pb.ListDecisionsRequest(**asked), timeout=60)

    ids = sorted((one.id for one in made), reverse=True)
    first = listed(campaign="hero", page_size=200)
    second = listed(campaign="hero", page_size=200, page_token=first.next_page_token)
    found = [*first.decisions, *second.decisions]
    assert [one.decision.decision_id for one in found] == ids
    assert second.next_page_token == ""
    whole = server.evaluations.ExplainDecision(pb.ExplainDecisionRequest(decision_id=ids[5])).record
    assert found[5] == whole
    assert whole.HasField("reward")

    (hers,) = listed(person="ana").decisions
    assert to_dict(hers.labels) == {"page": "/"}
    assert [one.decision.decision_id for one in listed(where="page == '/'").decisions] == [hers.decision.decision_id]
    assert len(listed(kinds=[decisions_pb2.DECISION_KIND_DRAWN]).decisions) == 50
    assert list(listed(kinds=[decisions_pb2.DECISION_KIND_OBSERVED]).decisions) == []
    other = pb.ListDecisionsRequest(campaign="hero", page_token=first.next_page_token, where="orders > 1")
    assert refusal(server.evaluations.ListDecisions, other)[0] == "INVALID_ARGUMENT"
    assert refusal(server.evaluations.ListDecisions, pb.ListDecisionsRequest(campaign="nope"))[0] == "NOT_FOUND"


def test_a_diagnosis_says_what_doctor_and_log_say(
    server: Any, made: list[Any], refusal: Refusal, database: Database
) -> None:
    answer = server.evaluations.Diagnose(pb.DiagnoseRequest(campaign="hero"), timeout=60)
    severities = [one.severity for one in answer.findings]
    assert severities == sorted(severities, reverse=True)
    assert answer.severity == severities[0] == estimates_pb2.SEVERITY_RED  # nobody trains
    found = {(one.check, one.slot): one for one in answer.findings}
    assert found["trainer", ""].severity == estimates_pb2.SEVERITY_RED
    assert "See that a trainer runs" in found["trainer", ""].advice
    assert found["state", ""].severity == estimates_pb2.SEVERITY_GREEN
    assert to_dict(found["context_drift", "headline"].numbers)
    assert ("", "headline") not in found

    now = datetime.now(UTC)
    elsewhere = examine(database, "hero", since=None, until=datetime(2020, 1, 1, tzinfo=UTC), lang="en", now=now)
    assert {one.slot for one in elsewhere} & {"headline"} == set()
    # here, since a process takes a second
    spanish = examine(database, "hero", since=None, until=None, lang="es", now=now)
    told = {(one.finding.check, one.slot): one.finding for one in spanish}
    assert told.keys() == found.keys()
    assert "Compruebe que hay un entrenador en marcha" in told["trainer", ""].do
    assert told["context_drift", "headline"].says.startswith("Los contextos son parecidos")
    refused = refusal(server.evaluations.Diagnose, pb.DiagnoseRequest(campaign="hero", language="fr"))
    assert refused == ("INVALID_ARGUMENT", "language 'fr': expected one of en, es")
    assert refusal(server.evaluations.Diagnose, pb.DiagnoseRequest(campaign="nope"))[0] == "NOT_FOUND"


def test_a_plan(server: Any, made: list[Any], refusal: Refusal) -> None:
    request = pb.PlanRequest(campaign="hero", decisions_per_day=2_000, difference=0.1, policy={"name": "uniform"})
    request.horizon.FromJsonString("2592000s")
    answer = server.evaluations.Plan(request, timeout=60)
    assert 0 < answer.decisions_needed <= 60_000
    assert timedelta(0) < answer.time_needed.ToTimedelta() <= timedelta(days=30)
    assert [one.decisions for one in answer.points] == sorted(one.decisions for one in answer.points)
    assert all(one.gain.low <= one.gain.value <= one.gain.high for one in answer.points)
    assert answer.points[-1].power > 0.8
    assert to_dict(answer.assumptions)["decisions_per_day"]["value"] == 2_000
    assert answer.summary

    def refused(**asked: Any) -> tuple[str, str]:
        return refusal(server.evaluations.Plan, pb.PlanRequest(**{"campaign": "hero", **asked}))

    assert refused(campaign="")[0] == "INVALID_ARGUMENT"
    assert refused(campaign="nope")[0] == "NOT_FOUND"
    assert refused(power=2.0) == (
        "INVALID_ARGUMENT",
        "power 2: expected a number between 0 and 1, from 0.001 to 0.999999",
    )
    assert refused(policy={"name": "nope"})[0] == "INVALID_ARGUMENT"
    assert refused(policy={"snapshot": "1"})[0] == "UNIMPLEMENTED"
