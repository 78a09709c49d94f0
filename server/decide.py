"""One decision, start to finish, in domain types. Pure: time, randomness and the installation's key are given."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from policies.base import checked, draw_point, sample, with_exploration
from policies.bounds import bounded
from policies.types import Action, Features
from server.campaigns.catalogue import Served, ServedSlot
from server.campaigns.context import read_context
from server.campaigns.fields import MAX_WINDOW, MIN_WINDOW
from server.campaigns.learning import candidate_action, seen_context
from server.campaigns.model import Campaign
from server.errors import InvalidRequest, NoSuchCampaign
from server.ids import make_decision_id, person_key
from server.records import Candidate, Choice, Decision, Group, Kind, Reason, Refusal, State
from server.texts import check_text

MAX_CANDIDATES = 10_000
MAX_ZONE = 64
"""Characters of a time zone's name. The longest of IANA's has 32, and what is asked about is remembered."""
NOT_LOGGED = ""
"""The id of a decision that is not stored: no outcome can refer to it."""


@dataclass(frozen=True, slots=True)
class SlotOptions:
    """What a call says about one slot."""

    exclude: frozenset[str] = frozenset()
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class DecideRequest:
    """What a caller asks. `slots`: those to decide, all if empty; `options`: what is special about some of them.

    `activation_ttl`: how long a deferred activation is waited for; None: as long as the campaign says.
    """

    campaign: str
    person: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Any] = field(default_factory=dict)
    slots: frozenset[str] = frozenset()
    options: Mapping[str, SlotOptions] = field(default_factory=dict)
    time_zone: str | None = None
    request_id: str | None = None
    defer_activation: bool = False
    activation_ttl: timedelta | None = None
    opted_out: bool = False
    dry_run: bool = False


OnFailure = Callable[[str, Exception], None]
"""Told the slot whose policy failed, and how."""


def decide(
    served: Served,
    request: DecideRequest,
    *,
    secret: bytes,
    now: datetime,
    random: bytes,
    longest_window: timedelta | None = None,
    on_failure: OnFailure = lambda slot, error: None,
) -> Decision:
    """Decide every asked slot, in the campaign's order.

    The same secret, time and `random` (ids.RANDOM bytes) give the same decision. Raises InvalidRequest for a wrong
    request; everything else is answered, by the default variants with the reason if need be.
    """
    _check(served, request)
    context, ignored = read_context(served.campaign.context, request.context)
    zone = request.time_zone
    if zone and not is_zone(zone):
        zone, ignored = None, (*ignored, "time_zone")
    stopped = _stopped(served, request)
    drawn_for = make_decision_id(secret, at=now, campaign_number=served.number, random=random)
    choices: list[Choice] = []
    for name, slot in served.slots.items():
        if request.slots and name not in request.slots:
            continue
        asked = request.options.get(name, SlotOptions())
        deferred = request.defer_activation and served.campaign.slots[name].seen == "activation"
        shown_at = None if deferred else now
        if stopped:
            choices.append(_fallback(slot, asked, stopped, refusals=(), shown_at=shown_at))
            continue
        point = draw_point(secret, drawn_for, name)
        known = seen_context(served.campaign, context, at=now, time_zone=zone, earlier=choices)
        explore = served.campaign.explore_of(name)
        choices.append(
            _choose(slot, asked, known, point=point, explore=explore, shown_at=shown_at, on_failure=on_failure)
        )
    logged = not (request.opted_out or request.dry_run)
    shown = any(choice.activated_at is not None for choice in choices)
    window = served.campaign.reward.window
    waits = request.activation_ttl or served.campaign.activation_ttl
    return Decision(
        id=drawn_for if logged else NOT_LOGGED,
        campaign=served.name,
        version=served.version,
        at=now,
        person=person_key(secret, request.person) if request.person else None,
        context=context,
        ignored_context=tuple(sorted(ignored)),
        labels=request.labels,
        time_zone=zone,
        group=Group.POLICY,
        snapshot=served.snapshot,
        window_closes_at=now + min(window, longest_window or window) if shown else None,
        choices=tuple(choices),
        activate_by=now + waits if request.defer_activation else None,
        activated_at=now if shown else None,
        request_id=request.request_id,
        request_hash=_payload_hash(request) if request.request_id else None,
    )


def eligible_actions(slot: ServedSlot, asked: SlotOptions) -> tuple[tuple[Action, ...], tuple[Refusal, ...]]:
    """The variants that may be shown, declared ones first, and why the others may not."""
    brought = {one.id: candidate_action(one, worded=slot.worded) for one in asked.candidates}
    offered = {**slot.actions, **brought}
    eligible = tuple(action for variant, action in offered.items() if variant not in asked.exclude)
    refused = tuple(Refusal(slot.name, variant, "excluded") for variant in offered if variant in asked.exclude)
    return eligible, refused


def with_contents(campaign: Campaign, decision: Decision) -> Decision:
    """A decision from the log with what it showed, by the version of the campaign that decided."""

    def filled(choice: Choice) -> Choice:
        declared = {variant.id: variant.content for variant in campaign.slots[choice.slot].variants}
        return replace(choice, content=content_of(declared, choice.variant, choice.candidates))

    return replace(decision, choices=tuple(map(filled, decision.choices)))


def content_of(
    declared: Mapping[str, Mapping[str, Any]], variant: str, candidates: Sequence[Candidate]
) -> Mapping[str, Any]:
    """What a variant shows: from the call's candidates, else from the campaign."""
    brought = (candidate.content for candidate in candidates if candidate.id == variant)
    return next(brought, None) or declared.get(variant, {})


