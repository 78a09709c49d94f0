"""Both clients against a service of the contract: what they send, what they answer, how they fail."""

import asyncio
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import grpc
import pytest
from google.protobuf import json_format

from elige.client import AsyncClient, Client, EligeError, InvalidCampaign, operations
from elige.client.operations import Method
from elige.v1 import campaigns_pb2, decisions_pb2, evaluations_pb2, people_pb2

HOSTILE = "tab\t| : \n😀 mañana"


def decision(**fields: Any) -> decisions_pb2.Decision:
    """A decision of one slot, with other fields as given."""
    return json_format.ParseDict(
        {
            "decisionId": "d-1",
            "campaign": "home-hero",
            "version": 3,
            "choices": [
                {
                    "slot": "headline",
                    "variant": "price",
                    "content": {"text": "Desde 9 € al mes", "percent": 10, "ratio": 0.5, "list": [True, None, {}]},
                    "propensity": 0.25,
                    "reason": "REASON_DRAWN",
                    "kind": "DECISION_KIND_DRAWN",
                    "policy": "squarecb",
                    "probabilities": [
                        {"variant": "hours", "probability": 0.75},
                        {"variant": "price", "probability": 0.25},
                    ],
                }
            ],
            "group": "GROUP_POLICY",
            "windowClosesAt": "2026-01-02T03:04:05.678901Z",
            **fields,
        },
        decisions_pb2.Decision(),
    )


def test_decide_answers_what_was_decided(elige: Any, service: Any) -> None:
    service.answers["Decide"] = decision(
        refusals=[{"slot": "headline", "variant": "vip", "reason": "REFUSAL_REASON_RULE", "detail": "orders > 10"}],
        ignoredContext=["colour"],
        originDecisionId="d-0",
    )

    answer = elige.decide("home-hero")

    assert (answer.id, answer.campaign, answer.version, answer.group) == ("d-1", "home-hero", 3, "policy")
    assert answer.origin_id == "d-0"
    assert answer.ignored_context == ("colour",)
    assert [(r.variant, r.reason, r.detail) for r in answer.refusals] == [("vip", "rule", "orders > 10")]
    assert answer.window_closes_at == datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    choice = answer["headline"]
    assert (choice.variant, choice.propensity, choice.reason, choice.kind) == ("price", 0.25, "drawn", "drawn")
    assert choice.probabilities == {"hours": 0.75, "price": 0.25}
    assert choice.send_at is None
    assert dict(choice.content) == {
        "text": "Desde 9 € al mes",
        "percent": 10,
        "ratio": 0.5,
        "list": [True, None, {}],
    }
    assert isinstance(choice.content["percent"], int)


def test_decide_sends_what_was_said(elige: Any, service: Any) -> None:
    service.answers["Decide"] = decision()

    elige.decide(
        "newsletter",
        person="José 🙂",
        context={"país": "ES", "orders": 3, "vip": True, HOSTILE: ["a", HOSTILE]},
        labels={"send": "2026-W01"},
        time_zone="Europe/Madrid",
        request_id="r-1",
        slots=["subject_line", "headline"],
        exclude={"headline": ["price", "hours"]},
        candidates={"subject_line": [{"id": "año", "content": {"text": "¡Ya!"}, "features": {"len": 4}}, {"id": "b"}]},
        defer_activation=True,
        activation_ttl=timedelta(hours=6),
        send_deadline=datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2))),
        dry_run=True,
        want_probabilities=True,
        want_refusals=True,
    )

    assert json_format.MessageToDict(service.requests[0]) == {
        "campaign": "newsletter",
        "person": "José 🙂",
        "context": {"país": "ES", "orders": 3.0, "vip": True, HOSTILE: ["a", HOSTILE]},
        "labels": {"send": "2026-W01"},
        "timeZone": "Europe/Madrid",
        "requestId": "r-1",
        "slots": ["subject_line", "headline"],
        "slotOptions": {
            "headline": {"exclude": ["price", "hours"]},
            "subject_line": {
                "candidates": [{"id": "año", "content": {"text": "¡Ya!"}, "features": {"len": 4.0}}, {"id": "b"}]
            },
        },
        "deferActivation": True,
        "activationTtl": "21600s",
        "sendDeadline": "2026-01-01T10:00:00Z",
        "dryRun": True,
        "wantProbabilities": True,
        "wantRefusals": True,
    }


