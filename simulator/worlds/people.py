"""Worlds that differ in who comes."""

from collections.abc import Sequence

import numpy as np

from policies.types import Action, Features
from simulator.logs.log import Floats
from simulator.worlds.single import Come, SlotWorld, alone

VISITS = 10
"""Of each person in `repeat_visitors`."""

EAGER, RELUCTANT = (0.2, 3.4), (0.8, 0.4)
"""The share of such persons, and by what their chances are multiplied: 1 in the mean."""


def segments() -> SlotWorld:
    """Four kinds of people, each with a headline of its own: members or not, on a phone or at a desk."""
    variants = tuple(Action(name) for name in ("club", "app", "price", "quality"))

    def come(times: Floats, rng: np.random.Generator) -> Come:
        member, phone = rng.random(times.size) < 0.4, rng.random(times.size) < 0.6
        contexts = [
            {"member": bool(m), "device": "phone" if p else "desk", "weather": str(weather)}
            for m, p, weather in zip(member, phone, rng.choice(["sun", "rain"], times.size), strict=True)
        ]
        return Come(contexts, alone(times.size))

    def chances(contexts: Sequence[Features], times: Floats) -> Floats:
        kinds = [2 * (not context["member"]) + (context["device"] != "phone") for context in contexts]
        liked = np.array([1, 0, 2, 3])[kinds]  # members on a phone like the app, at a desk the club
        found = np.full((len(kinds), len(variants)), 0.05)
        found[np.arange(len(kinds)), liked] = 0.25
        return found

    return SlotWorld("segments", "headline", variants, "price", 28.0, come, chances)


def repeat_visitors() -> SlotWorld:
    """Few persons who come often, a fifth of them eight times as eager as the others, which no context tells."""
    variants = tuple(Action(name) for name in ("plain", "warm", "bold"))

    def come(times: Floats, rng: np.random.Generator) -> Come:
        n = times.size
        persons = rng.permutation(n) // VISITS
        eager = rng.random(n // VISITS + 1) < EAGER[0]
        eagerness = np.where(eager, EAGER[1], RELUCTANT[1])[persons]
        contexts = [{"source": str(source)} for source in rng.choice(["search", "mail"], n)]
        return Come(contexts, persons.astype(np.int64), eagerness)

    def chances(contexts: Sequence[Features], times: Floats) -> Floats:
        by_source = {"search": (0.06, 0.08, 0.10), "mail": (0.10, 0.12, 0.06)}
        return np.array([by_source[str(context["source"])] for context in contexts])

    return SlotWorld("repeat_visitors", "tone", variants, "plain", 28.0, come, chances)
