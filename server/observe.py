"""A choice that another system made, as a decision. Pure: time, randomness and the installation's key are given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from server.campaigns.catalogue import Served, ServedSlot
from server.campaigns.context import read_context
from server.decide import check_candidates, content_of, is_zone, payload_hash
from server.errors import InvalidRequest, NoSuchCampaign, NotDeclared
from server.ids import make_decision_id, person_key
from server.records import Candidate, Choice, Decision, Group, Kind, Reason, State
from server.texts import check_text
from server.times import AHEAD

SLACK = 1e-9
"""How far the propensity of the only variant that could be chosen may be from 1."""


@dataclass(frozen=True, slots=True)
class ObservedChoice:
    """What was chosen for one slot. `propensity`: in (0, 1]; None where nobody knows. `eligible`: what could have been
    chosen; empty for all of the campaign's variants and the candidates.
    """

    slot: str
    variant: str
    propensity: float | None = None
    eligible: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class ObserveRequest:
    """What a caller tells. `at`: when it was chosen and shown; None for now."""

    campaign: str
    choices: tuple[ObservedChoice, ...]
    person: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Any] = field(default_factory=dict)
    time_zone: str | None = None
    request_id: str | None = None
    at: datetime | None = None


def observe(
    served: Served,
    request: ObserveRequest,
    *,
    secret: bytes,
    now: datetime,
    random: bytes,
    longest_window: timedelta | None = None,
) -> Decision:
    """The decision that another system made, whatever state the campaign is in but archived.

    The same secret, time and `random` (ids.RANDOM bytes) give the same decision. Raises InvalidRequest, NotDeclared for
    a slot that the campaign does not declare, NoSuchCampaign for one that is archived.
    """
    if served.state is State.ARCHIVED:
        raise NoSuchCampaign(served.name, (), archived=True)
    for name, text in (("request_id", request.request_id), ("person", request.person)):
        if text is not None:
            check_text(name, text)
    at = now if request.at is None else request.at
    if at > now + AHEAD:
        raise InvalidRequest(f"at {at.isoformat()} lies in the future (now {now.isoformat()})")
    told = _by_slot(served, request.choices)
    context, ignored = read_context(served.campaign.context, request.context)
    zone = request.time_zone
    if zone and not is_zone(zone):
        zone, ignored = None, (*ignored, "time_zone")
    window = served.campaign.reward.window
    return Decision(
        id=make_decision_id(secret, at=at, campaign_number=served.number, random=random),
        campaign=served.name,
        version=served.version,
        at=at,
        person=person_key(secret, request.person) if request.person else None,
        context=context,
        ignored_context=tuple(sorted(ignored)),
        labels=request.labels,
        time_zone=zone,
        group=Group.POLICY,
        snapshot=None,
        window_closes_at=at + (min(window, longest_window) if longest_window else window),
        choices=tuple(_choice(slot, told[name], at) for name, slot in served.slots.items() if name in told),
        activated_at=at,
        request_id=request.request_id,
        request_hash=_payload_hash(request) if request.request_id else None,
    )


def _by_slot(served: Served, choices: Sequence[ObservedChoice]) -> dict[str, ObservedChoice]:
    if not choices:
        raise InvalidRequest("choices: expected at least one slot")
    told: dict[str, ObservedChoice] = {}
    for one in choices:
        if one.slot not in served.slots:
            known = ", ".join(map(repr, served.slots))
            raise NotDeclared(f"campaign {served.name!r} has no slot {one.slot!r}; it has: {known}")
        if one.slot in told:
            raise InvalidRequest(f"slot {one.slot!r} is told twice: expected each slot at most once")
        told[one.slot] = one
    return told


def _choice(slot: ServedSlot, told: ObservedChoice, at: datetime) -> Choice:
    check_candidates(slot, told.candidates)
    eligible = _eligible(slot, told)
    _check_propensity(slot, told, eligible)
    return Choice(
        slot=slot.name,
        variant=told.variant,
        content=content_of(slot.contents, told.variant, told.candidates),
        propensity=told.propensity,
        kind=Kind.OBSERVED,
        reason=Reason.OBSERVED,
        policy="",
        explore=0.0,
        eligible=eligible,
        probabilities=_all_known(told, eligible),
        candidates=told.candidates,
        activated_at=at,
    )


def _eligible(slot: ServedSlot, told: ObservedChoice) -> tuple[str, ...]:
    """In the campaign's order, candidates last."""
    offered = (*slot.actions, *(candidate.id for candidate in told.candidates))
    for variant in (told.variant, *told.eligible):
        if variant not in offered:
            known = ", ".join(map(repr, offered[:30])) or "none"
            raise InvalidRequest(f"slot {slot.name!r} has no variant {variant!r}; it has: {known}")
    if not told.eligible:
        return offered
    if told.variant not in told.eligible:
        raise InvalidRequest(f"slot {slot.name!r}: {told.variant!r} was chosen: expected it among the eligible ones")
    if len(set(told.eligible)) < len(told.eligible):
        raise InvalidRequest(f"slot {slot.name!r}: a variant is eligible twice: {list(told.eligible[:30])}")
    could = frozenset(told.eligible)
    return tuple(variant for variant in offered if variant in could)


def _check_propensity(slot: ServedSlot, told: ObservedChoice, eligible: Sequence[str]) -> None:
    propensity = told.propensity
    if propensity is None:
        return
    if not 0.0 < propensity <= 1.0:
        raise InvalidRequest(f"slot {slot.name!r}: propensity {propensity}: expected a number above 0 and up to 1")
    if len(eligible) == 1 and propensity < 1.0 - SLACK:
        only = f"{told.variant!r} was the only one that could be chosen"
        raise InvalidRequest(f"slot {slot.name!r}: {only}: expected propensity 1, or more eligible variants")


def _all_known(told: ObservedChoice, eligible: Sequence[str]) -> tuple[float, ...]:
    """The probabilities of all, where they follow from what was told: the only other has the rest, all others none."""
    propensity = told.propensity
    if propensity is None or (propensity != 1.0 and len(eligible) != 2):
        return ()
    return tuple(propensity if variant == told.variant else 1.0 - propensity for variant in eligible)


def _payload_hash(request: ObserveRequest) -> str:
    choices = [
        [
            one.slot,
            one.variant,
            one.propensity,
            one.eligible,
            [[c.id, c.content, dict(c.features)] for c in one.candidates],
        ]
        for one in request.choices
    ]
    told = [request.person, request.context, request.labels, request.time_zone, request.at]
    return payload_hash(["observed", choices, *told])
