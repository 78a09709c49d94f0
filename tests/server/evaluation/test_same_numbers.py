"""The same decisions give the same numbers, whatever kept them: a database, dsjson, Parquet, whole or in pieces."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from policies.types import RewardRange
from server.evaluation.request import EvaluationRequest
from server.evaluation.run import run
from server.evaluation.stored import Stored
from server.files.streamed import Streamed
from server.files.tabled import Tabled
from server.records import Decision
from server.store.database import Database
from simulator import ColumnMapping, Evaluation, dsjson_log, evaluate

ASKED = EvaluationRequest("hero", slot="headline", estimators=("ips", "snips", "dr"))
RANGE = RewardRange(0.0, 3.0)
MAPPING = ColumnMapping(
    variant="variant",
    reward="reward",
    probabilities="probabilities",
    time="at",
    context={"country": "text"},
    variants=("hours", "price", "trust"),
    default="hours",
    slot="headline",
    reward_range=RANGE,
)


def row(one: Decision) -> dict[str, Any]:
    choice = one.choices[0]
    clicked = (choice.variant == "price") == (one.context["country"] == "ES")
    kept = {"variant": choice.variant, "probabilities": list(choice.probabilities), "reward": float(clicked)}
    return {**kept, "at": one.at.timestamp(), "country": one.context["country"], "id": one.id}


def as_dsjson(one: Mapping[str, Any]) -> str:
    places = [1, 2, 3]
    chosen = ["hours", "price", "trust"].index(one["variant"])
    at = datetime.fromtimestamp(one["at"]).astimezone().isoformat()
    return json.dumps(
        {
            "_label_cost": -one["reward"],
            "_label_probability": one["probabilities"][chosen],
            "_label_Action": chosen + 1,
            "_labelIndex": chosen,
            "Timestamp": at,
            "EventId": one["id"],
            "a": places,
            "p": one["probabilities"],
            "c": {"country": one["country"], "_multi": [{"_tag": name} for name in ("hours", "price", "trust")]},
        }
    )


def numbers(evaluation: Evaluation, *estimators: str) -> dict[str, list[float]]:
    """Value and interval of each fixed policy and of uniform."""
    rows = {one.name: one.estimates for one in evaluation.rows if one.name != "logged"}
    return {
        f"{name} {estimator}": [found[estimator].value, found[estimator].low, found[estimator].high]
        for name, found in rows.items()
        for estimator in estimators
    }


@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
def test_the_same_decisions_give_the_same_numbers(
    database: Database, put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, tmp_path: Path
) -> None:
    # without features that only a campaign knows: of variants, of their words, of the time
    source = hero.replace(", features: {angle: price}", "").replace("default:", "wording: false\n    default:")
    put(source.replace("context:", "policy: fixed:hours\nexplore: 0.6\nclock: false\ncontext:"))
    rows = []
    for _ in range(4):
        rows += map(row, log.visits(100))
        clock.move(minutes=10)
    clock.move(hours=1)
    new_trainer().step(clock())
    rows.sort(key=lambda one: (one["at"], one["id"]))  # as they were matured
    (tmp_path / "days").mkdir()
    for part in (0, 1):
        table = pa.Table.from_pylist(rows[200 * part : 200 * (part + 1)])
        parquet.write_table(table, tmp_path / "days" / f"{part}.parquet")
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "all.parquet")
    (tmp_path / "log.dsjson").write_text("\n".join(map(as_dsjson, rows)))

    stored = run(Stored(database), ASKED)
    exactly = numbers(stored, "ips", "snips")
    assert len(exactly) == 8
    told = dsjson_log(tmp_path / "log.dsjson", slot="headline", reward_range=RANGE)
    from_dsjson = evaluate(told, estimators=ASKED.estimators)
    whole = run(Tabled(tmp_path / "all.parquet", MAPPING), ASKED)
    pieces = Streamed(tmp_path / "days", MAPPING, 1, None).evaluate(ASKED, progress=lambda what, done: None)
    for other in (from_dsjson, whole, pieces):
        assert numbers(other, "ips", "snips") == {name: pytest.approx(one, rel=1e-9) for name, one in exactly.items()}
    exact = numbers(stored, "dr")
    for other in (from_dsjson, whole):
        assert numbers(other, "dr") == {name: pytest.approx(one, rel=1e-9) for name, one in exact.items()}
    for name, (value, low, high) in numbers(pieces, "dr").items():
        near = 0.1 * (high - low)  # its model of the rewards is fitted on other parts of the log
        assert [value, low, high] == pytest.approx(exact[name], abs=near), name
