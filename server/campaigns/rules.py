"""The rules between the fields of a campaign.

They read a campaign as it was written and skip what has the wrong shape, which the model reports: so every mistake is
found in one go, whichever kind it is of.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from policies.expressions import ExpressionError, compile_expression
from policies.registry import PolicyError, PolicySpec
from server.campaigns.policy_lines import read_policy
from server.campaigns.problems import PLANNED, Path, Problem, listed, shown_value


def broken_rules(raw: Any) -> Iterator[Problem]:
    """Every rule between fields that `raw` breaks."""
    campaign = _mapping(raw)
    slots = {name: _mapping(slot) for name, slot in _mapping(campaign.get("slots")).items()}
    for name, slot in slots.items():
        yield from _slot(("slots", name), slot)
    yield from _policies(campaign, slots)
    yield from _reward(_mapping(campaign.get("reward")), list(_mapping(campaign.get("metrics"))))


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
    counts: Counter[str] = Counter()
    for index, variant in enumerate(_list(slot.get("variants"))):
        one = _mapping(variant).get("id")
        if isinstance(one, str):
            counts[one] += 1
            if counts[one] > 1:
                yield Problem(
                    (*path, "variants", index, "id"), "is the id of an earlier variant", "another id", shown_value(one)
                )


def _policies(campaign: Mapping[str, Any], slots: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """Variants that policies name must exist: for the campaign's policy, in one of the slots that it decides."""
    followers = [slot for slot in slots.values() if slot.get("policy") is None]
    yield from _known_variants(("policy",), campaign.get("policy"), followers)
    for name, slot in slots.items():
        yield from _known_variants(("slots", name, "policy"), slot.get("policy"), [slot])


def _known_variants(path: Path, raw: Any, slots: list[Mapping[str, Any]]) -> Iterator[Problem]:
    # the call's own variants can't be known here
    if raw is None or not slots or any(slot.get("candidates") is True for slot in slots):
        return
    try:
        spec = read_policy(raw)
    except PolicyError:
        return
    known = list(dict.fromkeys(chain.from_iterable(map(_ids, slots))))
    for named in _named_variants(spec):
        if named not in known:
            where = "of this slot" if path[0] == "slots" else "of any slot with this policy"
            yield Problem(path, f"is not a variant {where}", f"one of: {listed(known)}", shown_value(named))


def _named_variants(spec: PolicySpec) -> list[str]:
    match spec.name:
        case "fixed":
            return [str(variant) for variant in spec.parameters.values() if variant != ""]
        case "weighted":
            return list(spec.parameters)
    return []


def _reward(reward: Mapping[str, Any], metrics: list[str]) -> Iterator[Problem]:
    bounds, default = reward.get("range", [0.0, 1.0]), reward.get("default", 0.0)
    match bounds:
        case [float() | int() as low, float() | int() as high] if low < high and isinstance(default, (int, float)):
            if not low <= default <= high:
                text = f"a number inside the range, from {low:g} to {high:g}"
                yield Problem(("reward", "default"), "is outside the range of the reward", text, shown_value(default))
    value = reward.get("value")
    if isinstance(value, str) and metrics:
        yield from _formula(value, metrics)


def _formula(value: str, metrics: list[str]) -> Iterator[Problem]:
    """The formula must compile and have a finite answer without outcomes, with one of each, and with all."""
    path = ("reward", "value")
    try:
        formula = compile_expression(value, names=metrics)
    except ExpressionError as error:
        yield Problem(path, str(error))
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
