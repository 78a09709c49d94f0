"""What was served is what the log gives again, byte for byte; where it is not, it is said where and why."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from server.errors import InvalidRequest, NoSuchCampaign, NoSuchSnapshot, WrongState
from server.records import Snapshot
from server.store import training as training_rows
from server.store.database import Database
from server.training import retrain as module
from server.training import trainer as trainer_module
from server.training.retrain import retrain

Sql = Callable[..., list[Any]]


@pytest.fixture
def trained(
    made_once: Any,
    put: Any,
    hero: str,
    log: Any,
    clock: Any,
    new_trainer: Any,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> list[Snapshot]:
    """Served and trained in turn, over three versions, by two trainers; the second lineage has five snapshots."""
    monkeypatch.setattr(trainer_module, "SEGMENT", 20)

    def make() -> list[Snapshot]:
        put(hero)
        for turn in range(5):
            if turn == 1:
                put(hero.replace("[0, 3]", "[0, 4]"))
            if turn == 3:
                put(hero.replace("[0, 3]", "[0, 4]").replace("id: trust", "id: new"))
            log.visits(16)
            now = clock.move(hours=1)
            trainer = new_trainer(f"trainer {turn}")  # from the saved bytes, as after a crash
            while not trainer.step(now).idle:
                pass
            trainer.close(now)
        with database.reading() as connection:
            return training_rows.list_snapshots(connection, "hero", before=None, limit=99)[::-1]

    made: list[Snapshot] = made_once(make)
    assert [(one.lineage, one.trained_through) for one in made] == [
        (1, 16),
        *((2, place) for place in (20, 32, 48, 64, 80)),
    ]
    return made


def test_what_was_served_comes_out_again(
    trained: list[Snapshot], database: Database, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    before = sql("SELECT * FROM snapshot_slots"), sql("SELECT * FROM snapshots")
    told: list[tuple[int, int]] = []
    newest = retrain(database, "hero", on_boundary=lambda place, last: told.append((place, last)))
    assert newest.agrees, newest.why_not
    assert (newest.snapshot, newest.boundaries, newest.examples) == (trained[-1], 5, trained[-1].examples)
    assert told == [(place, 80) for place in (20, 32, 48, 64, 80)]
    assert (sql("SELECT * FROM snapshot_slots"), sql("SELECT * FROM snapshots")) == before


@pytest.mark.parametrize(("place", "boundaries"), [(0, 1), (1, 1), (3, 3)])
def test_any_snapshot_can_be_asked_for(
    place: int, boundaries: int, trained: list[Snapshot], database: Database
) -> None:
    done = retrain(database, "hero", trained[place].id)
    assert (done.agrees, done.boundaries, done.snapshot) == (True, boundaries, trained[place])


def test_bytes_that_were_thinned_out_are_known_by_their_digest(
    trained: list[Snapshot], database: Database, sql: Sql
) -> None:
    sql("UPDATE snapshot_slots SET state = NULL")
    assert retrain(database, "hero").agrees


@pytest.mark.parametrize(
    ("change", "place", "why"),
    [
        ("UPDATE rewards SET reward = 2.5 WHERE sequence = 40", 3, "same rows give other bytes for cta, headline, on"),
        ("DELETE FROM rewards WHERE sequence = 40", 3, r"of the 16 rows that it learned \(33 to 48\), 1 are gone"),
        ("DELETE FROM rewards WHERE sequence BETWEEN 1 AND 20", 1, r"of the 20 .* \(1 to 20\), 20 are gone"),
        (
            "UPDATE rewards SET slot_rewards = '{\"cta\": 3.0}' WHERE sequence = 80",
            5,
            "other bytes for cta, on the same",
        ),
        ("UPDATE snapshots SET parent_id = 99 WHERE trained_through = 48", 3, "trained on from snapshot 99"),
        ("UPDATE choices SET eligible = '[\"gone\"]'", 1, "can't be learned any more: "),
        (
            "UPDATE snapshot_slots SET state = substr(state, 1, 9) WHERE snapshot_id = 6",
            5,
            "stored now are damaged: cta, head",
        ),
    ],
)
def test_what_differs_is_told_with_the_first_place_and_the_reason(
    change: str, place: int, why: str, trained: list[Snapshot], database: Database, sql: Sql
) -> None:
    sql(change)
    done = retrain(database, "hero")
    assert (done.agrees, done.differs_at) == (False, trained[place].id)
    assert re.search(why, done.why_not), done.why_not
    whole = "stored now" in why  # the log gives all of it again: only what is kept was spoilt
    assert done.boundaries == (place if whole else place - 1)


def test_other_software_that_gives_the_same_bytes_is_no_difference(
    trained: list[Snapshot], database: Database, sql: Sql
) -> None:
    sql('UPDATE snapshots SET versions = \'{"elige": "0.0"}\'')
    assert retrain(database, "hero").agrees


def test_other_software_is_named(trained: list[Snapshot], database: Database, sql: Sql) -> None:
    sql("UPDATE rewards SET reward = 2.5 WHERE sequence = 40")
    sql('UPDATE snapshots SET versions = \'{"elige": "0.0"}\'')
    assert "trained with elige 0.0; here: elige " in retrain(database, "hero").why_not


def test_a_row_that_is_gone_from_the_lineage_is_noticed(trained: list[Snapshot], database: Database, sql: Sql) -> None:
    sql("DELETE FROM snapshot_slots WHERE snapshot_id = :id", id=trained[2].id)
    sql("DELETE FROM snapshots WHERE snapshot_id = :id", id=trained[2].id)
    done = retrain(database, "hero")
    assert (done.differs_at, done.boundaries) == (trained[3].id, 1)
    assert done.why_not == f"it was trained on from snapshot {trained[2].id}, whose row is gone"


def test_what_can_not_be_asked(trained: list[Snapshot], put: Any, hero: str, database: Database) -> None:
    put(hero.replace("campaign: hero", "campaign: other"))
    with pytest.raises(NoSuchCampaign):
        retrain(database, "nope")
    with pytest.raises(NoSuchSnapshot, match="no snapshot 99"):
        retrain(database, "hero", 99)
    with pytest.raises(InvalidRequest, match=f"snapshot {trained[0].id} is of campaign 'hero', not 'other'"):
        retrain(database, "other", trained[0].id)
    with pytest.raises(WrongState, match="'other' has no snapshot yet"):
        retrain(database, "other")
