"""Several servers on one database: what one of them learns of, the others serve."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from elige.v1 import campaigns_pb2, decisions_pb2
from server import app
from tests.server.conftest import Running

WITHIN = 2.0
"""Seconds that the documentation promises. How long a look takes is up to the machine: `python -m bench.freshness`."""


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def test_looks_are_often_enough_for_what_is_promised() -> None:
    assert 10 * app.REFRESH_SECONDS <= WITHIN


@pytest.mark.parametrize(
    ("url", "look_every"),
    [("sqlite", app.REFRESH_SECONDS), ("postgres", app.REFRESH_SECONDS), ("postgres", 3_600.0)],
    indirect=["url"],
    ids=["sqlite", "postgres", "postgres, by notices alone"],
)
def test_versions_and_snapshots_reach_the_other_server(
    look_every: float,
    start_server: Callable[..., Running],
    put: Any,
    hero: str,
    log: Any,
    clock: Any,
    new_trainer: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(app, "REFRESH_SECONDS", look_every)
    put(hero)
    one, other = (start_server(outbox=str(tmp_path / f"{name}.db")) for name in ("one", "other"))

    def served() -> decisions_pb2.Decision:
        decision: decisions_pb2.Decision = other.decisions.Decide(
            decisions_pb2.DecideRequest(campaign="hero", dry_run=True)
        )
        return decision

    trainer = new_trainer()
    for turn in range(5):
        source = hero.replace("30m", f"{31 + turn}m")
        put_there = one.campaigns.PutCampaign(campaigns_pb2.PutCampaignRequest(source=source)).campaign
        wanted = (put_there.version, str(turn + 1))
        wait_until(lambda wanted=wanted: served().version == wanted[0])  # type: ignore[misc]
        log.visits(5)
        trainer.step(clock.move(hours=1))
        wait_until(lambda wanted=wanted: served().snapshot == wanted[1])  # type: ignore[misc]
