"""An export written into a database again."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select, text

from server.campaigns.file import load_campaigns
from server.campaigns.versions import put_campaign
from server.errors import Conflict, InvalidRequest, WrongState
from server.evaluation.log import read_log
from server.files import back
from server.files.back import import_exported
from server.files.export import FILE, day_folder, export_log, versions_folder
from server.loading import Loader
from server.records import Activation, State
from server.store import activations as activation_rows
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store import reimport
from server.store.database import Database
from server.store.erasures import blank
from server.store.inspection import check
from server.store.tables import metadata
from server.training.trainer import Trainer
from simulator import evaluate, to_json
from simulator.sources.parquet import ParquetError

CAME_BACK = ("campaigns", "decisions", "choices", "outcomes", "rewards", "windows", "requests")


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of another installation."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "target.db")
        opened = Database(f"sqlite:///{tmp_path / 'target.db'}")
        yield opened
        opened.close()
        return
    with request.getfixturevalue("postgres").database() as url:
        opened = Database(url)
        yield opened
        opened.close()


@pytest.fixture
def source(
    made_once: Any, database: Database, put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, set_to: Any
) -> Database:
    """Three days with a bit of everything; the last day's windows are open. A second campaign without decisions."""

    def make() -> None:
        put(hero)
        put(hero.replace("campaign: hero", "campaign: other"))
        log.visits(20)
        ana, bea = log.decide([{"country": "ES"}, {"country": "PT"}], person="ana", request_id=None)
        log.happen(ana, "revenue", 3.5, key="order-1")
        log.happen(ana, "revenue", 3.5, key="order-2")
        log.happen(bea, "click", after=timedelta(days=2))  # late
        log.decide([{"country": "ES"}], defer_activation=True, activation_ttl=timedelta(hours=1))  # expires
        (first,) = log.decide([{"country": "ES"}], request_id="visit-1")
        with database.writing() as connection:  # another server's answer to the same request
            other = replace(first, id=first.id[:-1] + ("0" if first.id[-1] != "0" else "1"))
            decision_rows.drain(connection, [other])
        clock.move(days=1)
        log.visits(20)
        new_trainer().step(clock.now)
        put(hero.replace("price}", "cheap}"))
        log.visits(20)
        clock.move(days=1)
        new_trainer().step(clock.now)
        with database.writing() as connection:
            blank(connection, [bea.id], now=clock.now)
        log.visits(5)
        log.decide([{"country": "PT"}], defer_activation=True, activation_ttl=timedelta(days=3))
        set_to("hero", State.PAUSED)

    made_once(make)
    return database


@pytest.fixture
def out(source: Database, tmp_path: Path) -> Path:
    export_log(source, tmp_path / "out")
    return tmp_path / "out"


def rows(database: Database, name: str) -> list[dict[str, Any]]:
    """All of a table but what counts up by itself, in an order of its own."""
    with database.reading() as connection:
        found = [dict(row) for row in connection.execute(select(metadata.tables[name])).mappings()]
    for row in found:
        row.pop("outcome_id", None)
    return sorted(found, key=repr)


def findings(database: Database) -> list[str]:
    with database.reading() as connection:
        return [f"{one.rule}: {one.wrong}" for one in check(connection) if one.wrong]


def test_everything_comes_back_as_it_was(source: Database, out: Path, target: Database) -> None:
    done = import_exported(target, out)
    for name in CAME_BACK:
        assert rows(target, name) == rows(source, name), name
    assert (done.campaigns, done.known, done.renumbered) == (("hero", "other"), (), ())
    assert {name: done.rows[name] for name in done.rows} == {name: len(rows(source, name)) for name in done.rows}
    assert done.windows == len(rows(source, "windows")) == 6
    assert sum(row["waiting"] for row in rows(target, "windows")) == 1
    kinds = {row["excluded"] for row in rows(target, "rewards")}
    assert kinds == {None, "expired", "erased"}
    decided = rows(target, "decisions")
    assert any(row["superseded_by"] for row in decided)
    assert any(row["erased_at"] for row in decided)
    assert findings(target) == []


