"""A world whose truth is known as where logs are: no database, no campaign."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from server.errors import InvalidRequest
from server.evaluation.groups import groups_in
from server.evaluation.log import OnLeftOut
from server.evaluation.reading import Reading, reading_of
from server.evaluation.request import EvaluationRequest
from simulator import By, Candidate, Log
from simulator.worlds import SlotWorld, world

ELSEWHERE = ("slot", "slots", "since", "until", "where", "reward", "metrics")
"""What is asked of campaigns alone."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """As `server.evaluation.run.Source` says; a request's `campaign` is the world, and its seed draws the log."""

    rounds: int

    def read(self, request: EvaluationRequest, *, progress: Callable[[float], None], left_out: OnLeftOut) -> Reading:
        """Raises InvalidRequest for what a world can't be asked, WorldError for one that there isn't."""
        if asked := [name for name in ELSEWHERE if getattr(request, name) not in (None, ())]:
            raise InvalidRequest(f"{', '.join(asked)}: a world has one slot, one period and one reward")
        if self.rounds < 1:
            raise InvalidRequest(f"{self.rounds} rounds: expected at least 1")
        return reading_of(world(request.campaign).log(self.rounds, seed=request.seed), request.by)

    def snapshot(self, campaign: str, slot: str, name: str, lang: str = "en") -> Candidate:
        raise InvalidRequest(f"{name}: a world has no snapshots")

    def window(self, campaign: str) -> timedelta:
        known = world(campaign)
        delays = known.delays if isinstance(known, SlotWorld) else None
        return timedelta(days=delays.window) if delays else timedelta(0)

    def groups(self, log: Log, key: str, lang: str = "en") -> By:
        return groups_in(log, key)
