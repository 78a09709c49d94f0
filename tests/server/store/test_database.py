"""One database: what opens, what is refused, and what a transaction that returned is worth."""

import gc
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, insert, select, text

from server.errors import DatabaseUnusable, DiskFull, InvalidRequest, Unavailable
from server.store import campaigns as campaign_rows
from server.store import sqlite
from server.store.database import Database
from server.store.tables import leases, meta


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "is no database URL"),
        ("elige.db", "is no database URL"),
        ("sqlite://", "in-memory database"),
        ("sqlite:///:memory:", "in-memory database"),
        ("mysql://somewhere/elige", "mysql is not supported; expected sqlite:///FILE or postgresql://"),
        ("postgresql+asyncpg://somewhere/elige", "asyncpg is not supported"),
        ("postgresql://somewhere", "it names no database"),
        ("sqlite:////nowhere/at/all/elige.db", "there is no folder /nowhere/at/all"),
    ],
)
def test_urls_that_can_not_be_served(url: str, message: str) -> None:
    with pytest.raises(DatabaseUnusable, match=message):
        Database(url)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("Lista de la compra\n" * 1_000, encoding="utf-8")
    with pytest.raises(DatabaseUnusable, match="not a database"):
        Database(f"sqlite:///{file}")
    assert file.read_text(encoding="utf-8").startswith("Lista")


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match="unable to open"):
        Database(f"sqlite:///{tmp_path}")


def test_a_database_that_nobody_keeps() -> None:
    database = Database("memory:")
    file = Path(str(database.url.database))
    assert file.is_file()
    trainer, other = Database(database.address), Database("memory:")  # the one shares it, the other has its own
    assert trainer.secret == database.secret != other.secret
    for one in (database, trainer):
        with one.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 0
    trainer.close()
    assert file.is_file()
    for one in (database, other, database):  # closing it again does no harm
        one.close()
    assert not file.parent.exists()
    assert not Path(str(other.url.database)).parent.exists()


def test_a_database_that_nobody_keeps_is_never_there_before() -> None:
    with pytest.raises(DatabaseUnusable, match="there is no database at memory:"):
        Database("memory:", create=False)


def test_a_file_waits_for_the_disk(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'elige.db'}"
    with Database(url).reading() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
    with pytest.raises(DatabaseUnusable, match="synchronous=normal: expected off, or nothing"):
        Database(f"{url}?synchronous=normal")


def test_the_secret_is_made_once(empty: str) -> None:
    with closing(Database(empty)) as first, closing(Database(empty)) as second:
        assert first.secret == second.secret
        assert len(first.secret) == 32


