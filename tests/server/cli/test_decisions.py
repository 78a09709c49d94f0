"""One decision by hand, from `elige decide` to `elige reward`, with a real server behind it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from elige.client import EligeError
from elige.v1 import campaigns_pb2
from server.cli import app

Run = Callable[..., Result]


@pytest.fixture
def run(server: Any, hero: str) -> Run:
    server.campaigns.PutCampaign(campaigns_pb2.PutCampaignRequest(source=hero))
    return lambda command, *given: CliRunner().invoke(app, [command, "--server", server.target, *given])


def decided(run: Run, *given: str) -> str:
    decision_id: str = json.loads(run("decide", "hero", "--json", *given).stdout)["id"]
    return decision_id


def test_what_is_deferred_counts_once_it_is_activated(run: Run) -> None:
    assert ", waits for its activation" in run("decide", "hero", "--defer").stdout
    one = decided(run, "--defer")
    assert "accepted: stored; its decision is not activated yet" in run("reward", one, "click").stdout
    shown = run("activate", one, "--slot", "cta")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("activated; the window closes at ")
    assert run("activate", one, "--slot", "cta").stdout.startswith("already_active; the window closes at ")
    assert json.loads(run("activate", one, "--json").stdout)["status"] == "activated"
    assert run("reward", one, "click").stdout.startswith("accepted; will be learned at ")


def test_what_was_not_deferred_can_not_be_activated(run: Run) -> None:
    ran = run("activate", decided(run))
    assert isinstance(ran.exception, EligeError)
    assert ran.exception.code == "FAILED_PRECONDITION"


def test_an_outcome_of_a_person(run: Run) -> None:
    one = decided(run, "--person", "ana")
    told = run("reward", "--person", "ana", "--campaign", "hero", "click", "--key", "k")
    assert told.stdout.splitlines()[0] == f"credits {one}"
    assert told.stdout.splitlines()[1].startswith("accepted; will be learned at ")
    again = run("reward", "click", "--person", "ana", "--campaign", "hero", "--key", "k")
    assert again.stdout.splitlines() == [
        f"credits {one}",
        "duplicate: this key was seen before; the first one stands",
    ]
    ran = run("reward", "--person", "ben", "--campaign", "hero", "click")
    assert isinstance(ran.exception, EligeError)
    assert ran.exception.code == "NOT_FOUND"
