"""Bytes that are gone come back the same, or it is said that they don't."""

from collections.abc import Callable
from typing import Any

import pytest

from server.errors import CannotRebuild, NoSuchSnapshot
from server.records import Snapshot
from server.store import training as training_rows
from server.store.database import Database
from server.training import restore as module
from server.training.restore import restore

Sql = Callable[..., list[Any]]


@pytest.fixture
def trained(
    made_once: Any, put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, database: Database
) -> list[Snapshot]:
    """Five snapshots in a row, over two versions of the campaign."""

    def make() -> list[Snapshot]:
        put(hero)
        trainer = new_trainer()
        for turn in range(5):
            if turn == 2:
                put(hero.replace("id: trust", "id: new"))
            log.visits(15)
            trainer.step(clock.move(hours=1))
        with database.reading() as connection:
            return training_rows.list_snapshots(connection, "hero", before=None, limit=9)[::-1]

    made: list[Snapshot] = made_once(make)
    return made


def test_what_is_stored_is_taken(trained: list[Snapshot], database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_relearn", None)
    assert [restore(database, one.id) for one in trained] == trained


@pytest.mark.parametrize("gone", [{4}, {0}, {1, 2}, {0, 1, 2, 3, 4}])
def test_what_was_thinned_out_comes_back_byte_for_byte(
    gone: set[int], trained: list[Snapshot], database: Database, sql: Sql
) -> None:
    for place in gone:
        sql("UPDATE snapshot_slots SET state = NULL WHERE snapshot_id = :id", id=trained[place].id)
    assert [restore(database, one.id) for one in trained] == trained


def test_damaged_ancestors_are_rebuilt_as_well(trained: list[Snapshot], database: Database, sql: Sql) -> None:
    sql("UPDATE snapshot_slots SET state = NULL WHERE snapshot_id = :id", id=trained[4].id)
    sql("UPDATE snapshot_slots SET state = :zeros WHERE snapshot_id = :id", id=trained[3].id, zeros=bytes(500))
    assert restore(database, trained[4].id) == trained[4]


def test_one_slot_that_is_gone_is_enough(trained: list[Snapshot], database: Database, sql: Sql) -> None:
    sql("UPDATE snapshot_slots SET state = NULL WHERE snapshot_id = :id AND slot = 'cta'", id=trained[2].id)
    assert restore(database, trained[2].id) == trained[2]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE rewards SET reward = 2.5 WHERE sequence = 20",
        "DELETE FROM rewards WHERE sequence = 20",
        'UPDATE decisions SET context = \'{"country": "FR"}\' WHERE decision_id = '
        "(SELECT decision_id FROM rewards WHERE sequence = 20)",
        "UPDATE choices SET probabilities = '[0.2,0.2,0.6]' WHERE slot = 'headline'",
    ],
)
def test_another_log_gives_other_bytes_and_that_is_said(
    change: str, trained: list[Snapshot], database: Database, sql: Sql
) -> None:
    sql("UPDATE snapshot_slots SET state = NULL WHERE snapshot_id = :id", id=trained[1].id)
    sql(change)
    with pytest.raises(CannotRebuild, match=rf"snapshot {trained[1].id} are gone.*trained with elige .*; here: elige "):
        restore(database, trained[1].id)


def test_a_snapshot_that_never_was(database: Database) -> None:
    with pytest.raises(NoSuchSnapshot, match="no snapshot 99"):
        restore(database, 99)
