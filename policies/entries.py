"""What a line of the menu is made of: what a parameter may be, and what a policy is built from."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from policies.base import Policy
from policies.types import RewardRange

Parameter = str | float


@dataclass(frozen=True, slots=True)
class Rule:
    """What one parameter may be."""

    expected: str
    accepts: Callable[[Parameter], bool]
    default: Parameter | None = None


def number(low: float, high: float, default: float) -> Rule:
    def accepts(value: Parameter) -> bool:
        return not isinstance(value, str) and low <= value <= high

    return Rule(f"a number from {low:g} to {high:g}", accepts, default)


def whole(low: int, high: int, default: int) -> Rule:
    def accepts(value: Parameter) -> bool:
        return not isinstance(value, str) and low <= value <= high and float(value).is_integer()

    return Rule(f"a whole number from {low} to {high}", accepts, default)


def one_of(choices: Collection[str], default: str) -> Rule:
    return Rule("one of " + ", ".join(choices), lambda value: value in choices, default)


@dataclass(frozen=True, slots=True)
class Given:
    """What a policy is built from, beside its parameters."""

    parameters: Mapping[str, Parameter]
    default: str
    reward_range: RewardRange
    seed: int
    state: bytes | None

    def number(self, name: str) -> float:
        return float(self.parameters[name])


@dataclass(frozen=True, slots=True)
class Mentioned:
    """What a specification names that must exist elsewhere: variants, and keys of the context."""

    variants: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu."""

    summary: str
    build: Callable[[Given], Policy]
    rules: Mapping[str, Rule] = field(default_factory=dict)
    positional: str = ""
    any_name: Rule | None = None
    """The rule of parameters whose names are the variants' own."""
    learns: bool = False
    mentions: Callable[[Mapping[str, Parameter]], Mentioned] = lambda parameters: Mentioned()
    """Raises ValueError for parameters that can't be read."""

    @property
    def defaults(self) -> Mapping[str, Parameter]:
        """What holds for the parameters that are not given."""
        return {name: rule.default for name, rule in self.rules.items() if rule.default is not None}
