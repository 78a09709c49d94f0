"""Deferred activation and attribution by person, with a real server behind the door."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from elige.v1 import common_pb2, decisions_pb2, evaluations_pb2, log_pb2

Refusal = Callable[..., tuple[str, str]]


@pytest.fixture(autouse=True)
def hero_served(apply: Any, hero: str) -> None:
    apply(hero)


@pytest.fixture
def decide(server: Any) -> Callable[..., decisions_pb2.Decision]:
    return lambda **given: server.decisions.Decide(decisions_pb2.DecideRequest(campaign="hero", **given))


@pytest.fixture
def activate(server: Any) -> Callable[..., decisions_pb2.ActivateResponse]:
    return lambda one, **given: server.decisions.Activate(decisions_pb2.ActivateRequest(decision_id=one, **given))


@pytest.fixture
def reward(server: Any) -> Callable[..., decisions_pb2.RewardResponse]:
    return lambda **given: server.decisions.Reward(decisions_pb2.RewardRequest(metric="click", **given))


def moment(at: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(at)
    return made


def status(answer: Any) -> str:
    enum = (
        decisions_pb2.ActivateStatus
        if isinstance(answer, decisions_pb2.ActivateResponse)
        else decisions_pb2.RewardStatus
    )
    return enum.Name(answer.status).partition("_STATUS_")[2]


def test_from_decision_to_reward(server: Any, decide: Any, activate: Any, reward: Any) -> None:
    made = decide(defer_activation=True)
    assert not made.HasField("window_closes_at")
    asked = evaluations_pb2.ExplainDecisionRequest(decision_id=made.decision_id)
    record = server.evaluations.ExplainDecision(asked).record
    assert record.activation == log_pb2.ACTIVATION_STATE_WAITING
    assert not record.HasField("activated_at")
    early = reward(decision_id=made.decision_id)
    assert (status(early), early.HasField("learned_at")) == ("ACCEPTED", False)
    shown = activate(made.decision_id, slots=["cta"])
    assert status(shown) == "ACTIVATED"
    explained = server.evaluations.ExplainDecision(asked)
    assert explained.agrees
    assert explained.record.activation == log_pb2.ACTIVATION_STATE_ACTIVE
    window = shown.window_closes_at.ToDatetime() - explained.record.activated_at.ToDatetime()
    assert window == timedelta(minutes=30)
    assert status(activate(made.decision_id, slots=["cta"])) == "ALREADY_ACTIVE"
    assert reward(decision_id=made.decision_id).learned_at == shown.window_closes_at


def test_the_same_request_again_says_what_is_known_by_then(decide: Any, activate: Any) -> None:
    first = decide(defer_activation=True, request_id="r")
    closes = activate(first.decision_id).window_closes_at
    again = decide(defer_activation=True, request_id="r")
    assert (again.decision_id, again.window_closes_at) == (first.decision_id, closes)


def test_a_payload_with_another_activation_is_another(decide: Any, refusal: Refusal, server: Any) -> None:
    decide(defer_activation=True, request_id="r")
    for given in ({}, {"defer_activation": True, "activation_ttl": Duration(seconds=60)}):
        request = decisions_pb2.DecideRequest(campaign="hero", request_id="r", **given)
        assert refusal(server.decisions.Decide, request)[0] == "ALREADY_EXISTS"


@pytest.mark.parametrize("seconds", [0, -1, 90 * 86_400 + 1])
def test_times_to_live_have_their_bounds(seconds: int, server: Any, refusal: Refusal) -> None:
    request = decisions_pb2.DecideRequest(
        campaign="hero", defer_activation=True, activation_ttl=Duration(seconds=seconds)
    )
    assert refusal(server.decisions.Decide, request) == (
        "INVALID_ARGUMENT",
        f"activation_ttl of {seconds} s: expected 1 s to 90 days",
    )


def test_what_can_not_be_activated(server: Any, decide: Any, refusal: Refusal) -> None:
    waits, at_once = decide(defer_activation=True), decide()
    now = datetime.now(UTC)

    def refused(decision_id: str, **given: Any) -> tuple[str, str]:
        return refusal(server.decisions.Activate, decisions_pb2.ActivateRequest(decision_id=decision_id, **given))

    assert refused("") == ("INVALID_ARGUMENT", "decision_id: missing")
    assert refused("0" * 40)[0] == "INVALID_ARGUMENT"
    code, said = refused(waits.decision_id, slots=["footer"])
    assert (code, "did not decide slot 'footer'" in said) == ("INVALID_ARGUMENT", True)
    code, said = refused(waits.decision_id, at=moment(now - timedelta(hours=1)))
    assert (code, "before the decision" in said) == ("INVALID_ARGUMENT", True)
    code, said = refused(waits.decision_id, at=moment(now + timedelta(minutes=6)))
    assert (code, "in the future" in said) == ("INVALID_ARGUMENT", True)
    assert refused(at_once.decision_id)[0] == "FAILED_PRECONDITION"


def test_every_activation_of_a_batch_has_its_own_answer(server: Any, decide: Any, refusal: Refusal) -> None:
    waits, at_once = decide(defer_activation=True), decide()
    ids = (waits.decision_id, at_once.decision_id, "forged")
    requests = [decisions_pb2.ActivateRequest(decision_id=one) for one in ids]
    results = server.decisions.BatchActivate(decisions_pb2.BatchActivateRequest(requests=requests)).results
    assert [one.WhichOneof("result") for one in results] == ["answer", "error", "error"]
    assert [one.error.code for one in results[1:]] == [
        common_pb2.ERROR_CODE_FAILED_PRECONDITION,
        common_pb2.ERROR_CODE_INVALID_ARGUMENT,
    ]
    assert status(results[0].answer) == "ACTIVATED"
    assert refusal(server.decisions.BatchActivate, decisions_pb2.BatchActivateRequest())[0] == "INVALID_ARGUMENT"


def test_an_outcome_of_a_person_credits_what_was_shown_to_them(
    server: Any, decide: Any, activate: Any, reward: Any, refusal: Refusal, sql: Any
) -> None:
    ana = {"person": "ana", "campaign": "hero"}
    nobody = refusal(server.decisions.Reward, decisions_pb2.RewardRequest(metric="click", **ana))
    assert nobody[0] == "NOT_FOUND"
    assert "has shown nothing to this person" in nobody[1]
    assert "ana" not in nobody[1]
    first, planned = decide(person="ana"), decide(person="ana", defer_activation=True)
    decide(person="ben")
    credited = reward(**ana, key="order-7")
    assert (status(credited), credited.decision_id) == ("ACCEPTED", first.decision_id)
    assert credited.learned_at == first.window_closes_at
    activate(planned.decision_id)
    assert reward(**ana).decision_id == planned.decision_id
    again = reward(**ana, key="order-7")
    assert (status(again), again.decision_id) == ("DUPLICATE", first.decision_id)
    assert status(reward(**ana, key="order-8")) == "ACCEPTED"
    assert sql("SELECT count(*) FROM outcomes WHERE person IS NOT NULL") == [(3,)]
    assert "ana" not in str(sql("SELECT * FROM outcomes"))


def test_outcomes_of_persons_that_can_not_be(server: Any, decide: Any, refusal: Refusal) -> None:
    decide(person="ana")

    def refused(**given: Any) -> tuple[str, str]:
        given = {"metric": "click", "person": "ana", "campaign": "hero", **given}
        return refusal(server.decisions.Reward, decisions_pb2.RewardRequest(**given))

    assert refused(campaign="other")[0] == "NOT_FOUND"
    assert refused(metric="sale")[1].endswith("it declares 'click', 'revenue'")
    assert refused(metric="")[1].startswith("which metric?")
    assert refused(slot="footer")[0] == "INVALID_ARGUMENT"
    assert refused(person="x" * 257)[1] == "person of 257 bytes: expected 1 to 256"
    assert refused(at=moment(datetime.now(UTC) + timedelta(minutes=6)))[0] == "INVALID_ARGUMENT"
    assert refused(at=moment(datetime.now(UTC) - timedelta(hours=1)))[0] == "NOT_FOUND"
