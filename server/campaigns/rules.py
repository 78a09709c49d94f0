"""The rules between the fields of a campaign.

They read a campaign as it was written and skip what has the wrong shape, which the model reports: so every mistake is
found in one go, whichever kind it is of.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Any

from policies.bounds import SLACK
from policies.expressions import ExpressionError, compile_expression
from policies.registry import PolicyError, mentioned
from server.campaigns.policy_lines import read_policy
from server.campaigns.problems import PLANNED, Path, Problem, listed, shown_value
from server.campaigns.rule_lists import Known, line_problems, list_problems
from server.durations import iso_duration, parse_duration

CANCELS = "cancels"
"""How a metric is declared whose outcomes say that a decision never arrived."""


def broken_rules(raw: Any) -> Iterator[Problem]:
    """Every rule between fields that `raw` breaks."""
    campaign = _mapping(raw)
    slots = {name: _mapping(slot) for name, slot in _mapping(campaign.get("slots")).items()}
    for name, slot in slots.items():
        yield from _slot(("slots", name), slot)
    yield from _policies(campaign, slots)
    metrics = _mapping(campaign.get("metrics"))
    cancelling = [metric for metric, how in metrics.items() if how == CANCELS]
    counted = [metric for metric in metrics if metric not in cancelling]
    if cancelling and not counted:
        yield Problem(("metrics",), "hold only what cancels", "also what a decision earns, as in click: once")
    reward = _mapping(campaign.get("reward"))
    yield from _reward(reward, counted, cancelling)
    yield from _retention(campaign, reward)


def _retention(campaign: Mapping[str, Any], reward: Mapping[str, Any]) -> Iterator[Problem]:
    """A decision must not go before its reward can be known."""
    keeps, window = _length(campaign.get("retention")), _length(reward.get("window"))
    if keeps is None or window is None:
        return
    waits = _length(campaign.get("activation_ttl", "1d")) or timedelta()  # by default as the model has it
    if keeps <= window + waits:
        text = f"more than the window and activation_ttl together, {iso_duration(window + waits)}"
        yield Problem(("retention",), "ends before rewards are known", text, shown_value(campaign["retention"]))


def _length(value: Any) -> timedelta | None:
    if isinstance(value, timedelta):
        return value
    try:
        return parse_duration(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _slot(path: Path, slot: Mapping[str, Any]) -> Iterator[Problem]:
    ids = _ids(slot)
    default = slot.get("default")
    # a slot of send times would get its variants from fields that are not supported yet, which is said elsewhere
    if not slot.get("variants") and not PLANNED["slot"] & slot.keys():
        if slot.get("candidates") is not True:
            yield Problem(path, "has nothing to show", "variants, or candidates: true")
        elif default is not None:
            what = "can't be the default of a slot without variants of its own"
            yield Problem((*path, "default"), what, value=shown_value(default))
    elif ids and default is None:
        yield Problem(path, "has no default", f"default: one of {listed(ids)}")
    elif ids and isinstance(default, str) and default not in ids:
        what = "is not a variant of this slot"
        yield Problem((*path, "default"), what, f"one of: {listed(ids)}", shown_value(default))
    yield from _shares(path, slot)
    counts: Counter[str] = Counter()
    for index, variant in enumerate(_list(slot.get("variants"))):
        one = _mapping(variant).get("id")
        if isinstance(one, str):
            counts[one] += 1
            if counts[one] > 1:
                yield Problem(
                    (*path, "variants", index, "id"), "is the id of an earlier variant", "another id", shown_value(one)
                )


def _shares(path: Path, slot: Mapping[str, Any]) -> Iterator[Problem]:
    """Every share in order, and all of a slot feasible together."""
    variants = [_mapping(one) for one in _list(slot.get("variants"))]
    bounds = [_bounds(_mapping(one.get("share"))) for one in variants]
    for index, (least, most) in enumerate(bounds):
        if least > most:
            at = (*path, "variants", index, "share")
            yield Problem(at, f"its min {least:g} is above its max {most:g}", "min up to max")
    if (minima := math.fsum(least for least, _ in bounds)) > 1.0 + SLACK:
        yield Problem((*path, "variants"), f"the minimum shares sum to {minima:g}", "at most 1")
    # what calls bring has no bounds, and can take what is left
    if (
        bounds
        and slot.get("candidates") is not True
        and (maxima := math.fsum(most for _, most in bounds)) < 1.0 - SLACK
    ):
        yield Problem((*path, "variants"), f"the maximum shares of all variants sum to {maxima:g}", "at least 1")


def _bounds(share: Mapping[str, Any]) -> tuple[float, float]:
    """Minimum and maximum, those that are no shares as if they were not there."""
    least, most = (
        float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1 else other
        for value, other in ((share.get("min"), 0.0), (share.get("max"), 1.0))
    )
    return least, most


def _policies(campaign: Mapping[str, Any], slots: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """What policies name must exist: variants, for the campaign's policy in one of the slots that it decides."""
    context = campaign.get("context", {})
    followers = [slot for slot in slots.values() if slot.get("policy") is None]
    known = Known(context, _all_ids(followers), "of any slot with this policy")
    yield from _known_to(("policy",), campaign.get("policy"), known)
    for name, slot in slots.items():
        known = Known(context, _all_ids([slot]), "of this slot")
        yield from _known_to(("slots", name, "policy"), slot.get("policy"), known)


