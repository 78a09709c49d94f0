"""`elige export` and `elige evaluate --log`."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from server.cli import app


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


def test_an_export_has_no_snapshots(run: Any) -> None:
    ran = run("evaluate", "--campaign", "hero", "--log", "out", "--policy", "snapshot:1")
    assert ran.exit_code == 2
    assert "an export holds no snapshots" in ran.stderr
