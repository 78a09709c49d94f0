"""ObserveDecision at the front door: stored, told apart from what we decide, learned where the campaign says so."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from elige.client.values import fill
from elige.v1 import campaigns_pb2, decisions_pb2, evaluations_pb2
from server.campaigns.file import load_campaigns
from server.errors import InvalidRequest, NotSupportedYet
from server.observe import ObservedChoice, ObserveRequest
from server.records import Candidate
from server.rpc import wire
from server.settings import Durability

Refusal = Callable[..., tuple[str, str]]


def observed(*choices: dict[str, Any], campaign: str = "hero", **given: Any) -> decisions_pb2.ObserveDecisionRequest:
    made = choices or ({"slot": "headline", "variant": "price"},)
    return decisions_pb2.ObserveDecisionRequest(
        campaign=campaign, choices=[decisions_pb2.ObservedChoice(**choice) for choice in made], **given
    )


def timestamp(at: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(at)
    return made


def test_a_whole_request_is_read() -> None:
    at = datetime(2026, 2, 1, tzinfo=UTC)
    brought = decisions_pb2.Candidate(id="new")
    fill(brought.content, {"text": "¡Ya!"}, name="content")
    fill(brought.features, {"tone": "warm"}, name="features")
    choice = {"slot": "cta", "variant": "new", "propensity": 0.5, "eligible": ["try", "new"], "candidates": [brought]}
    message = observed(
        {"slot": "headline", "variant": "price"},
        choice,
        person="ana",
        time_zone="Europe/Madrid",
        request_id="r",
        at=timestamp(at),
    )
    fill(message.context, {"country": "ES"}, name="context")
    fill(message.labels, {"page": "/"}, name="labels")
    candidate = Candidate("new", {"text": "¡Ya!"}, {"tone": "warm"})
    assert wire.read_observe(message) == ObserveRequest(
        "hero",
        (ObservedChoice("headline", "price"), ObservedChoice("cta", "new", 0.5, ("try", "new"), (candidate,))),
        person="ana",
        context={"country": "ES"},
        labels={"page": "/"},
        time_zone="Europe/Madrid",
        request_id="r",
        at=at,
    )
    nothing = wire.read_observe(observed())
    assert (nothing.person, nothing.request_id, nothing.at, nothing.choices[0].propensity) == (None,) * 4


def test_what_can_not_be_read() -> None:
    with pytest.raises(InvalidRequest, match="campaign: missing"):
        wire.read_observe(observed(campaign=""))
    with pytest.raises(NotSupportedYet, match="send_at"):
        wire.read_observe(observed({"slot": "headline", "variant": "a", "send_at": Timestamp()}))


def test_what_others_chose_is_stored_and_explained(server: Any, apply: Any, hero: str) -> None:
    apply(hero)
    made = server.decisions.ObserveDecision(
        observed({"slot": "cta", "variant": "demo", "propensity": 0.5}, {"slot": "headline", "variant": "price"})
    )
    assert (made.kind, made.reason) == (decisions_pb2.DECISION_KIND_OBSERVED, decisions_pb2.REASON_OBSERVED)
    headline, cta = made.choices
    assert not headline.HasField("propensity")
    assert headline.content["text"] == "Desde 9 €"
    assert (cta.propensity, cta.policy) == (0.5, "")
    explained = server.evaluations.ExplainDecision(evaluations_pb2.ExplainDecisionRequest(decision_id=made.decision_id))
    assert explained.agrees
    first, second = explained.slots
    assert not explained.record.decision.choices[0].HasField("propensity")
    assert [(one.variant, one.logged_eligible) for one in first.variants] == [
        ("hours", True),
        ("price", True),
        ("trust", True),
    ]
    assert not any(one.HasField("recomputed_eligible") for one in first.variants)
    assert [one.logged_probability for one in second.variants] == [0.5, 0.5]


def test_the_same_observation_again(server: Any, apply: Any, hero: str, refusal: Refusal, sql: Any) -> None:
    apply(hero)
    first = server.decisions.ObserveDecision(observed(request_id="r"))
    again = server.decisions.ObserveDecision(observed(request_id="r"))
    assert (again.decision_id, again.kind) == (first.decision_id, decisions_pb2.DECISION_KIND_REPEATED)
    assert again.choices == first.choices
    other = observed({"slot": "headline", "variant": "trust"}, request_id="r")
    assert refusal(server.decisions.ObserveDecision, other)[0] == "ALREADY_EXISTS"
    same_id = decisions_pb2.DecideRequest(campaign="hero", request_id="r")
    assert refusal(server.decisions.Decide, same_id)[0] == "ALREADY_EXISTS"
    assert sql("SELECT count(*) FROM decisions") == [(1,)]


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_choice_reaches_the_log_by_way_of_an_outbox(start_server: Any, put: Any, hero: str, sql: Any) -> None:
    put(hero)
    server = start_server()  # on PostgreSQL the default
    made = server.decisions.ObserveDecision(observed({"slot": "headline", "variant": "price"}))
    server.stop()
    ((decision_id, propensity, probabilities),) = sql("SELECT decision_id, propensity, probabilities FROM choices")
    assert (decision_id, propensity, probabilities) == (made.decision_id, None, [])


def test_refusals(server: Any, apply: Any, hero: str, refusal: Refusal) -> None:
    apply(hero)
    ahead = timestamp(datetime.now(UTC) + timedelta(hours=1))
    for request, code, says in (
        (observed(campaign="nope"), "NOT_FOUND", "no campaign 'nope'"),
        (observed({"slot": "footer", "variant": "a"}), "INVALID_ARGUMENT", "no slot 'footer'"),
        (observed({"slot": "cta", "variant": "nope"}), "INVALID_ARGUMENT", "no variant 'nope'"),
        (observed({"slot": "cta", "variant": "try", "propensity": 0}), "INVALID_ARGUMENT", "propensity 0.0"),
        (observed(at=ahead), "INVALID_ARGUMENT", "lies in the future"),
        (observed(at=Timestamp(seconds=-1)), "INVALID_ARGUMENT", "before 1970"),
        (observed({"slot": "cta", "variant": "try", "send_at": ahead}), "UNIMPLEMENTED", "send_at"),
    ):
        found, text = refusal(server.decisions.ObserveDecision, request)
        assert found == code
        assert says in text


@pytest.mark.parametrize(
    ("learn_from", "drawn", "told"),
    [("[drawn]", True, False), ("[drawn, observed]", True, True), ("[observed]", False, True), ("[]", False, False)],
)
def test_outcomes_say_whether_they_will_be_learned(
    learn_from: str, drawn: bool, told: bool, server: Any, apply: Any, hero: str
) -> None:
    apply(hero.replace("context:", f"learn_from: {learn_from}\ncontext:"))
    ours = server.decisions.Decide(decisions_pb2.DecideRequest(campaign="hero"))
    theirs = server.decisions.ObserveDecision(observed())
    for made, learned in ((ours, drawn), (theirs, told)):
        answer = server.decisions.Reward(decisions_pb2.RewardRequest(decision_id=made.decision_id, metric="click"))
        assert answer.status == decisions_pb2.REWARD_STATUS_ACCEPTED
        assert answer.HasField("learned_at") is learned


@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
def test_an_apprentice_takes_over(start_server: Any, put: Any, hero: str, new_trainer: Any) -> None:
    """The system in place shows `hours` to some and `price` to others; `price` is clicked on."""
    (campaign,) = load_campaigns(hero, file_name="x")
    window = campaign.reward.window
    put(hero.replace("context:", "policy: best_variant\nlearn_from: [drawn, observed]\ncontext:"))
    # an outbox would not let windows close before their time
    server = start_server(durability=Durability.DATABASE)
    for n in range(200):
        variant = "price" if n % 2 else "hours"
        made = server.decisions.ObserveDecision(observed({"slot": "headline", "variant": variant}))
        if variant == "price":
            server.decisions.Reward(decisions_pb2.RewardRequest(decision_id=made.decision_id, metric="click"))
    progress = new_trainer().step(datetime.now(UTC) + window)
    assert (progress.matured, progress.learned) == (200, 200)
    active = campaigns_pb2.CAMPAIGN_STATE_ACTIVE
    # changes nothing, and returns after a refresh: the snapshot is served
    server.campaigns.SetCampaignState(campaigns_pb2.SetCampaignStateRequest(campaign="hero", state=active))
    taken = server.decisions.Decide(decisions_pb2.DecideRequest(campaign="hero", want_probabilities=True))
    assert taken.snapshot
    shares = {one.variant: one.probability for one in taken.choices[0].probabilities}
    assert shares["price"] > 10 * shares["hours"]
