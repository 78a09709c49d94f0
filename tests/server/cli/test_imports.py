"""`elige import dsjson`."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from server.cli import app
from simulator import dsjson_log, evaluate, to_json


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """600 decisions of two actions, and an outcome that belongs to none of them."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "personalizer.json"
    lines: list[dict[str, Any]] = [{"RewardValue": 1.0, "EventId": "lost"}]
    for n in range(600):
        chosen = 1 + n % 2
        event = {
            "_label_cost": -float(n % (5 if chosen == 1 else 4) < 2),
            "_label_probability": 0.5,
            "_label_Action": chosen,
            "Timestamp": f"2026-03-01T{n // 60:02}:{n % 60:02}:00Z",
            "EventId": str(n),
            "a": [chosen, 3 - chosen],
            "c": {"User": {"country": "ES" if n % 3 else "MX"}, "_multi": [{"_tag": "a"}, {"_tag": "b"}]},
            "p": [0.5, 0.5],
        }
        lines.append(event)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_the_log_is_judged_as_the_file(file: Path) -> None:
    run = CliRunner().invoke
    imported = run(app, ["import", "dsjson", file.name, "--campaign", "news", "--slot", "article"])
    assert imported.exit_code == 0, imported.exception
    assert imported.stdout.startswith("news: 600 decisions of slot article, ")
    assert "left out: 1 outcomes without their decision" in imported.stderr
    judged = run(app, ["evaluate", "--campaign", "news", "--json"])
    assert judged.exit_code == 0, judged.exception
    stored, filed = json.loads(judged.stdout), json.loads(to_json(evaluate(dsjson_log(file, slot="article"))))
    assert stored["rows"] == filed["rows"]


def test_a_range_that_is_none(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ran = CliRunner().invoke(app, ["import", "dsjson", file.name, "--campaign", "news", "--lowest", "1"])
    assert ran.exit_code == 2
    assert "expected the lowest below" in ran.stderr


APPRENTICE = """\
campaign: news
metrics: {click: once}
reward: {window: 30m}
learn_from: [drawn, observed]
slots:
  article: {default: a, variants: [{id: a}, {id: b}]}
"""


def test_a_campaign_that_exists_is_told_the_log(file: Path) -> None:
    run = CliRunner().invoke
    Path("news.yaml").write_text(APPRENTICE)
    assert run(app, ["campaign", "apply", "news.yaml"]).exit_code == 0
    told = run(app, ["import", "dsjson", file.name, "--into", "news"])
    assert told.exit_code == 0, told.exception
    assert told.stdout.startswith("news: 600 decisions of slot article, 270 outcomes\n")
    assert "ignored: User_country in 600 decisions" in told.stderr
    assert "does not learn" not in told.stderr
    again = run(app, ["import", "dsjson", file.name, "--into", "news", "--slot", "article", "--metric", "click"])
    assert again.stdout.startswith("news: 0 decisions of slot article, 0 outcomes; 600 were there before\n")
    Path("news.yaml").write_text(APPRENTICE.replace("learn_from: [drawn, observed]\n", ""))
    assert run(app, ["campaign", "apply", "news.yaml"]).exit_code == 0
    assert "does not learn from them" in run(app, ["import", "dsjson", file.name, "--into", "news"]).stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "expected one of the two"),
        (["--campaign", "a", "--into", "b"], "expected one of the two"),
        (["--campaign", "a", "--metric", "click"], "only with --into CAMPAIGN"),
    ],
)
def test_where_the_log_goes(file: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ran = CliRunner().invoke(app, ["import", "dsjson", file.name, *arguments])
    assert ran.exit_code == 2
    assert says in ran.stderr


def test_a_mapping_names_the_slot_of_a_new_campaign(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ran = CliRunner().invoke(app, ["import", "csv", "x.csv", "--mapping", "x.yaml", "--campaign", "a", "--slot", "b"])
    assert ran.exit_code == 2
    assert "only with --into CAMPAIGN" in ran.stderr
