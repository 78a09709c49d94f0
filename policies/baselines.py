"""Policies that do not learn: the yardsticks of every evaluation, and what people fix by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from policies.base import uniform
from policies.types import Action, Features, Pmf


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every action with the same probability."""

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        return uniform(len(actions))


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always `variant`; where it is not eligible the slot's `default`; where that is not eligible either, uniform."""

    variant: str
    default: str

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        ids = [action.id for action in actions]
        for wanted in (self.variant, self.default):
            if wanted in ids:
                pmf = np.zeros(len(ids))
                pmf[ids.index(wanted)] = 1.0
                return pmf
        return uniform(len(ids))


@dataclass(frozen=True, slots=True)
class Weighted:
    """In proportion to `weights`; an action without one has none. Uniform where no eligible action has a weight."""

    weights: Mapping[str, float]

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        raw = np.array([self.weights.get(action.id, 0.0) for action in actions])
        total = float(raw.sum())
        return raw / total if total > 0.0 else uniform(len(actions))
