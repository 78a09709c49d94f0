"""The front door, with a real server behind it."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy import event

from elige.client.values import fill, to_dict
from elige.v1 import campaigns_pb2, common_pb2, decisions_pb2, evaluations_pb2
from server.ids import make_decision_id
from server.rpc.server import SERVICES
from server.store.database import Database

Refusal = Callable[..., tuple[str, str]]
Sql = Callable[..., list[Any]]
ROOT = Path(__file__).parents[3]


def decide(campaign: str = "hero", context: dict[str, Any] | None = None, **given: Any) -> decisions_pb2.DecideRequest:
    message = decisions_pb2.DecideRequest(campaign=campaign, **given)
    fill(message.context, context or {}, name="context")
    return message


def reward(decision_id: str, metric: str = "click", **given: Any) -> decisions_pb2.RewardRequest:
    return decisions_pb2.RewardRequest(decision_id=decision_id, metric=metric, **given)


def status(answer: decisions_pb2.RewardResponse) -> str:
    return decisions_pb2.RewardStatus.Name(answer.status).removeprefix("REWARD_STATUS_")


@pytest.fixture
def hero_served(apply: Any, hero: str) -> str:
    apply(hero)
    return hero


# --- deciding


def test_a_decision_and_its_explanation(server: Any, hero_served: str) -> None:
    request = decide(context={"country": "ES", "orders": 3, "x": 1}, want_probabilities=True, want_refusals=True)
    request.slot_options["headline"].exclude.append("trust")
    fill(request.labels, {"page": "/"}, name="labels")
    made = server.decisions.Decide(request)
    assert [choice.slot for choice in made.choices] == ["headline", "cta"]
    assert made.choices[0].content["text"]
    assert [one.variant for one in made.choices[0].probabilities] == ["hours", "price"]
    assert made.ignored_context == ["x"]
    assert [one.variant for one in made.refusals] == ["trust"]
    server.decisions.Reward(reward(made.decision_id, value=2.0, slot="cta", key="k"))

    explained = server.evaluations.ExplainDecision(evaluations_pb2.ExplainDecisionRequest(decision_id=made.decision_id))
    assert explained.agrees
    record = explained.record
    assert record.decision.decision_id == made.decision_id
    assert [dict(choice.content) for choice in record.decision.choices] == [dict(c.content) for c in made.choices]
    assert to_dict(record.context) == {"country": "ES", "orders": 3}
    assert to_dict(record.labels) == {"page": "/"}
    assert [(one.metric, one.value, one.slot, one.key, one.late) for one in record.outcomes] == [
        ("click", 2.0, "cta", "k", False)
    ]
    assert not record.HasField("reward")
    assert not record.HasField("sequence")
    headline, cta = explained.slots
    assert [(one.variant, one.logged_eligible, one.recomputed_eligible) for one in headline.variants] == [
        ("hours", True, True),
        ("price", True, True),
        ("trust", False, False),
    ]
    assert headline.variants[2].refusal.detail == "the request excluded it"
    assert [one.logged_probability for one in cta.variants] == [0.5, 0.5]
    assert cta.variants[0].recomputed_probability == 0.5
    assert {check.verdict for slot in explained.slots for check in slot.checks} == {evaluations_pb2.VERDICT_AGREES}
    assert [check.detail for check in headline.checks] == [""] * 4


def test_a_decision_that_never_was(server: Any, hero_served: str, refusal: Refusal, database: Database) -> None:
    genuine = make_decision_id(database.secret, at=datetime.now(UTC), campaign_number=1, random=bytes(6))
    request = evaluations_pb2.ExplainDecisionRequest(decision_id=genuine)
    assert refusal(server.evaluations.ExplainDecision, request)[0] == "FAILED_PRECONDITION"
    assert status(server.decisions.Reward(reward(genuine))) == "PENDING"


def test_who_opted_out_and_dry_runs(server: Any, hero_served: str, sql: Sql) -> None:
    opted_out = server.decisions.Decide(decide(opted_out=True, person="ana"))
    assert opted_out.kind == decisions_pb2.DECISION_KIND_OPTED_OUT
    assert [choice.variant for choice in opted_out.choices] == ["hours", "try"]
    dry = server.decisions.Decide(decide(dry_run=True))
    assert dry.kind == decisions_pb2.DECISION_KIND_DRAWN
    assert (opted_out.decision_id, dry.decision_id) == ("", "")
    assert sql("SELECT * FROM decisions") == []


def test_the_same_request_again(server: Any, hero_served: str, refusal: Refusal) -> None:
    request = decide(request_id="r", context={"country": "ES"}, want_probabilities=True)
    first = server.decisions.Decide(request)
    again = server.decisions.Decide(request)
    assert again.kind == decisions_pb2.DECISION_KIND_REPEATED
    again.kind = first.kind
    assert again == first
    code, text = refusal(server.decisions.Decide, decide(request_id="r"))
    assert (code, text) == ("ALREADY_EXISTS", "request_id 'r' was used before with another payload")


def test_a_restart_forgets_nothing(start_server: Any, hero: str) -> None:
    first = start_server()
    first.campaigns.PutCampaign(campaigns_pb2.PutCampaignRequest(source=hero))
    made = first.decisions.Decide(decide(request_id="r"))
    first.decisions.Reward(reward(made.decision_id, key="k"))
    first.stop()
    second = start_server()
    assert second.decisions.Decide(decide(request_id="r")).decision_id == made.decision_id
    assert status(second.decisions.Reward(reward(made.decision_id, key="k"))) == "DUPLICATE"


# --- outcomes


def test_every_documented_answer(server: Any, hero_served: str, refusal: Refusal) -> None:
    made = server.decisions.Decide(decide())
    tell = server.decisions.Reward
    accepted = tell(reward(made.decision_id, key="k"))
    assert status(accepted) == "ACCEPTED"
    assert accepted.decision_id == made.decision_id
    assert accepted.learned_at == made.window_closes_at
    assert status(tell(reward(made.decision_id, key="k"))) == "DUPLICATE"
    wrong = {
        "forged": reward("0" * 40),
        "truncated": reward(made.decision_id[:-1]),
        "upper case": reward(made.decision_id.upper()),
        "nan": reward(made.decision_id, value=float("nan")),
        "infinite": reward(made.decision_id, value=float("-inf")),
        "metric": reward(made.decision_id, "sale"),
        "no metric": reward(made.decision_id, ""),
        "slot": reward(made.decision_id, slot="x"),
        "before": reward(made.decision_id, at=Timestamp(seconds=0)),
        "far ahead": reward(made.decision_id, at=Timestamp(seconds=int(time.time()) + 3_600)),
        "no time": reward(made.decision_id, at=Timestamp(seconds=2**60)),
        "key": reward(made.decision_id, key="k" * 257),
        "nothing": decisions_pb2.RewardRequest(),
    }
    assert {name: refusal(tell, request)[0] for name, request in wrong.items()} == dict.fromkeys(
        wrong, "INVALID_ARGUMENT"
    )
    assert "declares 'click', 'revenue'" in refusal(tell, wrong["metric"])[1]


def test_what_a_paused_campaign_shows_is_never_learned(server: Any, hero_served: str) -> None:
    paused = campaigns_pb2.CAMPAIGN_STATE_PAUSED
    server.campaigns.SetCampaignState(campaigns_pb2.SetCampaignStateRequest(campaign="hero", state=paused))
    made = server.decisions.Decide(decide())
    assert (made.reason, made.kind) == (
        decisions_pb2.REASON_CAMPAIGN_PAUSED,
        decisions_pb2.DECISION_KIND_FALLBACK,
    )
    answer = server.decisions.Reward(reward(made.decision_id))
    assert status(answer) == "ACCEPTED"
    assert not answer.HasField("learned_at")


# --- batches


def test_batches_have_their_size(server: Any, hero_served: str, refusal: Refusal, sql: Sql) -> None:
    for n in (0, 10_001):
        batches: list[tuple[Any, Any]] = [
            (server.decisions.BatchDecide, decisions_pb2.BatchDecideRequest(requests=[decide()] * n)),
            (server.decisions.BatchReward, decisions_pb2.BatchRewardRequest(requests=[reward("x")] * n)),
        ]
        for stub, request in batches:
            assert refusal(stub, request) == (
                "INVALID_ARGUMENT",
                f"{n} requests in one batch: expected 1 to 10000",
            )
    assert sql("SELECT * FROM decisions") == []


def test_every_item_of_a_batch_has_its_own_answer_in_its_place(server: Any, hero_served: str, sql: Sql) -> None:
    items = {
        "good": decide(),
        "no campaign": decide("no"),
        "no name": decide(""),
        "long request id": decide(request_id="x" * 257),
        "later": decide(send_deadline=Timestamp(seconds=1)),
        "first": decide(request_id="r", context={"country": "ES"}),
        "again": decide(request_id="r", context={"country": "ES"}),
        "clash": decide(request_id="r"),
        "last": decide(),
    }
    answer = server.decisions.BatchDecide(decisions_pb2.BatchDecideRequest(requests=items.values()), timeout=60)
    results = dict(zip(items, answer.results, strict=True))
    codes = {name: common_pb2.ErrorCode.Name(one.error.code) for name, one in results.items() if one.HasField("error")}
    assert codes == {
        "no campaign": "ERROR_CODE_NOT_FOUND",
        "no name": "ERROR_CODE_INVALID_ARGUMENT",
        "long request id": "ERROR_CODE_INVALID_ARGUMENT",
        "later": "ERROR_CODE_UNIMPLEMENTED",
        "clash": "ERROR_CODE_ALREADY_EXISTS",
    }
    assert results["again"].decision.kind == decisions_pb2.DECISION_KIND_REPEATED
    assert results["again"].decision.decision_id == results["first"].decision.decision_id
    assert len(sql("SELECT * FROM decisions")) == 3

    made = results["good"].decision.decision_id
    told = server.decisions.BatchReward(
        decisions_pb2.BatchRewardRequest(
            requests=[
                reward(made, key="k"),
                reward("forged"),
                reward(made, key="k"),
                reward(made, "sale"),
                reward(made, "revenue", value=3.0, key="k"),
            ]
        )
    )
    assert [status(one.answer) if one.HasField("answer") else one.error.code for one in told.results] == [
        "ACCEPTED",
        3,
        "DUPLICATE",
        3,
        "ACCEPTED",
    ]


def test_a_defect_in_one_item_leaves_its_neighbours_their_answers(
    server: Any, hero_served: str, monkeypatch: pytest.MonkeyPatch, sql: Sql
) -> None:
    from server.rpc import wire

    read = wire.read_decide

    def broken(message: Any) -> Any:
        if message.person == "bad":
            raise ZeroDivisionError("secret insides")
        return read(message)

    monkeypatch.setattr(wire, "read_decide", broken)
    requests = [decide(), decide(person="bad"), decide()]
    answer = server.decisions.BatchDecide(decisions_pb2.BatchDecideRequest(requests=requests))
    first, bad, last = answer.results
    assert bad.error.code == common_pb2.ERROR_CODE_INTERNAL
    assert "secret" not in bad.error.message
    assert {row.decision_id for row in sql("SELECT decision_id FROM decisions")} == {
        first.decision.decision_id,
        last.decision.decision_id,
    }


def test_a_full_batch_is_in_the_log_exactly(server: Any, hero_served: str, sql: Sql, database: Database) -> None:
    requests = [decide(context={"country": c}, want_probabilities=True) for c in ("ES", "PT") * 1_000]
    answer = server.decisions.BatchDecide(decisions_pb2.BatchDecideRequest(requests=requests), timeout=60)
    made = [result.decision for result in answer.results]
    assert len({one.decision_id for one in made}) == 2_000
    assert sql("SELECT count(*) FROM decisions") == [(2_000,)]
    for one in made:
        for choice in one.choices:
            probabilities = {each.variant: each.probability for each in choice.probabilities}
            assert abs(sum(probabilities.values()) - 1.0) < 1e-9
            assert choice.propensity == probabilities[choice.variant]
    assert min(Counter(one.choices[0].variant for one in made).values()) > 500


# --- campaigns


def test_putting_a_campaign(server: Any, apply: Any, hero: str, refusal: Refusal) -> None:
    changed = hero.replace("30m", "1h")
    results = [
        apply(hero, dry_run=True),
        apply(hero, expected_version=0),
        apply(hero),
        apply(changed, dry_run=True),
        apply(changed, expected_version=1),
    ]
    assert [(campaigns_pb2.PutResult.Name(one.result), one.campaign.version) for one in results] == [
        ("PUT_RESULT_CREATED", 1),
        ("PUT_RESULT_CREATED", 1),
        ("PUT_RESULT_UNCHANGED", 1),
        ("PUT_RESULT_CHANGED", 2),
        ("PUT_RESULT_CHANGED", 2),
    ]
    for version in (0, 1, 7):
        request = campaigns_pb2.PutCampaignRequest(source=hero, expected_version=version)
        assert refusal(server.campaigns.PutCampaign, request) == (
            "ABORTED",
            f"campaign 'hero' is at version 2, expected {version}: read it again, then apply",
        )
    got = server.campaigns.GetCampaign(campaigns_pb2.GetCampaignRequest(campaign="hero", version=1))
    assert (got.version, got.source, got.state) == (1, hero, campaigns_pb2.CAMPAIGN_STATE_ACTIVE)
    assert got.document["reward"]["window"] == "PT30M"
    assert [one.slot for one in got.policies] == ["headline", "cta"]
    assert "squarecb: --cb_explore_adf --squarecb" in got.policies[0].arguments


def test_mistakes_are_all_told_with_the_lines_of_the_file(apply: Any, hero: str, server: Any) -> None:
    wrong = hero.replace("once", "twice").replace("30m", "soon").replace("default: try", "default: tri")
    answer = apply(wrong, first_line=101, file_name="/tmp/hero.yaml")
    assert answer.result == campaigns_pb2.PUT_RESULT_REFUSED
    assert [(one.line, one.field, one.value) for one in answer.mistakes] == [
        (102, "metrics.click", "'twice'"),
        (103, "reward.window", "'soon'"),
        (113, "slots.cta.default", "'tri'"),
    ]
    assert all(one.expected and one.column and one.message for one in answer.mistakes)
    assert not answer.HasField("campaign")
    assert list(server.campaigns.ListCampaigns(campaigns_pb2.ListCampaignsRequest()).campaigns) == []


@pytest.mark.parametrize(
    "source",
    ["", "\x00", "[", "a: b: c", "- 1", "{}", "campaign: [", "%YAML 9.9\n---\n", "&a [*a]", "x" * 600_000, "\t", "😀"],
)
def test_no_text_breaks_the_door(source: str, apply: Any) -> None:
    answer = apply(source, first_line=11)
    assert answer.result == campaigns_pb2.PUT_RESULT_REFUSED
    assert answer.mistakes
    assert all(one.line >= 0 for one in answer.mistakes)


def test_wrong_ways_of_putting(server: Any, hero: str, refusal: Refusal) -> None:
    put = server.campaigns.PutCampaign
    two = f"{hero}---\n{hero.replace('campaign: hero', 'campaign: b')}"
    wrong = {
        "line": campaigns_pb2.PutCampaignRequest(source=hero, first_line=2**31 - 1),
        "no line": campaigns_pb2.PutCampaignRequest(source=hero, first_line=0),
        "negative line": campaigns_pb2.PutCampaignRequest(source=hero, first_line=-5),
        "state": campaigns_pb2.PutCampaignRequest(source=hero, initial_state=campaigns_pb2.CAMPAIGN_STATE_KILLED),
        "unknown state": campaigns_pb2.PutCampaignRequest(source=hero, initial_state=77),
        "two": campaigns_pb2.PutCampaignRequest(source=two),
    }
    assert {name: refusal(put, request)[0] for name, request in wrong.items()} == dict.fromkeys(
        wrong, "INVALID_ARGUMENT"
    )


def test_drafts_and_archives(server: Any, apply: Any, hero: str, refusal: Refusal) -> None:
    draft = campaigns_pb2.CAMPAIGN_STATE_DRAFT
    assert apply(hero, initial_state=draft).campaign.state == draft
    assert server.decisions.Decide(decide()).reason == decisions_pb2.REASON_CAMPAIGN_DRAFT
    assert server.decisions.Decide(decide(dry_run=True)).reason == decisions_pb2.REASON_DRAWN

    def become(state: int, **given: Any) -> campaigns_pb2.SetCampaignStateRequest:
        return campaigns_pb2.SetCampaignStateRequest(campaign="hero", state=state, **given)  # type: ignore[arg-type]

    change = server.campaigns.SetCampaignState
    assert change(become(campaigns_pb2.CAMPAIGN_STATE_ACTIVE)).version == 2
    made = server.decisions.Decide(decide())
    assert refusal(change, become(draft))[0] == "FAILED_PRECONDITION"
    assert refusal(change, become(0))[0] == refusal(change, become(99))[0] == "INVALID_ARGUMENT"
    stale = become(campaigns_pb2.CAMPAIGN_STATE_ACTIVE, expected_version=1)
    assert refusal(change, stale)[0] == "ABORTED"
    change(become(campaigns_pb2.CAMPAIGN_STATE_ARCHIVED))
    assert refusal(server.decisions.Decide, decide()) == (
        "NOT_FOUND",
        "campaign 'hero' is archived: it decides no more",
    )
    assert refusal(change, become(campaigns_pb2.CAMPAIGN_STATE_ACTIVE))[0] == "FAILED_PRECONDITION"
    assert refusal(server.campaigns.PutCampaign, campaigns_pb2.PutCampaignRequest(source=hero))[0] == (
        "FAILED_PRECONDITION"
    )
    assert status(server.decisions.Reward(reward(made.decision_id))) == "ACCEPTED"


def test_pages_of_campaigns(server: Any, apply: Any, hero: str, refusal: Refusal) -> None:
    names = [f"c{i}" for i in range(5)]
    for name in reversed(names):
        apply(hero.replace("campaign: hero", f"campaign: {name}"))
    ask = server.campaigns.ListCampaigns
    token, pages = "", []
    for _ in range(9):
        page = ask(campaigns_pb2.ListCampaignsRequest(page_size=2, page_token=token))
        pages.append([one.name for one in page.campaigns])
        token = page.next_page_token
        if not token:
            break
        # whatever comes or goes in between
        apply(hero.replace("campaign: hero", f"campaign: a{len(pages)}"))
        state = campaigns_pb2.SetCampaignStateRequest(campaign="c1", state=campaigns_pb2.CAMPAIGN_STATE_PAUSED)
        server.campaigns.SetCampaignState(state)
    assert pages == [["c0", "c1"], ["c2", "c3"], ["c4"]]
    page = ask(campaigns_pb2.ListCampaignsRequest(page_size=2))
    assert not page.campaigns[0].source
    wrong = [
        campaigns_pb2.ListCampaignsRequest(page_size=-1),
        campaigns_pb2.ListCampaignsRequest(page_token="x"),
        campaigns_pb2.ListCampaignsRequest(
            page_token=page.next_page_token, states=[campaigns_pb2.CAMPAIGN_STATE_PAUSED]
        ),
    ]
    assert {refusal(ask, request)[0] for request in wrong} == {"INVALID_ARGUMENT"}
    assert refusal(ask, campaigns_pb2.ListCampaignsRequest(versions_of="c0"))[0] == "UNIMPLEMENTED"


def test_snapshots_and_their_pages(
    server: Any, hero_served: str, refusal: Refusal, log: Any, clock: Any, new_trainer: Any, sql: Sql
) -> None:
    trainer = new_trainer()
    for _ in range(4):
        log.visits(5)
        trainer.step(clock.move(hours=1))
    sql("UPDATE snapshot_slots SET state = NULL WHERE snapshot_id = 1")
    sql("UPDATE snapshot_slots SET state = X'00' WHERE snapshot_id = 2")
    deadline = time.monotonic() + 60
    while server.decisions.Decide(decide(dry_run=True)).snapshot != "4":  # the server looks by itself
        assert time.monotonic() < deadline
        time.sleep(0.02)
    ask = server.campaigns.ListSnapshots
    first = ask(campaigns_pb2.ListSnapshotsRequest(campaign="hero", page_size=3))
    rest = ask(campaigns_pb2.ListSnapshotsRequest(campaign="hero", page_token=first.next_page_token))
    found = [*first.snapshots, *rest.snapshots]
    assert [(one.id, campaigns_pb2.SnapshotState.Name(one.state)[15:]) for one in found] == [
        ("4", "SERVING"),
        ("3", "KEPT"),
        ("2", "REFUSED"),
        ("1", "THINNED"),
    ]
    assert [bool(one.state_detail) for one in found] == [False, False, True, False]
    assert [(one.trained_from, one.trained_through, one.examples) for one in found] == [
        (1, 20, 40),
        (1, 15, 30),
        (1, 10, 20),
        (1, 5, 10),
    ]
    assert found[0].size_bytes == sum(one.size_bytes for one in found[0].slots) > 0
    assert rest.next_page_token == ""
    assert refusal(ask, campaigns_pb2.ListSnapshotsRequest(campaign="no"))[0] == "NOT_FOUND"
    stolen = campaigns_pb2.ListSnapshotsRequest(campaign="other", page_token=first.next_page_token)
    assert refusal(ask, stolen)[0] == "INVALID_ARGUMENT"
    assert server.campaigns.GetCampaign(campaigns_pb2.GetCampaignRequest(campaign="hero")).snapshot == "4"


# --- the whole


def test_it_says_that_it_is_healthy(server: Any) -> None:
    health = health_pb2_grpc.HealthStub(server.channel)
    for name in ("", *SERVICES):
        assert (
            health.Check(health_pb2.HealthCheckRequest(service=name)).status == health_pb2.HealthCheckResponse.SERVING
        )


def test_a_disk_that_is_full_is_told_and_what_was_acknowledged_stays(
    start_server: Any, hero: str, url: str, refusal: Refusal, monkeypatch: pytest.MonkeyPatch, sql: Sql
) -> None:
    from server import app

    opened: list[Database] = []

    def remember(url: str) -> Database:
        opened.append(Database(url))
        return opened[-1]

    monkeypatch.setattr(app, "Database", remember)
    server = start_server()
    server.campaigns.PutCampaign(campaigns_pb2.PutCampaignRequest(source=hero))
    (database,) = opened
    (pages,) = sql("PRAGMA page_count")[0]

    def limit(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages + 30}")

    event.listen(database._engine, "connect", limit)
    database._engine.dispose()
    request = decide()
    fill(request.labels, {"x": "y" * 10_000}, name="labels")
    acknowledged = set()
    for _ in range(200):
        try:
            acknowledged.add(server.decisions.Decide(request, timeout=60).decision_id)
        except grpc.RpcError as error:
            assert error.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE)  # noqa: PT017
            break
    assert 0 < len(acknowledged) < 200
    assert refusal(server.decisions.Decide, request) == (
        "RESOURCE_EXHAUSTED",
        "the database refuses: database or disk is full",
    )
    assert server.decisions.Decide(decide(opted_out=True)).choices  # what needs no room is still answered
    assert {row.decision_id for row in sql("SELECT decision_id FROM decisions")} == acknowledged


def test_calls_under_way_are_finished_before_it_stops(start_server: Any, hero: str, sql: Sql) -> None:
    server = start_server()
    server.campaigns.PutCampaign(campaigns_pb2.PutCampaignRequest(source=hero))
    calls = [server.decisions.Decide.future(decide(), timeout=60) for _ in range(200)]
    stopping = threading.Thread(target=lambda: (calls[0].result(), server.stop()))
    stopping.start()
    acknowledged = set()
    for one in calls:
        try:
            acknowledged.add(one.result().decision_id)
        except (grpc.RpcError, grpc.FutureCancelledError):
            continue
    stopping.join(60)
    assert acknowledged <= {row.decision_id for row in sql("SELECT decision_id FROM decisions")}


def _probability(answer: Any, variant: str) -> float:
    return next(one.probability for one in answer.choices[0].probabilities if one.variant == variant)


@pytest.mark.slow
def test_it_learns_beside_serving(start_server: Any, hero: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'proto'}")
    server = start_server(train=True)
    # The window is long enough for the clicks to arrive inside it on a slow machine, short enough to wait for.
    server.campaigns.PutCampaign(campaigns_pb2.PutCampaignRequest(source=hero.replace("30m", "5s")))
    requests = [decide(context={"country": "ES"}) for _ in range(400)]
    made = server.decisions.BatchDecide(decisions_pb2.BatchDecideRequest(requests=requests), timeout=60)
    clicks = [reward(one.decision.decision_id) for one in made.results if one.decision.choices[0].variant == "price"]
    server.decisions.BatchReward(decisions_pb2.BatchRewardRequest(requests=clicks), timeout=60)
    ask = decide(context={"country": "ES"}, dry_run=True, want_probabilities=True)
    deadline = time.monotonic() + 60
    # The first snapshot may hold the first few decisions only: windows close one by one.
    while not _probability(answer := server.decisions.Decide(ask), "price") > 0.5:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert answer.snapshot
    explained = server.evaluations.ExplainDecision(
        evaluations_pb2.ExplainDecisionRequest(decision_id=made.results[0].decision.decision_id)
    )
    assert explained.agrees
    assert explained.record.HasField("reward")
    assert explained.record.HasField("matured_at")
    assert 1 <= explained.record.sequence <= 400