def _known_to(path: Path, raw: Any, known: Known) -> Iterator[Problem]:
    match raw:
        case {"rules": list() | tuple() as rules, **others} if not others:
            yield from (replace(one, path=(*path, "rules", *one.path)) for one in list_problems(rules, known))
            return
    try:
        spec = read_policy(raw)
    except PolicyError:
        return
    if spec.name == "rules":
        yield from (replace(one, path=path) for one in line_problems(str(spec.parameters["rules"]), known))
        return
    for variant in mentioned(spec).variants:
        if known.variants is not None and variant not in known.variants:
            expected = f"one of: {listed(known.variants)}"
            yield Problem(path, f"is not a variant {known.where}", expected, shown_value(variant))


def _all_ids(slots: list[Mapping[str, Any]]) -> list[str] | None:
    """The variants of these slots; None where they can't be known, since calls bring their own."""
    if not slots or any(slot.get("candidates") is True for slot in slots):
        return None
    return list(dict.fromkeys(chain.from_iterable(map(_ids, slots))))


def _reward(reward: Mapping[str, Any], metrics: list[str], cancelling: list[str]) -> Iterator[Problem]:
    bounds, default = reward.get("range", [0.0, 1.0]), reward.get("default", 0.0)
    match bounds:
        case [float() | int() as low, float() | int() as high] if low < high and isinstance(default, (int, float)):
            if not low <= default <= high:
                text = f"a number inside the range, from {low:g} to {high:g}"
                yield Problem(("reward", "default"), "is outside the range of the reward", text, shown_value(default))
    value = reward.get("value")
    if isinstance(value, str) and metrics:
        yield from _formula(value, metrics, cancelling)


def _formula(value: str, metrics: list[str], cancelling: list[str]) -> Iterator[Problem]:
    """The formula must compile and have a finite answer without outcomes, with one of each, and with all."""
    path = ("reward", "value")
    try:
        formula = compile_expression(value, names=[*metrics, *cancelling])
    except ExpressionError as error:
        yield Problem(path, str(error))
        return
    if used := [metric for metric in cancelling if metric in formula.names]:
        yield Problem(path, f"uses {listed(used)}, which cancels: such a decision earns nothing", listed(metrics))
        return
    nothing = dict.fromkeys(metrics, 0.0)
    alone = [{**nothing, metric: 1.0} for metric in metrics] if len(metrics) > 1 else []
    for sample in (nothing, dict.fromkeys(metrics, 1.0), *alone):
        try:
            formula.number(sample)
        except ExpressionError as error:
            yield Problem(path, f"has no answer for some outcomes: {error}")
            return


def _ids(slot: Mapping[str, Any]) -> list[str]:
    ids = (_mapping(variant).get("id") for variant in _list(slot.get("variants")))
    return list(dict.fromkeys(one for one in ids if isinstance(one, str)))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []
