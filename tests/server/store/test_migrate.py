"""The schema: migrations make what tables.py says, old files go on, other revisions are refused with a word."""

import re
import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from server.errors import DatabaseUnusable
from server.evaluation.log import read_log
from server.explain import Verdict, explain
from server.loading import Loader
from server.store import decisions as decision_rows
from server.store import evaluations as evaluation_rows
from server.store import migrate
from server.store.database import Database, shown
from server.store.evaluations import TURN, EvaluationState, StoredEvaluation
from server.store.tables import metadata
from server.training.trainer import Trainer
from simulator import evaluate

FIXTURE = Path(__file__).with_name("fixtures") / "r0001.sqlite"
LAST = datetime(2026, 3, 1, 13, 2, tzinfo=UTC)
"""When the fixture's open decisions were made."""

NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", "{head}"

def upgrade():
    op.add_column("leases", sa.Column("note", sa.Text))
    {then}
"""


@pytest.fixture
def old(tmp_path: Path) -> str:
    """The URL of a database made before there were migrations."""
    shutil.copy(FIXTURE, tmp_path / "old.db")
    return f"sqlite:///{tmp_path / 'old.db'}"


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """From then on the program is one that needs one revision more."""

    def make(then: str = "") -> None:
        folder = tmp_path / "100% migrations"
        shutil.copytree(migrate.FOLDER, folder)
        (folder / "versions" / "r9999.py").write_text(NEXT.format(head=migrate.HEAD, then=then), encoding="utf-8")
        monkeypatch.setattr(migrate, "FOLDER", folder)
        monkeypatch.setattr(migrate, "HEAD", "9999")

    return make


def test_migrations_make_what_the_tables_say(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_newest_revision_is_the_one_that_the_program_needs(database: Database) -> None:
    with database.reading() as connection:
        scripts = ScriptDirectory.from_config(migrate.configuration(connection))
        assert scripts.get_current_head() == migrate.HEAD == migrate.revision(connection)
    numbers = [script.revision for script in scripts.walk_revisions()]
    assert numbers == sorted(numbers, reverse=True)  # older and newer are told by comparing them
    assert numbers[-1] == migrate.BASELINE


def test_opening_the_current_schema_writes_nothing_and_runs_no_migration(
    database: Database, open_database: Callable[[], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "settle", lambda *_: pytest.fail("settled again"))
    assert open_database().secret == database.secret


def test_a_database_of_before_goes_on_where_it_stopped(old: str) -> None:
    database = Database(old, upgrade=True)
    assert database.schema_before == "0001"
    assert database.secret == bytes.fromhex("5e" * 32)
    with database.reading() as connection:
        assert migrate.revision(connection) == migrate.HEAD
    (served,) = Loader(database).changed(())
    assert (served.name, served.newest_snapshot) == ("hero", 2)

    trainer = Trainer(database, holder="two", grace=timedelta(0))
    progress = trainer.step(LAST + timedelta(hours=1))
    assert (progress.matured, progress.learned) == (2, 2)
    with database.reading() as connection:
        learned = decision_rows.matured(connection, "hero", limit=100)
    assert [one.sequence for one in learned] == list(range(1, 63))
    for one in (learned[0], learned[40], learned[-1]):
        told = explain(database, one.decision.id)
        assert told.agrees, told
        assert {slot.policy.verdict for slot in told.slots} == {Verdict.AGREES}
    assert evaluate(read_log(database, "hero"), ["linear"]).row("fixed:price")
    database.close()


def test_an_older_schema_is_refused_with_what_to_do(
    database: Database, open_database: Callable[[], Database], url: str, next_version: Callable[..., None]
) -> None:
    next_version()
    with pytest.raises(DatabaseUnusable, match=f"needs 9999: .*{re.escape(f'elige db upgrade --db {shown(url)}')}"):
        open_database()


def test_a_newer_schema_is_refused(
    open_database: Callable[[], Database], sql: Callable[..., Any], next_version: Callable[..., None]
) -> None:
    sql("UPDATE alembic_version SET version_num = '9998'")
    with pytest.raises(DatabaseUnusable, match=f"has schema 9998, this program knows up to {migrate.HEAD}"):
        open_database()


def test_an_upgrade_brings_an_older_schema_to_the_newest(
    database: Database,
    open_database: Callable[..., Database],
    sql: Callable[..., Any],
    next_version: Callable[..., None],
) -> None:
    newest = migrate.HEAD
    next_version()
    upgraded = open_database(upgrade=True)
    assert upgraded.schema_before == newest
    assert sql("SELECT note FROM leases") == []
    assert upgraded.secret == database.secret
    assert open_database().schema_before == "9999"


def test_a_database_of_before_there_were_migrations_is_upgraded_through_all_of_them(
    old: str, next_version: Callable[..., None]
) -> None:
    next_version()
    with pytest.raises(DatabaseUnusable, match="has schema 0001"):
        Database(old)
    database = Database(old, upgrade=True)
    with database.reading() as connection:
        assert connection.execute(text("SELECT note FROM leases")).all() == [(None,)]
    database.close()


def test_an_upgrade_that_fails_changes_nothing(
    database: Database, open_database: Callable[..., Database], next_version: Callable[..., None]
) -> None:
    newest = migrate.HEAD
    next_version("raise KeyError('half way')")
    with pytest.raises(KeyError, match="half way"):
        open_database(upgrade=True)
    with database.reading() as connection:
        assert migrate.revision(connection) == newest
        assert "note" not in {column["name"] for column in inspect(connection).get_columns("leases")}


def test_the_rows_of_the_first_schema_are_kept(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at = "2026-03-01 12:00:00.000001"
    with monkeypatch.context() as before:
        before.setattr(migrate, "HEAD", migrate.BASELINE)
        database = Database(empty)
    with database.writing() as connection:
        connection.execute(text(f"INSERT INTO campaigns VALUES ('hero', 1, 1, 'active', '{{}}', '', '{at}')"))
        for number, request in enumerate(("'visit-1'", "NULL")):
            decided = f"'d{number}', 'hero', 1, '{at}', NULL, '{{}}', '[]', '{{}}', NULL, 'policy', NULL, '{at}'"
            connection.execute(text(f"INSERT INTO decisions VALUES ({decided}, {request}, NULL)"))
            chosen = (
                f"'d{number}', 0, 'headline', 'hours', 0.5, 'policy', 'drawn', 'uniform', 0, '[]', '[]', '[]', '[]'"
            )
            connection.execute(text(f"INSERT INTO choices VALUES ({chosen})"))
            happened = f"{number}, 'd{number}', 'hero', NULL, 'click', 1, '{at}', '{at}', 'late', 'k'"
            connection.execute(text(f"INSERT INTO outcomes VALUES ({happened})"))
    database.close()

    with closing(Database(empty, upgrade=True)) as upgraded, upgraded.reading() as connection:
        assert upgraded.schema_before == migrate.BASELINE
        assert migrate.differences(connection) == []
        asked = connection.execute(text("SELECT campaign, request_id, decision_id FROM requests")).all()
        assert asked == [("hero", "visit-1", "d0")]
        for query in (
            "SELECT count(*) FROM decisions WHERE activated_at = at AND activate_by IS NULL",
            "SELECT count(*) FROM choices JOIN decisions USING (decision_id) WHERE choices.activated_at = at",
            "SELECT count(*) FROM outcomes WHERE person IS NULL AND decision_id IN ('d0', 'd1')",
        ):
            assert connection.execute(text(query)).scalar_one() == 2


def test_the_second_schema_gets_evaluations(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        before.setattr(migrate, "HEAD", "0002")
        database = Database(empty)
    secret = database.secret
    with database.reading() as connection:
        assert "evaluations" not in inspect(connection).get_table_names()
    database.close()
    with pytest.raises(DatabaseUnusable, match="has schema 0002"):
        Database(empty)

    asked_at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with closing(Database(empty, upgrade=True)) as upgraded:
        assert (upgraded.schema_before, upgraded.secret) == ("0002", secret)
        draft = StoredEvaluation("e1", "hero", EvaluationState.QUEUED, {}, "r1", "", {}, asked_at)
        with upgraded.writing(TURN) as connection:
            assert migrate.differences(connection) == []
            evaluation_rows.append(connection, draft)
            assert evaluation_rows.newest(connection, limit=2) == [draft]
