"""`elige observe`."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from server.cli import app

Run = Callable[..., Result]


@pytest.fixture
def run(server: Any, put: Any, hero: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Against a server with a campaign whose second slot takes candidates."""
    put(hero.replace("    default: try\n", "    default: try\n    candidates: true\n"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("ELIGE_SERVER", server.target)
    return lambda *arguments: CliRunner().invoke(app, ["observe", "hero", *arguments])


def test_what_was_chosen_is_told_and_shown(run: Run) -> None:
    told = run("--slot", "headline=price", "--slot", "cta=demo", "--propensity", "cta=0.5", "--context", "colour=red")
    assert told.exit_code == 0, told.exception
    headline, cta, ignored, decision = told.output.splitlines()
    assert headline == "headline: price (observed, propensity unknown)"
    assert cta == "cta: demo (observed, propensity 0.5)"
    assert ignored == "ignored: colour (not declared in the campaign, or of another type)"
    assert decision.startswith("decision ")
    assert "window closes" in decision


def test_all_that_can_be_told(run: Run, sql: Any) -> None:
    given = ["--slot", "cta=Ya", "--candidate", "cta=Ya", "--eligible", "cta=Ya", "--eligible", "cta=demo"]
    more = ["--at", "2026-02-01T10:00", "--person", "ana", "--label", "page=/", "--request-id", "r", "--json"]
    made = json.loads(run(*given, *more).output)
    assert made["kind"] == "observed"
    assert "repeated" in run(*given, *more).output
    eligible, candidates, at = sql(
        "SELECT c.eligible, c.candidates, d.at FROM choices c JOIN decisions d USING (decision_id)"
    )[0]
    assert json.loads(eligible) == ["demo", "Ya"]
    assert json.loads(candidates) == [{"id": "Ya", "content": {"text": "Ya"}, "features": {}}]
    assert at.startswith("2026-02-01 10:00:00")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--slot", "headline"], "'headline': expected SLOT=VARIANT"),
        (["--slot", "headline=price", "--propensity", "headline=much"], "'headline=much': expected SLOT=NUMBER"),
        (["--slot", "headline=price", "--propensity", "cta=1"], "'cta': expected --slot cta=VARIANT beside it"),
        (["--slot", "headline=price", "--eligible", "cta=try"], "'cta': expected --slot cta=VARIANT beside it"),
        (["--slot", "headline=price", "--candidate", "cta=Ya"], "'cta': expected --slot cta=VARIANT beside it"),
    ],
)
def test_wrong_usage(run: Run, arguments: list[str], says: str) -> None:
    ran = run(*arguments)
    assert ran.exit_code == 2
    assert says in ran.output


def test_an_outcome_that_will_not_be_learned_says_so(run: Run) -> None:
    made = json.loads(run("--slot", "headline=price", "--json").output)
    told = CliRunner().invoke(app, ["reward", made["id"], "click"])
    assert "of a kind from which its campaign does not learn" in told.output


def test_an_evaluation_says_what_it_left_out(
    put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, sql: Any, url: str
) -> None:
    put(hero)
    log.visits(40)
    new_trainer().step(clock.move(minutes=31))
    unknown = "UPDATE choices SET kind = 'observed', propensity = NULL, probabilities = '[]'"
    sql(f"{unknown} WHERE decision_id IN (SELECT decision_id FROM rewards WHERE sequence <= 15)")
    judged = CliRunner().invoke(app, ["evaluate", "--campaign", "hero", "--db", url, "--json"])
    assert judged.exit_code == 0, judged.exception
    assert judged.stderr.strip() == "left out: 15 decisions that were told without their propensity"
    assert json.loads(judged.stdout)["log"]["n"] == 25
