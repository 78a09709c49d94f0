"""`elige evaluate --log` with a folder of Parquet files, or a file too large to be read at once."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from typer.testing import CliRunner, Result

from server.cli import app
from server.errors import InvalidRequest
from server.evaluation.request import EvaluationRequest
from server.files import streamed
from server.files.streamed import Streamed, is_streamed
from simulator import ColumnMapping

MAPPING = "variant: arm\nreward: visit\nshares: equal\ncontext: {country: text}\ntime: at\n"

Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two days of 300 rows; b earns more."""
    days = tmp_path / "days"
    days.mkdir()
    for day in range(2):
        rows = np.arange(300)
        visits = np.where(rows % 2 == 0, rows % 6 == 0, rows % 4 == 1)
        table = {"arm": np.array(["a", "b"])[rows % 2], "visit": visits.astype(int), "at": day * 86_400 + rows}
        parquet.write_table(
            pa.table({**table, "country": np.array(["ES", "PT"])[rows % 5 % 2]}), days / f"{day}.parquet"
        )
    (tmp_path / "trial.yaml").write_text(MAPPING)
    return days


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_a_folder_and_a_large_file_are_judged_in_pieces(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--mapping", "trial.yaml", "--cores", "1", "--by", "country", "--json"]
    done = run("evaluate", "--log", "days", *arguments)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["log"]["n"] == 600
    assert told["best"] == "fixed:b"
    assert [group["name"] for group in told["groups"]] == ["ES", "PT"]
    whole = folder.parent / "all.parquet"
    parquet.write_table(parquet.read_table(folder), whole)
    assert not is_streamed(whole)
    small = json.loads(run("evaluate", "--log", "all.parquet", *arguments).stdout)
    monkeypatch.setattr(streamed, "IN_MEMORY", 599)
    assert is_streamed(whole)
    large = json.loads(run("evaluate", "--log", "all.parquet", *arguments).stdout)
    for one, other in zip(large["rows"], small["rows"], strict=True):
        assert one["name"] == other["name"]
        if "ips" in other["estimates"]:
            assert one["estimates"]["ips"]["low"] == pytest.approx(other["estimates"]["ips"]["low"], rel=1e-9)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"where": "country == 'ES'"}, "where: days is read in pieces"),
        ({"interval": "bootstrap", "replay": "auto"}, "interval, replay: days is read in pieces"),
        ({"slot": "hero"}, "days has no slot 'hero'; its mapping says 'variant'"),
        ({"by": ("country", "arm")}, "by country, arm: days is read in pieces; expected one key"),
    ],
    ids=["where", "interval and replay", "slot", "two keys"],
)
def test_what_needs_all_rows_at_once(folder: Path, asked: dict[str, object], says: str) -> None:
    source = Streamed(folder, ColumnMapping("arm", "visit", shares="equal", context={"country": "text"}), 1)
    with pytest.raises(InvalidRequest, match=says):
        source.evaluate(EvaluationRequest("days", **asked), progress=lambda what, done: None)  # type: ignore[arg-type]


def test_a_folder_without_a_mapping_is_an_export(run: Run, folder: Path) -> None:
    done = run("evaluate", "--log", "days", "--campaign", "trial")
    assert done.exit_code == 1
    assert "days" in str(done.exception)
