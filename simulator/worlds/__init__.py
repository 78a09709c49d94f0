"""Worlds whose truth is known: for tests, for teaching, and for a policy's first trial.

from simulator import evaluate
from simulator.worlds import true_value, world

known = world("segments")
log = known.log(5_000, seed=1)
evaluation = evaluate(log, ["squarecb"], truth=known.expected_rewards)
"""

from simulator.worlds.classification import ClassificationWorld
from simulator.worlds.registry import WORLDS, WorldError, world
from simulator.worlds.shop import landing, newsletter
from simulator.worlds.single import Drawn, SlotWorld
from simulator.worlds.slots import SlotPolicy, Variant, Visitor, World, with_choices
from simulator.worlds.truth import KnownWorld, best_value, pmf_of, true_value

__all__ = [
    "WORLDS",
    "ClassificationWorld",
    "Drawn",
    "KnownWorld",
    "SlotPolicy",
    "SlotWorld",
    "Variant",
    "Visitor",
    "World",
    "WorldError",
    "best_value",
    "landing",
    "newsletter",
    "pmf_of",
    "true_value",
    "with_choices",
    "world",
]