def test_databases_opened_at_once_agree(empty: str) -> None:
    opened: list[Database] = []
    threads = [threading.Thread(target=lambda: opened.append(Database(empty))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({database.secret for database in opened}) == 1
    for database in opened:
        database.close()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_commits_survive_the_machine(database: Database) -> None:
    with database.reading() as connection:
        pragma = {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")}
    assert pragma == {"journal_mode": "wal", "synchronous": 2}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_is_removed_is_overwritten_and_the_log_before_it_emptied(
    url: str, database: Database, sql: Callable[..., list[Any]]
) -> None:
    with database.reading() as connection:
        assert connection.execute(text("PRAGMA secure_delete")).scalar() == 1
    log = Path(url.removeprefix("sqlite:///") + "-wal")
    sql("INSERT INTO people VALUES ('cookie-7391', 'ana', '2026-03-01 12:00:00.000000')")
    sql("DELETE FROM people")
    assert b"cookie-7391" in log.read_bytes()
    with database.reading() as reader:
        reader.execute(text("SELECT * FROM people")).all()
        sql("DELETE FROM servers")
        assert not database.overwrite()
    assert database.overwrite()
    assert log.read_bytes() == b""


def test_a_block_that_raises_writes_nothing(database: Database) -> None:
    def write_and_fail() -> None:
        with database.writing() as connection:
            connection.execute(insert(meta).values(name="x", value="y"))
            raise KeyError

    with pytest.raises(KeyError):
        write_and_fail()
    with database.reading() as connection:
        assert connection.execute(select(meta.c.value).where(meta.c.name == "x")).all() == []


def test_a_reader_sees_one_moment_while_others_write(open_database: Callable[[], Database]) -> None:
    one, other = open_database(), open_database()
    with one.reading() as reader:
        count = "SELECT count(*) FROM meta"
        before = reader.execute(text(count)).scalar()
        with other.writing() as writer:
            writer.execute(insert(meta).values(name="x", value="y"))
        assert reader.execute(text(count)).scalar() == before
    with one.reading() as reader:
        assert reader.execute(text(count)).scalar() == before + 1


def test_two_writers_wait_for_each_other(open_database: Callable[[], Database]) -> None:
    one, other = open_database(), open_database()

    def count(database: Database) -> None:
        for _ in range(50):
            with database.writing() as connection:
                found = int(connection.execute(select(meta.c.value).where(meta.c.name == "n")).scalar() or 0)
                connection.execute(delete(meta).where(meta.c.name == "n"))
                connection.execute(insert(meta).values(name="n", value=str(found + 1)))

    threads = [threading.Thread(target=count, args=(database,)) for database in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with one.reading() as connection:
        assert connection.execute(select(meta.c.value).where(meta.c.name == "n")).scalar() == "100"


def write(database: Database, pragma: str) -> None:
    with database.writing() as connection:
        connection.execute(text(pragma))
        connection.execute(insert(meta).values(name="x", value="y" * 1_000_000))


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_database_that_can_not_be_written(database: Database) -> None:
    with pytest.raises(Unavailable, match="readonly"):
        write(database, "PRAGMA query_only = 1")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_full_database_says_so(database: Database) -> None:
    with pytest.raises(DiskFull, match="full"):
        write(database, "PRAGMA max_page_count = 1")  # as few as it has
    with database.reading() as connection:
        assert connection.execute(select(meta.c.value).where(meta.c.name == "x")).all() == []


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_damaged_file_is_unavailable(database: Database, tmp_path: Path) -> None:
    with database.writing() as connection:
        connection.execute(insert(meta), [{"name": f"n{i}", "value": "y" * 900} for i in range(1_000)])
    database.close()  # what was written ahead is in the file now
    file = tmp_path / "elige.db"
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2 :] = b"\x55" * (len(raw) - len(raw) // 2)
    file.write_bytes(raw)
    with pytest.raises(Unavailable, match="damaged"), database.reading() as connection:
        connection.execute(text("SELECT count(*), sum(length(value)) FROM meta NOT INDEXED")).all()


def test_times_are_kept_to_the_microsecond_and_in_utc(database: Database) -> None:
    at = datetime(2026, 3, 29, 2, 30, 0, 123457, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    with database.writing() as connection:
        connection.execute(insert(leases).values(campaign="c", holder="h", epoch=1, expires_at=at))
    with database.reading() as connection:
        (read,) = connection.execute(select(leases.c.expires_at)).scalars()
        raw = connection.execute(text("SELECT expires_at FROM leases")).scalar()
    assert read == at
    assert read.tzinfo is UTC
    assert raw == ("2026-03-28 20:45:00.123457" if database.url.get_backend_name() == "sqlite" else at)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_writer_who_has_waited_for_long_gets_in_as_soon_as_there_is_room(
    database: Database, open_database: Callable[[], Database]
) -> None:
    """SQLite alone would ask every 100 ms by then, and find somebody else's transaction again and again."""
    other, asked = open_database(), list[str]()
    often = threading.Event()

    def hear(statement: str) -> None:
        asked.append(statement)
        if asked.count("BEGIN IMMEDIATE") > 100:
            often.set()

    event.listen(other._engine, "checkout", lambda connection, *_: connection.set_trace_callback(hear))

    def wait_for_it() -> None:
        with other.writing():
            pass

    thread = threading.Thread(target=wait_for_it)
    with database.writing():
        thread.start()
        assert often.wait(60)  # were the waiting SQLite's own, it would have asked once
    thread.join()
    assert f"PRAGMA busy_timeout={sqlite.ASK_AGAIN_MS}" in asked
    assert sqlite.ASK_AGAIN_MS <= 5


def test_one_that_is_dropped_gives_its_connections_back(url: str) -> None:
    """One that is left to the garbage collector is a warning of psycopg, which fails whatever test comes next."""
    database = Database(url)
    with database.reading() as connection:
        assert connection.scalar(select(1)) == 1
    engine = database._engine
    used = engine.pool
    assert used.checkedin() == 1
    del connection, database
    gc.collect()
    assert used.checkedin() == 0


@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
def test_its_clock_goes_on_within_a_transaction(database: Database) -> None:
    with database.writing(()) as connection:
        first = database.time_of(connection)
        assert any(database.time_of(connection) > first for _ in range(10_000))
    assert first.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - first) < timedelta(minutes=1)


@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
def test_what_is_no_text_is_refused(database: Database) -> None:
    with (
        pytest.raises(InvalidRequest, match=r"'caf\\udce9' is no text: expected UTF-8"),
        database.reading() as connection,
    ):
        campaign_rows.read_version(connection, "caf\udce9")


def test_what_a_thread_still_uses_is_closed_when_it_gives_it_back(url: str) -> None:
    database = Database(url)
    with database.reading() as connection:
        raw: Any = connection.connection.driver_connection
        database.close()
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    with pytest.raises(Exception, match="closed"):
        raw.cursor().execute("SELECT 1")
