"""What a client can do, each once for both clients.

An operation is a generator: it yields the calls to make, is sent their answers, and returns its result. It knows
nothing of channels or event loops, so the same one serves `Client` and `AsyncClient`.
"""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar, Unpack

from google.protobuf.message import Message

from elige.client import replies, requests
from elige.client.errors import EligeError, InvalidCampaign
from elige.client.records import Campaign, Decision, Explanation, PutAnswer, RewardAnswer
from elige.client.requests import DecideArguments, DecideItem, RewardArguments, RewardItem
from elige.v1 import campaigns_pb2, decisions_pb2, evaluations_pb2

BATCH = 10_000
"""The most items that one call takes."""

T = TypeVar("T")
Request = TypeVar("Request", bound=Message)


@dataclass(frozen=True, slots=True)
class Method:
    """One rpc: the path of its URL, and what it takes and answers."""

    path: str
    request: type[Message]
    response: type[Message]


@dataclass(frozen=True, slots=True)
class Call:
    """One call to make. `timeout` in seconds; None for the client's own."""

    method: Method
    request: Message
    timeout: float | None


Operation = Generator[Call, Any, T]

DECIDE = Method("/elige.v1.DecisionService/Decide", decisions_pb2.DecideRequest, decisions_pb2.Decision)
BATCH_DECIDE = Method(
    "/elige.v1.DecisionService/BatchDecide", decisions_pb2.BatchDecideRequest, decisions_pb2.BatchDecideResponse
)
REWARD = Method("/elige.v1.DecisionService/Reward", decisions_pb2.RewardRequest, decisions_pb2.RewardResponse)
BATCH_REWARD = Method(
    "/elige.v1.DecisionService/BatchReward", decisions_pb2.BatchRewardRequest, decisions_pb2.BatchRewardResponse
)
PUT_CAMPAIGN = Method(
    "/elige.v1.CampaignService/PutCampaign", campaigns_pb2.PutCampaignRequest, campaigns_pb2.PutCampaignResponse
)
GET_CAMPAIGN = Method("/elige.v1.CampaignService/GetCampaign", campaigns_pb2.GetCampaignRequest, campaigns_pb2.Campaign)
LIST_CAMPAIGNS = Method(
    "/elige.v1.CampaignService/ListCampaigns", campaigns_pb2.ListCampaignsRequest, campaigns_pb2.ListCampaignsResponse
)
SET_CAMPAIGN_STATE = Method(
    "/elige.v1.CampaignService/SetCampaignState", campaigns_pb2.SetCampaignStateRequest, campaigns_pb2.Campaign
)
EXPLAIN_DECISION = Method(
    "/elige.v1.EvaluationService/ExplainDecision", evaluations_pb2.ExplainDecisionRequest, evaluations_pb2.Explanation
)


def decide(campaign: str, *, timeout: float | None = None, **arguments: Unpack[DecideArguments]) -> Operation[Decision]:
    """Decide every slot of `campaign` for one person at one moment.

    person: pseudonymous key; without it there is no sticky choice and no cap by person.
    context: name to text, number, flag or list of texts; what the campaign does not declare comes back in
        `ignored_context`.
    labels: what the log should hold but no policy should see.
    time_zone: the person's, as IANA names it.
    request_id: makes the call safe to repeat.
    slots: those to decide; by default all.
    exclude: slot to ids of variants that must not be chosen.
    candidates: slot to variants that exist only in this call, `{"id": …, "content": {…}, "features": {…}}`.
    defer_activation, activation_ttl: count it only once it is activated, and wait so long for that.
    send_deadline: the last moment to send, with a zone.
    opted_out: defaults only, nothing stored.  dry_run: as usual, but nothing stored.
    want_probabilities, want_refusals: answer those, too.

    Raises EligeError if the service refuses or does not answer within `timeout` seconds (by default the client's
    `decide_timeout`); TypeError or ValueError for an argument that can't be sent.
    """
    response: decisions_pb2.Decision = yield Call(DECIDE, requests.decide_request(campaign, **arguments), timeout)
    return replies.decision(response)


def decide_many(items: Iterable[DecideItem], *, timeout: float | None = None) -> Operation[list[Decision | EligeError]]:
    """Decide for many people: each item holds `campaign` and what `decide` takes. Any number, sent by the 10,000.

    Every item has its own answer in its place: a decision, or the error that `decide` would have raised. `timeout` is
    for each call of 10,000. Raises what `decide` raises, if a call fails as a whole; the calls before it are done.
    """
    results: list[Decision | EligeError] = []
    for batch in _batches(requests.decide_request(**item) for item in items):
        request = decisions_pb2.BatchDecideRequest(requests=batch)
        response: decisions_pb2.BatchDecideResponse = yield Call(BATCH_DECIDE, request, timeout)
        results += map(replies.decide_result, response.results)
    return results


