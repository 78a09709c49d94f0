"""From an outcome to its decision, and from a decision's outcomes to its reward."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from policies.expressions import ExpressionError
from server.campaigns.fields import Aggregation
from server.campaigns.model import Campaign
from server.errors import InvalidRequest, NotDeclared
from server.records import Excluded, Outcome
from server.store.training import Earned
from server.texts import check_text
from server.times import told_time


@dataclass(frozen=True, slots=True)
class RewardRequest:
    """What a caller reports, of a decision or of a person in a campaign. No metric: the campaign's only one. No value:
    1. No time: now.
    """

    decision_id: str | None = None
    metric: str | None = None
    value: float | None = None
    at: datetime | None = None
    slot: str | None = None
    key: str | None = None
    person: str | None = None
    campaign: str | None = None


def read_outcome(
    request: RewardRequest, *, decided: datetime | None, campaign: Campaign, now: datetime, person: str | None = None
) -> Outcome:
    """The outcome of a report about a decision of this campaign that was made at `decided`; None while its decision is
    not known. `person`: the keyed hash of the person of whom it was told.

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
        metric=metric_of(campaign, request.metric),
        value=value,
        at=told_time(request.at, decided=decided, now=now),
        received_at=now,
        slot=request.slot,
        key=request.key,
        person=person,
    )


def earn(campaign: Campaign, decision_id: str, outcomes: Sequence[Outcome], *, closes_at: datetime) -> Earned:
    """The reward of a decision: the campaign's formula over its outcomes inside the window, or the default; none where
    one of them cancels it.

    An outcome of a slot counts for the decision and for that slot; one without a slot counts for the decision and for
    every slot. A slot without outcomes of its own earns what the decision earned. Metrics that this version of the
    campaign does not declare count for nothing.
    """
    inside = [outcome for outcome in outcomes if outcome.at <= closes_at]
    if any(campaign.cancels(outcome.metric) and outcome.value != 0.0 for outcome in inside):
        return Earned(decision_id, None, {}, excluded=Excluded.CANCELLED)
    inside = [outcome for outcome in inside if outcome.metric in campaign.counted_metrics]
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
        for metric, how in campaign.counted_metrics.items()
    }
    return campaign.reward.formula.number(metrics)


def metric_of(campaign: Campaign, asked: str | None) -> str:
    """The metric that is meant: the campaign's only one by default. Raises NotDeclared."""
    known = ", ".join(repr(metric) for metric in campaign.metrics)
    if asked is None:
        if len(campaign.metrics) > 1:
            raise NotDeclared(f"which metric? campaign {campaign.campaign!r} declares {known}")
        return next(iter(campaign.metrics))
    if asked not in campaign.metrics:
        raise NotDeclared(f"campaign {campaign.campaign!r} has no metric {asked!r}; it declares {known}")
    return asked