def test_figures_are_those_of_the_source(source: Database, out: Path, target: Database) -> None:
    import_exported(target, out)
    judged = [to_json(evaluate(read_log(one, "hero"), ["epsilon:epsilon=0.1"])) for one in (source, target)]
    assert judged[0] == judged[1]


def test_the_trainer_learns_it_again(
    source: Database, out: Path, target: Database, clock: Any, new_trainer: Callable[..., Trainer]
) -> None:
    import_exported(target, out)
    new_trainer(over=target).step(clock.now)
    before = len(rows(target, "rewards"))
    (snapshot,) = (row for row in rows(target, "snapshots") if row["campaign"] == "hero")
    assert snapshot["trained_through"] == before
    assert snapshot["examples"] > 0
    new_trainer("two", over=target).step(clock.move(days=4))  # the windows that were open close
    assert len(rows(target, "rewards")) == before + 6
    assert findings(target) == []


def test_repeating_it_changes_nothing(out: Path, target: Database) -> None:
    import_exported(target, out)
    before = {name: rows(target, name) for name in CAME_BACK}
    again = import_exported(target, out)
    assert (again.campaigns, again.known) == ((), ("hero", "other"))
    assert not any(again.rows.values())
    assert {name: rows(target, name) for name in CAME_BACK} == before


def test_one_that_was_broken_off_goes_on(
    source: Database, out: Path, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(back.rows, "CHUNK", 7)
    whole, left = reimport.add, 0

    def breaking(*given: Any) -> int:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt
        return whole(*given)

    monkeypatch.setattr(reimport, "add", breaking)
    for steps in (1, 5, 15, 30):
        left = steps
        with pytest.raises(KeyboardInterrupt):
            import_exported(target, out)
        with target.reading() as connection:
            assert campaign_rows.heads(connection) == {}
            assert campaign_rows.newest_versions(connection) == []
            with pytest.raises(WrongState, match="'hero' is being imported: repeat elige import parquet"):
                campaign_rows.read_version(connection, "hero")
        assert Loader(target).changed(()) == []
        assert not Trainer(target, holder="one", grace=timedelta(0)).step(datetime(2027, 1, 1, tzinfo=UTC)).matured
    left = 0
    import_exported(target, out)
    for name in CAME_BACK:
        assert rows(target, name) == rows(source, name), name


def test_it_may_have_lived_on(out: Path, target: Database, clock: Any, new_trainer: Callable[..., Trainer]) -> None:
    import_exported(target, out)
    (waits,) = (row for row in rows(target, "windows") if row["waiting"])
    with target.writing() as connection:
        activation_rows.append(connection, [Activation(waits["decision_id"], "hero", (), clock.now)])
    new_trainer(over=target).step(clock.move(days=1))
    assert import_exported(target, out).known == ("hero", "other")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE campaigns SET source = 'x' WHERE version = 1", "version 1 of campaign 'hero' is another here: source"),
        ("UPDATE decisions SET person = 'x' WHERE request_id = 'visit-1'", "are others here: person"),
        ("UPDATE choices SET propensity = 0.25 WHERE position = 1", "are others here: propensity"),
        ("UPDATE outcomes SET value = 2 WHERE key = 'order-1'", r"are others here: (value|key)"),
        ("UPDATE rewards SET reward = 2 WHERE sequence = 7", "are others here: reward"),
        ("DELETE FROM rewards WHERE sequence > 60", "'hero' is in this database, without 4 rows of the export"),
    ],
)
def test_a_campaign_that_is_another_is_refused(out: Path, target: Database, change: str, said: str) -> None:
    import_exported(target, out)
    with target.writing() as connection:
        connection.execute(text(change))
        connection.execute(text("DELETE FROM campaigns WHERE campaign = 'other'"))
    before = {name: rows(target, name) for name in CAME_BACK}
    with pytest.raises(Conflict, match=said):
        import_exported(target, out)
    assert {name: rows(target, name) for name in CAME_BACK} == before