def test_a_slot_that_was_not_decided_is_named_with_those_that_were(elige: Any, service: Any) -> None:
    service.answers["Decide"] = decision()
    with pytest.raises(KeyError, match=r"no slot 'headlin' .* 'home-hero'; there are: 'headline'"):
        elige.decide("home-hero")["headlin"]


def test_a_person_held_out_gets_no_choice(elige: Any, service: Any) -> None:
    service.answers["Decide"] = decision(choices=[], reason="REASON_HELD_OUT")
    answer = elige.decide("home-hero")
    assert answer.choices == {}
    with pytest.raises(KeyError, match="there are: none, since held_out"):
        answer["headline"]


def test_values_newer_than_the_client_are_numbers(elige: Any, service: Any) -> None:
    service.answers["Decide"] = decisions_pb2.Decision(reason=77)  # type: ignore[arg-type]
    assert elige.decide("home-hero").reason == "77"


def test_observe_sends_what_was_told(elige: Any, service: Any) -> None:
    service.answers["ObserveDecision"] = decision(reason="REASON_OBSERVED", kind="DECISION_KIND_OBSERVED")

    answer = elige.observe(
        "newsletter",
        {"subject_line": "año", "headline": "price"},
        propensities={"headline": 0.5},
        eligible={"headline": ["price", "hours"]},
        candidates={"subject_line": [{"id": "año", "content": {"text": "¡Ya!"}, "features": {"len": 4}}]},
        person="José 🙂",
        context={"país": "ES"},
        labels={"send": "2026-W01"},
        time_zone="Europe/Madrid",
        request_id="r-1",
        at=datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2))),
    )

    assert (answer.id, answer.kind, answer.reason) == ("d-1", "observed", "observed")
    assert json_format.MessageToDict(service.requests[0]) == {
        "campaign": "newsletter",
        "choices": [
            {
                "slot": "subject_line",
                "variant": "año",
                "candidates": [{"id": "año", "content": {"text": "¡Ya!"}, "features": {"len": 4.0}}],
            },
            {"slot": "headline", "variant": "price", "propensity": 0.5, "eligible": ["price", "hours"]},
        ],
        "person": "José 🙂",
        "context": {"país": "ES"},
        "labels": {"send": "2026-W01"},
        "timeZone": "Europe/Madrid",
        "requestId": "r-1",
        "at": "2026-01-01T10:00:00Z",
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"propensities": {"cta": 0.5}}, r"propensities: slot 'cta' is not among those chosen: 'headline'"),
        ({"eligible": {"cta": ["a"]}}, "eligible: slot 'cta'"),
        ({"candidates": {"cta": []}}, "candidates: slot 'cta'"),
        ({"eligible": {"headline": "price"}}, r"eligible\['headline'\]: expected a list of texts"),
        ({"at": datetime(2026, 1, 1)}, "at: .* has no time zone"),
    ],
)
def test_what_can_not_be_told_of_others(elige: Any, service: Any, arguments: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        elige.observe("home-hero", {"headline": "price"}, **arguments)
    assert service.requests == []


def test_an_observed_choice_may_have_no_propensity(elige: Any, service: Any) -> None:
    service.answers["Decide"] = decisions_pb2.Decision(choices=[{"slot": "headline"}])
    assert elige.decide("home-hero")["headline"].propensity is None


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"context": {"when": datetime(2026, 1, 1)}},
            TypeError,
            r"context\['when'\]: datetime.* is a datetime; expected",
        ),
        ({"context": {"a": {"b": {1, 2}}}}, TypeError, r"context\['a'\]\['b'\]: \{1, 2\} is a set"),
        ({"context": {3: "x"}}, TypeError, "context: the key 3 is a int; expected a text"),
        ({"labels": {"customer": 2**53 + 1}}, ValueError, r"labels\['customer'\]: 9007199254740993 is more than"),
        (
            {"exclude": {"headline": "price"}},
            TypeError,
            r"exclude\['headline'\]: expected a list of texts, got the text",
        ),
        ({"slots": "headline"}, TypeError, "slots: expected a list of texts, got the text 'headline'"),
        ({"candidates": {"s": [{"name": "x"}]}}, TypeError, "unexpected keyword argument 'name'"),
        ({"send_deadline": datetime(2026, 1, 1)}, ValueError, "send_deadline: 2026-01-01T00:00:00 has no time zone"),
        ({"persona": "x"}, ValueError, "persona"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name(
    elige: Any, service: Any, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    service.answers["Decide"] = decision()
    with pytest.raises(error, match=message):
        elige.decide("home-hero", **arguments)
    assert service.requests == []


def test_decide_many_keeps_answers_and_errors_in_place(
    elige: Any, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: decisions_pb2.BatchDecideRequest) -> decisions_pb2.BatchDecideResponse:
        response = decisions_pb2.BatchDecideResponse()
        for item in request.requests:
            result = response.results.add()
            if item.campaign == "héroe":
                result.error.code, result.error.message = 5, "no campaign 'héroe'"  # type: ignore[assignment]
            else:
                result.decision.decision_id = item.person
        return response

    monkeypatch.setattr(operations, "BATCH", 2)
    service.answers["BatchDecide"] = answer
    people = ({"campaign": "héroe" if i == 3 else "hero", "person": f"p{i}"} for i in range(5))

    results = elige.decide_many(people)

    assert [len(request.requests) for request in service.requests] == [2, 2, 1]
    assert [result.id for i, result in enumerate(results) if i != 3] == ["p0", "p1", "p2", "p4"]
    assert isinstance(results[3], EligeError)
    assert (results[3].code, results[3].message) == ("NOT_FOUND", "no campaign 'héroe'")


def test_a_full_batch_fits(elige: Any, service: Any) -> None:
    content = {"text": "x" * 1_000}
    service.answers["BatchDecide"] = lambda request: decisions_pb2.BatchDecideResponse(
        results=[decisions_pb2.DecideResult(decision=decision(choices=[{"slot": "s", "content": content}]))] * 10_000
    )
    item = {"campaign": "hero", "context": {"text": "y" * 1_000}}
    assert len(elige.decide_many([item] * 10_000)) == 10_000
    assert [len(request.requests) for request in service.requests] == [10_000]


def test_nothing_to_decide_is_no_call(elige: Any, service: Any) -> None:
    assert elige.decide_many([]) == []
    assert service.requests == []


def test_activate_sends_what_was_shown_and_says_when_its_window_closes(elige: Any, service: Any) -> None:
    service.answers["Activate"] = [
        json_format.ParseDict(
            {"status": "ACTIVATE_STATUS_ACTIVATED", "windowClosesAt": "2026-01-04T00:00:00Z"},
            decisions_pb2.ActivateResponse(),
        ),
        decisions_pb2.ActivateResponse(status="ACTIVATE_STATUS_EXPIRED"),
    ]

    answer = elige.activate("d-1", slots=["offer"], at=datetime(2026, 1, 1, tzinfo=UTC))

    assert (answer.status, answer.window_closes_at) == ("activated", datetime(2026, 1, 4, tzinfo=UTC))
    assert json_format.MessageToDict(service.requests[0]) == {
        "decisionId": "d-1",
        "slots": ["offer"],
        "at": "2026-01-01T00:00:00Z",
    }
    expired = elige.activate("d-1")
    assert (expired.status, expired.window_closes_at) == ("expired", None)
    assert json_format.MessageToDict(service.requests[1]) == {"decisionId": "d-1"}
    with pytest.raises(TypeError, match="slots"):
        elige.activate("d-1", slots="offer")


def test_activate_many_keeps_answers_and_errors_in_place(elige: Any, service: Any) -> None:
    service.answers["BatchActivate"] = json_format.ParseDict(
        {
            "results": [
                {"answer": {"status": "ACTIVATE_STATUS_PENDING"}},
                {"error": {"code": "ERROR_CODE_FAILED_PRECONDITION", "message": "not deferred"}},
            ]
        },
        decisions_pb2.BatchActivateResponse(),
    )
    pending, refused = elige.activate_many([{"decision_id": "d-1"}, {"decision_id": "d-2", "slots": ["cta"]}])
    assert (pending.status, refused.code) == ("pending", "FAILED_PRECONDITION")
    assert [list(request.slots) for request in service.requests[0].requests] == [[], ["cta"]]


def test_reward_sends_what_happened_and_says_when_it_is_learned(elige: Any, service: Any) -> None:
    service.answers["Reward"] = json_format.ParseDict(
        {"status": "REWARD_STATUS_ACCEPTED", "decisionId": "d-1", "learnedAt": "2026-01-04T00:00:00Z"},
        decisions_pb2.RewardResponse(),
    )

    answer = elige.reward("d-1", "revenue", value=-2.5, slot="offer", key="k", at=datetime(2026, 1, 1, tzinfo=UTC))

    assert (answer.status, answer.decision_id) == ("accepted", "d-1")
    assert answer.learned_at == datetime(2026, 1, 4, tzinfo=UTC)
    assert json_format.MessageToDict(service.requests[0]) == {
        "decisionId": "d-1",
        "metric": "revenue",
        "value": -2.5,
        "slot": "offer",
        "key": "k",
        "at": "2026-01-01T00:00:00Z",
    }


def test_a_reward_of_zero_is_not_a_reward_by_default(elige: Any, service: Any) -> None:
    service.answers["Reward"] = decisions_pb2.RewardResponse()
    elige.reward("d-1", value=0.0)
    elige.reward(person="ana", campaign="home-hero")
    assert [request.HasField("value") for request in service.requests] == [True, False]
    assert (service.requests[1].person, service.requests[1].campaign) == ("ana", "home-hero")


def test_reward_many_keeps_answers_and_errors_in_place(elige: Any, service: Any) -> None:
    service.answers["BatchReward"] = json_format.ParseDict(
        {
            "results": [
                {"answer": {"status": "REWARD_STATUS_LATE", "decisionId": "d-1"}},
                {"error": {"code": "ERROR_CODE_INVALID_ARGUMENT", "message": "NaN"}},
            ]
        },
        decisions_pb2.BatchRewardResponse(),
    )
    late, refused = elige.reward_many(
        [{"decision_id": "d-1", "metric": "click"}, {"person": "ana", "value": float("nan")}]
    )
    assert (late.status, late.learned_at) == ("late", None)
    assert (refused.code, refused.message) == ("INVALID_ARGUMENT", "NaN")
    assert [request.decision_id for request in service.requests[0].requests] == ["d-1", ""]


def test_put_campaign_answers_the_campaign(elige: Any, service: Any) -> None:
    service.answers["PutCampaign"] = json_format.ParseDict(
        {
            "result": "PUT_RESULT_CHANGED",
            "campaign": {
                "name": "home-hero",
                "version": 4,
                "number": 1,
                "state": "CAMPAIGN_STATE_ACTIVE",
                "source": "campaign: home-hero",
                "document": {"campaign": "home-hero", "explore": 0.05},
                "policies": [{"slot": "headline", "policy": "squarecb", "arguments": "--cb_explore_adf --squarecb"}],
                "variantStates": [{"slot": "headline", "variant": "price", "state": "VARIANT_STATE_PAUSED"}],
                "createdAt": "2026-01-01T00:00:00Z",
            },
        },
        campaigns_pb2.PutCampaignResponse(),
    )

    answer = elige.put_campaign("campaign: home-hero", file_name="año.yaml", expected_version=0, dry_run=True)

    assert (answer.result, answer.campaign.version, answer.campaign.state) == ("changed", 4, "active")
    assert answer.campaign.document == {"campaign": "home-hero", "explore": 0.05}
    assert answer.campaign.policies[0].arguments == "--cb_explore_adf --squarecb"
    assert answer.campaign.variant_states[0].state == "paused"
    assert answer.campaign.created_at == datetime(2026, 1, 1, tzinfo=UTC)
    sent = service.requests[0]
    assert (sent.source, sent.file_name, sent.dry_run) == ("campaign: home-hero", "año.yaml", True)
    assert sent.HasField("expected_version")
    assert not sent.HasField("first_line")


def test_a_wrong_campaign_raises_with_all_its_mistakes(elige: Any, service: Any) -> None:
    service.answers["PutCampaign"] = json_format.ParseDict(
        {
            "result": "PUT_RESULT_REFUSED",
            "mistakes": [
                {"line": 3, "column": 9, "field": "reward.window", "value": '"soon"', "message": "no duration"},
                {"line": 7, "column": 1, "field": "slots", "message": "missing"},
            ],
        },
        campaigns_pb2.PutCampaignResponse(),
    )
    with pytest.raises(
        InvalidCampaign, match=r"hero\.yaml:3:9: reward\.window: no duration\nhero\.yaml:7:1: slots"
    ) as raised:
        elige.put_campaign("…", file_name="hero.yaml")
    assert [(m.line, m.field, m.value) for m in raised.value.mistakes] == [
        (3, "reward.window", '"soon"'),
        (7, "slots", ""),
    ]


def test_list_campaigns_turns_all_pages(elige: Any, service: Any) -> None:
    pages = {"": (["a", "b"], "2"), "2": (["c"], "3"), "3": (["d"], "")}

    def answer(request: campaigns_pb2.ListCampaignsRequest) -> campaigns_pb2.ListCampaignsResponse:
        names, following = pages[request.page_token]
        found = [campaigns_pb2.Campaign(name=name) for name in names]
        return campaigns_pb2.ListCampaignsResponse(campaigns=found, next_page_token=following)

    service.answers["ListCampaigns"] = answer
    assert [campaign.name for campaign in elige.list_campaigns(states=["paused", "archived"])] == ["a", "b", "c", "d"]
    assert all(list(request.states) == [3, 5] for request in service.requests)


def test_get_campaign_takes_a_version(elige: Any, service: Any) -> None:
    service.answers["GetCampaign"] = campaigns_pb2.Campaign(name="home-hero", version=2)
    assert elige.get_campaign("home-hero", version=2).version == 2
    assert elige.get_campaign("home-hero").created_at is None
    assert [request.HasField("version") for request in service.requests] == [True, False]


def test_set_campaign_state_takes_a_word(elige: Any, service: Any) -> None:
    service.answers["SetCampaignState"] = lambda request: campaigns_pb2.Campaign(state=request.state)
    assert elige.set_campaign_state("home-hero", "killed", expected_version=7).state == "killed"
    assert service.requests[0].expected_version == 7
    with pytest.raises(ValueError, match="no state 'dead'; expected one of 'draft', 'active', 'paused', 'killed'"):
        elige.set_campaign_state("home-hero", "dead")


def test_roll_back_says_which_and_how(elige: Any, service: Any) -> None:
    service.answers["RollBack"] = campaigns_pb2.Campaign(snapshot="12", snapshot_pinned=True)
    answer = elige.roll_back("home-hero", "12", pin=True, expected_version=7)
    assert (answer.snapshot, answer.snapshot_pinned) == ("12", True)
    elige.roll_back("home-hero", unpin=True)
    first, second = service.requests
    assert (first.campaign, first.snapshot, first.pin, first.unpin, first.expected_version) == (
        *("home-hero", "12", True, False),
        7,
    )
    assert (second.snapshot, second.unpin, second.HasField("expected_version")) == ("", True, False)


def test_explain_answers_what_agrees_and_what_cannot_be_known(elige: Any, service: Any) -> None:
    service.answers["ExplainDecision"] = json_format.ParseDict(
        {
            "agrees": True,
            "record": {
                "decision": {"decisionId": "d-1"},
                "context": {"country": "ES"},
                "activation": "ACTIVATION_STATE_ACTIVE",
                "outcomes": [{"metric": "click", "value": 1, "at": "2026-01-01T00:00:00Z"}],
                "reward": 0,
                "sequence": "12",
            },
            "slots": [
                {
                    "slot": "headline",
                    "loggedVariant": "price",
                    "recomputedVariant": "price",
                    "loggedDrawPoint": 0.5,
                    "recomputedDrawPoint": 0.5,
                    "variants": [
                        {
                            "variant": "price",
                            "loggedEligible": True,
                            "recomputedEligible": True,
                            "loggedProbability": 1,
                        },
                        {"variant": "vip", "recomputedEligible": False, "refusal": {"reason": "REFUSAL_REASON_RULE"}},
                    ],
                    "checks": [
                        {"part": "EXPLANATION_PART_RULES", "verdict": "VERDICT_AGREES"},
                        {"part": "EXPLANATION_PART_POLICY", "verdict": "VERDICT_NOT_RECOMPUTABLE", "detail": "thinned"},
                    ],
                    "policy": {"slot": "headline", "policy": "epsilon", "arguments": "--epsilon 0.1"},
                }
            ],
        },
        evaluations_pb2.Explanation(),
    )

    answer = elige.explain("d-1")

    assert service.requests[0].decision_id == "d-1"
    assert answer.agrees
    assert (answer.logged.decision.id, answer.logged.reward, answer.logged.sequence) == ("d-1", 0.0, 12)
    assert (answer.logged.activation, answer.logged.outcomes[0].metric) == ("active", "click")
    slot = answer.slots[0]
    assert (slot.logged_variant, slot.recomputed_variant, slot.recomputed_draw_point) == ("price", "price", 0.5)
    assert [(v.logged_eligible, v.recomputed_eligible, v.logged_probability) for v in slot.variants] == [
        (True, True, 1.0),
        (False, False, None),
    ]
    assert slot.variants[0].refusal is None
    assert slot.variants[1].refusal is not None
    assert slot.variants[1].refusal.reason == "rule"
    assert slot.variants[0].recomputed_probability is None
    assert [(c.part, c.verdict, c.detail) for c in slot.checks] == [
        ("rules", "agrees", ""),
        ("policy", "not_recomputable", "thinned"),
    ]
    assert slot.policy.arguments == "--epsilon 0.1"


def test_a_refusal_carries_code_and_message(elige: Any, service: Any) -> None:
    service.answers["Decide"] = grpc.StatusCode.NOT_FOUND
    with pytest.raises(EligeError, match="NOT_FOUND: Decide: no campaign 'año'; known: 'hero'") as raised:
        elige.decide("año")
    assert (raised.value.code, raised.value.message) == ("NOT_FOUND", "Decide: no campaign 'año'; known: 'hero'")


def test_calls_that_can_be_repeated_are_made_again_when_the_service_was_away(elige: Any, service: Any) -> None:
    away = grpc.StatusCode.UNAVAILABLE
    service.answers["GetCampaign"] = [away, away, campaigns_pb2.Campaign(name="hero", version=3)]
    assert elige.get_campaign("hero").version == 3
    assert len(service.requests) == 3


@pytest.mark.parametrize("code", [grpc.StatusCode.NOT_FOUND, grpc.StatusCode.DEADLINE_EXCEEDED])
def test_other_failures_are_told_at_once(elige: Any, service: Any, code: grpc.StatusCode) -> None:
    service.answers["GetCampaign"] = [code, campaigns_pb2.Campaign(name="hero")]
    with pytest.raises(EligeError, match=code.name):
        elige.get_campaign("hero")


def test_decisions_and_outcomes_are_never_sent_twice(elige: Any, service: Any) -> None:
    for name, ask in (("Decide", lambda: elige.decide("hero")), ("Reward", lambda: elige.reward("d-1"))):
        service.answers[name] = [grpc.StatusCode.UNAVAILABLE, decision()]
        with pytest.raises(EligeError, match="UNAVAILABLE"):
            ask()


def test_a_service_that_is_away_is_an_error_of_the_same_kind(connect: Any, service: Any) -> None:
    service.target = "127.0.0.1:1"  # nobody listens there
    with pytest.raises(EligeError, match="UNAVAILABLE"):
        connect().decide("home-hero")


def test_deadlines_reach_the_service(connect: Any, service: Any) -> None:
    service.answers |= {"Decide": decision(), "Reward": decisions_pb2.RewardResponse()}
    elige = connect(decide_timeout=10_000.0, timeout=100_000.0)
    elige.decide("home-hero")
    elige.reward("d-1")
    elige.decide("home-hero", timeout=1_000_000.0)
    # gRPC rounds what it sends by up to a hundredth
    assert service.seconds_left == pytest.approx([10_000, 100_000, 1_000_000], rel=0.05)


def test_a_deadline_that_passes_is_an_error(elige: Any, service: Any) -> None:
    given_up = threading.Event()

    def too_late(_: decisions_pb2.DecideRequest) -> decisions_pb2.Decision:
        given_up.wait()
        return decision()

    service.answers["Decide"] = too_late
    try:
        with pytest.raises(EligeError, match=r"DEADLINE_EXCEEDED: no answer in time: timeout=0\.01 seconds"):
            elige.decide("home-hero", timeout=0.01)
    finally:
        given_up.set()


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_by_default_a_decision_may_take_a_second(client: type[Client] | type[AsyncClient]) -> None:
    parameters = inspect.signature(client).parameters
    assert parameters["decide_timeout"].default == 1.0
    assert parameters["target"].default == "localhost:7461"


def test_the_key_goes_with_every_call(connect: Any, service: Any) -> None:
    service.answers["Decide"] = decision()
    connect(api_key="s3cret").decide("home-hero")
    connect().decide("home-hero")
    assert [metadata.get("authorization") for metadata in service.metadata] == ["Bearer s3cret", None]


def test_threads_share_a_client(service: Any) -> None:
    service.answers["Decide"] = lambda request: decisions_pb2.Decision(decision_id=request.person)
    people = [f"p{i}" for i in range(40)]
    with Client(service.target, decide_timeout=60.0) as elige, ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda person: elige.decide("hero", person=person).id, people)
        assert list(answers) == people


def test_tasks_share_a_client(service: Any) -> None:
    service.answers["Decide"] = lambda request: decisions_pb2.Decision(decision_id=request.person)
    people = [f"p{i}" for i in range(40)]
    elige = AsyncClient(service.target, decide_timeout=60.0)  # may be made before there is a loop

    async def decide_all() -> list[str]:
        async with elige:
            answers = await asyncio.gather(*(elige.decide("hero", person=person) for person in people))
        return [answer.id for answer in answers]

    assert asyncio.run(decide_all()) == people


def test_both_clients_offer_every_operation_with_its_help() -> None:
    offered = {name for name, value in vars(operations).items() if inspect.isgeneratorfunction(value)} - {"_batches"}
    assert "decide" in offered
    for client in (Client, AsyncClient):
        for name in offered:
            operation, method = getattr(operations, name), getattr(client, name)
            assert method.__doc__ == operation.__doc__
            assert list(inspect.signature(method).parameters) == ["self", *inspect.signature(operation).parameters]


def test_every_method_is_one_of_the_contract() -> None:
    services = {
        service.full_name: service
        for file in (decisions_pb2, campaigns_pb2, people_pb2, evaluations_pb2)
        for service in file.DESCRIPTOR.services_by_name.values()
    }
    methods = [value for value in vars(operations).values() if isinstance(value, Method)]
    assert len(methods) == 16
    for method in methods:
        _, service, rpc = method.path.split("/")
        descriptor = services[service].methods_by_name[rpc]
        assert descriptor.input_type == method.request.DESCRIPTOR
        assert descriptor.output_type == method.response.DESCRIPTOR
