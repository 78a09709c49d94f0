"""RollBack and what campaigns and snapshots tell of it, with a real server behind it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from elige.client import AsyncClient, Client, EligeError
from elige.v1 import campaigns_pb2, decisions_pb2
from server.records import State

Refusal = Callable[..., tuple[str, str]]


@pytest.fixture
def trained(apply: Any, hero: str, log: Any, clock: Any, new_trainer: Any) -> None:
    """Three snapshots: 1, 2 and 3."""
    apply(hero)
    trainer = new_trainer()
    for _ in range(3):
        log.visits(10)
        trainer.step(clock.move(hours=1))


def back(snapshot: str = "", **given: Any) -> campaigns_pb2.RollBackRequest:
    return campaigns_pb2.RollBackRequest(**{"campaign": "hero", "snapshot": snapshot, **given})


def test_it_serves_before_it_is_answered(server: Any, trained: None) -> None:
    dry = decisions_pb2.DecideRequest(campaign="hero", dry_run=True)
    rolled = server.campaigns.RollBack(back("1", expected_version=1))
    assert (rolled.version, rolled.snapshot, rolled.snapshot_pinned) == (2, "4", False)
    assert server.decisions.Decide(dry).snapshot == "4"
    pinned = server.campaigns.RollBack(back("2", pin=True))
    assert (pinned.version, pinned.snapshot, pinned.snapshot_pinned) == (3, "2", True)
    assert server.decisions.Decide(dry).snapshot == "2"
    (listed,) = server.campaigns.ListCampaigns(campaigns_pb2.ListCampaignsRequest()).campaigns
    assert (listed.snapshot, listed.snapshot_pinned) == ("2", True)
    free = server.campaigns.RollBack(back(unpin=True))
    assert (free.version, free.snapshot, free.snapshot_pinned) == (4, "4", False)


def test_snapshots_tell_what_they_lost(server: Any, trained: None) -> None:
    newest, *_ = server.campaigns.ListSnapshots(campaigns_pb2.ListSnapshotsRequest(campaign="hero")).snapshots
    assert [(slot.slot, slot.examples) for slot in newest.slots] == [("cta", 30), ("headline", 30)]
    assert all(0.0 < slot.progressive_loss < 1.0 for slot in newest.slots)


def test_a_snapshot_of_before_losses_were_measured_has_none(server: Any, trained: None, sql: Any) -> None:
    sql("UPDATE snapshot_slots SET loss_sum = NULL, loss_weight = NULL")
    newest, *_ = server.campaigns.ListSnapshots(campaigns_pb2.ListSnapshotsRequest(campaign="hero")).snapshots
    assert not any(slot.HasField("progressive_loss") for slot in newest.slots)


@pytest.mark.parametrize(
    ("request_", "code", "text"),
    [
        (back(), "INVALID_ARGUMENT", "snapshot '': expected its number, such as '12'"),
        (back("newest"), "INVALID_ARGUMENT", "snapshot 'newest': expected its number"),
        (back("-1"), "INVALID_ARGUMENT", "snapshot '-1': expected its number"),
        (back("٣"), "INVALID_ARGUMENT", "expected its number"),
        (back("1", unpin=True), "INVALID_ARGUMENT", "unpin with snapshot or pin"),
        (back(pin=True, unpin=True), "INVALID_ARGUMENT", "unpin with snapshot or pin"),
        (back("9" * 18), "NOT_FOUND", "campaign 'hero' has no snapshot 9999"),
        (back("9" * 99), "INVALID_ARGUMENT", "expected its number"),
        (back("1", campaign="nope"), "NOT_FOUND", "no campaign 'nope'"),
        (back(campaign="nope", unpin=True), "NOT_FOUND", "no campaign 'nope'"),
        (back("1", expected_version=9), "ABORTED", "is at version 1, expected 9"),
        (back(unpin=True, expected_version=9), "ABORTED", "is at version 1, expected 9"),
    ],
    ids=str,
)
def test_wrong_ways_of_rolling_back(
    request_: campaigns_pb2.RollBackRequest, code: str, text: str, server: Any, trained: None, refusal: Refusal
) -> None:
    answer = refusal(server.campaigns.RollBack, request_)
    assert (answer[0], text in answer[1]) == (code, True), answer


def test_what_does_not_fit_or_is_over_is_a_failed_precondition(
    server: Any, trained: None, refusal: Refusal, hero: str, apply: Any, set_to: Any
) -> None:
    apply(hero.replace("[0, 3]", "[0, 4]"))
    code, text = refusal(server.campaigns.RollBack, back("1"))
    assert (code, "not those of version 2, which is in force" in text) == ("FAILED_PRECONDITION", True)
    set_to("hero", State.ARCHIVED)
    assert refusal(server.campaigns.RollBack, back("1"))[0] == "FAILED_PRECONDITION"


def test_both_clients_roll_back(server: Any, trained: None) -> None:
    with Client(server.target) as client:
        assert client.roll_back("hero", "1", pin=True).snapshot_pinned
        assert not client.roll_back("hero", unpin=True).snapshot_pinned
        with pytest.raises(EligeError, match="expected 1") as refused:
            client.roll_back("hero", "2", expected_version=1)
        assert refused.value.code == "ABORTED"

    async def scenario() -> str:
        async with AsyncClient(server.target) as client:
            return (await client.roll_back("hero", "2")).snapshot

    assert asyncio.run(scenario()) == "4"
