"""What an evaluation found, from the dictionary that is stored to the contract's message."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from elige.client.values import fill
from elige.v1 import common_pb2, estimates_pb2
from policies.registry import PolicyError, PolicySpec
from server.evaluation.snapshots import SNAPSHOT
from server.rpc.wire import timestamp
from simulator.evaluation import CONTROL, FIXED, LOGGED, UNIFORM
from simulator.evaluation import SNAPSHOT as SNAPSHOT_ROLE

Json = Mapping[str, Any]

_ROLES = {
    LOGGED: estimates_pb2.POLICY_ROLE_LOGGED,
    UNIFORM: estimates_pb2.POLICY_ROLE_UNIFORM,
    FIXED: estimates_pb2.POLICY_ROLE_FIXED,
    CONTROL: estimates_pb2.POLICY_ROLE_CONTROL,
}
SEVERITIES = {
    "green": estimates_pb2.SEVERITY_GREEN,
    "amber": estimates_pb2.SEVERITY_AMBER,
    "red": estimates_pb2.SEVERITY_RED,
}
_SECOND = timedelta(seconds=1)


def write_result(result: Json, provenance: Json) -> estimates_pb2.EvaluationResult:
    """`result`: of `Evaluation.to_dict`; `provenance`: what it was made of and by."""
    rows = sorted(result["rows"], key=lambda row: _order(row["role"]))
    logged = next(row["estimates"]["mean"] for row in rows if row["role"] == LOGGED)
    message = estimates_pb2.EvaluationResult(
        decisions=result["period"]["n"],
        people=logged["clusters"],
        policies=[_write_policy(row) for row in rows],
        comparisons=[_write_comparison(one, result) for one in result["comparisons"]],
        findings=[write_finding(one) for one in result["findings"]],
        summary=" ".join([result["verdict"], *(one["sentence"] for one in result["comparisons"])]),
    )
    if period := _period(result["period"]):
        message.period.CopyFrom(period)
    for reason, decisions in provenance.get("left_out", {}).items():
        message.exclusions.add(reason=reason, decisions=decisions)
    for row in rows:
        message.estimates.extend(_write_row(row, result))
    for view in _views(result):
        for group in view["groups"]:
            for row in sorted(group["rows"], key=lambda row: _order(row["role"])):
                message.estimates.extend(_write_row(row, result, **_where(view, group, row)))
    told = {name: value for name, value in provenance.items() if name != "left_out"}
    fill(message.provenance, {**result["provenance"], **told}, name="provenance")
    return message


def write_finding(finding: Json) -> estimates_pb2.Finding:
    message = estimates_pb2.Finding(
        check=finding["check"],
        severity=SEVERITIES[finding["severity"]],
        message=finding["says"],
        advice=finding["do"],
        slot=finding.get("slot", ""),
    )
    numbers = {name: value for name, value in finding["numbers"].items() if value is not None}
    fill(message.numbers, numbers, name="numbers")
    return message


def _order(role: str) -> int:
    """Those asked for first, then those that always stand beside them."""
    return (*_ROLES,).index(role) if role in _ROLES else -1


def _write_policy(row: Json) -> estimates_pb2.JudgedPolicy:
    role = _ROLES.get(row["role"], estimates_pb2.POLICY_ROLE_CANDIDATE)
    return estimates_pb2.JudgedPolicy(label=row["name"], role=role, policy=write_spec(row["name"]))


def write_spec(name: str) -> common_pb2.PolicySpec:
    """A policy as the command line names it; by its name alone where that is no specification."""
    if name.startswith(SNAPSHOT):
        return common_pb2.PolicySpec(snapshot=name.removeprefix(SNAPSHOT))
    try:
        spec = PolicySpec.parse(name)
    except PolicyError:
        return common_pb2.PolicySpec(name=name)
    message = common_pb2.PolicySpec(name=spec.name)
    fill(message.parameters, spec.parameters, name="parameters")
    return message


def _write_row(row: Json, result: Json, **where: Any) -> Iterator[estimates_pb2.Estimate]:
    """One estimate by each estimator, or by each of those asked for the refusal."""
    diagnostics = row["diagnostics"] or {}
    common = {"policy": row["name"], "support": diagnostics.get("support", 1.0 if row["estimates"] else 0.0), **where}
    if row["refusal"] is not None:
        refusal = estimates_pb2.EstimateRefusal(reason=_reason(row), message=row["refusal"])
        known = {
            "decisions": row["period"]["n"],
            "effective_sample_size": diagnostics.get("ess", 0.0),
            "largest_weight": diagnostics.get("max_weight", 0.0),
        }
        for estimator in result["estimators"]:
            yield estimates_pb2.Estimate(estimator=estimator, refusal=refusal, **known, **common)
        return
    for estimator, found in row["estimates"].items():
        yield estimates_pb2.Estimate(
            estimator=estimator,
            decisions=found["n"],
            people=found["clusters"],
            effective_sample_size=found["ess"],
            largest_weight=found["max_weight"],
            value=_quantity(found, result, forced=row["forced"]),
            **common,
        )


def _quantity(found: Json, result: Json, *, forced: bool = False) -> estimates_pb2.Quantity:
    return estimates_pb2.Quantity(
        value=found["value"],
        low=found["low"],
        high=found["high"],
        level=result["confidence"],
        method=found["interval"],
        standard_error=found["standard_error"],
        forced=forced,
    )


def _reason(row: Json) -> str:
    """In short: the check that refused it; a snapshot without one knows too much of this log."""
    red = next((one["check"] for one in row["findings"] if one["severity"] == "red"), None)
    if red is not None:
        return str(red)
    return "trained_on_it" if row["role"] == SNAPSHOT_ROLE else "no_support"


def _write_comparison(one: Json, result: Json) -> estimates_pb2.Comparison:
    # what the control group earned is a plain mean, and so is what it is compared with
    estimator = "mean" if one["against"] == CONTROL else result["headline"]
    return estimates_pb2.Comparison(
        policy=one["policy"],
        against=one["against"],
        estimator=estimator,
        difference=_quantity(one["difference"], result),
        p_value=one["p_value"],
        sentence=one["sentence"],
    )


def _views(result: Json) -> Iterator[Json]:
    if result["groups"]:
        yield {"kind": "group", "key": result["by"], "groups": result["groups"]}
    yield from result["views"]


def _where(view: Json, group: Json, row: Json) -> dict[str, Any]:
    """Which of an estimate's fields say what a view's group is."""
    match view["kind"]:
        case "slot":
            return {"slot": group["name"]}
        case "metric":
            return {"metric": group["name"]}
        case "time":
            period = _period(row["period"])
            return {"period": period} if period else {"segment": group["name"]}
    return {"segment": f"{view['key']}={group['name']}"}


def _period(period: Json) -> common_pb2.Period | None:
    """None for a log that has only an order. The last decision is inside: its time is written to the second."""
    try:
        start, end = (datetime.fromisoformat(period[side]).astimezone(UTC) for side in ("start", "end"))
    except ValueError:
        return None
    return common_pb2.Period(since=timestamp(start), until=timestamp(end + _SECOND))
