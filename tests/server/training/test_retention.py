"""What is past its retention leaves the log; what was learned from it stays, and goes on."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from server.evaluation.snapshots import snapshot_candidate
from server.records import Outcome, State
from server.store import erasures as erasure_rows
from server.store import inspection
from server.store import outcomes as outcome_rows
from server.store import retention as retention_rows
from server.store import training as training_rows
from server.store.database import Database
from server.training import retention
from server.training import trainer as trainer_module
from server.training.retrain import retrain
from server.training.trainer import Trainer
from tests.server.conftest import Clock, Log

Sql = Callable[..., list[Any]]


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "SEGMENT", 10)


@pytest.fixture
def ten_days(hero: str, put: Callable[..., Any]) -> Any:
    """A campaign that keeps ten days."""
    return put(hero.replace("context:", "retention: 10d\npolicy: linear\ncontext:"))


def train(trainer: Trainer, clock: Clock) -> None:
    clock.move(minutes=31)
    while not trainer.step(clock()).idle:
        pass


def places(sql: Sql) -> list[int]:
    return [row[0] for row in sql("SELECT sequence FROM rewards ORDER BY sequence")]


def broken(database: Database) -> list[str]:
    with database.reading() as connection:
        return [found.rule for found in inspection.check(connection) if found.wrong]


def base(sql: Sql) -> list[int]:
    return [row[0] for row in sql("SELECT snapshot_id FROM snapshots WHERE base ORDER BY snapshot_id")]


def test_the_log_loses_its_beginning_and_learning_goes_on(
    database: Database, ten_days: Any, log: Log, clock: Clock, sql: Sql, new_trainer: Callable[..., Trainer]
) -> None:
    trainer = new_trainer()
    for _ in range(3):
        log.visits(14)
        train(trainer, clock)
        clock.move(days=4)
    assert places(sql) == list(range(1, 43))
    assert base(sql) == []
    kept = [one.id for one in log.visits(6)]
    train(trainer, clock)
    assert places(sql) == list(range(15, 49))
    newest = sql("SELECT decision_id FROM decisions ORDER BY decision_id DESC LIMIT 6")
    assert {row[0] for row in newest} == set(kept)
    assert sql("SELECT count(*) FROM choices") == [(68,)]
    assert sql("SELECT count(*) FROM outcomes WHERE decision_id NOT IN (SELECT decision_id FROM decisions)") == [(0,)]
    assert broken(database) == []
    # snapshots end at 10, 14, 24, 28, …: the one through 14 stands for what is gone
    assert base(sql) == [2]
    again = retrain(database, "hero")
    assert (again.agrees, again.began_at, again.boundaries) == (True, 2, 5)
    early = retrain(database, "hero", 1)
    assert not early.recomputable
    assert early.why_not == "the log before place 15 is past its retention"


def test_a_snapshot_in_whose_middle_the_log_begins_stands_for_all_that_it_knows(
    database: Database, ten_days: Any, log: Log, clock: Clock, sql: Sql, new_trainer: Callable[..., Trainer]
) -> None:
    trainer = new_trainer()
    log.visits(4)
    clock.move(days=4)
    log.visits(4)
    train(trainer, clock)
    log.visits(4)
    train(trainer, clock)
    clock.move(days=7)
    train(trainer, clock)
    assert places(sql) == list(range(5, 13))
    assert base(sql) == [1]
    assert broken(database) == []
    assert retrain(database, "hero").began_at == 1


def test_the_last_decision_leaves_a_tombstone_and_the_sequence_goes_on(
    database: Database, ten_days: Any, log: Log, clock: Clock, sql: Sql, new_trainer: Callable[..., Trainer]
) -> None:
    trainer = new_trainer()
    log.visits(12)
    train(trainer, clock)
    clock.move(days=11)
    train(trainer, clock)
    assert places(sql) == [12]
    assert sql("SELECT excluded, reward FROM rewards") == [("erased", None)]
    assert [str(row[0]) for row in sql("SELECT context FROM decisions WHERE erased_at IS NOT NULL")] == ["{}"]
    assert sql("SELECT count(*) FROM outcomes") == [(0,)]
    log.visits(3)
    train(trainer, clock)
    clock.move(hours=2)
    train(trainer, clock)
    assert places(sql) == [13, 14, 15]
    assert broken(database) == []
    assert retrain(database, "hero").agrees


def test_a_new_lineage_learns_what_is_there(
    database: Database,
    ten_days: Any,
    hero: str,
    put: Callable[..., Any],
    log: Log,
    clock: Clock,
    sql: Sql,
    new_trainer: Callable[..., Trainer],
) -> None:
    trainer = new_trainer()
    log.visits(12)
    train(trainer, clock)
    clock.move(days=11)
    log.visits(12)
    train(trainer, clock)
    clock.move(hours=2)
    train(trainer, clock)
    put(hero.replace("context:", "retention: 10d\npolicy: best_variant\ncontext:"))
    train(trainer, clock)
    again = retrain(database, "hero")
    assert (again.agrees, again.began_at) == (True, None)
    assert (again.snapshot.lineage, again.snapshot.examples) == (2, 24)
    assert sql("SELECT min(trained_from) FROM snapshots WHERE lineage = 2") == [(13,)]
    assert broken(database) == []


def test_the_base_keeps_its_bytes(
    database: Database, ten_days: Any, log: Log, clock: Clock, sql: Sql, new_trainer: Callable[..., Trainer]
) -> None:
    trainer = new_trainer()
    log.visits(15)
    clock.move(minutes=10)
    log.visits(13)
    train(trainer, clock)
    clock.move(days=10, minutes=-67)
    log.visits(2)
    clock.move(minutes=31)
    trainer.step(clock())
    assert places(sql)[0] == 16
    assert base(sql) == [2]  # through 20; the one through 28 is the last of the same hour
    with database.writing() as connection:
        training_rows.thin(connection, "hero", keep=0)
        training_rows.thin(connection, "hero", keep=0)
        found = training_rows.list_snapshots(connection, "hero", before=None, limit=9)
    assert [one.id for one in found if one.intact] == [4, 3, 2]


def test_what_counted_for_nothing_goes_without_having_been_learned(
    database: Database, ten_days: Any, log: Log, clock: Clock, sql: Sql, new_trainer: Callable[..., Trainer]
) -> None:
    """It is not missed when what comes after is learned again."""
    trainer = new_trainer()
    log.visits(5)
    train(trainer, clock)
    log.visits(3)
    sql("UPDATE windows SET waiting = true")  # of which nothing is shown
    train(trainer, clock)
    clock.move(days=11)
    train(trainer, clock)
    assert places(sql) == [8]
    log.visits(4)
    train(trainer, clock)
    again = retrain(database, "hero")
    assert (again.why_not, again.began_at, again.snapshot.trained_from) == ("", 1, 6)
    assert broken(database) == []


def test_without_a_snapshot_the_log_just_goes(
    database: Database,
    hero: str,
    put: Callable[..., Any],
    log: Log,
    clock: Clock,
    sql: Sql,
    new_trainer: Callable[..., Trainer],
) -> None:
    put(hero.replace("context:", "retention: 10d\npolicy: uniform\ncontext:"))
    log.visits(3)
    clock.move(days=11)
    log.visits(2)
    train(new_trainer(), clock)
    assert places(sql) == [4, 5]
    assert broken(database) == []


def test_what_waits_to_be_learned_stays_and_goes_where_nothing_is_learned(
    ten_days: Any,
    set_to: Callable[..., Any],
    log: Log,
    clock: Clock,
    sql: Sql,
    new_trainer: Callable[..., Trainer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trainer = new_trainer()
    log.visits(3)
    train(trainer, clock)
    monkeypatch.setattr(trainer_module.Trainer, "_learn", lambda *_: 0)
    log.visits(3)
    train(trainer, clock)
    clock.move(days=11)
    train(trainer, clock)
    assert places(sql) == [4, 5, 6]
    set_to("hero", State.KILLED)
    clock.move(hours=2)
    train(trainer, clock)
    assert places(sql) == [6]


def test_what_has_no_place_in_the_sequence_goes_too(
    database: Database, ten_days: Any, log: Log, clock: Clock, sql: Sql, new_trainer: Callable[..., Trainer]
) -> None:
    old, older = log.visits(2)
    early, late = clock(), clock() + timedelta(days=2)
    stray = [Outcome(None, "hero", "click", 1.0, at, at, person="p" * 32, key=f"k{at.day}") for at in (early, late)]
    unknown = Outcome(old.id[:-1] + "0", "hero", "click", 1.0, early, early, key="unknown")
    with database.writing() as connection:
        outcome_rows.append(connection, [unknown, *stray])
    clock.move(days=11)
    young, *_ = log.visits(2)
    for one in (old, young):
        sql("UPDATE decisions SET superseded_by = :by WHERE decision_id = :id", by=older.id, id=one.id)
        sql("DELETE FROM windows WHERE decision_id = :id", id=one.id)
    train(new_trainer(), clock)
    assert [row[0] for row in sql("SELECT decision_id FROM decisions WHERE superseded_by IS NOT NULL")] == [young.id]
    assert [row[0] for row in sql("SELECT key FROM outcomes WHERE key IS NOT NULL")] == [f"k{late.day}"]


def test_an_import_is_as_old_as_its_import(
    ten_days: Any, log: Log, clock: Clock, sql: Sql, new_trainer: Callable[..., Trainer]
) -> None:
    trainer = new_trainer()
    log.visits(4)
    sql("UPDATE choices SET reason = 'imported'")
    clock.move(days=9)
    train(trainer, clock)
    clock.move(days=9)
    train(trainer, clock)
    assert places(sql) == [1, 2, 3, 4]
    clock.move(days=2)
    train(trainer, clock)
    assert places(sql) == [4]


def test_nothing_goes_while_a_lineage_is_learned_anew(
    database: Database, ten_days: Any, log: Log, clock: Clock, sql: Sql, new_trainer: Callable[..., Trainer]
) -> None:
    trainer = new_trainer()
    made = log.visits(25)
    sql("UPDATE decisions SET person = :key WHERE decision_id = :id", key="p" * 32, id=made[3].id)
    train(trainer, clock)
    clock.move(days=11)
    log.visits(1)
    with database.writing() as connection:
        begun = erasure_rows.begin(connection, "e" * 32, ["p" * 32], now=clock())
        erasure_rows.sweep(connection, begun.id, now=clock())
    clock.move(minutes=31)
    trainer.step(clock())
    assert len(places(sql)) == 26
    clock.move(hours=2)
    train(trainer, clock)
    assert places(sql) == [26]
    assert broken(database) == []


def test_it_looks_once_an_hour_and_in_chunks(
    database: Database,
    ten_days: Any,
    log: Log,
    clock: Clock,
    sql: Sql,
    new_trainer: Callable[..., Trainer],
    monkeypatch: pytest.MonkeyPatch,
    said: list[Any],
) -> None:
    monkeypatch.setattr(retention_rows, "CHUNK", 3)
    monkeypatch.setattr(retention, "CHUNKS", 2)
    trainer = new_trainer()
    log.visits(10)
    train(trainer, clock)
    clock.move(days=10, minutes=-64)
    log.visits(2)
    train(trainer, clock)
    assert len(places(sql)) == 12
    clock.move(minutes=5)
    trainer.step(clock())
    assert len(places(sql)) == 12  # looked at a moment ago
    clock.move(hours=1)
    for left in (6, 2, 2):
        trainer.step(clock())
        assert len(places(sql)) == left
    dropped = [one["decisions"] for one in said if one["event"] == "log past its retention dropped"]
    assert dropped == [6, 4]


def test_a_snapshot_whose_log_is_gone_is_judged_on_what_came_after_it(
    database: Database, ten_days: Any, log: Log, clock: Clock, new_trainer: Callable[..., Trainer]
) -> None:
    trainer = new_trainer()
    log.visits(10)
    train(trainer, clock)
    saved_at = clock()
    clock.move(days=11)
    log.visits(4)
    train(trainer, clock)
    candidate = snapshot_candidate(database, "hero", "headline", "snapshot:1")
    assert candidate.judged_after == saved_at.timestamp()