def reward(
    decision_id: str = "", metric: str = "", *, timeout: float | None = None, **arguments: Unpack[RewardArguments]
) -> Operation[RewardAnswer]:
    """Tell that something happened after a decision; answered when it is durable.

    decision_id: the decision; or leave it out and give person and campaign, for the last one shown to them.
    metric: as declared in the campaign; may be left out where there is only one.
    value: how much, by default 1.
    slot: the one slot that earned it; by default the whole decision.
    at: when it happened, with a zone; by default now.
    key: makes the call safe to repeat: the same key twice counts once.

    Raises EligeError if the service refuses or does not answer within `timeout` seconds; TypeError or ValueError for an
    argument that can't be sent.
    """
    request = requests.reward_request(decision_id, metric, **arguments)
    response: decisions_pb2.RewardResponse = yield Call(REWARD, request, timeout)
    return replies.reward_answer(response)


def reward_many(
    items: Iterable[RewardItem], *, timeout: float | None = None
) -> Operation[list[RewardAnswer | EligeError]]:
    """Tell many outcomes: each item holds what `reward` takes. Any number, sent by the 10,000.

    Every item has its own answer in its place: what became of it, or the error that `reward` would have raised.
    `timeout` and errors as in `decide_many`.
    """
    results: list[RewardAnswer | EligeError] = []
    for batch in _batches(requests.reward_request(**item) for item in items):
        request = decisions_pb2.BatchRewardRequest(requests=batch)
        response: decisions_pb2.BatchRewardResponse = yield Call(BATCH_REWARD, request, timeout)
        results += map(replies.reward_result, response.results)
    return results


def put_campaign(
    source: str,
    *,
    file_name: str = "",
    first_line: int | None = None,
    expected_version: int | None = None,
    dry_run: bool = False,
    timeout: float | None = None,
) -> Operation[PutAnswer]:
    """Check the text of a campaign file and, unless `dry_run`, make it the campaign's newest version.

    file_name, first_line: what mistakes should call the file, and where in it `source` begins.
    expected_version: the version that must be in force; 0: there must be no such campaign yet.

    Raises InvalidCampaign with all mistakes if the file is wrong; EligeError.
    """
    request = campaigns_pb2.PutCampaignRequest(
        source=source,
        file_name=file_name,
        first_line=first_line,
        expected_version=expected_version,
        dry_run=dry_run,
    )
    response: campaigns_pb2.PutCampaignResponse = yield Call(PUT_CAMPAIGN, request, timeout)
    if response.mistakes:
        raise InvalidCampaign([replies.mistake(found) for found in response.mistakes], file_name=file_name)
    return replies.put_answer(response)


def get_campaign(campaign: str, *, version: int | None = None, timeout: float | None = None) -> Operation[Campaign]:
    """One version of a campaign, by default the one in force. Raises EligeError."""
    request = campaigns_pb2.GetCampaignRequest(campaign=campaign, version=version)
    response: campaigns_pb2.Campaign = yield Call(GET_CAMPAIGN, request, timeout)
    return replies.campaign(response)


def list_campaigns(
    *, states: Iterable[str] = (), versions_of: str = "", timeout: float | None = None
) -> Operation[list[Campaign]]:
    """All campaigns by name, or all versions of one, newest first; without source and document.

    states: only those in these states; by default all but archived ones.

    Raises EligeError; ValueError for a state there is not.
    """
    request = campaigns_pb2.ListCampaignsRequest(
        page_size=1_000, states=map(requests.state, states), versions_of=versions_of
    )
    campaigns: list[Campaign] = []
    while True:
        response: campaigns_pb2.ListCampaignsResponse = yield Call(LIST_CAMPAIGNS, request, timeout)
        campaigns += map(replies.campaign, response.campaigns)
        if not response.next_page_token:
            return campaigns
        request.page_token = response.next_page_token


def set_campaign_state(
    campaign: str, state: str, *, expected_version: int | None = None, timeout: float | None = None
) -> Operation[Campaign]:
    """Bring a campaign into a state: `active`, `paused`, `killed` or `archived`. Raises EligeError, ValueError."""
    request = campaigns_pb2.SetCampaignStateRequest(
        campaign=campaign, state=requests.state(state), expected_version=expected_version
    )
    response: campaigns_pb2.Campaign = yield Call(SET_CAMPAIGN_STATE, request, timeout)
    return replies.campaign(response)


def explain(decision_id: str, *, timeout: float | None = None) -> Operation[Explanation]:
    """Compute a decision again from the log, and say what agrees. Raises EligeError."""
    request = evaluations_pb2.ExplainDecisionRequest(decision_id=decision_id)
    response: evaluations_pb2.Explanation = yield Call(EXPLAIN_DECISION, request, timeout)
    return replies.explanation(response)


def _batches(items: Iterator[Request]) -> Iterator[list[Request]]:
    while batch := list(islice(items, BATCH)):
        yield batch
