"""Will a campaign's traffic suffice? From its own rates, or those given, to how long it takes to find a difference."""

from server.planning.making import plan
from server.planning.records import Assumption, PlanAsked, Planned, PlannedPoint

__all__ = ["Assumption", "PlanAsked", "Planned", "PlannedPoint", "plan"]
