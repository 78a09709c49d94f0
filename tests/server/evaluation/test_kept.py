"""Evaluations that an earlier version kept: whatever is added since, they are read. `kept/first.json` is of the first
version that kept any, and is never written anew.
"""

from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from elige.client.evaluation_replies import evaluation
from server.cli import app
from server.evaluation.request import EvaluationRequest
from server.rpc.evaluations_wire import write_evaluation
from server.store import evaluations as rows
from server.store.database import Database
from server.store.evaluations import TURN, EvaluationState, StoredEvaluation

FIRST = Path(__file__).parent / "kept" / "first.json"


@pytest.fixture
def kept(database: Database) -> dict[str, Any]:
    """The document, which is in the database as well."""
    document: dict[str, Any] = orjson.loads(FIRST.read_bytes())
    values = {**document, "state": EvaluationState(document["state"])}
    for name in ("created_at", "started_at", "finished_at"):
        values[name] = datetime.fromisoformat(values[name])
    assert {one.name for one in fields(StoredEvaluation)} >= set(values)
    with database.writing(TURN) as connection:
        rows.append(connection, StoredEvaluation(**values))
    return document


def test_it_is_told_as_it_was_found(kept: dict[str, Any], database: Database) -> None:
    with database.reading() as connection:
        found = evaluation(write_evaluation(rows.read(connection, kept["id"])))
    assert (found.state, found.request["slots"]) == ("done", ["headline"])
    assert found.result is not None
    assert found.result.summary.startswith(kept["result"]["verdict"])
    for row in kept["result"]["rows"]:
        if row["refusal"] is None:
            (name, one), *_ = row["estimates"].items()
            value = found.result.estimate(row["name"], name).value
            assert value is not None
            assert (value.value, value.low, value.high) == (one["value"], one["low"], one["high"])
    assert {one.segment for one in found.result.estimates} >= {"", "country=(other: 2 values)"}
    assert {one.label: one.arguments for one in found.result.judged}["thompson"] == {}, "it did not say"


def test_what_was_asked_can_be_asked_again(kept: dict[str, Any]) -> None:
    asked = EvaluationRequest.from_document(kept["request"])
    assert (asked.slot, asked.slots, asked.policies) == ("headline", (), ("fixed:price", "thompson"))
    assert EvaluationRequest.from_document(asked.document()) == asked


@pytest.mark.usefixtures("kept")
def test_the_command_line_shows_it(url: str) -> None:
    for command in (("list",), ("show", "0e" * 16), ("show", "0e" * 16, "--json")):
        shown = CliRunner().invoke(app, ["evaluation", *command, "--db", url])
        assert (shown.exit_code, "fixed:price" in shown.output) == (0, True), shown.output
