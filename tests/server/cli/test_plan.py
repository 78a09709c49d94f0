"""`elige plan`: a table for people, JSON for programs."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from server.cli import app

Run = Callable[..., Result]
TOLD = ("--decisions-per-day", "2000", "--mean-reward", ".3", "--reward-deviation", ".5", "--policy", "uniform")


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, ["plan", "--campaign", "hero", "--db", url, *arguments])


def test_a_plan_for_people_and_for_programs(run: Run, put: Any, hero: str) -> None:
    put(hero)
    told = run(*TOLD)
    assert told.exit_code == 0, told.output
    assert "Your traffic suffices: with 'uniform', the log tells a difference of 0.03 a decision" in told.output
    found = json.loads(run(*TOLD, "--json").output)
    assert found.keys() == {"decisions_needed", "time_needed", "even_split", "points", "assumptions", "summary"}
    assert found["assumptions"]["variants"]["value"] == 3  # of the slot that has the most
    assert found["points"][0].keys() == {"after", "decisions", "power", "gain", "gain_low", "gain_high"}
    assert found["decisions_needed"] == pytest.approx(found["even_split"], rel=0.06)
    spanish = json.loads(run(*TOLD, "--json", "--lang", "es", "--horizon", "1d").output)
    assert spanish["summary"].startswith("El tráfico no basta")
    assert [point["after"] for point in spanish["points"]] == ["P1D"]


def test_a_plan_in_spanish(run: Run, put: Any, hero: str) -> None:
    put(hero)
    told = run(*TOLD, "--lang", "es", "--horizon", "10d").output
    assert re.search(r"días +decisiones +probabilidad de verla +ganancia +desde +hasta", told)
    assert "20.000" in told, "decisions, as Spanish writes thousands"
    assert re.search(r"recompensa media +0,3 +lo pedido", told)
    assert re.search(r"ventana de la recompensa +PT30M +la campaña", told)
    assert re.search(r"contexto +ninguno ", told)


def test_mistakes(run: Run, put: Any, hero: str) -> None:
    assert "no campaign 'hero'" in str(run().exception)
    put(hero)
    assert "say how many are expected a day" in str(run().exception)
    assert run("--horizon", "soon").exit_code == 2
