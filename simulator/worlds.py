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

from policies.base import Policy, uniform
from policies.types import Action, Features, Pmf, Value
from simulator.log import Log

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

    def true_value(self, log: Log, policy: Policy) -> float:
        """The exact mean reward of a policy for the last slot on the contexts of a log, earlier choices as logged.

        Only the last slot has one: what an earlier slot earns depends on who chooses the later ones.
        """
        *earlier, last = self.slots
        if log.slot != last:
            raise ValueError(f"a log of slot {log.slot!r}: expected one of the last slot, {last!r}")
        sets, which = log.eligible_sets
        total = 0.0
        for context, place in zip(log.contexts, which, strict=True):
            actions = [log.actions[column] for column in sets[place]]
            choices = {slot: str(context[f"slot.{slot}"]) for slot in earlier}
            earned = [self.expected(context, {**choices, last: action.id}) for action in actions]
            total += float(np.dot(policy.pmf(context, actions), earned))
        return total / len(log)


def with_choices(context: Features, choices: Mapping[str, str]) -> Features:
    """The context of the next slot: what was chosen before is known."""
    return {**context, **{f"slot.{slot}": variant for slot, variant in choices.items()}}


def _draw(chances: Mapping[Value, float], rng: np.random.Generator) -> Value:
    values = list(chances)
    return values[int(rng.choice(len(values), p=list(chances.values())))]


def landing() -> World:
    """The landing page of a small shop: headline, call to action, offer. What works depends on who looks."""
    everybody: dict[tuple[str, Value, str, str], float] = {
        ("", "", "headline", "envio"): 0.25,
        ("", "", "cta", "comprar"): 0.1,
        ("", "", "offer", "diez"): 0.25,
    }
    by_source = {"google": "precio", "instagram": "moda", "correo": "club"}
    by_country = {"ES": "envio", "MX": "precio", "AR": "moda"}
    by_device = {"movil": "ver", "escritorio": "comprar"}
    by_hour = {9.0: "probar", 13.0: "ver", 18.0: "comprar", 22.0: "probar"}
    matches: dict[tuple[str, Value, str, str], float] = {}
    for feature, slot, good, gain in (
        ("source", "headline", by_source, 1.9),
        ("country", "headline", by_country, 0.7),
        ("device", "cta", by_device, 1.1),
        ("hour", "cta", by_hour, 0.5),
    ):
        matches |= {(feature, value, slot, variant): gain for value, variant in good.items()}
    matches |= {
        ("returning", True, "offer", "regalo"): 1.5,
        ("returning", False, "offer", "diez"): 0.9,
        ("returning", True, "offer", "diez"): -0.9,
        ("country", "MX", "offer", "ninguna"): 0.4,
    }
    return World(
        name="landing",
        slots={
            "headline": (
                Variant("envio", "Recíbelo mañana en casa, sin gastos de envío"),
                Variant("precio", "La misma calidad, hasta un 30 % más barata"),
                Variant("moda", "Lo que todo el mundo llevará esta temporada"),
                Variant("club", "Bienvenido de nuevo: tu club te espera"),
            ),
            "cta": (
                Variant("comprar", "Comprar ahora"),
                Variant("ver", "Ver la colección"),
                Variant("probar", "Pruébalo 30 días gratis"),
            ),
            "offer": (
                Variant("ninguna", ""),
                Variant("diez", "10 % de descuento en tu primer pedido"),
                Variant("regalo", "Un regalo sorpresa con tu pedido"),
            ),
        },
        defaults={"headline": "envio", "cta": "comprar", "offer": "ninguna"},
        chances={
            "country": {"ES": 0.5, "MX": 0.3, "AR": 0.2},
            "device": {"movil": 0.6, "escritorio": 0.4},
            "source": {"google": 0.4, "instagram": 0.35, "correo": 0.25},
            "returning": {True: 0.4, False: 0.6},
            "hour": {9.0: 0.2, 13.0: 0.25, 18.0: 0.25, 22.0: 0.3},
        },
        lasting=("country", "device"),
        regulars=120,
        comes_back=0.4,
        base=-3.6,
        effects={**everybody, **matches},
    )


def newsletter() -> World:
    """The weekly newsletter of the same shop: subject line and send hour, for subscribers with habits."""
    hours = {"08": 8.0, "11": 11.0, "14": 14.0, "17": 17.0, "20": 20.0, "22": 22.0}
    habits = {"madrugador": 8.0, "oficina": 14.0, "noche": 22.0}
    timing: dict[tuple[str, Value, str, str], float] = {
        ("habit", habit, "send_hour", variant): 1.6 - 0.3 * abs(hour - usual)
        for habit, usual in habits.items()
        for variant, hour in hours.items()
        if abs(hour - usual) <= 6.0
    }
    by_interest = {"hogar": "novedades", "deporte": "reto", "cocina": "receta"}
    taste: dict[tuple[str, Value, str, str], float] = {
        ("interest", interest, "subject_line", variant): 1.6 for interest, variant in by_interest.items()
    }
    return World(
        name="newsletter",
        slots={
            "subject_line": (
                Variant("oferta", "Solo hoy: envío gratis en todo"),
                Variant("novedades", "Ya están aquí las novedades para tu casa"),
                Variant("reto", "¿Te atreves con el reto de los 30 días?"),
                Variant("receta", "Una receta que se hace en diez minutos"),
            ),
            "send_hour": tuple(Variant(name, f"{name}:00", {"hour": hour}) for name, hour in hours.items()),
        },
        defaults={"subject_line": "oferta", "send_hour": "11"},
        chances={
            "habit": {"madrugador": 0.3, "oficina": 0.4, "noche": 0.3},
            "interest": {"hogar": 0.4, "deporte": 0.35, "cocina": 0.25},
            "device": {"movil": 0.7, "escritorio": 0.3},
        },
        lasting=("habit", "interest", "device"),
        regulars=80,
        comes_back=0.8,
        base=-3.0,
        effects={("", "", "subject_line", "oferta"): 0.4, **taste, **timing},
    )
