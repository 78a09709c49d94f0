"""What an evaluation found, from the dictionary that is stored to the contract's message."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from elige.client.values import fill
from elige.v1 import common_pb2, estimates_pb2
from policies.registry import PolicyError, PolicySpec
from server.evaluation.snapshots import SNAPSHOT
from server.rpc.wire import timestamp
from simulator.groups import MIN_ROUNDS
from simulator.rows import CONTROL, FIXED, LOGGED, UNIFORM
from simulator.rows import SNAPSHOT as SNAPSHOT_ROLE

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
        policies=_write_policies(result, rows, result["provenance"].get("policies") or {}),
        comparisons=[_write_comparison(one, result) for one in result["comparisons"]],
        notes=result["notes"],
        findings=[write_finding(one) for one in result["findings"]],
        summary=" ".join([result["verdict"], *(one["sentence"] for one in result["comparisons"])]),
    )
    if period := _period(result["period"]):
        message.period.CopyFrom(period)
    if result["trained"] and (trained := _period(result["trained"])):
        message.trained.CopyFrom(trained)
    for reason, decisions in (provenance.get("left_out") or {}).items():
        message.exclusions.add(reason=reason, decisions=decisions)
    for row in rows:
        message.estimates.extend(_write_row(row, result))
    for view, group in _groups(result):
        for row in sorted(group["rows"], key=lambda row: _order(row["role"])):
            message.estimates.extend(_write_row(row, result, **_where(view, group, row["period"])))
        if group["refusal"] is not None:
            message.estimates.extend(_write_refused_group(view, group, rows, result))
    if result.get("grid"):
        message.grid.CopyFrom(_write_grid(result["grid"], result))
    for replay in result.get("replays", ()):
        fill(message.replays.add(), replay, name="replays")
    told = {name: value for name, value in provenance.items() if name != "left_out"}
    fill(message.provenance, {**result["provenance"], **told}, name="provenance")
    return message


def write_finding(finding: Json, **where: Any) -> estimates_pb2.Finding:
    """where: fields of the message that say what of the log it is about."""
    message = estimates_pb2.Finding(
        check=finding["check"],
        severity=SEVERITIES[finding["severity"]],
        message=finding["says"],
        advice=finding["do"],
        **{"slot": finding.get("slot", ""), **where},
    )
    numbers = {name: value for name, value in finding["numbers"].items() if value is not None}
    fill(message.numbers, numbers, name="numbers")
    return message


def _order(role: str) -> int:
    """Those asked for first, then those that always stand beside them."""
    return (*_ROLES,).index(role) if role in _ROLES else -1


def _write_policies(result: Json, rows: Sequence[Json], configured: Json) -> list[estimates_pb2.JudgedPolicy]:
    """Those of the whole log, and after them those of some part of it alone; with what was found about each, and how it
    was configured, which results of earlier versions do not say.
    """
    written = {row["name"]: _write_policy(row, row["note"]) for row in rows}
    for row in rows:
        written[row["name"]].findings.extend(map(write_finding, row["findings"]))
    for view, group in _groups(result):
        for row in group["rows"]:
            policy = written.setdefault(row["name"], _write_policy(row, ""))
            where = _where(view, group, row["period"])
            policy.findings.extend(write_finding(one, **where) for one in row["findings"])
    for row in result["grid"]["rows"] if result.get("grid") else ():
        written.setdefault(row["name"], _write_policy(row, ""))
    for name, slots in configured.items():
        if name in written:
            written[name].arguments.extend(common_pb2.SlotPolicy(slot=slot, **one) for slot, one in slots.items())
    return list(written.values())


def _write_policy(row: Json, note: str) -> estimates_pb2.JudgedPolicy:
    role = _ROLES.get(row["role"], estimates_pb2.POLICY_ROLE_CANDIDATE)
    return estimates_pb2.JudgedPolicy(label=row["name"], role=role, policy=write_spec(row["name"]), note=note)


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
            note="; ".join(note for note in (found["note"], row["note"] if where else "") if note),
            **common,
        )


def _write_refused_group(
    view: Json, group: Json, rows: Sequence[Json], result: Json
) -> Iterator[estimates_pb2.Estimate]:
    """The refusal of a group in which no policy could be judged, for each that was judged on the whole."""
    reason = "too_few" if group["n"] < MIN_ROUNDS else "rewards"
    refusal = estimates_pb2.EstimateRefusal(reason=reason, message=group["refusal"])
    where = _where(view, group, None)
    for row in rows:
        for estimator in ("mean",) if row["role"] in (LOGGED, CONTROL) else result["estimators"]:
            yield estimates_pb2.Estimate(
                policy=row["name"], estimator=estimator, decisions=group["n"], refusal=refusal, **where
            )


def _write_grid(grid: Json, result: Json) -> estimates_pb2.GridResult:
    message = estimates_pb2.GridResult(
        chosen=grid["chosen"], comparisons=[_write_comparison(one, result) for one in grid["comparisons"]]
    )
    for row in grid["rows"]:
        message.estimates.extend(_write_row(row, result))
    if period := _period(grid["period"]):
        message.period.CopyFrom(period)
    return message


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
        relative=_quantity(one["relative"], result) if one["relative"] else None,
        more_decisions=one["more_decisions"],
    )


def _groups(result: Json) -> Iterator[tuple[Json, Json]]:
    """Each group of each view, the first key's among them."""
    first = {"kind": "group", "key": result["by"], "groups": result["groups"]}
    for view in (first, *result["views"]):
        for group in view["groups"]:
            yield view, group


def _where(view: Json, group: Json, stretch: Json | None) -> dict[str, Any]:
    """Which fields of an estimate, or of a finding, say what a view's group is. stretch: its first and last time,
    where they are known.
    """
    match view["kind"]:
        case "slot":
            return {"slot": group["name"]}
        case "metric":
            return {"metric": group["name"]}
        case "time":
            period = _period(stretch) if stretch else None
            return {"period": period} if period else {"segment": group["name"]}
    return {"segment": f"{view['key']}={group['name']}"}


def _period(period: Json) -> common_pb2.Period | None:
    """None for a log that has only an order. The last decision is inside: its time is written to the second."""
    try:
        start, end = (datetime.fromisoformat(period[side]).astimezone(UTC) for side in ("start", "end"))
    except ValueError:
        return None
    return common_pb2.Period(since=timestamp(start), until=timestamp(end + _SECOND))
