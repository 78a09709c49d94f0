"""The `policy` line of a campaign file, in the form of the command line or as a mapping."""

import math
from collections.abc import Mapping
from typing import Any

from policies.decision_list import write_rules
from policies.registry import MENU, PolicyError, PolicySpec, check
from server.campaigns.rule_lists import read_rule_list


def read_policy(value: Any) -> PolicySpec:
    """`squarecb`, `epsilon:epsilon=0.1`, `{epsilon: {epsilon: 0.1}}`, `{fixed: hours}` or `{rules: [RULE, RULE]}`.

    Raises PolicyError, for a list of rules WrongRules.
    """
    if isinstance(value, str):
        spec = PolicySpec.parse(value)
    elif isinstance(value, Mapping) and len(value) == 1:
        [(name, parameters)] = value.items()
        spec = PolicySpec(name, _parameters(name, parameters))
    else:
        raise PolicyError(f"{value!r} is not a policy; expected one such as squarecb or {{epsilon: {{epsilon: 0.1}}}}")
    check(spec)
    return spec


def _parameters(name: str, value: Any) -> dict[str, str | float]:
    positional = MENU[name].positional if name in MENU else ""
    if value is None:
        return {}
    if name == "rules" and isinstance(value, (list, tuple)):
        return {positional: write_rules(read_rule_list(value))}
    if isinstance(value, str) and positional:
        return {positional: value}
    if not isinstance(value, Mapping):
        example = f"{{{name}: {positional.upper()}}}" if positional else f"{{{name}: {{parameter: value}}}}"
        raise PolicyError(f"policy {name!r}: {value!r} is no parameter; expected {example}")
    return {str(key): _parameter(name, str(key), one) for key, one in value.items()}


def _parameter(policy: str, name: str, value: Any) -> str | float:
    if isinstance(value, bool) or not isinstance(value, (str, float, int)):
        raise PolicyError(f"policy {policy!r}, {name}: {value!r} is neither a number nor text")
    try:
        # whole numbers as the command line reads them, so that equal policies are equal
        return float(value) if isinstance(value, int) else value
    except OverflowError:
        return math.inf


def policy_document(spec: PolicySpec) -> dict[str, dict[str, str | float]]:
    """A policy as a document keeps it: any variant's id can stand in it, unlike in the command line's form."""
    return {spec.name: dict(spec.parameters)}
