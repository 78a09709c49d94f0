"""`elige evaluate --save` and `elige evaluation`: kept, listed, shown, computed again, cancelled."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from server.cli import app
from server.evaluation.asking import ask
from server.evaluation.keeping import drop
from server.evaluation.request import EvaluationRequest
from server.store.database import Database

Run = Callable[..., Result]


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "250")
    return lambda *arguments: CliRunner().invoke(app, [*arguments, "--db", url])


@pytest.fixture
def matured(put: Any, hero: str, log: Any, clock: Any, new_trainer: Callable[..., Any]) -> None:
    put(hero.replace("context:", "policy: uniform\ncontext:"))
    for _ in range(4):
        log.visits(100)
        clock.move(minutes=10)
    clock.move(hours=1)
    new_trainer().step(clock())


def test_one_that_is_saved_can_be_shown_and_computed_again(
    run: Run,
    matured: None,
    log: Any,
    clock: Any,
    new_trainer: Any,
    sql: Callable[..., list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = ("evaluate", "--campaign", "hero", "--slot", "headline", "--policy", "fixed:price", "--estimator", "dr")
    saved = run(*asked, "--save")
    assert saved.exit_code == 0, saved.exception
    *_, last = saved.output.splitlines()
    assert last.startswith("saved: elige evaluation show ")
    name = last.split()[-1]

    log.visits(100)
    clock.move(hours=1)
    new_trainer().step(clock())
    listed = json.loads(run("evaluation", "list", "--json").output)
    assert [(one["id"], one["state"], one["request"]["policies"]) for one in listed] == [
        (name, "done", ["fixed:price"])
    ]
    monkeypatch.setenv("COLUMNS", "80")
    assert name in run("evaluation", "list", "--campaign", "hero").output
    monkeypatch.setenv("COLUMNS", "250")
    assert json.loads(run("evaluation", "list", "--campaign", "other", "--json").output) == []
    assert "no evaluations yet" in run("evaluation", "list", "--campaign", "other").output

    shown = run("evaluation", "show", name).output
    assert "up to 400 in its sequence, of which 400 count, read by version 1; reward click + 0.01 * revenue" in shown
    assert "fixed:price" in shown
    assert json.loads(run("evaluation", "show", name, "--json").output)["result"]["log"]["n"] == 400

    again = run("evaluation", "again", name)
    assert (again.exit_code, again.output.strip()) == (0, f"{name}: the same numbers, byte for byte")
    sql("UPDATE rewards SET reward = 1 - reward WHERE sequence = 7")
    other = run("evaluation", "again", name)
    assert other.exit_code == 1
    assert "log.mean_reward: " in other.output
    assert "… and " in other.output
    assert "the log was changed, or the machine is another" in other.output

    spanish = run(*asked, "--save", "--lang", "es").output.splitlines()[-1]
    assert spanish.startswith("guardado: elige evaluation show ")
    shown = run("evaluation", "show", spanish.split()[-1]).output
    assert re.search(r"política +DR +intervalo del 95 %\s", shown)
    assert re.search(r"lo mostrado +0,\d+ +\[0,\d+; 0,\d+\]", shown)


def test_json_stays_json(run: Run, matured: None) -> None:
    saved = run("evaluate", "--campaign", "hero", "--slot", "headline", "--estimator", "ips", "--save", "--json")
    assert json.loads(saved.stdout)["log"]["n"] == 400
    assert saved.stderr.splitlines()[-1].startswith("saved: elige evaluation show ")


def test_what_can_not_be_saved(run: Run, matured: None, tmp_path: Any) -> None:
    refused = run("evaluate", "--campaign", "hero", "--log", str(tmp_path), "--save")
    assert refused.exit_code == 2
    assert "goes with the log of a database" in refused.output


def test_one_that_waits_can_be_cancelled(run: Run, matured: None, database: Database) -> None:
    ask(database, EvaluationRequest("hero"), evaluation_id="e1", now=datetime.now(UTC))
    again = run("evaluation", "again", "e1")
    assert again.exit_code == 2
    assert "it is queued: there is nothing to compare with" in again.output
    assert run("evaluation", "cancel", "e1").output == "e1: cancelled\n"
    assert "evaluation e1: cancelled" in run("evaluation", "show", "e1").output
    assert "no evaluation 'nope'" in str(run("evaluation", "cancel", "nope").exception)


def test_a_list_says_how_long_a_server_keeps_them(run: Run, matured: None, database: Database) -> None:
    now = datetime.now(UTC)
    for name in ("e1", "e2"):
        ask(database, EvaluationRequest(campaign="hero"), evaluation_id=name, now=now)
    run("evaluation", "cancel", "e1")
    assert "kept until" not in run("evaluation", "list").output
    assert {one["kept_until"] for one in json.loads(run("evaluation", "list", "--json").output)} == {None}
    drop(database, timedelta(days=30), now=now)
    assert "kept until" in run("evaluation", "list").output
    listed = {one["id"]: one for one in json.loads(run("evaluation", "list", "--json").output)}
    ended, until = (datetime.fromisoformat(listed["e1"][name]) for name in ("finished_at", "kept_until"))
    assert until - ended == timedelta(days=30)
    assert listed["e2"]["kept_until"] is None, "it has not ended"


@pytest.mark.parametrize(
    ("kept", "told"),
    [("soon", "'soon' is not a duration"), ("5m", "'5m': expected from PT1H to P36500D"), ("40000d", "'40000d'")],
)
def test_how_long_they_can_not_be_kept(kept: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    refused = CliRunner().invoke(app, ["serve", "--db", "memory:", "--keep-evaluations", kept])
    assert (refused.exit_code, told in refused.output) == (2, True), refused.output


def test_those_that_have_ended_can_be_deleted(run: Run, matured: None, database: Database) -> None:
    for name in ("e1", "e2", "e3"):
        ask(database, EvaluationRequest(campaign="hero"), evaluation_id=name, now=datetime.now(UTC))
    run("evaluation", "cancel", "e1")
    run("evaluation", "cancel", "e2")
    waiting = run("evaluation", "delete", "e1", "e3")
    assert "evaluation 'e3' is queued: cancel it first" in str(waiting.exception)
    assert "no evaluation 'nope'" in str(run("evaluation", "delete", "e1", "nope").exception)
    assert "evaluation e1: cancelled" in run("evaluation", "show", "e1").output, "none, where one can't be"
    assert run("evaluation", "delete", "e1", "e2", "e1").output == "e1: deleted\ne2: deleted\n"
    assert "no evaluation 'e1'" in str(run("evaluation", "show", "e1").exception)
    assert "evaluation e3: queued" in run("evaluation", "show", "e3").output
