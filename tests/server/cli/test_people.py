"""`elige person key`."""

from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from elige.v1 import campaigns_pb2, decisions_pb2
from server.cli import app
from server.errors import DatabaseUnusable


def test_the_key_joins_with_the_decisions(server: Any, hero: str, sql: Any, url: str, tmp_path: Path) -> None:
    server.campaigns.PutCampaign(campaigns_pb2.PutCampaignRequest(source=hero))
    server.decisions.Decide(decisions_pb2.DecideRequest(campaign="hero", person="añá"))
    (tmp_path / "in.csv").write_text("who\nañá\n", encoding="utf-8")
    given = [str(tmp_path / "in.csv"), "--column", "who", "--out", str(tmp_path / "out.csv"), "--db", url]
    ran = CliRunner().invoke(app, ["person", "key", *given])
    assert ran.exit_code == 0, ran.output
    assert "pseudonyms" in ran.stdout
    ((person,),) = sql("SELECT person FROM decisions")
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == f"who,person_key\nañá,{person}\n"


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Its secret would be a new one, and the keys would join with nothing."""
    (tmp_path / "in.csv").write_text("who\nana\n")
    given = ["--column", "who", "--out", str(tmp_path / "out.csv"), "--db", f"sqlite:///{tmp_path / 'typo.db'}"]
    ran = CliRunner().invoke(app, ["person", "key", str(tmp_path / "in.csv"), *given])
    assert ran.exit_code == 1
    assert isinstance(ran.exception, DatabaseUnusable)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]
