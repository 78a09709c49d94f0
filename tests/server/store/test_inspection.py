"""The check finds what is wrong, each rule by itself, and nothing in a database that is right."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from server.store import migrate
from server.store.database import Database
from server.store.inspection import CampaignCounts, campaign_counts, check, table_sizes
from server.store.tables import metadata
from server.training.trainer import Trainer

ALL_OF = "DELETE FROM choices WHERE decision_id = {0}; DELETE FROM decisions WHERE decision_id = {0}"


@pytest.fixture
def opened(put: Any, hero: str, log: Any, clock: Any, new_trainer: Callable[..., Trainer]) -> datetime:
    """Twelve decisions, two snapshots, and two decisions that wait; when those were made."""
    put(hero.replace("slots:\n", "policy: linear\nslots:\n"))
    trainer = new_trainer()
    for _ in range(2):
        log.visits(6)
        trainer.step(clock.move(minutes=31))
    log.visits(2)
    now: datetime = clock.now
    return now


def wrong(database: Database) -> dict[str, tuple[str, ...]]:
    with database.reading() as connection:
        return {finding.rule: finding.wrong for finding in check(connection) if finding.wrong}


@pytest.fixture
def spoil(database: Database) -> Callable[[str], None]:
    """Changes the database with its foreign keys off, as a careless hand would."""

    def run(statements: str) -> None:
        off = {"sqlite": "PRAGMA foreign_keys=OFF", "postgresql": "SET session_replication_role = replica"}
        raw = database._engine.raw_connection()
        cursor = raw.cursor()
        for statement in (off[database.url.get_backend_name()], *statements.split(";")):
            cursor.execute(statement)
        raw.commit()
        raw.invalidate()

    return run


@pytest.mark.usefixtures("opened")
def test_nothing_is_wrong_with_what_the_service_wrote(database: Database) -> None:
    assert wrong(database) == {}


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("DELETE FROM choices WHERE decision_id = :first", "every decision has its choices"),
        (
            "UPDATE choices SET decision_id = 'x', position = 9 WHERE decision_id = :first AND position = 1",
            "every choice",
        ),
        (ALL_OF.format(":first"), "every reward has its decision"),
        (ALL_OF.format(":last"), "every open window has its decision"),
        ("DELETE FROM windows WHERE decision_id = :last", "every decision has its reward or an open window"),
        (
            "INSERT INTO windows SELECT decision_id, campaign, at, 1 = 0 FROM decisions WHERE decision_id = :first",
            "no decision has both a reward and an open window",
        ),
        ("UPDATE snapshots SET trained_from = 9 WHERE snapshot_id = 2", "every snapshot goes on"),
        ("UPDATE snapshots SET trained_from = 2 WHERE snapshot_id = 1", "every snapshot goes on"),
        ("UPDATE snapshots SET parent_id = 7 WHERE snapshot_id = 2", "every snapshot goes on"),
        ("UPDATE snapshots SET lineage = 2 WHERE snapshot_id = 2", "every snapshot goes on"),
        ("UPDATE snapshots SET skipped = true WHERE snapshot_id = 2", "every snapshot goes on"),
        ("UPDATE snapshots SET trained_through = 13 WHERE snapshot_id = 2", "no snapshot has learned more"),
        ("UPDATE rewards SET sequence = 99 WHERE sequence = 4", "the sequence of every campaign has no gap"),
        ("UPDATE snapshot_slots SET digest = 'x' WHERE snapshot_id = 1", "the bytes of every snapshot"),
        ("DROP INDEX decisions_by_time", f"the schema is {migrate.HEAD}"),
        ("ALTER TABLE outcomes ADD COLUMN mine INTEGER", f"the schema is {migrate.HEAD}"),
    ],
)
def test_each_rule_finds_what_breaks_it(
    statement: str, rule: str, database: Database, spoil: Callable[[str], None], sql: Callable[..., list[Any]]
) -> None:
    ((first, last),) = sql("SELECT min(decision_id), max(decision_id) FROM decisions")
    spoil(statement.replace(":first", f"'{first}'").replace(":last", f"'{last}'"))
    ((found, where),) = wrong(database).items()
    assert found.startswith(rule)
    assert where


@pytest.mark.usefixtures("opened")
def test_a_table_of_others_is_none_of_our_business(database: Database, sql: Callable[..., Any]) -> None:
    sql("CREATE TABLE theirs (x INTEGER)")
    assert wrong(database) == {}


def test_only_the_first_wrong_rows_are_named(
    opened: datetime, database: Database, spoil: Callable[[str], None]
) -> None:
    spoil("DELETE FROM choices")
    (found,) = wrong(database).values()
    assert len(found) == 4
    assert found[-1] == "…"


def test_what_is_there_is_counted(opened: datetime, database: Database, sql: Callable[..., Any]) -> None:
    with database.reading() as connection:
        sizes = {one.table: one for one in table_sizes(connection)}
        counts = campaign_counts(connection)
    assert sizes.keys() == metadata.tables.keys()
    assert (sizes["decisions"].rows, sizes["choices"].rows, sizes["windows"].rows) == (14, 28, 2)
    assert all(one.size and one.size >= 1024 for one in sizes.values())
    ((outcomes,),) = sql("SELECT count(*) FROM outcomes")
    minutes = timedelta(minutes=1)
    assert counts == [
        CampaignCounts("hero", 14, outcomes, 12, 2, 2, opened - 62 * minutes, opened, opened + 30 * minutes)
    ]
