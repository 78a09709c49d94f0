"""Plans, between the contract's messages and the domain's records."""

from typing import Any

from elige.client.values import duration, fill, optional
from elige.v1 import estimates_pb2
from elige.v1 import evaluations_pb2 as pb
from policies.registry import PolicySpec
from server.errors import InvalidRequest, NotSupportedYet
from server.evaluation.snapshots import SNAPSHOT
from server.planning import PlanAsked, Planned, PlannedPoint
from server.rpc.evaluations_wire import read_spec
from server.rpc.wire import read_duration

_GIVEN = ("difference", "decisions_per_day", "mean_reward", "reward_deviation", "level", "power")


def read_plan(message: pb.PlanRequest) -> PlanAsked:
    """Raises InvalidRequest, PolicyError, and NotSupportedYet for the plan of a snapshot."""
    if not message.campaign:
        raise InvalidRequest("campaign: missing")
    given: dict[str, Any] = {name: value for name in _GIVEN if (value := optional(message, name)) is not None}
    if message.HasField("policy"):
        spec = read_spec(message.policy)
        if spec.startswith(SNAPSHOT):
            raise NotSupportedYet("planning for a snapshot")
        given["policy"] = PolicySpec.parse(spec)
    if message.HasField("horizon"):
        given["horizon"] = read_duration(message.horizon, "horizon")
    if message.language:
        given["language"] = message.language
    return PlanAsked(message.campaign, seed=message.seed, **given)


def write_planned(planned: Planned, asked: PlanAsked) -> pb.PlanResponse:
    message = pb.PlanResponse(
        decisions_needed=planned.decisions_needed,
        points=[_write_point(point, asked) for point in planned.points],
        summary=planned.summary,
    )
    if planned.time_needed is not None:
        message.time_needed.CopyFrom(duration(planned.time_needed))
    told = {name: {"value": one.value, "source": one.source} for name, one in planned.assumptions.items()}
    fill(message.assumptions, told, name="assumptions")
    return message


def _write_point(point: PlannedPoint, asked: PlanAsked) -> pb.PlanPoint:
    gain = estimates_pb2.Quantity(
        value=point.gain, low=point.gain_low, high=point.gain_high, level=asked.level, method="simulation"
    )
    return pb.PlanPoint(after=duration(point.after), decisions=point.decisions, power=point.power, gain=gain)
