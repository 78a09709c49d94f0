"""Evaluations as jobs, through a real server: asked for once, computed by a process of its own, followed, stopped."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from elige.client.values import to_dict
from elige.v1 import decisions_pb2, estimates_pb2
from elige.v1 import evaluations_pb2 as pb
from server.evaluation import calls, jobs
from server.evaluation.log import read_log
from server.rpc.services import evaluations as service
from server.store.database import Database
from simulator import evaluate

Refusal = Callable[..., tuple[str, str]]


@pytest.fixture
def matured(put: Any, hero: str, log: Any, clock: Any, new_trainer: Callable[..., Any]) -> None:
    """Four hundred decisions of yesterday, with what they earned; nobody trains."""
    clock.now = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    put(hero.replace("context:", "policy: uniform\ncontext:"))
    for _ in range(4):
        log.visits(100)
        clock.move(minutes=10)
    new_trainer().step(datetime.now(UTC))


@pytest.fixture
def nobody_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluations stay queued."""
    monkeypatch.setattr(jobs.Jobs, "_take", lambda self: None)


def start(server: Any, campaign: str = "hero", **asked: Any) -> Any:
    return server.evaluations.StartEvaluation(pb.StartEvaluationRequest(campaign=campaign, **asked), timeout=60)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_evaluation_from_start_to_result(server: Any, matured: None, database: Database) -> None:
    policies = [{"name": "fixed", "parameters": {"variant": "price"}}]
    asked = start(server, slots=["headline"], policies=policies, by=["country"], request_id="r1", level=0.9)
    assert (asked.state, asked.progress) == (pb.EVALUATION_STATE_QUEUED, 0.0)
    told = list(server.evaluations.WatchEvaluation(pb.WatchEvaluationRequest(id=asked.id), timeout=120))
    assert [one.progress for one in told] == sorted(one.progress for one in told)
    assert not any(one.HasField("result") for one in told[:-1])
    done = told[-1]
    assert done.state == pb.EVALUATION_STATE_DONE, done.error
    assert done.started_at.ToDatetime() <= done.finished_at.ToDatetime()
    assert done == server.evaluations.GetEvaluation(pb.GetEvaluationRequest(id=asked.id))

    here = evaluate(read_log(database, "hero"), estimators=["snips", "dr"], confidence=0.9)
    result = done.result
    assert (result.decisions, result.people) == (here.period.n, here.log.persons) == (400, 400)
    whole = {(one.policy, one.estimator): one for one in result.estimates if not one.segment}
    for row in here.rows:
        for name, found in row.estimates.items():
            stored = whole[row.name, name]
            assert (stored.value.value, stored.value.low, stored.value.high) == (found.value, found.low, found.high)
            assert (stored.value.level, stored.decisions, stored.effective_sample_size) == (0.9, found.n, found.ess)
    roles = {one.label: estimates_pb2.PolicyRole.Name(one.role) for one in result.policies}
    assert roles["logged"] == "POLICY_ROLE_LOGGED"
    assert roles["fixed:price"] == "POLICY_ROLE_FIXED"
    assert {one.segment for one in result.estimates} == {"", "country=ES", "country=PT"}
    assert here.verdict in result.summary
    assert result.findings
    assert result.period.since.ToDatetime(UTC) < result.period.until.ToDatetime(UTC) <= datetime.now(UTC)
    provenance = to_dict(result.provenance)
    assert provenance["extent"] == {"through": 400, "version": 1, "snapshot": None, "counted": 400}
    assert provenance["formula"] == "click + 0.01 * revenue"
    assert "numpy" in provenance["versions"]

    again = start(server, slots=["headline"], policies=policies, by=["country"], request_id="r1", level=0.9)
    assert again == done


