"""The worlds by name. To add one: write its function, then its line here, and in docs/worlds-and-plan.md."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulator.worlds.classification import ClassificationWorld
from simulator.worlds.earnings import delayed, rare
from simulator.worlds.people import repeat_visitors, segments
from simulator.worlds.shop import landing, newsletter
from simulator.worlds.timing import drifting, seasonal, send_times
from simulator.worlds.truth import KnownWorld


class WorldError(ValueError):
    """No world has this name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How a world is made, and a line about it."""

    build: Callable[[], KnownWorld]
    about: str


WORLDS: Mapping[str, Entry] = {
    "landing": Entry(landing, "a shop's landing page: headline and call to action at random, then the offer"),
    "newsletter": Entry(newsletter, "the same shop's newsletter: subject line at random, then the hour"),
    "segments": Entry(segments, "four kinds of people, each with a headline of its own"),
    "seasonal": Entry(seasonal, "what is liked depends on hour and weekday"),
    "drifting": Entry(drifting, "in the last of four weeks the best variant becomes the worst"),
    "delayed": Entry(delayed, "rewards come hours or days later, those of the best variant last"),
    "rare": Entry(rare, "purchases, at most 1 % of the visits, with heavy-tailed values"),
    "send_times": Entry(send_times, "mail at hours in UTC, read by the clock of each person's zone"),
    "repeat_visitors": Entry(repeat_visitors, "few persons who come ten times, some far more eager than others"),
    "digits": Entry(lambda: ClassificationWorld("digits", "digits"), "8 × 8 images of digits; 10 classes"),
    "wine": Entry(lambda: ClassificationWorld("wine", "wine"), "chemistry of wines; 3 cultivars"),
    "breast_cancer": Entry(
        lambda: ClassificationWorld("breast_cancer", "breast cancer"), "measures of cell nuclei; malignant or benign"
    ),
    "iris": Entry(lambda: ClassificationWorld("iris", "iris"), "measures of flowers; 3 species"),
}
"""To add a world: write what builds it, then its line here."""


def world(name: str) -> KnownWorld:
    """The world of this name. Raises WorldError with the known ones."""
    if name not in WORLDS:
        raise WorldError(f"no world {name!r}; known: {', '.join(WORLDS)}")
    return WORLDS[name].build()
