"""`elige person …`."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from elige.v1 import campaigns_pb2, decisions_pb2
from server.cli import app
from server.errors import Conflict, DatabaseUnusable, NoSuchErasure


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


def run(*given: str) -> Any:
    return CliRunner().invoke(app, ["person", *given])


def test_a_person_is_linked_exported_and_erased(server: Any, hero: str, sql: Any, url: str, tmp_path: Path) -> None:
    server.campaigns.PutCampaign(campaigns_pb2.PutCampaignRequest(source=hero))
    for person in ("cookie-7", "ana"):
        made = server.decisions.Decide(decisions_pb2.DecideRequest(campaign="hero", person=person, request_id=person))
        told = decisions_pb2.RewardRequest(decision_id=made.decision_id, metric="click", key=f"click/{person}")
        server.decisions.Reward(told)
    assert run("link", "cookie-7", "ana", "--db", url).stdout == "linked\n"
    assert run("link", "cookie-7", "ana", "--db", url).stdout == "they were linked before\n"
    assert isinstance(run("link", "cookie-7", "berta", "--db", url).exception, Conflict)

    exported = run("export", "ana", "--db", url)
    assert exported.exit_code == 0, exported.output
    document = json.loads(exported.stdout)
    assert document["person"] == "ana"
    assert len(document["person_keys"]) == 2
    assert [one["decision"]["request_id"] for one in document["decisions"]] == ["cookie-7", "ana"]
    assert [one["outcomes"][0]["outcome"]["key"] for one in document["decisions"]] == ["click/cookie-7", "click/ana"]
    assert document["decisions"][0]["decision"]["choices"][0]["content"]["text"]
    out = tmp_path / "ana.json"
    assert run("export", "cookie-7", "--out", str(out), "--db", url).stdout == f"2 decisions written to {out}\n"
    assert json.loads(out.read_text())["decisions"] == document["decisions"]

    assert run("erase", "ana", "--dry-run", "--db", url).stdout == "would erase 2 decisions, 2 outcomes, 1 links\n"
    erased = run("erase", "cookie-7", "--db", url)
    assert "erased 2 decisions, 2 outcomes, 1 links" in erased.stdout
    erasure_id = erased.stdout.split()[-1]
    again = json.loads(run("erase", "--erasure", erasure_id, "--json", "--db", url).stdout)
    assert (again["id"], again["state"], again["retrainings"]) == (erasure_id, "retraining", [])
    assert sql("SELECT count(person), count(request_id), count(erased_at) FROM decisions") == [(0, 0, 2)]
    assert json.loads(run("export", "ana", "--db", url).stdout)["decisions"] == []


def test_what_can_not_be_erased(url: str, database: Any) -> None:
    for given in ((), ("ana", "--erasure", "x"), ("--erasure", "x", "--dry-run")):
        assert run("erase", *given, "--db", url).exit_code == 2
    assert isinstance(run("erase", "--erasure", "x", "--db", url).exception, NoSuchErasure)
