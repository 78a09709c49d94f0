"""`elige db`: what it says, and its exit status."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from server.cli import app
from server.store import migrate

FIXTURE = Path(__file__).parents[1] / "store" / "fixtures" / "r0001.sqlite"
Run = Callable[[str], Result]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Of a database that is not there yet."""
    return f"sqlite:///{tmp_path / 'elige.db'}"


@pytest.fixture
def run(url: str) -> Run:
    return lambda command: CliRunner().invoke(app, ["db", command, "--db", url])


@pytest.fixture
def old(tmp_path: Path, run: Run) -> None:
    """A database of before there were migrations, upgraded, at the URL of the test."""
    shutil.copy(FIXTURE, tmp_path / "elige.db")
    assert f"upgraded from schema 0001 to {migrate.HEAD}" in run("upgrade").output


def test_upgrade_says_what_it_did(run: Run, url: str) -> None:
    assert run("upgrade").output == f"{url}: made with schema {migrate.HEAD}\n"
    assert run("upgrade").output == f"{url}: has schema {migrate.HEAD}, nothing to do\n"


@pytest.mark.usefixtures("old")
def test_check_says_a_line_a_rule(run: Run) -> None:
    ran = run("check")
    assert ran.exit_code == 0
    lines = ran.output.splitlines()
    assert len(lines) > 10
    assert all(line.startswith("ok    ") for line in lines)


@pytest.mark.usefixtures("old")
def test_check_fails_where_something_is_wrong(run: Run, sql: Callable[..., object]) -> None:
    sql("UPDATE rewards SET sequence = 99 WHERE sequence = 4")
    ran = run("check")
    assert ran.exit_code == 1
    wrong = [line for line in ran.output.splitlines() if not line.startswith("ok ")]
    assert wrong == ["WRONG the sequence of every campaign has no gap: hero: 60 rewards in places 1 to 99"]


@pytest.mark.usefixtures("old")
def test_stats_count(run: Run, url: str) -> None:
    said = run("stats").output
    assert "hero: 62 decisions from 2026-03-01 12:00 to 2026-03-01 13:02, 51 outcomes, 60 rewards, 2 snapshots" in said
    assert "2 windows open, the next closes 2026-03-01 13:32" in said
    told = json.loads(CliRunner().invoke(app, ["db", "stats", "--json", "--db", url]).output)
    assert {one["table"]: one["rows"] for one in told["tables"]}["choices"] == 124
    assert told["campaigns"][0]["oldest"] == "2026-03-01T12:00:00+00:00"


@pytest.mark.parametrize("command", ["check", "stats"])
def test_looking_makes_no_database(run: Run, command: str, tmp_path: Path) -> None:
    ran = run(command)
    assert ran.exit_code == 1
    assert "there is no database at" in str(ran.exception)
    assert list(tmp_path.iterdir()) == []
