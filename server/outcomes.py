"""From an outcome to its decision, and from a decision's outcomes to its reward."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from policies.expressions import ExpressionError
from server.campaigns.fields import Aggregation
from server.campaigns.model import Campaign
from server.errors import InvalidRequest, NotDeclared
from server.records import Outcome
from server.store.training import Earned
from server.texts import check_text

CLOCK_SKEW = timedelta(seconds=5)
"""How much earlier than its decision an outcome may claim to be: two machines' clocks never agree."""
AHEAD = timedelta(minutes=5)
"""How far in the future an outcome may claim to be."""


@dataclass(frozen=True, slots=True)
class RewardRequest:
    """What a caller reports. No metric: the campaign's only one. No value: 1. No time: now."""

    decision_id: str
    metric: str | None = None
    value: float | None = None
    at: datetime | None = None
    slot: str | None = None
    key: str | None = None


def read_outcome(request: RewardRequest, *, decided: datetime, campaign: Campaign, now: datetime) -> Outcome:
    """The outcome of a report about a decision of this campaign that was made at `decided`.

    Raises NotDeclared, InvalidRequest.
    """
    value = 1.0 if request.value is None else request.value
    if not math.isfinite(value):
        raise InvalidRequest(f"value {value}: expected a finite number")
    if request.key is not None:
        check_text("key", request.key)
    if request.slot is not None and request.slot not in campaign.slots:
        known = ", ".join(map(repr, campaign.slots))
        raise NotDeclared(f"campaign {campaign.campaign!r} has no slot {request.slot!r}; it has: {known}")
    return Outcome(
        decision_id=request.decision_id,
        campaign=campaign.campaign,
        metric=_metric(campaign, request.metric),
        value=value,
        at=_time(request.at, decided, now),
        received_at=now,
        slot=request.slot,
        key=request.key,
    )


def earn(campaign: Campaign, decision_id: str, outcomes: Sequence[Outcome], *, closes_at: datetime) -> Earned:
    """The reward of a decision: the campaign's formula over its outcomes inside the window, or the default.

    An outcome of a slot counts for the decision and for that slot; one without a slot counts for the decision and for
    every slot. A slot without outcomes of its own earns what the decision earned. Metrics that this version of the
    campaign does not declare count for nothing.
    """
    inside = [outcome for outcome in outcomes if outcome.at <= closes_at and outcome.metric in campaign.metrics]
    slots = dict.fromkeys(outcome.slot for outcome in inside if outcome.slot is not None)
    try:
        reward = _reward(campaign, inside)
        slot_rewards = {slot: _reward(campaign, [one for one in inside if one.slot in (None, slot)]) for slot in slots}
    except ExpressionError as error:
        return Earned(decision_id, None, {}, str(error))
    return Earned(decision_id, reward, slot_rewards)


def _sum(values: Sequence[float]) -> float:
    try:
        return math.fsum(values)
    except OverflowError:
        return sum(values)  # infinite: for the formula to bound, or to be an error of this one decision


_AGGREGATIONS: Mapping[Aggregation, Callable[[Sequence[float]], float]] = {
    "once": lambda values: values[0],
    "sum": _sum,
    "max": max,
    "last": lambda values: values[-1],
}


def aggregate(how: Aggregation, values: Iterable[float]) -> float:
    """One metric's values, in the order in which they happened, as one number.

    `once` is the first, `sum` all together, `max` the largest, `last` the last; 0 where there is none.
    """
    happened = list(values)
    if not happened:
        return 0.0
    return _AGGREGATIONS[how](happened)


def _reward(campaign: Campaign, outcomes: Sequence[Outcome]) -> float:
    if not outcomes:
        return campaign.reward.default
    metrics = {
        metric: aggregate(how, (outcome.value for outcome in outcomes if outcome.metric == metric))
        for metric, how in campaign.metrics.items()
    }
    return campaign.reward.formula.number(metrics)


def _metric(campaign: Campaign, asked: str | None) -> str:
    known = ", ".join(repr(metric) for metric in campaign.metrics)
    if asked is None:
        if len(campaign.metrics) > 1:
            raise NotDeclared(f"which metric? campaign {campaign.campaign!r} declares {known}")
        return next(iter(campaign.metrics))
    if asked not in campaign.metrics:
        raise NotDeclared(f"campaign {campaign.campaign!r} has no metric {asked!r}; it declares {known}")
    return asked


def _time(claimed: datetime | None, decided: datetime, now: datetime) -> datetime:
    if claimed is None:
        return max(now, decided)  # our own clock may have jumped back
    if claimed < decided - CLOCK_SKEW:
        raise InvalidRequest(f"at {claimed.isoformat()} lies before the decision ({decided.isoformat()})")
    if claimed > now + AHEAD:
        raise InvalidRequest(f"at {claimed.isoformat()} lies in the future (now {now.isoformat()})")
    return max(claimed, decided)
