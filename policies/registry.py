"""The menu: from a specification (name and parameters) to a policy, and from bytes back to a learner.

To add a learner: write it beside the others, add its entry to `MENU` (Vowpal Wabbit's are in vowpal_menu.py, our own in
own_menu.py), and the contract suite in tests/contracts/ tests it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from policies.auto_menu import AUTO_MENU
from policies.base import Learner, Policy
from policies.baselines import Fixed, Uniform, Weighted
from policies.decision_list import EXAMPLE, decision_list, mentioned_by
from policies.entries import Entry, Given, Mentioned, Parameter, Rule, number
from policies.own_menu import OWN_MENU
from policies.types import RewardRange
from policies.vowpal_menu import VOWPAL_MENU


class PolicyError(ValueError):
    """A specification that names no policy we have, or gives it a parameter it can't use."""


@dataclass(frozen=True, slots=True)
class PolicySpec:
    """A policy by name and parameters, as campaigns and the command line write it: `epsilon:epsilon=0.1`."""

    name: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "PolicySpec":
        """Read `name`, `name:key=value,key=value` or, for `fixed` and `rules`, `fixed:VARIANT`. Raises PolicyError."""
        name, _, rest = text.strip().partition(":")
        entry = _entry(name)
        if not rest:
            return cls(name)
        if entry.positional:
            return cls(name, {entry.positional: rest})
        parameters: dict[str, Parameter] = {}
        for part in rest.split(","):
            key, equals, value = (piece.strip() for piece in part.partition("="))
            if not (key and equals and value):
                raise PolicyError(f"policy {text!r}: {part!r} is not a parameter; expected {name}:key=value,key=value")
            if key in parameters:
                raise PolicyError(f"policy {text!r}: parameter {key!r} is given twice")
            parameters[key] = _number_or_text(value)
        return cls(name, parameters)

    def __str__(self) -> str:
        if not self.parameters:
            return self.name
        if positional := _entry(self.name).positional:
            return f"{self.name}:{self.parameters[positional]}"
        return f"{self.name}:" + ",".join(f"{key}={_plain(value)}" for key, value in self.parameters.items())


MENU: Mapping[str, Entry] = {
    "uniform": Entry("every variant alike", lambda given: Uniform()),
    "fixed": Entry(
        "always one variant: fixed:VARIANT, or the slot's default",
        lambda given: Fixed(str(given.parameters["variant"] or given.default), given.default),
        {"variant": Rule("a variant's id", lambda value: isinstance(value, str), "")},
        positional="variant",
        mentions=lambda parameters: Mentioned(variants=tuple(str(one) for one in parameters.values() if one != "")),
    ),
    "weighted": Entry(
        "fixed shares: weighted:a=1,b=3",
        lambda given: Weighted({name: float(weight) for name, weight in given.parameters.items()}),
        any_name=number(0.0, 1e9, 0.0),
        mentions=lambda parameters: Mentioned(variants=tuple(parameters)),
    ),
    "rules": Entry(
        f"rules that people wrote, the first that applies: rules:{EXAMPLE}",
        lambda given: decision_list(str(given.parameters["rules"]), default=given.default),
        {"rules": Rule(f"rules such as {EXAMPLE}", lambda value: isinstance(value, str))},
        positional="rules",
        mentions=lambda parameters: mentioned_by(str(parameters["rules"])),
    ),
    **AUTO_MENU,
    **VOWPAL_MENU,
    **OWN_MENU,
}
"""Every policy that can be named, with what it may be given."""


def check(spec: PolicySpec) -> None:
    """Raise PolicyError, naming the value and what was expected, unless `create` can build the specification."""
    entry = _entry(spec.name)
    for name, value in spec.parameters.items():
        rule = entry.rules.get(name, entry.any_name)
        if rule is None:
            known = ", ".join(entry.rules) or "none"
            raise PolicyError(f"policy {spec.name!r} has no parameter {name!r}; it has: {known}")
        if isinstance(value, bool) or not rule.accepts(value):
            raise PolicyError(f"policy {spec.name!r}, {name}: {value!r} is not {rule.expected}")
    if entry.any_name and not any(spec.parameters.values()):
        raise PolicyError(f"policy {spec.name!r} needs at least one weight above 0, as in {spec.name}:a=1,b=3")
    needed = entry.positional
    if needed and needed not in spec.parameters and entry.rules[needed].default is None:
        raise PolicyError(f"policy {spec.name!r} needs {entry.rules[needed].expected}")
    try:
        entry.mentions(spec.parameters)
    except ValueError as error:
        raise PolicyError(f"policy {spec.name!r}: {error}") from error


def mentioned(spec: PolicySpec) -> Mentioned:
    """The variants and context keys that a checked specification names."""
    return _entry(spec.name).mentions(spec.parameters)


def learns(spec: PolicySpec) -> bool:
    """Whether the policy is a Learner, without building one."""
    return _entry(spec.name).learns


def create(
    spec: PolicySpec, *, default: str, reward_range: RewardRange, seed: int = 0, state: bytes | None = None
) -> Policy:
    """The policy of a specification, for a slot with this default variant; with `state`, a learner goes on from there.

    Raises PolicyError for a specification that `check` refuses, and UnreadableSnapshot for bytes it can't read.
    """
    check(spec)
    entry = _entry(spec.name)
    return entry.build(Given({**entry.defaults, **spec.parameters}, default, reward_range, seed, state))


def load(spec: PolicySpec, state: bytes, *, default: str, reward_range: RewardRange, seed: int = 0) -> Learner:
    """The learner that wrote `state`, under the same specification. Raises UnreadableSnapshot."""
    policy = create(spec, default=default, reward_range=reward_range, seed=seed, state=state)
    if not isinstance(policy, Learner):
        raise PolicyError(f"policy {spec.name!r} does not learn: it has no snapshots")
    return policy


def _entry(name: str) -> Entry:
    if entry := MENU.get(name):
        return entry
    close = get_close_matches(name, MENU, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    raise PolicyError(f"no policy {name!r}{hint} Known: {', '.join(MENU)}")


def _plain(value: Parameter) -> str:
    """A number as people write it, without losing a digit: 0.1, 18."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _number_or_text(text: str) -> Parameter:
    try:
        return float(text)
    except ValueError:
        return text
