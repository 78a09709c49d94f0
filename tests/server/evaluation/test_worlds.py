"""A world as where logs are."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.cli import app
from server.errors import InvalidRequest
from server.evaluation.request import EvaluationRequest
from server.evaluation.run import run
from server.evaluation.worlds import Simulated
from simulator.worlds import WORLDS, world


def test_an_evaluation_of_a_world_tells_the_truth() -> None:
    known = world("drifting")
    request = EvaluationRequest("drifting", policies=("fixed:coat",), estimators=("snips",), by=("device",), seed=5)
    found = run(Simulated(3_000), request, truth=known.expected_rewards)
    assert found.log.n == 3_000
    row = found.row("fixed:coat")
    assert row.truth == pytest.approx(0.75 * 0.18 + 0.25 * 0.06)
    assert row.regret == pytest.approx(0.18 - row.truth)
    assert {group.name for group in found.groups} == {"phone", "desk"}
    assert found == run(Simulated(3_000), request, truth=known.expected_rewards)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"where": "device == 'phone'"}, "where: a world has one slot, one period and one reward"),
        ({"slot": "teaser", "metrics": ("click",)}, "slot, metrics: a world has"),
        ({"policies": ("snapshot:3",)}, "snapshot:3: a world has no snapshots"),
        ({"by": ("country",)}, "no context of this log has a key 'country'; there are: device"),
    ],
)
def test_what_a_world_can_not_be_asked(asked: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        run(Simulated(200), EvaluationRequest("drifting", **asked))  # type: ignore[arg-type]


def test_no_rounds() -> None:
    with pytest.raises(InvalidRequest, match="0 rounds: expected at least 1"):
        run(Simulated(0), EvaluationRequest("drifting"))


def test_the_window_is_that_of_the_delays() -> None:
    assert Simulated(1).window("delayed") == timedelta(days=14)
    assert Simulated(1).window("rare") == timedelta(0)
    assert Simulated(1).window("digits") == timedelta(0)


def test_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def ask(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["evaluate", *arguments])
        assert done.exit_code == 0, done.output
        return done.output

    listed = ask("--list-worlds").splitlines()
    assert [line.split()[0] for line in listed] == list(WORLDS)
    told = ("--world", "segments", "--rounds", "1500", "--estimator", "snips", "--seed", "4")
    text = ask(*told)
    assert "interval holds it" in text
    assert "6 of 6 intervals hold the truth." in text
    rows = json.loads(ask(*told, "--json"))["rows"]
    assert [row["truth"] for row in rows if row["name"] == "uniform"] == [pytest.approx(0.1)]
    assert not list(tmp_path.iterdir())  # no database was made
    for wrong in ((), ("--world", "segments", "--campaign", "hero")):
        assert CliRunner().invoke(app, ["evaluate", *wrong]).exit_code == 2
