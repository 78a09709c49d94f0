"""What a caller is told when something is wrong: the right status, in words that fit, and nothing of our insides."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from elige.v1 import campaigns_pb2, decisions_pb2, evaluations_pb2
from server.service import Service

Refusal = Callable[..., tuple[str, str]]


def test_domain_errors_become_their_status(server: Any, refusal: Refusal, apply: Any, hero: str) -> None:
    apply(hero)
    decide = server.decisions.Decide
    assert refusal(decide, decisions_pb2.DecideRequest(campaign="no")) == (
        "NOT_FOUND",
        "no campaign 'no'; known: 'hero'",
    )
    assert refusal(decide, decisions_pb2.DecideRequest(campaign="hero", slots=["x"])) == (
        "INVALID_ARGUMENT",
        "campaign 'hero' has no slot 'x'; it has: 'headline', 'cta'",
    )
    explain = server.evaluations.ExplainDecision
    assert refusal(explain, evaluations_pb2.ExplainDecisionRequest(decision_id="x"))[0] == "INVALID_ARGUMENT"
    state = campaigns_pb2.SetCampaignStateRequest(campaign="hero", state=3, expected_version=9)
    assert refusal(server.campaigns.SetCampaignState, state) == (
        "ABORTED",
        "campaign 'hero' is at version 1, expected 9: read it again, then apply",
    )


@pytest.mark.parametrize("name", ["x" * 10_000, "😀" * 10_000, "\x00\r\nx: y", "ñ" * 200, "%s%n%d", "x" * 1_000_000])
def test_hostile_names_are_quoted_within_bounds(name: str, server: Any, refusal: Refusal) -> None:
    code, details = refusal(server.decisions.Decide, decisions_pb2.DecideRequest(campaign=name))
    assert code == "NOT_FOUND"
    assert details.startswith("no campaign ")
    assert len(details.encode()) < 2_000
    code, _ = refusal(server.decisions.Reward, decisions_pb2.RewardRequest(decision_id=name))
    assert code == "INVALID_ARGUMENT"
    code, _ = refusal(server.campaigns.GetCampaign, campaigns_pb2.GetCampaignRequest(campaign=name))
    assert code == "NOT_FOUND"


def test_an_error_that_would_not_fit_a_batch_is_shortened_there_too(server: Any) -> None:
    requests = [decisions_pb2.DecideRequest(campaign="x" * 50_000)] * 1_000
    answer = server.decisions.BatchDecide(decisions_pb2.BatchDecideRequest(requests=requests), timeout=60)
    assert {result.error.code for result in answer.results} == {5}
    assert max(len(result.error.message) for result in answer.results) < 2_000


def test_a_defect_is_internal_and_told_only_in_our_own_log(
    server: Any, refusal: Refusal, apply: Any, hero: str, monkeypatch: pytest.MonkeyPatch, said: list[Any]
) -> None:
    apply(hero)

    async def broken(*_: object) -> None:
        raise ZeroDivisionError("secret insides")

    monkeypatch.setattr(Service, "explain", broken)
    answer = refusal(server.evaluations.ExplainDecision, evaluations_pb2.ExplainDecisionRequest(decision_id="x"))
    assert answer == ("INTERNAL", "a defect of the service; it is in its own log")
    (told,) = [entry for entry in said if entry["event"] == "call failed"]
    assert told["method"] == "/elige.v1.EvaluationService/ExplainDecision"


@pytest.mark.parametrize("raw", [b"\xff\xff\xff", b"\x0a\x02\xff\xfe", b"\x0a\xff\xff\xff\xff\x0f"])
def test_bytes_that_are_no_message_harm_nobody(raw: bytes, server: Any, apply: Any, hero: str) -> None:
    apply(hero)
    stub = server.channel.unary_unary("/elige.v1.DecisionService/Decide", lambda m: m, lambda answer: answer)
    with pytest.raises(grpc.RpcError):
        stub(raw, timeout=60)
    assert server.decisions.Decide(decisions_pb2.DecideRequest(campaign="hero")).decision_id


def test_a_message_beyond_the_limit(server: Any, refusal: Refusal) -> None:
    channel = grpc.insecure_channel(server.target, options=[("grpc.max_send_message_length", -1)])
    request = decisions_pb2.DecideRequest(campaign="hero", person="x" * (65 << 20))
    stub = channel.unary_unary("/elige.v1.DecisionService/Decide", lambda m: m.SerializeToString(), lambda raw: raw)
    assert refusal(stub, request)[0] == "RESOURCE_EXHAUSTED"
    channel.close()
