"""`elige reward --batch`, with a real server behind it."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from elige.client import Client
from elige.v1 import campaigns_pb2, decisions_pb2
from server.cli import app

Batch = Callable[..., Result]


@pytest.fixture
def ids(server: Any, hero: str) -> list[str]:
    """Decisions of a campaign with two metrics."""
    server.campaigns.PutCampaign(campaigns_pb2.PutCampaignRequest(source=hero))
    requests = [decisions_pb2.DecideRequest(campaign="hero")] * 4
    answer = server.decisions.BatchDecide(decisions_pb2.BatchDecideRequest(requests=requests))
    return [result.decision.decision_id for result in answer.results]


@pytest.fixture
def batch(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Batch:
    monkeypatch.chdir(tmp_path)
    return lambda *given: CliRunner().invoke(app, ["reward", "--server", server.target, "--batch", *map(str, given)])


def test_a_file_counts_once(batch: Batch, ids: list[str], sql: Any, tmp_path: Path) -> None:
    lines = [f"{ids[0]},revenue,9.5,,", f"{ids[0]},revenue,9.5,,", f"{ids[1]},click,,cta,k", f"{ids[1]},click,,cta,k"]
    file = tmp_path / "o.csv"
    file.write_text("decision_id,metric,value,slot,key\n" + "\n".join(lines) + "\n")
    first = batch("o.csv")
    assert first.exit_code == 0, first.output
    assert first.stdout == "4 rows: 3 accepted, 0 pending, 0 late, 1 duplicate, 0 refused\n"
    stored = sql("SELECT decision_id, metric, value, slot FROM outcomes ORDER BY outcome_id")
    assert stored == [(ids[0], "revenue", 9.5, None)] * 2 + [(ids[1], "click", 1.0, "cta")]
    with file.open("a") as more:
        more.write(f"{ids[2]},click,,,\n")
    again = batch("o.csv", "--json")
    assert json.loads(again.stdout) == {
        "rows": 5,
        "accepted": 1,
        "pending": 0,
        "late": 0,
        "duplicate": 4,
        "refused": 0,
    }
    pq.write_table(pyarrow.csv.read_csv(file), tmp_path / "o.parquet")
    assert "0 accepted, 0 pending, 0 late, 5 duplicate" in batch("o.parquet").stdout


def test_a_file_of_persons_counts_once(batch: Batch, ids: list[str], server: Any, sql: Any, tmp_path: Path) -> None:
    made = [
        server.decisions.Decide(decisions_pb2.DecideRequest(campaign="hero", person=person)).decision_id
        for person in ("ana", "ben")
    ]
    (tmp_path / "o.csv").write_text("person,metric,campaign\nana,click,\nben,click,hero\ncid,click,\n")
    sent = batch("o.csv", "--campaign", "hero")
    assert sent.stdout == "3 rows: 2 accepted, 0 pending, 0 late, 0 duplicate, 1 refused\n"
    assert "has shown nothing to this person" in sent.stderr
    server.decisions.Decide(decisions_pb2.DecideRequest(campaign="hero", person="ana"))  # in between
    again = batch("o.csv", "--campaign", "hero")
    assert again.stdout == "3 rows: 0 accepted, 0 pending, 0 late, 2 duplicate, 1 refused\n"
    assert sql("SELECT decision_id FROM outcomes ORDER BY outcome_id") == [(one,) for one in made]


def test_what_is_refused_can_be_mended_and_sent_again(batch: Batch, ids: list[str], sql: Any, tmp_path: Path) -> None:
    rows = [(ids[0], "sale", "1"), ("forged", "click", "1"), (ids[1], "click", "1"), (ids[2], "click", "x")]
    (tmp_path / "o.csv").write_text("who,metric,value\n" + "".join(",".join(row) + "\n" for row in rows))
    sent = batch("o.csv", "--column", "decision_id=who", "--rejects", "r.csv")
    assert sent.exit_code == 1
    assert sent.stdout == "4 rows: 1 accepted, 0 pending, 0 late, 0 duplicate, 3 refused\n"
    told = sent.stderr.splitlines()
    assert [line.partition(":")[0] for line in told] == ["line 2", "line 3", "line 5"]
    assert "declares 'click', 'revenue'" in told[0]
    with (tmp_path / "r.csv").open(newline="") as file:
        rejected = list(csv.DictReader(file))
    assert [(one["who"], one["rejected_line"]) for one in rejected] == [(ids[0], "2"), ("forged", "3"), (ids[2], "5")]
    mended = (tmp_path / "r.csv").read_text().replace("sale", "revenue").replace("forged", ids[3]).replace(",x,", ",7,")
    (tmp_path / "r.csv").write_text(mended)
    assert "3 accepted" in batch("r.csv", "--column", "decision_id=who").stdout
    assert sql("SELECT count(*) FROM outcomes") == [(4,)]


def test_ctrl_c_loses_nothing_and_counts_nothing_twice(
    batch: Batch, ids: list[str], sql: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "o.csv").write_text("decision_id,metric\n" + f"{ids[0]},click\n" * 5_001)
    tell = Client.reward_many
    calls: list[int] = []

    def interrupted(client: Client, items: Sequence[Any]) -> Any:
        calls.append(len(items))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return tell(client, items)

    with monkeypatch.context() as patched:
        patched.setattr(Client, "reward_many", interrupted)
        stopped = batch("o.csv")
    assert stopped.exit_code == 130
    assert "5,000 rows: 5,000 accepted" in stopped.stdout
    assert "send the file again" in stopped.stderr
    assert "5,001 rows: 1 accepted, 0 pending, 0 late, 5,000 duplicate" in batch("o.csv").stdout
    assert sql("SELECT count(*) FROM outcomes") == [(5_001,)]


def test_a_server_that_is_away_leaves_a_summary(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text("decision_id\nd\n")
    ran = CliRunner().invoke(app, ["reward", "--server", "localhost:1", "--batch", str(tmp_path / "o.csv")])
    assert ran.exit_code == 1
    assert "UNAVAILABLE" in str(ran.exception)
    assert ran.stdout.startswith("0 rows: 0 accepted")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a decision's id, or --person, or --batch FILE"),
        (["d", "click", "--person", "ana", "--campaign", "hero"], "expected a decision's id, or --person"),
        (["--person", "ana", "click"], "expected both --person and --campaign"),
        (["d", "click", "--campaign", "hero"], "expected both --person and --campaign"),
        (["--batch", "o.csv", "--person", "ana"], "expected no other outcome beside it"),
        (["d", "--batch", "o.csv"], "expected no other outcome beside it"),
        (["d", "--rejects", "r.csv"], "go with --batch FILE"),
        (["--batch", "o.csv", "--column", "value"], "expected FIELD=COLUMN"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ran = CliRunner().invoke(app, ["reward", *arguments])
    assert ran.exit_code == 2
    assert message in ran.stderr


def test_the_file_of_rejects_is_not_the_file(batch: Batch, tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text("decision_id\nd\n")
    ran = batch("o.csv", "--rejects", "o.csv")
    assert "name another one" in str(ran.exception)
    assert (tmp_path / "o.csv").read_text() == "decision_id\nd\n"
