"""Simulated visitors of a page and recipients of a newsletter, through the real client."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from elige.client import AsyncClient, Decision, EligeError
from simulator.worlds import Visitor, World

AT_ONCE = 32
"""Calls in flight, as from a web server with some workers."""


@dataclass(frozen=True, slots=True)
class Wave:
    """What one wave of visitors saw and did. The last three are mean click probabilities, known because the world is.

    `served`: of what was shown; `uniform`: had every variant been as likely; `best`: had everybody seen what they
    like best.
    """

    visitors: int
    clicks: int
    served: float
    uniform: float
    best: float

    @property
    def closed(self) -> float:
        """The share of the way from uniform to the best possible."""
        return (self.served - self.uniform) / (self.best - self.uniform)


def joined(waves: Sequence[Wave]) -> Wave:
    """Several waves as one."""
    n = np.array([wave.visitors for wave in waves])

    def mean(values: Sequence[float]) -> float:
        return float(np.average(values, weights=n))

    return Wave(
        visitors=int(n.sum()),
        clicks=sum(wave.clicks for wave in waves),
        served=mean([wave.served for wave in waves]),
        uniform=mean([wave.uniform for wave in waves]),
        best=mean([wave.best for wave in waves]),
    )


class Crowd:
    """The visitors of one world, with what each of them could have been shown."""

    def __init__(self, world: World, *, seed: int) -> None:
        self.world = world
        self._rng = np.random.default_rng(seed)
        self._combinations = list(world.combinations())

    async def visit(self, elige: AsyncClient, n: int) -> Wave:
        """One by one, as to a landing page: each asks, looks, and perhaps clicks."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(visitor: Visitor, chance: float) -> Decision:
            async with gate:
                decision = await elige.decide(
                    self.world.name, person=visitor.person, context=visitor.context, timeout=60.0
                )
                if chance < self._likes(visitor, decision):
                    await elige.reward(decision.id, "click")
                return decision

        visitors, chances = self._come(n)
        decisions = await asyncio.gather(*map(one, visitors, chances))
        return self._wave(visitors, chances, decisions)

    async def receive(self, elige: AsyncClient, n: int) -> Wave:
        """In one batch, as a newsletter is sent; the clicks come back in another."""
        visitors, chances = self._come(n)
        answers = await elige.decide_many(
            {"campaign": self.world.name, "person": visitor.person, "context": visitor.context} for visitor in visitors
        )
        decisions = [_decided(answer) for answer in answers]
        clicked = [
            decision
            for visitor, chance, decision in zip(visitors, chances, decisions, strict=True)
            if chance < self._likes(visitor, decision)
        ]
        await elige.reward_many({"decision_id": decision.id, "metric": "click"} for decision in clicked)
        return self._wave(visitors, chances, decisions)

    def _come(self, n: int) -> tuple[list[Visitor], list[float]]:
        """Visitors, and for each the draw that says at which click probability they click."""
        return [self.world.visitor(self._rng) for _ in range(n)], self._rng.random(n).tolist()

    def _likes(self, visitor: Visitor, decision: Decision) -> float:
        shown = {slot: choice.variant for slot, choice in decision.choices.items()}
        return self.world.expected(visitor.context, shown)

    def _wave(self, visitors: Sequence[Visitor], chances: Sequence[float], decisions: Sequence[Decision]) -> Wave:
        served = [self._likes(visitor, decision) for visitor, decision in zip(visitors, decisions, strict=True)]
        # (visitors, combinations): what each would have been worth to each
        worth = np.array([[self.world.expected(v.context, one) for one in self._combinations] for v in visitors])
        return Wave(
            visitors=len(visitors),
            clicks=sum(chance < likes for chance, likes in zip(chances, served, strict=True)),
            served=float(np.mean(served)),
            uniform=float(worth.mean()),
            best=float(worth.max(axis=1).mean()),
        )


def _decided(answer: Decision | EligeError) -> Decision:
    if isinstance(answer, EligeError):
        raise answer
    return answer