def test_what_can_not_be_asked_is_refused_at_once(
    server: Any, matured: None, refusal: Refusal, nobody_computes: None, sql: Callable[..., list[Any]]
) -> None:
    def refused(**asked: Any) -> tuple[str, str]:
        request = pb.StartEvaluationRequest(**{"campaign": "hero", **asked})
        return refusal(server.evaluations.StartEvaluation, request)

    assert refused(campaign="nope") == ("NOT_FOUND", "no campaign 'nope'; known: 'hero'")
    assert refused(policies=[{"snapshot": "7"}]) == ("NOT_FOUND", "campaign 'hero' has no snapshot 7")
    for asked, told in (
        ({"campaign": ""}, "campaign: missing"),
        ({"policies": [{"name": "nope"}]}, "'nope'"),
        ({"policies": [{"name": "epsilon", "parameters": {"epsilon": 7}}]}, "epsilon"),
        ({"policies": [{"snapshot": "x"}]}, "'snapshot:x': expected snapshot:NUMBER"),
        ({"policies": [{"snapshot": "7", "name": "epsilon"}]}, "expected no name"),
        ({"policies": [{"name": "uniform"}] * 101}, "101 policies: expected at most 100"),
        ({"estimators": ["guess"]}, "'guess'"),
        ({"slots": ["nope"]}, "no slot 'nope'; it has: headline, cta"),
        ({"slots": ["headline", "nope"]}, "no slot 'nope'; it has: headline, cta"),
        ({"slots": ["cta", "cta"]}, "slots ['cta', 'cta']: expected none, one, or several that differ"),
        ({"where": "country = 'ES'"}, "country = 'ES'"),
        ({"reward": "nope + 1"}, "nope"),
        ({"reward_low": 0.0}, "reward_low: expected together with reward"),
        ({"reward": "click", "reward_high": 1.0}, "reward_high alone: expected reward_low and reward_high"),
        ({"interval": "exact"}, "interval 'exact': expected one of skewed"),
        ({"interval": "anytime"}, "estimator 'snips' has no anytime interval"),
        ({"model": "trees"}, "model 'trees': expected one of linear, vw, none"),
        ({"replay": "backwards"}, "replay 'backwards': expected one of auto"),
        ({"replay": "auto", "learn_every": "soon"}, "learn every 'soon'"),
        ({"learn_every": "50"}, "learn_every '50': expected together with replay"),
        ({"replay": "auto"}, "a replay is of one slot; expected one of headline, cta as the slot"),
        ({"grid": ["squarecb:gamma_scale=1|2"]}, "a grid is of one slot"),
        ({"grid": ["squarecb"], "slots": ["cta"]}, "a grid of 1 combination"),
        ({"grid": ["squarecb:gamma_scale=1|2"], "metrics": ["click"]}, "a grid is chosen by the reward"),
        ({"seed": 2**53 + 1}, "seed 9007199254740993: expected 0 to"),
        ({"metrics": ["nope"]}, "no metric 'nope'"),
        ({"level": 1.0}, "confidence 1.0"),
        ({"level": 5e-324}, "confidence 5e-324: expected a number from 0.001"),
        ({"by": ["country"] * 21}, "by: 21 keys: expected at most 20"),
        ({"by": ["x" * 70_000]}, "bytes: expected at most 65,536"),
        ({"train_share": 0.0}, "train_share 0.0"),
        ({"seed": -1}, "seed -1: expected 0 to 9007199254740992"),
        ({"every": {"seconds": 1}}, "expected at least 1 minute"),
        ({"language": "fr"}, "language 'fr'"),
        ({"period": {"since": {"seconds": 5}, "until": {"seconds": 5}}}, "is not after since"),
        ({"period": {"since": {"seconds": 10**15}}}, "no time of this calendar"),
        ({"request_id": "x" * 257}, "request_id of 257 bytes"),
    ):
        code, text = refused(**asked)
        assert (code, told in text) == ("INVALID_ARGUMENT", True), (asked, code, text)
    assert refused(policies=[{"name": "uniform", "label": "even"}])[0] == "UNIMPLEMENTED"
    assert sql("SELECT * FROM evaluations") == []


def test_a_request_id_is_good_for_one_request(
    server: Any, matured: None, refusal: Refusal, nobody_computes: None
) -> None:
    first = start(server, request_id="r1")
    assert start(server, request_id="r1").id == first.id
    assert start(server).id != first.id
    other = pb.StartEvaluationRequest(campaign="hero", seed=1, request_id="r1")
    code, text = refusal(server.evaluations.StartEvaluation, other)
    assert (code, text) == ("ALREADY_EXISTS", "request_id 'r1' was used before with another payload")


def test_what_was_asked_is_told_back(server: Any, matured: None, nobody_computes: None) -> None:
    request = pb.StartEvaluationRequest(
        campaign="hero",
        policies=[{"name": "epsilon", "parameters": {"epsilon": 0.1}}, {"name": "headline=uniform + cta=fixed:try"}],
        where="country == 'ES'",
        slots=["headline", "cta"],
        estimators=["ips"],
        reward="click * 2",
        reward_low=0.0,
        reward_high=2.0,
        interval="normal",
        model="none",
        estimate_propensities=True,
        metrics=["click"],
        by=["country"],
        train_share=0.25,
        level=0.8,
        force=True,
        seed=3,
        language="es",
        request_id="r1",
    )
    request.period.since.FromJsonString("2026-01-01T00:00:00Z")
    request.period.until.FromJsonString("2027-01-01T00:00:00Z")
    request.every.FromJsonString("3600s")
    assert server.evaluations.StartEvaluation(request).request == request