def _choose(
    slot: ServedSlot,
    asked: SlotOptions,
    context: Features,
    *,
    point: float,
    explore: float,
    shown_at: datetime | None,
    on_failure: OnFailure,
) -> Choice:
    eligible, refusals = eligible_actions(slot, asked)
    if not eligible:
        return _fallback(slot, asked, Reason.NOTHING_ELIGIBLE, refusals=refusals, shown_at=shown_at)
    try:
        pmf = checked(slot.policy.pmf(context, eligible), len(eligible))
    except Exception as error:  # noqa: BLE001 whatever a learner does, a page gets its headline
        on_failure(slot.name, error)
        return _fallback(slot, asked, Reason.POLICY_FAILED, refusals=refusals, shown_at=shown_at)
    if slot.bounds:
        pmf = bounded(pmf, eligible, explore=explore, bounds=slot.bounds).pmf
    else:
        pmf = with_exploration(pmf, explore)
    chosen = sample(pmf, point)
    variant = eligible[chosen].id
    return Choice(
        slot=slot.name,
        variant=variant,
        content=content_of(slot.contents, variant, asked.candidates),
        propensity=float(pmf[chosen]),
        kind=Kind.POLICY,
        reason=Reason.DRAWN,
        policy=slot.policy_name,
        explore=explore,
        eligible=tuple(action.id for action in eligible),
        probabilities=tuple(pmf.tolist()),
        candidates=asked.candidates,
        refusals=refusals,
        activated_at=shown_at,
    )


def _fallback(
    slot: ServedSlot, asked: SlotOptions, reason: Reason, *, refusals: tuple[Refusal, ...], shown_at: datetime | None
) -> Choice:
    """The slot's default; for a slot of candidates only, the first candidate."""
    variant = slot.default if slot.default is not None else asked.candidates[0].id
    return Choice(
        slot=slot.name,
        variant=variant,
        content=content_of(slot.contents, variant, asked.candidates),
        propensity=1.0,
        kind=Kind.FALLBACK,
        reason=reason,
        policy=slot.policy_name,
        explore=0.0,
        candidates=asked.candidates,
        refusals=refusals,
        activated_at=shown_at,
    )


def _check(served: Served, request: DecideRequest) -> None:
    for name in sorted(request.slots | request.options.keys()):
        if name not in served.slots:
            raise InvalidRequest(f"campaign {served.name!r} has no slot {name!r}; it has: {_listed(served.slots)}")
    for name, asked in request.options.items():
        check_candidates(served.slots[name], asked.candidates)
    for name, slot in served.slots.items():
        wanted = not request.slots or name in request.slots
        if wanted and not slot.actions and not request.options.get(name, SlotOptions()).candidates:
            raise InvalidRequest(f"slot {name!r} has no variants of its own: the call has to bring candidates")
    for name, text in (("request_id", request.request_id), ("person", request.person)):
        if text is not None:
            check_text(name, text)
    ttl = request.activation_ttl
    if ttl is not None and not MIN_WINDOW <= ttl <= MAX_WINDOW:
        raise InvalidRequest(f"activation_ttl of {ttl.total_seconds():.16g} s: expected 1 s to 90 days")


def _stopped(served: Served, request: DecideRequest) -> Reason | None:
    """Why no policy is asked, if none is. A dry run decides a draft as if it were active."""
    if served.state is State.ARCHIVED:
        raise NoSuchCampaign(served.name, (), archived=True)
    if request.opted_out:
        return Reason.OPTED_OUT
    match served.state:
        case State.ACTIVE:
            return None
        case State.DRAFT:
            return None if request.dry_run else Reason.CAMPAIGN_DRAFT
        case State.PAUSED:
            return Reason.CAMPAIGN_PAUSED
        case State.KILLED:
            return Reason.CAMPAIGN_KILLED


def check_candidates(slot: ServedSlot, candidates: Sequence[Candidate]) -> None:
    """Raises InvalidRequest where a call may not bring these, or not so."""
    if candidates and not slot.takes_candidates:
        raise InvalidRequest(f"slot {slot.name!r} takes no candidates: its campaign file needs 'candidates: true'")
    if len(candidates) > MAX_CANDIDATES:
        raise InvalidRequest(f"slot {slot.name!r}: {len(candidates)} candidates; at most {MAX_CANDIDATES}")
    seen: set[str] = set()
    for candidate in candidates:
        check_text(f"slot {slot.name!r}: a candidate's id", candidate.id)
        if candidate.id in seen or candidate.id in slot.actions:
            raise InvalidRequest(f"slot {slot.name!r}: there are two variants {candidate.id!r}")
        seen.add(candidate.id)


def _payload_hash(request: DecideRequest) -> str:
    options = {
        name: [sorted(asked.exclude), [[c.id, c.content, dict(c.features)] for c in asked.candidates]]
        for name, asked in request.options.items()
    }
    flags: list[Any] = [request.opted_out, request.dry_run]
    if request.defer_activation:  # of the others the hash stays what it was before activations could be deferred
        flags += ["deferred", request.activation_ttl and request.activation_ttl.total_seconds()]
    payload = [
        request.person,
        request.context,
        request.labels,
        sorted(request.slots),
        options,
        request.time_zone,
        flags,
    ]
    return payload_hash(payload)


def payload_hash(payload: Any) -> str:
    """Equal for equal requests: another payload under a known request id is a clash, not a repetition."""
    try:
        raw = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise InvalidRequest(f"the request is not JSON of Unicode text: {error}") from error
    return hashlib.blake2b(raw, digest_size=16).hexdigest()


def is_zone(name: str) -> bool:
    """Whether this machine knows a time zone of this name."""
    return len(name) <= MAX_ZONE and _is_zone(name)


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(repr(name) for name in names)
