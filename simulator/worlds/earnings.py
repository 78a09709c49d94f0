"""Worlds that differ in what is earned, and when."""

from collections.abc import Sequence

import numpy as np

from policies.types import Action, Features
from simulator.logs.log import Floats
from simulator.worlds.single import Amounts, Come, Delays, SlotWorld, alone


def delayed() -> SlotWorld:
    """The better offer is taken later: of `trial` most is known within hours, of `course` after days. Who looks too
    early prefers the wrong one.
    """
    variants = tuple(Action(name) for name in ("none", "trial", "course"))
    delays = Delays(scales=(1.0, 0.25, 3.0), window=14.0)

    def chances(contexts: Sequence[Features], times: Floats) -> Floats:
        mobile = np.array([context["device"] == "phone" for context in contexts])[:, None]
        return np.where(mobile, (0.04, 0.11, 0.10), (0.04, 0.10, 0.16))

    return SlotWorld("delayed", "offer", variants, "none", 28.0, _devices, chances, delays=delays)


def rare() -> SlotWorld:
    """Purchases, at most 1 % of the visits, whose values have a heavy tail: a few of them are most of the revenue."""
    variants = tuple(Action(name) for name in ("plain", "reviews", "urgency"))
    amounts = bounded_pareto(low=10.0, high=1_000.0, shape=1.5)

    def chances(contexts: Sequence[Features], times: Floats) -> Floats:
        mobile = np.array([context["device"] == "phone" for context in contexts])[:, None]
        return np.where(mobile, (0.003, 0.005, 0.007), (0.006, 0.010, 0.004))

    return SlotWorld("rare", "pitch", variants, "plain", 28.0, _devices, chances, amounts=amounts)


def bounded_pareto(*, low: float, high: float, shape: float) -> Amounts:
    """Density proportional to x^(-shape - 1) between low and high; shape other than 1. With q = (low/high)^shape, its
    mean is low^shape / (1 - q) · shape / (shape - 1) · (low^(1 - shape) - high^(1 - shape)).
    """
    q = (low / high) ** shape
    mean = low**shape / (1.0 - q) * shape / (shape - 1.0) * (low ** (1.0 - shape) - high ** (1.0 - shape))

    def draw(n: int, rng: np.random.Generator) -> Floats:
        drawn: Floats = low * (1.0 - rng.random(n) * (1.0 - q)) ** (-1.0 / shape)
        return drawn

    return Amounts(mean, draw, high)


def _devices(times: Floats, rng: np.random.Generator) -> Come:
    phone = rng.random(times.size) < 0.6
    return Come([{"device": "phone" if one else "desk"} for one in phone], alone(times.size))