def test_a_place_that_another_decision_has_is_refused(out: Path, target: Database) -> None:
    import_exported(target, out)
    with target.writing() as connection:  # as if it had matured before the rest came
        early = "SELECT decision_id FROM windows WHERE NOT waiting LIMIT 1"
        connection.execute(text(f"UPDATE rewards SET decision_id = ({early}) WHERE sequence = 64"))
    with pytest.raises(Conflict, match=r"place 64 of its sequence is that of decision '.*' here, and of '.*' there"):
        import_exported(target, out)


def test_numbers_are_kept_where_they_are_free(out: Path, target: Database, hero: str, clock: Any) -> None:
    (theirs,) = load_campaigns(hero.replace("campaign: hero", "campaign: theirs"), file_name="x.yaml")
    put_campaign(target, theirs, "theirs", now=clock())
    done = import_exported(target, out)
    assert (done.renumbered, done.same_installation) == (("hero",), False)
    numbers = {row["campaign"]: row["number"] for row in rows(target, "campaigns")}
    assert numbers == {"theirs": 1, "hero": 3, "other": 2}


def test_with_the_same_secret_it_is_the_same_installation(source: Database, out: Path, target: Database) -> None:
    with target.writing() as connection:
        secret = {"secret": source.secret.hex()}
        connection.execute(text("UPDATE meta SET value = :secret WHERE name = 'secret'"), secret)
    assert import_exported(target, out).same_installation


def change(path: Path, **columns: Callable[[list[Any]], list[Any]]) -> None:
    """Writes a file anew with other values in these columns."""
    found = pq.read_table(path)
    for name, other in columns.items():
        place = found.schema.get_field_index(name)
        values = pa.array(other(found.column(name).to_pylist()), found.schema.field(name).type)
        found = found.set_column(place, found.schema.field(name), values)
    pq.write_table(found, path)


def test_a_folder_that_is_no_whole_export_is_refused(out: Path, tmp_path: Path) -> None:
    nothing = Database(f"sqlite:///{tmp_path / 'nothing.db'}")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidRequest, match=r"empty has no manifest.json: expected a folder that elige export"):
        import_exported(nothing, tmp_path / "empty")
    (tmp_path / "empty" / "manifest.json").write_text("[]")
    with pytest.raises(InvalidRequest, match="is no manifest of an export"):
        import_exported(nothing, tmp_path / "empty")
    (tmp_path / "empty" / "manifest.json").write_text('{"format": 1, "installation": "x", "days": {}}')
    with pytest.raises(InvalidRequest, match="empty holds no campaigns"):
        import_exported(nothing, tmp_path / "empty")

    def refused(path: Path, spoil: Callable[[Path], Any], said: str, error: type[Exception] = InvalidRequest) -> None:
        kept = path.read_bytes()
        spoil(path)
        with pytest.raises(error, match=said):
            import_exported(nothing, out)
        path.write_bytes(kept)

    def day(table: str) -> Path:
        return day_folder(out, table, "hero", "2026-03-02") / FILE

    versions = versions_folder(out, "hero") / FILE
    drop_first = pq.read_table(day("rewards")).slice(1)
    refused(day("choices"), Path.unlink, r"rows.parquet is missing")
    refused(day("choices"), lambda path: path.write_bytes(b"PAR1"), "is no Parquet file", ParquetError)
    refused(day("choices"), lambda path: path.write_bytes(day("rewards").read_bytes()), "has the columns .* expected")
    refused(day("rewards"), lambda path: pq.write_table(drop_first, path), "rewards in places 1 to 6. of the sequence")
    refused(day("choices"), lambda path: change(path, decision_id=lambda ids: ["x", *ids[1:]]), "have other choices")
    refused(day("decisions"), lambda path: change(path, version=lambda found: [9] * len(found)), "have other versions")
    refused(versions, lambda path: change(path, state=lambda found: ["x"] * len(found)), "no version of campaign")
    refused(versions, lambda path: pq.write_table(pq.read_table(path).slice(0, 0), path), "holds no version")
    assert not any(rows(nothing, name) for name in CAME_BACK)
    import_exported(nothing, out)
