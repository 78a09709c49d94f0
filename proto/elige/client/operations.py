"""What a client can do, each once for both clients.

An operation is a generator: it yields the calls to make, is sent their answers, and returns its result. It knows
nothing of channels or event loops, so the same one serves `Client` and `AsyncClient`.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar, Unpack

from google.protobuf.message import Message

from elige.client import replies, requests
from elige.client.errors import EligeError, InvalidCampaign
from elige.client.records import (
    ActivateAnswer,
    Campaign,
    Decision,
    Erasure,
    Explanation,
    LoggedDecision,
    PersonExport,
    PutAnswer,
    RewardAnswer,
)
from elige.client.requests import (
    ActivateArguments,
    ActivateItem,
    DecideArguments,
    DecideItem,
    ObserveArguments,
    RewardArguments,
    RewardItem,
)
from elige.v1 import campaigns_pb2, decisions_pb2, evaluations_pb2, people_pb2

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


@dataclass(frozen=True, slots=True)
class Pause:
    """So many seconds to let go by."""

    seconds: float


Operation = Generator[Call | Pause, Any, T]
"""Asks for calls, is sent their answers, or has their EligeError thrown in, and returns its result."""

DECIDE = Method("/elige.v1.DecisionService/Decide", decisions_pb2.DecideRequest, decisions_pb2.Decision)
BATCH_DECIDE = Method(
    "/elige.v1.DecisionService/BatchDecide", decisions_pb2.BatchDecideRequest, decisions_pb2.BatchDecideResponse
)
OBSERVE_DECISION = Method(
    "/elige.v1.DecisionService/ObserveDecision", decisions_pb2.ObserveDecisionRequest, decisions_pb2.Decision
)
ACTIVATE = Method("/elige.v1.DecisionService/Activate", decisions_pb2.ActivateRequest, decisions_pb2.ActivateResponse)
BATCH_ACTIVATE = Method(
    "/elige.v1.DecisionService/BatchActivate", decisions_pb2.BatchActivateRequest, decisions_pb2.BatchActivateResponse
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
ROLL_BACK = Method("/elige.v1.CampaignService/RollBack", campaigns_pb2.RollBackRequest, campaigns_pb2.Campaign)
LINK_PEOPLE = Method("/elige.v1.PeopleService/LinkPeople", people_pb2.LinkPeopleRequest, people_pb2.LinkPeopleResponse)
EXPORT_PERSON = Method(
    "/elige.v1.PeopleService/ExportPerson", people_pb2.ExportPersonRequest, people_pb2.ExportPersonResponse
)
ERASE_PERSON = Method("/elige.v1.PeopleService/ErasePerson", people_pb2.ErasePersonRequest, people_pb2.Erasure)
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


def observe(
    campaign: str, chosen: Mapping[str, str], *, timeout: float | None = None, **arguments: Unpack[ObserveArguments]
) -> Operation[Decision]:
    """Tell of a choice that another system made: `chosen`, slot to variant.

    propensities: slot to the probability with which it was chosen, where known; 1 for a fixed rule.
    eligible: slot to the ids of all that could have been chosen; by default every variant there is.
    candidates: slot to variants that existed only in this choice, as for `decide`.
    person, context, labels, time_zone, request_id: as for `decide`.
    at: when it was chosen, with a zone; by default now.

    The answer's `id` is what outcomes refer to. Raises EligeError if the service refuses or does not answer within
    `timeout` seconds; TypeError or ValueError for an argument that can't be sent.
    """
    request = requests.observe_request(campaign, chosen, **arguments)
    response: decisions_pb2.Decision = yield Call(OBSERVE_DECISION, request, timeout)
    return replies.decision(response)


def activate(
    decision_id: str, *, timeout: float | None = None, **arguments: Unpack[ActivateArguments]
) -> Operation[ActivateAnswer]:
    """Tell that a decision whose activation was deferred was really shown or sent; answered when it is durable.

    slots: those that were shown; by default all that the decision chose.
    at: when, with a zone; by default now.

    Safe to repeat: the first time stands. Raises EligeError if the service refuses or does not answer within `timeout`
    seconds; TypeError or ValueError for an argument that can't be sent.
    """
    request = requests.activate_request(decision_id, **arguments)
    response: decisions_pb2.ActivateResponse = yield Call(ACTIVATE, request, timeout)
    return replies.activate_answer(response)


def activate_many(
    items: Iterable[ActivateItem], *, timeout: float | None = None
) -> Operation[list[ActivateAnswer | EligeError]]:
    """Activate many decisions: each item holds `decision_id` and what `activate` takes. Any number, sent by the 10,000.

    Every item has its own answer in its place: what became of it, or the error that `activate` would have raised.
    `timeout` and errors as in `decide_many`.
    """
    results: list[ActivateAnswer | EligeError] = []
    for batch in _batches(requests.activate_request(**item) for item in items):
        request = decisions_pb2.BatchActivateRequest(requests=batch)
        response: decisions_pb2.BatchActivateResponse = yield Call(BATCH_ACTIVATE, request, timeout)
        results += map(replies.activate_result, response.results)
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


def roll_back(
    campaign: str,
    snapshot: str = "",
    *,
    pin: bool = False,
    unpin: bool = False,
    expected_version: int | None = None,
    timeout: float | None = None,
) -> Operation[Campaign]:
    """Serve an earlier snapshot again; by default learning goes on from it, in a new lineage.

    snapshot: its id.
    pin: go on serving exactly this one, whatever is learned.
    unpin: serve the newest again, after an earlier `pin`; without `snapshot`.
    expected_version: the version that must be in force.

    Raises EligeError.
    """
    request = campaigns_pb2.RollBackRequest(
        campaign=campaign, snapshot=snapshot, pin=pin, unpin=unpin, expected_version=expected_version
    )
    response: campaigns_pb2.Campaign = yield Call(ROLL_BACK, request, timeout)
    return replies.campaign(response)


def link_people(links: Mapping[str, str], *, timeout: float | None = None) -> Operation[dict[str, str | EligeError]]:
    """Tell that keys are one human being: `links`, from the key to give up, a cookie, to the one to keep, a customer
    number. Any number, sent by the 10,000.

    Every link has its answer: `linked`, `already_linked`, or the error with which it was refused. `timeout` and errors
    as in `decide_many`.
    """
    results: list[str | EligeError] = []
    for batch in _batches(people_pb2.Link(alias=alias, person=person) for alias, person in links.items()):
        request = people_pb2.LinkPeopleRequest(links=batch)
        response: people_pb2.LinkPeopleResponse = yield Call(LINK_PEOPLE, request, timeout)
        results += map(replies.link_result, response.results)
    return dict(zip(links, results, strict=True))


def export_person(person: str, *, timeout: float | None = None) -> Operation[PersonExport]:
    """Everything that is stored about a person, under all their keys. Raises EligeError."""
    request = people_pb2.ExportPersonRequest(person=person, page_size=1_000)
    keys: tuple[str, ...] = ()
    decisions: list[LoggedDecision] = []
    while True:
        response: people_pb2.ExportPersonResponse = yield Call(EXPORT_PERSON, request, timeout)
        keys += tuple(response.person_keys)
        decisions += map(replies.logged, response.decisions)
        if not response.next_page_token:
            return PersonExport(keys, tuple(decisions))
        request.page_token = response.next_page_token


def erase_person(
    person: str = "", *, erasure: str = "", dry_run: bool = False, timeout: float | None = None
) -> Operation[Erasure]:
    """Erase a person and all keys linked to them, or, with the id of an `erasure`, say how far that one is.

    dry_run: only count what would be erased.

    Raises EligeError.
    """
    if erasure:
        request = people_pb2.ErasePersonRequest(erasure=erasure, dry_run=dry_run)
        if person:
            raise ValueError("person with erasure: expected either one or the other")
    else:
        request = people_pb2.ErasePersonRequest(person=person, dry_run=dry_run)
    response: people_pb2.Erasure = yield Call(ERASE_PERSON, request, timeout)
    return replies.erasure(response)


def explain(decision_id: str, *, timeout: float | None = None) -> Operation[Explanation]:
    """Compute a decision again from the log, and say what agrees. Raises EligeError."""
    request = evaluations_pb2.ExplainDecisionRequest(decision_id=decision_id)
    response: evaluations_pb2.Explanation = yield Call(EXPLAIN_DECISION, request, timeout)
    return replies.explanation(response)


def _batches(items: Iterator[Request]) -> Iterator[list[Request]]:
    while batch := list(islice(items, BATCH)):
        yield batch
