"""The log as Parquet files, and back."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from server.errors import Conflict, InvalidRequest, NoSuchCampaign
from server.evaluation.log import read_log
from server.files.export import FILE, day_folder, export_log
from server.files.exported import groups_in, read_exported_log
from server.store.database import Database
from server.store.erasures import blank
from server.store.tables import metadata
from simulator import Log, evaluate, to_json

pytestmark = pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def exported(made_once: Any, database: Any, put: Any, hero: str, log: Any, clock: Any, new_trainer: Any) -> Any:
    """Three days of visits, all but the last learned; a second campaign without any."""

    def make() -> None:
        put(hero)
        put(hero.replace("campaign: hero", "campaign: other"))
        for _ in range(3):
            log.visits(20)
            clock.move(hours=1)
            log.visits(20)
            clock.move(hours=23)
        put(hero.replace("price}", "cheap}"))
        new_trainer().step(clock.now)
        log.visits(5)

    made_once(make)
    return database


def table(folder: Path, name: str) -> Any:
    return ds.dataset(folder / name, partitioning="hive").to_table()


def test_every_row_is_there_with_its_types(exported: Any, tmp_path: Path, sql: Any) -> None:
    done = export_log(exported, tmp_path / "out")
    assert (done.written, done.unchanged) == (4, 0)
    for name, expected in done.rows.items():
        found = table(tmp_path / "out", name)
        assert found.num_rows == expected == sql(f"SELECT count(*) FROM {name}")[0][0]
        assert set(found.column_names) == {*metadata.tables[name].columns.keys(), "campaign", "day"}
    decisions = table(tmp_path / "out", "decisions")
    assert decisions.schema.field("at").type == pa.timestamp("us", "UTC")
    assert json.loads(decisions.column("context")[0].as_py())["country"] in ("ES", "PT")
    choices = table(tmp_path / "out", "choices").to_pylist()
    assert {tuple(choice["eligible"]) for choice in choices} == {("hours", "price", "trust"), ("try", "demo")}
    assert all(abs(sum(choice["probabilities"]) - 1.0) < 1e-9 for choice in choices)
    versions = pq.read_table(tmp_path / "out" / "campaigns" / "campaign=hero" / FILE)
    assert versions.column("version").to_pylist() == [1, 2]
    assert not list((tmp_path / "out").rglob(".*"))


def test_a_second_run_writes_what_has_changed(
    exported: Any, tmp_path: Path, log: Any, clock: Any, new_trainer: Any
) -> None:
    out = tmp_path / "out"
    export_log(exported, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob(f"day=*/{FILE}")}
    again = export_log(exported, out)
    assert (again.written, again.unchanged) == (0, 4)
    clock.move(hours=2)
    new_trainer().step(clock.now)  # the reward of an old day comes later
    clock.move(days=1)
    log.visits(2)
    later = export_log(exported, out)
    assert (later.written, later.unchanged) == (2, 3)
    changed = {path.parent.name for path in before if path.stat().st_mtime_ns != before[path]}
    assert changed == {"day=2026-03-04"}
    assert table(out, "rewards").num_rows == 125


def test_who_is_erased_leaves_the_files_and_what_is_past_its_retention_stays(
    exported: Any, tmp_path: Path, sql: Any
) -> None:
    out = tmp_path / "out"
    sql("UPDATE decisions SET person = 'ana'")
    sql("UPDATE decisions SET labels = '[\"vip-7391\"]' WHERE decision_id = (SELECT max(decision_id) FROM decisions)")
    export_log(exported, out)
    (last,) = sql("SELECT decision_id, at FROM decisions WHERE person = 'ana' ORDER BY decision_id DESC LIMIT 1")
    assert "vip-7391" in str(table(out, "decisions").to_pylist())
    with exported.writing() as connection:
        blank(connection, [last.decision_id], now=datetime(2026, 3, 9, tzinfo=UTC))
    assert export_log(exported, out).written == 1
    assert "vip-7391" not in str(table(out, "decisions").to_pylist())

    kept = table(out, "decisions").num_rows
    (first,) = sql("SELECT min(decision_id) FROM decisions")
    for name in ("outcomes", "choices", "rewards", "windows", "decisions"):
        sql(f"DELETE FROM {name} WHERE decision_id = :id", id=first[0])
    assert export_log(exported, out).written == 0
    assert table(out, "decisions").num_rows == kept


def test_a_broken_export_goes_on_where_it_was(exported: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def stop(campaign: str, day: str) -> None:
        if day == "2026-03-03":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_log(exported, out, progress=stop)
    assert export_log(exported, out).written == 2
    assert table(out, "decisions").num_rows == 125


def test_a_day_that_fails_leaves_its_old_files(
    exported: Any, tmp_path: Path, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.store import export as rows

    out = tmp_path / "out"
    export_log(exported, out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    sql("UPDATE decisions SET person = NULL")
    sql("DELETE FROM rewards WHERE sequence = 1")
    whole = rows.read_day

    def broken(*given: Any) -> Any:
        yield next(whole(*given))
        raise OSError("disk full")

    monkeypatch.setattr(rows, "read_day", broken)
    with pytest.raises(OSError, match="disk full"):
        export_log(exported, out)
    after = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    written = {path for path in after if after[path] != before.get(path)}
    assert {path.parts[-3] for path in written} <= {"campaigns"}


def test_the_files_give_the_same_estimates_as_the_store(exported: Any, tmp_path: Path) -> None:
    export_log(exported, tmp_path / "out", campaigns=["hero"])
    for given in (
        {},
        {"slot": "cta"},
        {"where": "country == 'ES'"},
        {"since": datetime(2026, 3, 2, tzinfo=UTC), "until": datetime(2026, 3, 3, tzinfo=UTC)},
    ):
        stored = read_log(exported, "hero", **given)
        filed = read_exported_log(tmp_path / "out", "hero", **given)
        for field in fields(Log):
            np.testing.assert_array_equal(getattr(filed, field.name), getattr(stored, field.name), field.name)
        policies = ["epsilon:epsilon=0.1"]
        assert to_json(evaluate(filed, policies)) == to_json(evaluate(stored, policies))


def test_groups_of_an_export(exported: Any, tmp_path: Path) -> None:
    export_log(exported, tmp_path / "out")
    log = read_exported_log(tmp_path / "out", "hero")
    assert {groups_in(log, "country").value(context) for context in log.contexts} == {"ES", "PT"}
    with pytest.raises(InvalidRequest, match="no context of this log has a key 'x'; there are: country"):
        groups_in(log, "x")


def test_what_is_refused(exported: Any, tmp_path: Path) -> None:
    with pytest.raises(NoSuchCampaign, match="no campaign 'x'; known: 'hero', 'other'"):
        export_log(exported, tmp_path / "out", campaigns=["x"])
    with pytest.raises(InvalidRequest, match=r"has no manifest.json"):
        read_exported_log(tmp_path, "hero")
    export_log(exported, tmp_path / "out", campaigns=["hero"])
    with pytest.raises(NoSuchCampaign, match="no campaign 'other'; known: 'hero'"):
        read_exported_log(tmp_path / "out", "other")
    with pytest.raises(Conflict, match="holds the log of another installation"):
        export_log(Database(f"sqlite:///{tmp_path / 'new.db'}"), tmp_path / "out")
    (day_folder(tmp_path / "out", "rewards", "hero", "2026-03-01") / FILE).unlink()
    with pytest.raises(InvalidRequest, match=r"rows.parquet is missing"):
        read_exported_log(tmp_path / "out", "hero")
    (tmp_path / "out" / "manifest.json").write_text('{"format": 2}')
    with pytest.raises(InvalidRequest, match="has format 2; this program reads and writes 1"):
        read_exported_log(tmp_path / "out", "hero")
