"""The command line: every command has help, every mistake is one sentence and a non-zero exit."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from server.cli import app, is_expected, main
from server.cli.campaigns import campaigns_of
from server.cli.options import read_pairs, read_time
from simulator.engines.local import EngineError

EXAMPLES = Path(__file__).parents[3] / "examples"
Run = Callable[..., Result]
FIRST = (EXAMPLES / "first.yaml").read_text(encoding="utf-8")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def commands(group: typer.Typer, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [(*path, one.name or (one.callback.__name__ if one.callback else "")) for one in group.registered_commands]
    for inner in group.registered_groups:
        assert inner.typer_instance
        found += commands(inner.typer_instance, (*path, str(inner.name)))
    return found


@pytest.mark.parametrize("command", commands(app), ids=" ".join)
def test_every_command_has_help(run: Run, command: tuple[str, ...]) -> None:
    shown = run(*command, "--help")
    assert shown.exit_code == 0
    said = shown.output.partition("Usage:")[2].partition("╭")[0].strip().splitlines()
    assert len(" ".join(said[1:]).strip()) > 20, shown.output  # a sentence on what it does


def test_apply_list_show_archive(run: Run, tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text(FIRST, encoding="utf-8")
    name = FIRST.split("campaign:")[1].split()[0]
    assert "no campaigns yet" in run("campaign", "list").output
    assert run("campaign", "apply", "first.yaml", "--dry-run").output == f"{name}: would be created, version 1\n"
    assert "no campaigns yet" in run("campaign", "list").output
    assert run("campaign", "apply", "first.yaml").output == f"{name}: created, version 1\n"
    assert run("campaign", "apply", "first.yaml").output == f"{name}: unchanged, version 1\n"
    assert name in run("campaign", "list").output
    shown = run("campaign", "show", name).output
    assert FIRST.strip() in shown
    assert "--cb_explore_adf" in shown
    assert run("campaign", "archive", name).output == f"{name}: archived, version 2\n"
    assert "no campaigns yet" in run("campaign", "list").output
    assert "archived" in run("campaign", "list", "--all").output


def test_all_mistakes_of_a_file_are_reported_at_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("campaign: Bad\nmetrics: {click: often}\nreward: {window: soon}\nslots: {}\n")
    applied = run("campaign", "apply", "bad.yaml")
    assert applied.exit_code == 1
    told = str(applied.exception)
    for place in ("bad.yaml:1:", "bad.yaml:2:", "bad.yaml:3:", "bad.yaml:4:"):
        assert place in told
    assert "soon" in told


def test_a_file_of_several_campaigns_keeps_its_lines() -> None:
    text = "# first\ncampaign: a\n---\n\ncampaign: b\n--- # last\ncampaign: c\n"
    assert campaigns_of(text) == [("# first\ncampaign: a\n", 1), ("\ncampaign: b\n", 4), ("campaign: c\n", 7)]
    assert campaigns_of("---\ncampaign: a\n") == [("campaign: a\n", 2)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "--campaign", "nope"], "there is no database at sqlite:///elige.db"),
        (["campaign", "show", "nope"], "no campaign 'nope'; known: none"),
        (
            ["campaign", "list", "--db", "mysql://x/y"],
            "mysql is not supported; expected sqlite:///FILE or postgresql://",
        ),
        (["campaign", "list", "--db", "sqlite:///no/such/folder/x.db"], "there is no folder"),
        (["campaign", "list", "--db", "nonsense"], "no database URL"),
        (["import", "obd", "nowhere", "--campaign", "x"], "no such file"),
        (["decide", "x", "--server", "localhost:1"], "UNAVAILABLE"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_are_one_sentence(run: Run, arguments: list[str], message: str) -> None:
    ran = run(*arguments)
    assert ran.exit_code == 1
    assert isinstance(ran.exception, Exception)
    assert is_expected(ran.exception), ran.exception
    assert message in str(ran.exception)


def test_main_prints_the_sentence_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["elige", "campaign", "show", "nope"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "elige: no campaign 'nope'; known: none\n"


def test_a_defect_keeps_its_traceback() -> None:
    assert not is_expected(KeyError("x"))
    assert not is_expected(ValueError("of somebody else"))
    assert not is_expected(RuntimeError("of Python"))
    assert is_expected(EngineError("a process ended")), "what was written for users, whatever its class"


def test_pairs_are_read_as_what_they_look_like() -> None:
    pairs = ["country=ES", "orders=3", "vip=true", 'interests=["té","pan"]', 'zip="28001"', "text=a=b", "empty="]
    assert read_pairs(pairs, "--context") == {
        "country": "ES",
        "orders": 3,
        "vip": True,
        "interests": ["té", "pan"],
        "zip": "28001",
        "text": "a=b",
        "empty": "",
    }
    with pytest.raises(typer.BadParameter, match="expected name=value"):
        read_pairs(["country"], "--context")


def test_times_are_utc_unless_they_say_otherwise() -> None:
    assert str(read_time("2026-03-01", "--since")) == "2026-03-01 00:00:00+00:00"
    assert str(read_time("2026-03-01T10:00+01:00", "--since")) == "2026-03-01 10:00:00+01:00"
    assert read_time(None, "--since") is None
    with pytest.raises(typer.BadParameter, match="expected a time"):
        read_time("yesterday", "--since")


def test_the_schema_is_json(run: Run) -> None:
    assert json.loads(run("campaign", "schema").output)["title"] == "Elige campaign"


def test_import_evaluate_and_its_outputs(run: Run, tmp_path: Path) -> None:
    rows = [f"{'ab'[i % 2]},{int(i % 3 == 0)},{'ES' if i % 5 else 'PT'}" for i in range(600)]
    (tmp_path / "trial.csv").write_text("arm,visit,country\n" + "\n".join(rows) + "\n")
    (tmp_path / "map.yaml").write_text("variant: arm\nreward: visit\nshares: equal\ncontext: {country: text}\n")
    imported = run("import", "csv", "trial.csv", "--mapping", "map.yaml", "--campaign", "trial")
    assert imported.exit_code == 0, imported.output
    assert "trial: 600 decisions of slot variant, 200 outcomes" in imported.output
    table = run("evaluate", "--campaign", "trial", "--policy", "epsilon", "--html", "page.html")
    assert table.exit_code == 0, table.exception
    assert "fixed:a" in table.output
    assert "epsilon" in table.output
    assert "Plotly.newPlot" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "'epsilon' from what was served (95 %: " in table.output
    spanish = run("evaluate", "--campaign", "trial", "--policy", "epsilon", "--lang", "es", "--estimator", "sndr")
    assert "lo que se mostró (95 %: de " in spanish.output
    assert " SNDR " in spanish.output
    assert " IPS " not in spanish.output
    told = run("evaluate", "--campaign", "trial", "--json")
    rows_by_name = {row["name"]: row for row in json.loads(told.stdout)["rows"]}
    grouped = json.loads(run("evaluate", "--campaign", "trial", "--by", "country", "--json").stdout)
    assert (grouped["by"], [(group["name"], group["n"]) for group in grouped["groups"]]) == (
        "country",
        [("ES", 480), ("(other: 1 value)", 120)],
    )
    assert "country: ES (480 rounds)" in run("evaluate", "--campaign", "trial", "--by", "country").output
    # every second row showed `a`: what a fixed arm earns by SNIPS is that arm's plain mean
    assert rows_by_name["fixed:a"]["estimates"]["snips"]["value"] == pytest.approx(100 / 300, rel=1e-12)


def test_show_describes_the_segments(
    run: Run,
    url: str,
    log: Any,
    put: Callable[[str], object],
    hero: str,
    clock: Any,
    new_trainer: Callable[[], Any],
) -> None:
    put(hero.replace("slots:\n  headline:", "slots:\n  headline:\n    policy: {segments: {k: 2}}"))
    assert "of decisions" not in run("campaign", "show", "hero", "--db", url).output
    log.visits(200)
    new_trainer().step(clock.move(hours=1))
    shown = run("campaign", "show", "hero", "--db", url).output
    assert "--segments 2 thompson --by elige.segment" in shown
    for country in ("ES", "PT"):
        assert f", 50% of decisions: country {country} for 100% (everybody 50%)\n" in shown
