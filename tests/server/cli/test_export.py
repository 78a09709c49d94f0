"""`elige export` and `elige evaluate --log`."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from server.cli import app
from server.ids import read_decision_id
from server.store import campaigns as campaign_rows
from server.store.database import Database


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return run


def test_the_store_and_its_files_are_judged_alike(
    run: Any, url: str, put: Any, hero: str, log: Any, clock: Any, new_trainer: Any
) -> None:
    put(hero)
    log.visits(200)
    new_trainer().step(clock.move(days=1))
    exported = run("export", "--out", "out", "--campaign", "hero", "--db", url)
    assert exported.exit_code == 0, exported.output
    assert exported.stdout.startswith("1 day written (200 decisions, 400 choices, ")
    assert exported.stdout.endswith(" outcomes, 200 rewards), 0 unchanged: out\n")
    given = ("evaluate", "--campaign", "hero", "--by", "country", "--json")
    stored, filed = run(*given, "--db", url), run(*given, "--log", "out", "--db", "sqlite:///nowhere/x.db")
    assert stored.exit_code == 0, stored.exception
    assert filed.stdout == stored.stdout


@pytest.mark.parametrize("secret", ["another", "the same"])
def test_it_goes_into_a_database_again(
    run: Any, url: str, put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, database: Any, secret: str
) -> None:
    put(hero)
    log.visits(20)
    new_trainer().step(clock.move(days=1))
    (waits,) = log.decide([{"country": "ES"}])
    assert run("export", "--out", "out", "--db", url).exit_code == 0
    target = Database("sqlite:///target.db")
    if secret == "the same":
        with target.writing() as connection:
            given = {"secret": database.secret.hex()}
            connection.execute(text("UPDATE meta SET value = :secret WHERE name = 'secret'"), given)
    imported = run("import", "parquet", "out", "--db", "sqlite:///target.db")
    assert imported.exit_code == 0, imported.exception
    assert imported.stdout.startswith("hero: 21 decisions, 42 choices, ")
    assert imported.stdout.endswith(" outcomes, 20 rewards written, 1 window opened\n")
    warned = "this database has another secret: outcomes told of these decisions from now on are refused"
    assert (warned in imported.stderr) == (secret == "another")
    again = run("import", "parquet", "out", "--db", "sqlite:///target.db")
    assert again.stdout == "here before, with all of the export: hero\n"
    checked = run("db", "check", "--db", "sqlite:///target.db")
    assert checked.exit_code == 0, checked.output
    if secret == "the same":
        told = read_decision_id(target.secret, waits.id)
        with target.reading() as connection:
            assert campaign_rows.read_version(connection, "hero").number == told.campaign_number


def test_an_export_has_no_snapshots(run: Any) -> None:
    ran = run("evaluate", "--campaign", "hero", "--log", "out", "--policy", "snapshot:1")
    assert ran.exit_code == 2
    assert "an export holds no snapshots" in ran.stderr
