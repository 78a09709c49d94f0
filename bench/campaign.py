"""What benchmarks decide: one slot of ten variants, ten features of context, and people who differ."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from elige.client.requests import decide_request
from elige.v1.decisions_pb2 import DecideRequest

NAME = "bench"
SLOT = "headline"
CLICK = "click"
VARIANTS = tuple(f"headline-{number}" for number in range(10))

COUNTRIES = ("ES", "PT", "FR", "IT", "DE")
SOURCES = ("search", "email", "social", "direct")
DEVICES = ("phone", "tablet", "desktop")
LANGUAGES = ("es", "en", "fr")
HOURS = ("morning", "midday", "afternoon", "night")

_VARIANT_LINES = "\n".join(
    f'      - {{id: {variant}, content: {{text: "Headline number {number}: save three hours a week"}}}}'
    for number, variant in enumerate(VARIANTS)
)
SOURCE = f"""\
campaign: {NAME}
metrics: {{{CLICK}: once}}
reward: {{window: 30m}}
policy: squarecb
context:
  country: text
  source: text
  device: text
  language: text
  hour: text
  orders: number
  days_away: number
  basket: number
  returning: flag
  member: flag
slots:
  {SLOT}:
    default: {VARIANTS[0]}
    variants:
{_VARIANT_LINES}
"""


def contexts(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Visitors without end."""
    while True:
        yield {
            "country": str(rng.choice(COUNTRIES)),
            "source": str(rng.choice(SOURCES)),
            "device": str(rng.choice(DEVICES)),
            "language": str(rng.choice(LANGUAGES)),
            "hour": str(rng.choice(HOURS)),
            "orders": float(rng.poisson(2.0)),
            "days_away": round(float(rng.exponential(10.0)), 2),
            "basket": round(float(rng.lognormal(3.0, 1.0)), 2),
            "returning": bool(rng.random() < 0.6),
            "member": bool(rng.random() < 0.2),
        }


def requests(count: int, *, seed: int) -> list[DecideRequest]:
    """So many different people, once each."""
    visitors = contexts(np.random.default_rng(seed))
    return [decide_request(NAME, person=f"person-{i}", context=next(visitors)) for i in range(count)]


def click_share(context: dict[str, Any], variant: str) -> float:
    """The world in which a learner is trained: every country has its own best variant. In [0, 1]."""
    best = COUNTRIES.index(context["country"]) * 2
    return 0.5 if variant == VARIANTS[best] else 0.1
