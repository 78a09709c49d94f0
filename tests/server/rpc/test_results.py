"""What an evaluation found arrives whole: through a real server, beside what is computed here of the same log."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from elige.client.values import to_dict
from elige.v1 import estimates_pb2
from elige.v1 import evaluations_pb2 as pb
from server.evaluation.request import EvaluationRequest
from server.evaluation.run import run
from server.evaluation.stored import Stored
from server.rpc.results_wire import write_result
from server.store.database import Database

YESTERDAY = timedelta(days=1)


@pytest.fixture
def decided(put: Any, hero: str, log: Any, clock: Any, new_trainer: Callable[..., Any]) -> Database:
    """500 decisions of yesterday and the day before about a page of two slots, drawn at random."""
    clock.now = datetime.now(UTC).replace(hour=1, minute=0, second=0, microsecond=0) - 2 * YESTERDAY
    uniform = hero.replace("slots:\n  headline:", "slots:\n  headline:\n    policy: uniform")
    put(uniform.replace("  cta:", "  cta:\n    policy: uniform"))
    for _ in range(4):
        log.visits(125)
        clock.move(hours=12)
    new_trainer().step(datetime.now(UTC))
    return log.database  # type: ignore[no-any-return]


def told(server: Any, **asked: Any) -> estimates_pb2.EvaluationResult:
    """The result of an evaluation that a process of its own computes."""
    begun = server.evaluations.StartEvaluation(pb.StartEvaluationRequest(campaign="hero", **asked), timeout=60)
    *_, done = server.evaluations.WatchEvaluation(pb.WatchEvaluationRequest(id=begun.id), timeout=120)
    assert done.state == pb.EVALUATION_STATE_DONE, done.error
    return done.result  # type: ignore[no-any-return]


def computed(database: Database, **asked: Any) -> dict[str, Any]:
    """The dictionary of the same evaluation, as it is in this process."""
    request = EvaluationRequest("hero", **{"estimators": ("snips",), **asked})
    return run(Stored(database), request, now=datetime.now(UTC).timestamp()).to_dict()


def of(found: Any, **where: Any) -> dict[tuple[str, str], estimates_pb2.Estimate]:
    """The estimates of one part of the log, by policy and estimator."""
    parts = {"slot": "", "metric": "", "segment": "", **where}
    return {
        (one.policy, one.estimator): one
        for one in found.estimates
        if all(getattr(one, name) == value for name, value in parts.items()) and not one.HasField("period")
    }


def check_rows(rows: list[dict[str, Any]], estimates: dict[tuple[str, str], estimates_pb2.Estimate]) -> None:
    """Every number of every row is there, or its refusal."""
    assert {policy for policy, _ in estimates} == {row["name"] for row in rows}
    for row in rows:
        for name, found in row["estimates"].items():
            one = estimates[row["name"], name]
            assert (one.value.value, one.value.low, one.value.high) == (found["value"], found["low"], found["high"])
            assert (one.value.method, one.value.standard_error) == (found["interval"], found["standard_error"])
            assert (one.decisions, one.people) == (found["n"], found["clusters"])
            assert one.value.forced == row["forced"]
        if row["refusal"] is not None:
            assert estimates[row["name"], "snips"].refusal.message == row["refusal"]


def plain(value: Any) -> Any:
    """As JSON tells it."""
    return json.loads(json.dumps(value))


def findings_of(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    for row in rows:
        yield from ((row["name"], one["check"], one["says"]) for one in row["findings"])


def test_a_page_in_all_its_parts(server: Any, decided: Database, sql: Callable[..., Any]) -> None:
    sql(
        "UPDATE decisions SET group_name = 'control' WHERE decision_id IN "
        "(SELECT decision_id FROM rewards WHERE sequence % 9 = 0)"
    )
    first = "SELECT decision_id FROM rewards WHERE sequence <= 20"
    sql(f'UPDATE decisions SET labels = \'{{"send": "few"}}\' WHERE decision_id IN ({first})')
    policies = ("headline=fixed:price + cta=fixed:demo",)
    asked = {"by": ("country", "send"), "metrics": ("click",), "policies": policies}
    messages = [{"name": policies[0]}]
    found = told(server, **{**asked, "policies": messages}, estimators=["snips"], every={"seconds": 86_400})
    here = computed(decided, **asked, every=timedelta(days=1))

    check_rows(here["rows"], of(found))
    judged = {one.label: one for one in found.policies}
    assert {label: one.note for label, one in judged.items()} == {
        **dict.fromkeys(judged, ""),
        **{row["name"]: row["note"] for row in here["rows"]},
    }
    whole = [
        (label, one.check, one.message)
        for label, policy in judged.items()
        for one in policy.findings
        if not (one.slot or one.metric or one.segment or one.HasField("period"))
    ]
    assert sorted(whole) == sorted(findings_of(here["rows"]))
    assert [(one.check, one.message, one.advice) for one in found.findings] == [
        (one["check"], one["says"], one["do"]) for one in here["findings"]
    ]
    assert list(found.notes) == here["notes"]

    for group in here["groups"]:
        check_rows(group["rows"], of(found, segment=f"country={group['name']}"))
    views = {(view["kind"], view["key"]): view["groups"] for view in here["views"]}
    assert views.keys() == {("slot", None), ("group", "send"), ("time", "1d"), ("metric", None)}
    _, few = views["group", "send"]
    estimates = of(found, segment=f"send={few['name']}")
    assert {policy for policy, _ in estimates} == {row["name"] for row in here["rows"]}
    assert {(one.refusal.reason, one.refusal.message) for one in estimates.values()} == {("too_few", few["refusal"])}
    for group in views["slot", None]:
        check_rows(group["rows"], of(found, slot=group["name"]))
        assert {row["name"] for row in group["rows"]} <= judged.keys()
        slotted = [
            (label, one.check, one.message)
            for label, policy in judged.items()
            for one in policy.findings
            if one.slot == group["name"]
        ]
        assert sorted(slotted) == sorted(findings_of(group["rows"]))
    for group in views["metric", None]:
        check_rows(group["rows"], of(found, metric=group["name"]))
    stretches = [one.period for one in found.estimates if one.HasField("period") and one.policy == "logged"]
    days = [{(one.policy, one.estimator): one for one in found.estimates if one.period == day} for day in stretches]
    assert len(days) == len(views["time", "1d"]) == 2
    for group, estimates in zip(views["time", "1d"], days, strict=True):
        check_rows(group["rows"], estimates)

    lift = next(one for one in found.comparisons if one.against == "control")
    assert (lift.difference.value, lift.sentence) == (here["lift"]["difference"]["value"], here["lift"]["sentence"])
    for one, expected in zip(found.comparisons, here["comparisons"], strict=True):
        assert (one.policy, one.against) == (expected["policy"], expected["against"])
        assert one.difference.method == expected["difference"]["interval"]
        assert (one.relative.value if one.HasField("relative") else None) == (
            expected["relative"]["value"] if expected["relative"] else None
        )
        assert (one.more_decisions if one.HasField("more_decisions") else None) == expected["more_decisions"]


def test_what_is_forced_is_marked(decided: Database, sql: Callable[..., Any]) -> None:
    sql("UPDATE choices SET variant = 'hours' WHERE slot = 'headline' AND variant = 'trust'")
    here = computed(decided, slot="headline", policies=("fixed:price",), force=True)
    found = write_result(here, {})
    assert {row["name"] for row in here["rows"] if row["forced"]} >= {"fixed:price"}
    check_rows(here["rows"], of(found))
    assert "SEVERITY_RED" in {estimates_pb2.Severity.Name(one.severity) for one in found.findings}


def test_a_grid_and_a_replay(decided: Database) -> None:
    here = computed(decided, slot="headline", grid=("softmax:lambda=1|2",), force=True)
    grid = write_result(here, {})
    assert grid.grid.chosen == here["grid"]["chosen"]
    check_rows(here["grid"]["rows"], {(one.policy, one.estimator): one for one in grid.grid.estimates})
    assert {one.label for one in grid.policies} >= {"softmax:lambda=1", "softmax:lambda=2"}
    assert (
        grid.trained.since.ToDatetime(UTC) < grid.grid.period.since.ToDatetime(UTC) <= grid.period.since.ToDatetime(UTC)
    )

    here = computed(decided, slot="headline", policies=("thompson",), replay="rejection", learn_every="20", force=True)
    replayed = write_result(here, {})
    check_rows(here["rows"], of(replayed))
    assert [to_dict(one) for one in replayed.replays] == plain(here["replays"])
