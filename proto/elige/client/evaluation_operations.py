"""What a client can ask of the log, each once for both clients."""

import math
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypedDict, TypeVar, Unpack

from google.protobuf.message import Message

from elige.client import evaluation_replies, replies
from elige.client.errors import EligeError
from elige.client.evaluation_records import Diagnosis, Evaluation, Plan
from elige.client.operations import Call, Method, Operation, Pause
from elige.client.records import LoggedDecision
from elige.client.requests import texts
from elige.client.values import duration, timestamp
from elige.v1 import common_pb2, decisions_pb2, evaluations_pb2

T = TypeVar("T")
SNAPSHOT = "snapshot:"
PAGE = 1_000
OPEN = ("queued", "running")
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Seconds between two looks at an evaluation that is waited for: the longer it takes, the longer."""
PATIENCE = 60.0
"""Seconds without a word from the service, after which nobody waits any more."""

_SERVICE = "/elige.v1.EvaluationService/"
START = Method(f"{_SERVICE}StartEvaluation", evaluations_pb2.StartEvaluationRequest, evaluations_pb2.Evaluation)
GET = Method(f"{_SERVICE}GetEvaluation", evaluations_pb2.GetEvaluationRequest, evaluations_pb2.Evaluation)
LIST = Method(
    f"{_SERVICE}ListEvaluations", evaluations_pb2.ListEvaluationsRequest, evaluations_pb2.ListEvaluationsResponse
)
CANCEL = Method(f"{_SERVICE}CancelEvaluation", evaluations_pb2.CancelEvaluationRequest, evaluations_pb2.Evaluation)
WATCH = Method(f"{_SERVICE}WatchEvaluation", evaluations_pb2.WatchEvaluationRequest, evaluations_pb2.Evaluation)
LIST_DECISIONS = Method(
    f"{_SERVICE}ListDecisions", evaluations_pb2.ListDecisionsRequest, evaluations_pb2.ListDecisionsResponse
)
DIAGNOSE = Method(f"{_SERVICE}Diagnose", evaluations_pb2.DiagnoseRequest, evaluations_pb2.DiagnoseResponse)
PLAN = Method(f"{_SERVICE}Plan", evaluations_pb2.PlanRequest, evaluations_pb2.PlanResponse)


@dataclass(frozen=True, slots=True)
class Following(Generic[T]):
    """A call that answers again and again. `timeout` in seconds for all of it; None: without end."""

    method: Method
    request: Message
    timeout: float | None
    reply: Callable[[Any], T]


class EvaluationArguments(TypedDict, total=False):
    """What may be said beside the campaign; explained field by field at StartEvaluationRequest in
    `elige/v1/evaluations.proto`.
    """

    policies: Iterable[str]
    since: datetime
    until: datetime
    where: str
    estimators: Iterable[str]
    slots: Iterable[str]
    reward: str
    metrics: Iterable[str]
    by: Iterable[str]
    every: timedelta
    train_share: float
    level: float
    force: bool
    seed: int
    language: str
    request_id: str
    interval: str
    model: str
    replay: str
    learn_every: str
    grid: Iterable[str]
    estimate_propensities: bool
    reward_low: float
    reward_high: float


class PlanArguments(TypedDict, total=False):
    """What may be said beside the campaign; explained field by field at PlanRequest in the same file."""

    difference: float
    decisions_per_day: float
    mean_reward: float
    reward_deviation: float
    policy: str
    level: float
    power: float
    horizon: timedelta
    seed: int
    language: str


def start_evaluation(
    campaign: str, *, timeout: float | None = None, **arguments: Unpack[EvaluationArguments]
) -> Operation[Evaluation]:
    """Start an evaluation of what is matured now; answered at once, before it is done.

    policies: `squarecb:gamma=30`, `fixed:VARIANT`, `snapshot:12` …; logged, uniform and each fixed variant are judged
        in any case.
    since, until: only decisions of this period, with a zone.
    where: only decisions for which this CEL expression holds.
    estimators: by default `snips` and `dr`.
    slots, reward, metrics, by, every, train_share, level, force, seed, language, interval, model, replay, learn_every,
        estimate_propensities, reward_low, reward_high: as the contract says.
    grid: learners with alternatives, of which one is chosen and judged: `squarecb:gamma_scale=1|10`.
    request_id: makes the call safe to repeat; by default a fresh one, since the client repeats it by itself.

    Wait for it with `wait_for_evaluation`, or follow it with `watch_evaluation`. Raises EligeError; TypeError or
    ValueError for an argument that can't be sent.
    """
    response: evaluations_pb2.Evaluation = yield Call(START, _start_request(campaign, **arguments), timeout)
    return evaluation_replies.evaluation(response)


def evaluation(evaluation_id: str, *, timeout: float | None = None) -> Operation[Evaluation]:
    """One evaluation, with its result if it is done. Raises EligeError."""
    response: evaluations_pb2.Evaluation = yield Call(
        GET, evaluations_pb2.GetEvaluationRequest(id=evaluation_id), timeout
    )
    return evaluation_replies.evaluation(response)


def evaluations(
    *, campaign: str = "", states: Iterable[str] = (), limit: int | None = None, timeout: float | None = None
) -> Operation[list[Evaluation]]:
    """Evaluations, newest first, without their results: all, or at most `limit`.

    campaign: only of this one.  states: only in these: `queued`, `running`, `done`, `failed`, `cancelled`.

    Raises EligeError; ValueError for a state there is not.
    """
    request = evaluations_pb2.ListEvaluationsRequest(campaign=campaign)
    request.states.extend(_numbers("state", states, evaluations_pb2.EvaluationState, "EVALUATION_STATE_"))
    found: list[Evaluation] = []
    while limit is None or len(found) < limit:
        request.page_size = PAGE if limit is None else min(PAGE, limit - len(found))
        response: evaluations_pb2.ListEvaluationsResponse = yield Call(LIST, request, timeout)
        found += map(evaluation_replies.evaluation, response.evaluations)
        if not response.next_page_token:
            break
        request.page_token = response.next_page_token
    return found


def cancel_evaluation(evaluation_id: str, *, timeout: float | None = None) -> Operation[Evaluation]:
    """Stop an evaluation; one that has ended stays as it is. Raises EligeError."""
    response: evaluations_pb2.Evaluation = yield Call(
        CANCEL, evaluations_pb2.CancelEvaluationRequest(id=evaluation_id), timeout
    )
    return evaluation_replies.evaluation(response)


def wait_for_evaluation(evaluation_id: str, *, timeout: float | None = None) -> Operation[Evaluation]:
    """An evaluation once it has ended: done, failed or cancelled. A service that is away for less than a minute, while
    it is begun anew, is waited for.

    timeout: seconds; by default as long as it takes. Raises EligeError, DEADLINE_EXCEEDED where the time is over: the
    evaluation goes on, and can be waited for again.
    """
    began = heard = time.monotonic()
    pause, left = SHORTEST_PAUSE, math.inf if timeout is None else timeout
    found: Evaluation | None = None
    while True:
        try:
            found = yield from evaluation(evaluation_id, timeout=max(1.0, left) if left < PATIENCE else None)
            heard = time.monotonic()
        except EligeError as error:
            if error.code != "UNAVAILABLE" or time.monotonic() - heard > PATIENCE:
                raise
        if found is not None and found.state not in OPEN:
            return found
        left = math.inf if timeout is None else timeout - (time.monotonic() - began)
        if left <= 0.0:
            state = f"{found.state}, {found.progress:.0%}" if found else "not heard of"
            told = f"evaluation {evaluation_id!r} is {state}, after {timeout:g} seconds"
            raise EligeError("DEADLINE_EXCEEDED", f"{told}; it goes on unless it is cancelled")
        yield Pause(min(pause, left))
        pause = min(2.0 * pause, LONGEST_PAUSE)


def watch_evaluation(evaluation_id: str, *, timeout: float | None = None) -> Following[Evaluation]:
    """Follow an evaluation: it comes at once and after every progress, and the last one has ended.

    Waits for as long as it takes, unless `timeout` says how many seconds. Raises EligeError.
    """
    request = evaluations_pb2.WatchEvaluationRequest(id=evaluation_id)
    return Following(WATCH, request, timeout, evaluation_replies.evaluation)


def decisions(
    campaign: str = "",
    *,
    person: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    kinds: Iterable[str] = (),
    where: str = "",
    limit: int = PAGE,
    timeout: float | None = None,
) -> Operation[list[LoggedDecision]]:
    """Decisions with what came of them, newest first, at most `limit`.

    campaign, person: only of this one.
    since, until: only of this period, with a zone.
    kinds: only these: `drawn`, `fallback`, `observed`.
    where: only those for which this CEL expression holds, over keys of context and labels, `group` and `version`.

    Raises EligeError; TypeError or ValueError for an argument that can't be sent.
    """
    request = evaluations_pb2.ListDecisionsRequest(campaign=campaign, person=person, where=where)
    _period(request.period, since, until)
    request.kinds.extend(_numbers("kind", kinds, decisions_pb2.DecisionKind, "DECISION_KIND_"))
    found: list[LoggedDecision] = []
    while len(found) < limit:
        request.page_size = min(PAGE, limit - len(found))
        response: evaluations_pb2.ListDecisionsResponse = yield Call(LIST_DECISIONS, request, timeout)
        found += map(replies.logged, response.decisions)
        if not response.next_page_token:
            break
        request.page_token = response.next_page_token
    return found


def diagnose(
    campaign: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    language: str = "",
    timeout: float | None = None,
) -> Operation[Diagnosis]:
    """Check whether a campaign decides, receives and learns as it should.

    since, until: the period of the log to look at, by default the last 7 days. Raises EligeError.
    """
    request = evaluations_pb2.DiagnoseRequest(campaign=campaign, language=language)
    _period(request.period, since, until)
    response: evaluations_pb2.DiagnoseResponse = yield Call(DIAGNOSE, request, timeout)
    return evaluation_replies.diagnosis(response)


def plan(campaign: str, *, timeout: float | None = None, **arguments: Unpack[PlanArguments]) -> Operation[Plan]:
    """How many decisions, and how much time, a campaign needs to tell a difference, simulated from its own rates.

    difference, decisions_per_day, mean_reward, reward_deviation: in place of what its log says.
    policy: in place of the campaign's.
    level, power, horizon, seed, language: as the contract says.

    Raises EligeError.
    """
    response: evaluations_pb2.PlanResponse = yield Call(PLAN, _plan_request(campaign, **arguments), timeout)
    return evaluation_replies.plan(response)


def _start_request(
    campaign: str,
    *,
    policies: Iterable[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    estimators: Iterable[str] = (),
    slots: Iterable[str] = (),
    metrics: Iterable[str] = (),
    by: Iterable[str] = (),
    every: timedelta | None = None,
    grid: Iterable[str] = (),
    request_id: str | None = None,
    **plain: Any,
) -> evaluations_pb2.StartEvaluationRequest:
    request = evaluations_pb2.StartEvaluationRequest(
        campaign=campaign,
        policies=map(_policy, texts("policies", policies)),
        estimators=texts("estimators", estimators),
        slots=texts("slots", slots),
        metrics=texts("metrics", metrics),
        by=texts("by", by),
        grid=texts("grid", grid),
        request_id=uuid.uuid4().hex if request_id is None else request_id,
        **plain,
    )
    _period(request.period, since, until)
    if every is not None:
        request.every.CopyFrom(duration(every))
    return request


def _plan_request(
    campaign: str, *, policy: str | None = None, horizon: timedelta | None = None, **plain: Any
) -> evaluations_pb2.PlanRequest:
    request = evaluations_pb2.PlanRequest(campaign=campaign, **plain)
    if policy is not None:
        request.policy.CopyFrom(_policy(policy))
    if horizon is not None:
        request.horizon.CopyFrom(duration(horizon))
    return request


def _policy(text: str) -> common_pb2.PolicySpec:
    """As the command line names it: the service reads the parameters."""
    if text.startswith(SNAPSHOT):
        return common_pb2.PolicySpec(snapshot=text.removeprefix(SNAPSHOT))
    return common_pb2.PolicySpec(name=text)


def _period(message: common_pb2.Period, since: datetime | None, until: datetime | None) -> None:
    if since is not None:
        message.since.CopyFrom(timestamp(since, name="since"))
    if until is not None:
        message.until.CopyFrom(timestamp(until, name="until"))


def _numbers(what: str, words: Iterable[str], enum: Any, prefix: str) -> list[Any]:
    """The contract's numbers for these words. Raises ValueError naming those there are."""
    known: Mapping[str, int] = {name.removeprefix(prefix).lower(): number for name, number in enum.items()[1:]}
    asked = texts(f"{what}s", words)
    for word in asked:
        if word not in known:
            raise ValueError(f"no {what} {word!r}; expected one of {', '.join(map(repr, known))}")
    return [known[word] for word in asked]
