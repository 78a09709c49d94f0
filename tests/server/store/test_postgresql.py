"""PostgreSQL: several servers behave as one, and what it refuses is told as what it is."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from server.errors import DatabaseUnusable, DiskFull, InvalidRequest, Unavailable
from server.records import Decision, Outcome, OutcomeStatus
from server.store import database as module
from server.store import outcomes as outcome_rows
from server.store import postgresql
from server.store import training as training_rows
from server.store.campaigns import StoredCampaign
from server.store.committer import Committer, Direct
from server.store.database import Database, shown
from server.store.decisions import Repeat
from server.store.tables import meta
from server.store.training import Earned

pytestmark = pytest.mark.parametrize("url", ["postgres"], indirect=True)
Open = Callable[[], Database]


@contextmanager
def thread(work: Callable[[], Any]) -> Iterator[Any]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(work)


def write(database: Database, campaigns: list[str] | None) -> None:
    with database.writing(campaigns):
        pass


def waits(postgres: Any) -> bool:
    """Whether anybody waits for a lock."""
    return bool(postgres.admin.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()[0])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, database: Database, open_database: Open) -> Database:
    """A server that waits for no lock longer than 100 ms; it may itself be as slow as it likes."""
    idle = "set_config('idle_in_transaction_session_timeout', :timeout, true)"
    assert idle in postgresql._SETTINGS
    monkeypatch.setattr(postgresql, "_SETTINGS", postgresql._SETTINGS.replace(idle, "1"))
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 100)
    return open_database()


@pytest.mark.parametrize(
    ("held", "wanted"), [(["a"], ["a"]), (["a", "b"], ["c", "b"]), (None, ["a"]), (["a"], None), (None, None)]
)
def test_writers_about_the_same_campaign_wait(
    held: list[str] | None, wanted: list[str] | None, database: Database, impatient: Database
) -> None:
    with database.writing(held), pytest.raises(Unavailable, match="lock timeout"):
        write(impatient, wanted)
    write(impatient, wanted)


def test_writers_about_different_campaigns_do_not_wait(database: Database, impatient: Database) -> None:
    with database.writing(["a", "b"]):
        write(impatient, ["c", "d"])


def test_locks_are_taken_in_one_order_whoever_asks(
    database: Database, impatient: Database, open_database: Open, postgres: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 60_000)  # the third one is patient
    first, second = sorted("ab", key=postgresql._key)
    patient = open_database()
    with ThreadPoolExecutor(1) as pool:
        with database.writing([first]):
            waiting = pool.submit(write, patient, [second, first])
            while not waits(postgres):
                time.sleep(0.001)
            write(impatient, [second])  # which nobody has while the first is waited for
        waiting.result(60)


def test_one_request_through_two_servers_is_one_decision(
    put: Callable[[str], StoredCampaign], hero: str, log: Any, open_database: Open, sql: Callable[..., Any]
) -> None:
    put(hero)
    template: Decision = log.decide([{}])[0]
    two = [Committer(Direct(open_database())) for _ in range(2)]

    def made(server: int, n: int) -> Decision:
        return replace(template, id=f"{server}-{n}", request_id=f"r{n % 20}", request_hash="h")

    async def ask(server: int) -> list[Decision | Repeat]:
        return await asyncio.gather(*(two[server].decision(made(server, n)) for n in range(200)))

    with thread(lambda: asyncio.run(ask(0))) as other:
        answers = [*asyncio.run(ask(1)), *other.result(60)]
    for committer in two:
        committer.close()
    standing = [answer.decision if isinstance(answer, Repeat) else answer for answer in answers]
    assert len({decision.request_id for decision in standing}) == len({decision.id for decision in standing}) == 20
    assert sql("SELECT count(*) FROM decisions WHERE request_id IS NOT NULL") == [(20,)]
    assert sum(not isinstance(answer, Repeat) for answer in answers) == 20


def test_one_key_through_two_servers_counts_once(
    put: Callable[[str], StoredCampaign], hero: str, log: Any, open_database: Open
) -> None:
    put(hero)
    (decision,) = log.decide([{}])
    two = [Committer(Direct(open_database())) for _ in range(2)]

    async def tell(committer: Committer) -> list[OutcomeStatus]:
        told = [
            Outcome(decision.id, "hero", "click", 1.0, decision.at, decision.at, key=f"k{n % 10}") for n in range(200)
        ]
        return [one.status for one in await asyncio.gather(*map(committer.outcome, told))]

    with thread(lambda: asyncio.run(tell(two[0]))) as other:
        statuses = [*asyncio.run(tell(two[1])), *other.result(60)]
    for committer in two:
        committer.close()
    assert statuses.count(OutcomeStatus.ACCEPTED) == 10
    assert statuses.count(OutcomeStatus.DUPLICATE) == 390


def test_an_outcome_that_comes_while_its_decision_is_matured_is_late(
    put: Callable[[str], StoredCampaign],
    hero: str,
    log: Any,
    clock: Any,
    database: Database,
    open_database: Open,
    postgres: Any,
) -> None:
    put(hero)
    (decision,) = log.decide([{}])
    server = open_database()
    told = [Outcome(decision.id, "hero", "click", 1.0, decision.at, decision.at)]

    def tell() -> OutcomeStatus:
        with server.writing(["hero"]) as connection:
            (answer,) = outcome_rows.append(connection, told)
        return answer.status

    with database.writing(["hero"]) as connection, ThreadPoolExecutor(1) as pool:
        lease = training_rows.acquire(connection, "hero", holder="one", now=clock(), lasts=timedelta(seconds=10))
        assert lease is not None
        assert outcome_rows.of_decisions(connection, [decision.id]) == {decision.id: []}
        status = pool.submit(tell)
        while not (waits(postgres) or status.done()):
            time.sleep(0.001)
        training_rows.append_rewards(connection, lease, [Earned(decision.id, 0.0, {})], now=clock())
        connection.commit()
        assert status.result(60) is OutcomeStatus.LATE


def test_a_server_that_was_restarted_fails_nobody(database: Database, postgres: Any) -> None:
    write(database, None)
    name = database.url.database
    postgres.admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
    write(database, None)


def test_a_connection_that_dies_in_a_transaction_is_unavailable(database: Database) -> None:
    def die() -> None:
        with database.writing() as connection:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(Unavailable, match="the database refuses"):
        die()
    write(database, None)


def test_nothing_is_written_where_only_reading_was_meant(database: Database) -> None:
    with pytest.raises(Unavailable, match="read-only transaction"), database.reading() as connection:
        connection.execute(insert(meta).values(name="x", value="y"))


def test_a_commit_is_durable_whatever_the_database_prefers(
    database: Database, open_database: Open, postgres: Any
) -> None:
    postgres.admin.execute(f"ALTER DATABASE {database.url.database} SET synchronous_commit = off")
    with open_database().writing() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
        assert connection.execute(text("SHOW transaction_isolation")).scalar() == "read committed"


def test_a_session_keeps_nothing_of_a_transaction(database: Database) -> None:
    # behind a pooler the next transaction may be anybody's
    shown = ("lock_timeout", "idle_in_transaction_session_timeout", "synchronous_commit")
    with database.writing(["hero"]) as connection:
        inside = [connection.execute(text(f"SHOW {name}")).scalar_one() for name in shown]
    with database.reading() as connection:
        outside = [connection.execute(text(f"SHOW {name}")).scalar_one() for name in shown]
        changed = "SELECT name FROM pg_settings WHERE source = 'session' AND name <> 'transaction_isolation'"
        assert connection.execute(text(f"{changed} AND name NOT LIKE 'transaction%'")).all() == []
    assert (inside, outside) == (["10s", "10s", "on"], ["0", "0", "on"])


def test_whoever_sleeps_in_a_transaction_loses_its_locks(
    database: Database, open_database: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 100)
    sleepy = open_database()

    def sleep() -> None:
        with sleepy.writing(["hero"]) as connection:
            write(database, ["hero"])  # waits until the sleeper's session is ended
            connection.execute(text("SELECT 1"))

    with pytest.raises(Unavailable, match=r"idle-in-transaction|closed the connection"):
        sleep()


@pytest.mark.parametrize(("threshold", "prepares"), [("none", None), ("0", 0), ("7", 7)])
def test_preparing_statements_is_up_to_the_url(threshold: str, prepares: int | None, url: str) -> None:
    joined = "&" if "?" in url else "?"
    database = Database(f"{url}{joined}prepare_threshold={threshold}")
    with database.reading() as connection:
        assert connection.connection.driver_connection.prepare_threshold == prepares  # type: ignore[union-attr]
    database.close()
    with pytest.raises(DatabaseUnusable, match="prepare_threshold=soon: expected none, or how often"):
        Database(f"{url}{joined}prepare_threshold=soon")


def test_what_can_not_be_opened_is_told_without_the_password(database: Database) -> None:
    missing = database.url.set(database="elige_missing", password="hush").render_as_string(hide_password=False)
    with pytest.raises(DatabaseUnusable, match='"elige_missing" does not exist') as told:
        Database(missing.replace("+psycopg", ""))
    assert "hush" not in str(told.value)
    assert "hush" not in shown(missing)


@pytest.mark.usefixtures("url")
def test_a_new_database_opened_by_many_at_once_is_made_once(postgres: Any) -> None:
    with postgres.database(template="template1") as empty, ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(Database, [empty] * 4))
        assert len({database.secret for database in opened}) == 1
        for database in opened:
            database.close()


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("53100", DiskFull),  # disk_full
        ("40P01", Unavailable),  # deadlock_detected
        ("40001", Unavailable),  # serialization_failure
        ("57P03", Unavailable),  # cannot_connect_now
        ("53300", Unavailable),  # too_many_connections
        ("42501", DatabaseUnusable),  # insufficient_privilege
        ("22003", InvalidRequest),  # numeric_value_out_of_range
        ("23505", IntegrityError),  # unique_violation: a defect of ours, told as it is
    ],
)
def test_what_the_database_says_is_told_as_what_it_is(state: str, told: type[Exception], database: Database) -> None:
    with pytest.raises(told, match="no luck"), database.writing() as connection:
        connection.execute(text(f"DO $$ BEGIN RAISE 'no luck' USING ERRCODE = '{state}'; END $$"))
