"""`elige doctor`: a table for people, JSON for programs, 1 where there is a problem."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from server.cli import app

Run = Callable[..., Result]


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "250")
    return lambda *arguments: CliRunner().invoke(app, ["doctor", "--campaign", "hero", "--db", url, *arguments])


def test_a_problem_is_told_with_what_to_do_and_ends_with_1(run: Run, put: Any, hero: str) -> None:
    put(hero)
    told = run()
    assert told.exit_code == 1
    first = told.output.splitlines()[1].split()
    assert first[0] == "problem"
    assert "There is no decision yet." in told.output
    assert "Ask for one: elige decide hero." in told.output
    found = json.loads(run("--json").output)
    assert run("--json").exit_code == 1
    assert found[0].keys() == {"level", "about", "says", "do"}
    assert found[0]["level"] == "problem"


def test_where_all_is_well_it_ends_with_0(
    run: Run, put: Any, hero: str, log: Any, clock: Any, new_trainer: Any
) -> None:
    clock.now = datetime.now(UTC)
    put(hero.replace("30m", "1s"))
    log.visits(10)
    new_trainer().step(clock.move(seconds=2))
    told = run()
    assert told.exit_code == 0, told.output
    assert "Snapshot 1 has learned all 10 rewards there are." in told.output
    assert {one["level"] for one in json.loads(run("--json").output)} == {"ok", "note"}


def test_in_spanish(run: Run, put: Any, hero: str) -> None:
    put(hero)
    told = run("--lang", "es").output.splitlines()
    assert told[0].split() == ["sobre", "qué", "pasa", "qué", "hacer"]
    assert told[1].split()[:5] == ["problema", "decisiones", "Todavía", "no", "hay"]
    assert "Pida una: elige decide hero." in told[1]
    plain = json.loads(run("--lang", "es", "--json").output)
    assert {(one["level"], one["about"]) for one in plain} == {
        (one["level"], one["about"]) for one in json.loads(run("--json").output)
    }
    assert "La campaña está activa." in {one["says"] for one in plain}
    refused = run("--lang", "fr")
    assert refused.exit_code == 2
    assert "'fr': expected one of en, es" in refused.output


def test_a_campaign_that_is_not_there(run: Run) -> None:
    assert "no campaign 'hero'" in str(run().exception)


def test_the_list_of_campaigns_shows_what_does_not_learn(
    url: str, put: Any, exploding: str, log: Any, clock: Any, new_trainer: Any
) -> None:
    put(exploding)
    trainer = new_trainer()
    for _ in range(2):
        log.happen(*log.decide([{}]))
        trainer.step(clock.move(hours=1))
    listed = CliRunner().invoke(app, ["campaign", "list", "--db", url], env={"COLUMNS": "200"}).output
    assert "active, not learning" in listed
    put(exploding.replace("policy: exploding", "policy: epsilon"))
    trainer.step(clock.move(minutes=2))
    listed = CliRunner().invoke(app, ["campaign", "list", "--db", url], env={"COLUMNS": "200"}).output
    assert "not learning" not in listed
