"""`elige train`: the snapshots as they are kept, and whether the log gives them again."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from server.cli import app

Run = Callable[..., Result]


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, ["train", *map(str, arguments), "--db", url])


@pytest.fixture
def trained(put: Any, hero: str, log: Any, clock: Any, new_trainer: Any) -> None:
    put(hero)
    trainer = new_trainer()
    for _ in range(3):
        log.visits(10)
        trainer.step(clock.move(hours=1))


def test_snapshots_are_listed_newest_first(run: Run, trained: None, sql: Any) -> None:
    sql("UPDATE snapshot_slots SET state = NULL WHERE snapshot_id = 1 AND slot = 'cta'")
    listed = run("list", "--campaign", "hero").output
    rows = [line.split() for line in listed.splitlines()[1:4]]
    assert [row[:5] for row in rows] == [
        ["3", "1", "1", "21-30", "60"],
        ["2", "1", "1", "11-20", "40"],
        ["1", "1", "1", "1-10", "20"],
    ]
    assert rows[2][-2:] == ["thinned", "out"]
    sizes = sql("SELECT sum(length(state)) FROM snapshot_slots GROUP BY snapshot_id ORDER BY snapshot_id DESC")
    assert [row[-1] for row in rows[:2]] == [f"{size:,}" for (size,) in sizes[:2]]
    assert "snapshot 3 was trained with elige " in listed
    assert "cta: auto" in listed
    assert len(run("list", "--campaign", "hero", "--limit", 1).output.split("snapshot")[1].splitlines()) < 5


def test_snapshots_as_json(run: Run, trained: None) -> None:
    newest, *others = json.loads(run("list", "--campaign", "hero", "--json").output)
    assert (newest["snapshot"], newest["parent"], newest["trained_through"], len(others)) == (3, 2, 30, 2)
    assert newest["bytes_kept"] > 100
    assert set(newest["slots"]) == {"cta", "headline"}


def test_losses_are_listed(run: Run, trained: None, sql: Any) -> None:
    sql("UPDATE snapshot_slots SET loss_sum = 1, loss_weight = 8 WHERE snapshot_id = 3 AND slot = 'cta'")
    sql("UPDATE snapshot_slots SET loss_sum = NULL WHERE snapshot_id = 3 AND slot = 'headline'")
    assert "cta 0.125, headline -" in run("list", "--campaign", "hero").output.splitlines()[1]
    newest = json.loads(run("list", "--campaign", "hero", "--json").output)[0]["slots"]
    assert (newest["cta"]["progressive_loss"], newest["cta"]["examples"]) == (0.125, 30)
    assert newest["headline"]["progressive_loss"] is None


def test_back_pinned_and_free_again(run: Run, trained: None, url: str) -> None:
    said = run("rollback", "--campaign", "hero", "--snapshot", 1)
    assert said.output == "hero: learns on from snapshot 1, version 2\n"
    assert "back to 1, 11-30 skipped" in run("list", "--campaign", "hero").output.splitlines()[1]
    assert run("check", "--campaign", "hero").exit_code == 0
    said = run("rollback", "--campaign", "hero", "--snapshot", 2, "--pin", "--expected-version", 2)
    assert said.output == "hero: serves snapshot 2, whatever is learned, version 3\n"
    rows = run("list", "--campaign", "hero").output.splitlines()[1:5]
    assert [row.strip().split("  ")[0] for row in rows] == ["4", "3", "2, pinned", "1"]
    listed = json.loads(run("list", "--campaign", "hero", "--json").output)
    assert [one["snapshot"] for one in listed if one["pinned"]] == [2]

    def campaign(*arguments: str) -> str:
        return CliRunner().invoke(app, ["campaign", *arguments, "--db", url]).output

    assert "2, pinned" in campaign("list")
    run("rollback", "--campaign", "hero", "--snapshot", 4)
    run("rollback", "--campaign", "hero", "--snapshot", 2, "--pin")
    assert "  back to 4  " in run("list", "--campaign", "hero").output.splitlines()[1]
    assert "# pinned: snapshot 2 serves, whatever is learned" in campaign("show", "hero")
    assert run("unpin", "--campaign", "hero").output == "hero: serves the newest snapshot, version 6\n"
    assert "pinned" not in campaign("list") + campaign("show", "hero")
    refused = run("rollback", "--campaign", "hero", "--snapshot", 2, "--expected-version", 2)
    assert "is at version 6, expected 2" in str(refused.exception)


def test_where_nothing_was_learned(run: Run, put: Any, hero: str) -> None:
    put(hero)
    assert "no snapshots yet" in run("list", "--campaign", "hero").output
    assert json.loads(run("list", "--campaign", "hero", "--json").output) == []
    assert "no campaign 'nope'" in str(run("list", "--campaign", "nope").exception)


def test_a_check_says_that_it_agrees(run: Run, trained: None) -> None:
    checked = run("check", "--campaign", "hero")
    assert checked.exit_code == 0
    assert checked.stdout == (
        "snapshot 3: byte for byte the same, learned again in 3 segments of lineage 1, 60 examples\n"
    )
    assert json.loads(run("check", "--campaign", "hero", "--snapshot", 2, "--json").stdout) == {
        "snapshot": 2,
        "lineage": 1,
        "agrees": True,
        "recomputable": True,
        "began_at": None,
        "boundaries": 2,
        "examples": 40,
        "differs_at": None,
        "why_not": "",
    }


def test_a_check_that_fails_says_where_and_ends_with_1(run: Run, trained: None, sql: Any) -> None:
    sql("UPDATE rewards SET reward = 2.5 WHERE sequence = 15")
    checked = run("check", "--campaign", "hero")
    assert checked.exit_code == 1
    assert "snapshot 3: not the same" in checked.output
    assert "1 segment of lineage 1, 20 examples, and differs first at snapshot 2: the same rows" in checked.output
    assert json.loads(run("check", "--campaign", "hero", "--json").stdout)["agrees"] is False