@pytest.mark.parametrize(
    "asked",
    [{"grid": ["squarecb:gamma_scale=1|2"]}, {"replay": "rejection", "learn_every": "1h"}],
    ids=["grid", "replay"],
)
def test_how_one_slot_is_learned_is_told_back(
    server: Any, matured: None, nobody_computes: None, asked: dict[str, Any]
) -> None:
    request = pb.StartEvaluationRequest(campaign="hero", slots=["cta"], request_id="r1", **asked)
    told = server.evaluations.StartEvaluation(request).request
    for name, value in asked.items():
        assert getattr(told, name) == value
    usual = server.evaluations.StartEvaluation(pb.StartEvaluationRequest(campaign="hero")).request
    assert (usual.interval, usual.model, usual.replay, usual.learn_every) == ("skewed", "linear", "", "")


def test_lists_by_page_and_state(
    server: Any, matured: None, refusal: Refusal, nobody_computes: None, sql: Callable[..., list[Any]]
) -> None:
    asked = [start(server).id for _ in range(5)]
    newest = [str(row[0]) for row in sql("SELECT evaluation_id FROM evaluations ORDER BY created_at DESC")]
    assert set(newest) == set(asked)
    server.evaluations.CancelEvaluation(pb.CancelEvaluationRequest(id=newest[1]))

    def listed(**wanted: Any) -> Any:
        return server.evaluations.ListEvaluations(pb.ListEvaluationsRequest(**wanted))

    first = listed(page_size=2)
    start(server)
    second = listed(page_size=2, page_token=first.next_page_token)
    third = listed(page_size=2, page_token=second.next_page_token)
    assert [one.id for page in (first, second, third) for one in page.evaluations] == newest
    assert third.next_page_token == ""
    assert [one.id for one in listed(states=[pb.EVALUATION_STATE_CANCELLED]).evaluations] == [newest[1]]
    assert list(listed(campaign="other").evaluations) == []
    bad = pb.ListEvaluationsRequest(page_token=first.next_page_token, campaign="hero")
    assert refusal(server.evaluations.ListEvaluations, bad)[0] == "INVALID_ARGUMENT"
    unknown = pb.ListEvaluationsRequest(states=[9])  # type: ignore[list-item]
    assert refusal(server.evaluations.ListEvaluations, unknown)[0] == "INVALID_ARGUMENT"


def test_who_watches_hears_of_the_cancellation(
    server: Any, matured: None, nobody_computes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "WATCH_SECONDS", 0.01)
    asked = start(server)
    told = server.evaluations.WatchEvaluation(pb.WatchEvaluationRequest(id=asked.id), timeout=60)
    assert next(told).state == pb.EVALUATION_STATE_QUEUED
    cancelled = server.evaluations.CancelEvaluation(pb.CancelEvaluationRequest(id=asked.id))
    assert cancelled.state == pb.EVALUATION_STATE_CANCELLED
    assert [one.state for one in told] == [pb.EVALUATION_STATE_CANCELLED]
    # once more changes nothing
    assert server.evaluations.CancelEvaluation(pb.CancelEvaluationRequest(id=asked.id)) == cancelled


@pytest.mark.parametrize("call", ["GetEvaluation", "CancelEvaluation", "WatchEvaluation"])
def test_one_that_there_is_not(server: Any, refusal: Refusal, call: str) -> None:
    request = getattr(pb, f"{call}Request")(id="nope")

    def whole(asked: Any, **given: Any) -> object:
        answer = getattr(server.evaluations, call)(asked, **given)
        return list(answer) if call == "WatchEvaluation" else answer

    assert refusal(whole, request) == (
        "NOT_FOUND",
        "no evaluation 'nope': expected an id of ListEvaluations, or of elige evaluation list",
    )


@pytest.mark.parametrize("call", ["Plan", "Diagnose"])
def test_what_computes_ends_with_its_caller(
    server: Any, hero: str, put: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, call: str
) -> None:
    put(hero)
    file = tmp_path / "pid"
    says = f"import os, pathlib; pathlib.Path({str(file)!r}).write_text(str(os.getpid()))"
    waits = f"{says}\nwhile os.read(0, 1024): pass"
    monkeypatch.setattr(calls, "COMMAND", ("-S", "-c", waits))
    asked = getattr(server.evaluations, call).future(getattr(pb, f"{call}Request")(campaign="hero"), timeout=60)
    until(lambda: file.exists() and file.read_text())
    server.decisions.Decide(decisions_pb2.DecideRequest(campaign="hero"), timeout=60)  # nobody waits for it
    asked.cancel()
    until(lambda: not alive(int(file.read_text())))


def test_one_that_another_version_kept_hides_no_other(
    server: Any, matured: None, nobody_computes: None, sql: Callable[..., list[Any]]
) -> None:
    first, second = start(server, request_id="r1"), start(server)
    sql("UPDATE evaluations SET request = '{\"weather\": 1}' WHERE evaluation_id = :id", id=first.id)
    listed = server.evaluations.ListEvaluations(pb.ListEvaluationsRequest(), timeout=60).evaluations
    assert {one.id: (one.request.campaign, one.request.request_id) for one in listed} == {
        first.id: ("hero", "r1"),
        second.id: ("hero", ""),
    }
