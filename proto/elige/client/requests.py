"""What callers say, as requests. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict, TypeVar

from elige.client.values import duration, fill, timestamp
from elige.v1 import campaigns_pb2, decisions_pb2

T = TypeVar("T")


class Candidate(TypedDict, total=False):
    """A variant that exists only in one call."""

    id: str
    content: Mapping[str, Any]
    features: Mapping[str, Any]


class DecideArguments(TypedDict, total=False):
    """What may be said beside the campaign; explained field by field at DecideRequest in `elige/v1/decisions.proto`."""

    person: str
    context: Mapping[str, Any]
    labels: Mapping[str, Any]
    time_zone: str
    request_id: str
    slots: Iterable[str]
    exclude: Mapping[str, Iterable[str]]
    candidates: Mapping[str, Iterable[Candidate]]
    defer_activation: bool
    activation_ttl: timedelta
    send_deadline: datetime
    opted_out: bool
    dry_run: bool
    want_probabilities: bool
    want_refusals: bool


class DecideItem(DecideArguments):
    """One of many decisions to make."""

    campaign: str


class ObserveArguments(TypedDict, total=False):
    """What may be said of a choice that another system made, beside campaign and variants; explained at
    ObserveDecisionRequest in the same file. `propensities`, `eligible` and `candidates` go by slot.
    """

    propensities: Mapping[str, float]
    eligible: Mapping[str, Iterable[str]]
    candidates: Mapping[str, Iterable[Candidate]]
    person: str
    context: Mapping[str, Any]
    labels: Mapping[str, Any]
    time_zone: str
    request_id: str
    at: datetime


class RewardArguments(TypedDict, total=False):
    """What may be said of an outcome beside decision and metric; explained at RewardRequest in the same file."""

    person: str
    campaign: str
    slot: str
    value: float
    at: datetime
    key: str


class ActivateArguments(TypedDict, total=False):
    """What may be said of an activation beside the decision; explained at ActivateRequest in the same file."""

    slots: Iterable[str]
    at: datetime


class ActivateItem(ActivateArguments):
    """One of many activations."""

    decision_id: str


class RewardItem(RewardArguments, total=False):
    """One of many outcomes."""

    decision_id: str
    metric: str


def decide_request(
    campaign: str,
    *,
    context: Mapping[str, Any] | None = None,
    labels: Mapping[str, Any] | None = None,
    slots: Iterable[str] = (),
    exclude: Mapping[str, Iterable[str]] | None = None,
    candidates: Mapping[str, Iterable[Candidate]] | None = None,
    activation_ttl: timedelta | None = None,
    send_deadline: datetime | None = None,
    **plain: Any,
) -> decisions_pb2.DecideRequest:
    """A DecideRequest. Raises TypeError or ValueError naming the argument."""
    request = decisions_pb2.DecideRequest(campaign=campaign, slots=texts("slots", slots), **plain)
    if context:
        fill(request.context, context, name="context")
    if labels:
        fill(request.labels, labels, name="labels")
    for slot, variants in (exclude or {}).items():
        request.slot_options[slot].exclude.extend(texts(f"exclude[{slot!r}]", variants))
    for slot, offered in (candidates or {}).items():
        options = request.slot_options[slot]
        for candidate in offered:
            _candidate(options.candidates.add(), **candidate)
    if activation_ttl is not None:
        request.activation_ttl.CopyFrom(duration(activation_ttl))
    if send_deadline is not None:
        request.send_deadline.CopyFrom(timestamp(send_deadline, name="send_deadline"))
    return request


def observe_request(
    campaign: str,
    chosen: Mapping[str, str],
    *,
    propensities: Mapping[str, float] | None = None,
    eligible: Mapping[str, Iterable[str]] | None = None,
    candidates: Mapping[str, Iterable[Candidate]] | None = None,
    context: Mapping[str, Any] | None = None,
    labels: Mapping[str, Any] | None = None,
    at: datetime | None = None,
    **plain: Any,
) -> decisions_pb2.ObserveDecisionRequest:
    """An ObserveDecisionRequest. Raises TypeError or ValueError naming the argument."""
    request = decisions_pb2.ObserveDecisionRequest(campaign=campaign, **plain)
    choices = {slot: request.choices.add(slot=slot, variant=variant) for slot, variant in chosen.items()}
    for slot, propensity in _of_chosen("propensities", propensities, choices):
        choices[slot].propensity = propensity
    for slot, variants in _of_chosen("eligible", eligible, choices):
        choices[slot].eligible.extend(texts(f"eligible[{slot!r}]", variants))
    for slot, offered in _of_chosen("candidates", candidates, choices):
        for candidate in offered:
            _candidate(choices[slot].candidates.add(), **candidate)
    if context:
        fill(request.context, context, name="context")
    if labels:
        fill(request.labels, labels, name="labels")
    if at is not None:
        request.at.CopyFrom(timestamp(at, name="at"))
    return request


def activate_request(
    decision_id: str, *, slots: Iterable[str] = (), at: datetime | None = None
) -> decisions_pb2.ActivateRequest:
    """An ActivateRequest. Raises TypeError or ValueError naming the argument."""
    request = decisions_pb2.ActivateRequest(decision_id=decision_id, slots=texts("slots", slots))
    if at is not None:
        request.at.CopyFrom(timestamp(at, name="at"))
    return request


def reward_request(
    decision_id: str = "", metric: str = "", *, at: datetime | None = None, **plain: Any
) -> decisions_pb2.RewardRequest:
    """A RewardRequest. Raises TypeError or ValueError naming the argument."""
    request = decisions_pb2.RewardRequest(decision_id=decision_id, metric=metric, **plain)
    if at is not None:
        request.at.CopyFrom(timestamp(at, name="at"))
    return request


def state(word: str) -> str:
    """The contract's name for a campaign's state. Raises ValueError naming the states there are."""
    known = {name.removeprefix("CAMPAIGN_STATE_").lower(): name for name in campaigns_pb2.CampaignState.keys()[1:]}
    if word not in known:
        raise ValueError(f"no state {word!r}; expected one of {', '.join(map(repr, known))}")
    return known[word]


def _candidate(
    message: decisions_pb2.Candidate,
    *,
    id: str,
    content: Mapping[str, Any] | None = None,
    features: Mapping[str, Any] | None = None,
) -> None:
    message.id = id
    if content is not None:
        message.content.SetInParent()
        fill(message.content, content, name=f"content of candidate {id!r}")
    if features:
        fill(message.features, features, name=f"features of candidate {id!r}")


def _of_chosen(name: str, told: Mapping[str, T] | None, chosen: Mapping[str, Any]) -> Iterable[tuple[str, T]]:
    for slot in told or {}:
        if slot not in chosen:  # it would be sent as a choice of nothing
            raise ValueError(f"{name}: slot {slot!r} is not among those chosen: {', '.join(map(repr, chosen))}")
    return (told or {}).items()


def texts(name: str, words: Iterable[str]) -> list[str]:
    """A list of words. Raises TypeError for a single one."""
    if isinstance(words, str):  # it would pass as the list of its letters
        raise TypeError(f"{name}: expected a list of texts, got the text {words!r}")
    return list(words)
