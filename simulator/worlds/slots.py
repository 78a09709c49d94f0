"""Worlds whose truth is known: what visitors would do is a formula, so every policy's value is exact.

Contexts are finite and independent feature by feature: values are sums over all of them, not simulations. A click's
probability is logistic in the sum of what each choice is worth to everybody and to this kind of visitor.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from math import exp

import numpy as np

from policies.base import Policy, sample, uniform
from policies.types import Action, Features, Pmf, Value
from simulator.logs.log import Floats, Log, Round
from simulator.worlds.single import evenly

DAYS = 28.0
"""How long a log lasts."""

SlotPolicy = Callable[[str, Features, Sequence[Action]], Pmf]
"""Slot, context (with the earlier slots' choices as `slot.NAME`) and actions in, a pmf over the actions out."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant of a slot: what a person reads, and the features a learner may use."""

    id: str
    text: str
    features: Features = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who comes by. The same person has the same lasting features each time."""

    person: str
    context: Features


@dataclass(frozen=True)
class World:
    """Slots in order, visitors by chance, and the truth.

    chances: feature to its values and their probabilities, independent. lasting: the features that belong to a person
    rather than a visit. regulars: known persons for each combination of lasting features; a visitor is one of them
    with probability `comes_back`, unless the feature `returning` says so itself.
    base: the log odds of a click before any effect. effects: (feature, value, slot, variant) to log odds; feature and
    value are empty for what a variant is worth to everybody.
    """

    name: str
    slots: Mapping[str, tuple[Variant, ...]]
    defaults: Mapping[str, str]
    chances: Mapping[str, Mapping[Value, float]]
    lasting: tuple[str, ...]
    regulars: int
    comes_back: float
    base: float
    effects: Mapping[tuple[str, Value, str, str], float]

    def __post_init__(self) -> None:
        for name, chances in self.chances.items():
            if abs(sum(chances.values()) - 1.0) > 1e-9:
                raise ValueError(f"world {self.name!r}: chances of {name!r} sum to {sum(chances.values())}, expected 1")
        for name, value, slot, variant in self.effects:
            known = slot in self.slots and variant in [item.id for item in self.slots[slot]]
            if not known or (name and value not in self.chances.get(name, {})):
                raise ValueError(f"world {self.name!r}: effect of {name}={value!r} on {slot}:{variant} meets nothing")

    def actions(self, slot: str) -> tuple[Action, ...]:
        """The variants of a slot as a policy sees them."""
        return tuple(Action(variant.id, variant.features) for variant in self.slots[slot])

    def visitor(self, rng: np.random.Generator) -> Visitor:
        """The next visitor. Some persons come back, the same few more often than others."""
        context = {name: _draw(chances, rng) for name, chances in self.chances.items()}
        kind = ".".join(str(context[name]) for name in self.lasting)
        back = context.get("returning", bool(rng.random() < self.comes_back))
        # squared: the first regulars come much more often than the last
        number = int(self.regulars * rng.random() ** 2) if back else self.regulars + int(rng.integers(2**53))
        return Visitor(f"{kind}.{number}", context)

    def expected(self, context: Features, choices: Mapping[str, str]) -> float:
        """The exact probability of a click, for these choices in every slot."""
        odds = self.base
        for slot in self.slots:
            odds += self.effects.get(("", "", slot, choices[slot]), 0.0)
            for name in self.chances:
                odds += self.effects.get((name, context[name], slot, choices[slot]), 0.0)
        return 1.0 / (1.0 + exp(-odds))

    def contexts(self) -> Iterator[tuple[Features, float]]:
        """Every context with its probability."""
        for values in product(*(chances.items() for chances in self.chances.values())):
            context = dict(zip(self.chances, (value for value, _ in values), strict=True))
            yield context, float(np.prod([chance for _, chance in values]))

    def combinations(self) -> Iterator[dict[str, str]]:
        """Every way to choose one variant in each slot."""
        for variants in product(*self.slots.values()):
            yield dict(zip(self.slots, (variant.id for variant in variants), strict=True))

    def value(self, policy: SlotPolicy) -> float:
        """The exact mean reward of a policy that decides slot after slot."""
        return sum(chance * self._reached(context, {}, policy) for context, chance in self.contexts())

    def _reached(self, context: Features, choices: Mapping[str, str], policy: SlotPolicy) -> float:
        left = [slot for slot in self.slots if slot not in choices]
        if not left:
            return self.expected(context, choices)
        slot, actions = left[0], self.actions(left[0])
        pmf = policy(slot, with_choices(context, choices), actions)
        branches = (
            float(p) * self._reached(context, {**choices, slot: action.id}, policy)
            for action, p in zip(actions, pmf, strict=True)
            if p > 0.0
        )
        return sum(branches)

    def uniform_value(self) -> float:
        """The mean reward of choosing every variant of every slot alike."""
        return self.value(lambda slot, context, actions: uniform(len(actions)))

    def fixed_value(self, choices: Mapping[str, str]) -> float:
        """The mean reward of always the same choices."""
        return sum(chance * self.expected(context, choices) for context, chance in self.contexts())

    @cached_property
    def best_fixed(self) -> tuple[dict[str, str], float]:
        """The best choices that ignore the visitor, and what they earn."""
        best = max(self.combinations(), key=self.fixed_value)
        return best, self.fixed_value(best)

    def best_value(self) -> float:
        """The exact optimum: in every context the best combination."""
        combinations = list(self.combinations())
        return sum(
            chance * max(self.expected(context, choices) for choices in combinations)
            for context, chance in self.contexts()
        )

    def log(self, n: int, *, policy: Policy | None = None, seed: int = 0) -> Log:
        """As `KnownWorld` says, of the last slot: the earlier ones are chosen at random, all variants alike. What an
        earlier slot earns depends on who chooses the later ones.
        """
        rng = np.random.default_rng(seed)
        *earlier, last = self.slots
        actions = self.actions(last)
        rounds = []
        for time in evenly(n, days=DAYS):
            visitor = self.visitor(rng)
            before = {slot: self.slots[slot][int(rng.integers(len(self.slots[slot])))].id for slot in earlier}
            context = with_choices(visitor.context, before)
            pmf = uniform(len(actions)) if policy is None else policy.pmf(context, actions)
            place = sample(pmf, float(rng.random()))
            clicks = rng.random() < self.expected(visitor.context, {**before, last: actions[place].id})
            rounds.append(
                Round(
                    context=context,
                    actions=actions,
                    chosen=actions[place].id,
                    propensity=float(pmf[place]),
                    reward=float(clicks),
                    time=float(time),
                    probabilities=pmf,
                    person=visitor.person,
                )
            )
        return Log.from_rounds(rounds, slot=last, default=self.defaults[last], name=self.name)

    def expected_rewards(self, log: Log) -> Floats:
        """As `KnownWorld` says, earlier choices as logged. Raises ValueError for a log of another slot."""
        *earlier, last = self.slots
        if log.slot != last:
            raise ValueError(f"a log of slot {log.slot!r}: expected one of the last slot, {last!r}")
        expected = np.zeros(log.eligible.shape)
        for row, context in enumerate(log.contexts):
            choices = {slot: str(context[f"slot.{slot}"]) for slot in earlier}
            for column in np.flatnonzero(log.eligible[row]):
                expected[row, column] = self.expected(context, {**choices, last: log.actions[column].id})
        return expected


def with_choices(context: Features, choices: Mapping[str, str]) -> Features:
    """The context of the next slot: what was chosen before is known."""
    return {**context, **{f"slot.{slot}": variant for slot, variant in choices.items()}}


def _draw(chances: Mapping[Value, float], rng: np.random.Generator) -> Value:
    values = list(chances)
    return values[int(rng.choice(len(values), p=list(chances.values())))]
