"""PostgreSQL comes and goes: the server decides on, and nothing that it acknowledged is lost or counted twice."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy import text

from elige.client import EligeError
from server.store.database import Database
from server.store.inspection import check
from tests.postgres import Postgres, running_postgres
from tests.system.running import Server, eventually

AWAY_SECONDS = float(os.environ.get("ELIGE_TEST_AWAY_SECONDS", "3"))
CAMPAIGN = """
campaign: hero
metrics: {click: sum}
reward: {window: 5s}
context: {country: text}
slots:
  headline:
    default: a
    variants: [{id: a}, {id: b}, {id: c}]
"""
Serve = Callable[..., Server]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """One of its own, to be stopped."""
    with running_postgres() as one:
        yield one


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    with postgres.database() as made:
        yield made


@pytest.fixture
def sql(url: str) -> Iterator[Callable[[str], list[Any]]]:
    database = Database(url)

    def run(query: str) -> list[Any]:
        with database.reading() as connection:
            return list(connection.execute(text(query)).scalars())

    yield run
    database.close()


@pytest.fixture
def sound(url: str) -> Callable[[], None]:
    """Checks that `elige db check` would find nothing."""

    def checked() -> None:
        database = Database(url)
        with database.reading() as connection:
            assert {one.rule: one.wrong for one in check(connection) if one.wrong} == {}
        database.close()

    return checked


class Load:
    """Threads that decide and reward until they are told to stop, and remember what was acknowledged."""

    def __init__(self, server: Server, *, threads: int = 4) -> None:
        self.decisions: list[str] = []
        self.outcomes = 0
        self.failures: list[EligeError] = []
        self._stop = threading.Event()
        self._turn = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(server, n)) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=60)

    def _run(self, server: Server, number: int) -> None:
        with server.client(timeout=60.0) as elige:
            try:
                for i in range(1_000_000):
                    if self._stop.is_set():
                        return
                    request = f"{number}-{i}" if i % 2 else None
                    decision = elige.decide("hero", person=f"p{number}", context={"country": "ES"}, request_id=request)
                    self.decisions.append(decision.id)
                    elige.reward(decision.id, "click", key=request)
                    with self._turn:
                        self.outcomes += 1
            except EligeError as error:
                self.failures.append(error)


def database_is(server: Server, status: str) -> bool:
    with grpc.insecure_channel(server.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        assert health.Check(health_pb2.HealthCheckRequest(service="")).status == health_pb2.HealthCheckResponse.SERVING
        answer = health.Check(health_pb2.HealthCheckRequest(service="elige.database"))
        return bool(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status) == status)


def test_postgresql_away_under_load(
    serve: Serve, url: str, postgres: Postgres, sql: Any, sound: Callable[[], None], tmp_path: Path
) -> None:
    server = serve("--outbox", str(tmp_path / "outbox.db"), db=url)
    with server.client() as elige:
        elige.put_campaign(CAMPAIGN)
    load = Load(server)
    eventually(lambda: load.outcomes > 200)
    postgres.stop()
    try:
        eventually(lambda: database_is(server, "NOT_SERVING"))
        before = load.outcomes
        time.sleep(AWAY_SECONDS)
        eventually(lambda: load.outcomes > before + 100)  # from memory, with nobody behind
    finally:
        postgres.start()
    eventually(lambda: database_is(server, "SERVING"))
    before = load.outcomes
    eventually(lambda: load.outcomes > before + 100)
    load.stop()
    assert [str(error) for error in load.failures] == []
    eventually(lambda: sql("select count(*) from decisions") == [len(load.decisions)])
    assert set(sql("select decision_id from decisions")) == set(load.decisions)
    eventually(lambda: sql("select count(*) from outcomes") == [load.outcomes])
    eventually(lambda: sql("select count(*) from windows") == [0])
    assert sql("select count(distinct decision_id) from rewards") == [len(load.decisions)]
    # no click was lost, none came too late to count, and none counted twice
    assert sql("select count(*) from rewards where reward = 1.0") == [load.outcomes]
    sound()
    assert server.stop() == 0
    assert sql("select server from servers") == []
    said = server.log.read_text()
    assert said.count("the database is away") == said.count("the database is back") == 1


def test_a_server_killed_while_postgresql_was_away_drains_when_it_is_started_again(
    serve: Serve, url: str, postgres: Postgres, sql: Any, sound: Callable[[], None], tmp_path: Path
) -> None:
    outbox = ("--outbox", str(tmp_path / "outbox.db"))
    server = serve(*outbox, db=url)
    with server.client() as elige:
        elige.put_campaign(CAMPAIGN)
    load = Load(server)
    eventually(lambda: load.outcomes > 100)
    postgres.stop()
    try:
        before = load.outcomes
        eventually(lambda: load.outcomes > before + 100)
        server.stop(signal.SIGKILL)
        load.stop()
    finally:
        postgres.start()
    assert sql("select count(*) from decisions")[0] < len(load.decisions)

    serve(*outbox, db=url)
    eventually(lambda: set(load.decisions) <= set(sql("select decision_id from decisions")))
    eventually(lambda: sql("select count(*) from windows") == [0])
    assert sql("select count(*) from outcomes")[0] >= load.outcomes
    assert sql("select count(*) from rewards where reward = 1.0")[0] >= load.outcomes
    sound()


def test_two_servers_that_answer_one_request_while_postgresql_is_away(
    serve: Serve, url: str, postgres: Postgres, sql: Any, sound: Callable[[], None], tmp_path: Path
) -> None:
    servers = [serve("--outbox", str(tmp_path / f"outbox-{n}.db"), db=url) for n in range(2)]
    with servers[0].client() as one, servers[1].client() as other:
        one.put_campaign(CAMPAIGN)
        eventually(lambda: other.decide("hero", dry_run=True))
        postgres.stop()
        try:
            for server in servers:
                eventually(lambda server=server: database_is(server, "NOT_SERVING"))  # type: ignore[misc]
            made = [elige.decide("hero", context={"country": "ES"}, request_id="r") for elige in (one, other)]
            assert made[0].id != made[1].id
            assert [elige.reward(made[n].id).status for n, elige in enumerate((one, other))] == ["accepted"] * 2
        finally:
            postgres.start()
        eventually(lambda: sql("select count(*) from outcomes") == [2])
        (winner,) = sql("select decision_id from requests")
        (loser,) = {decision.id for decision in made} - {winner}
        assert sql(f"select superseded_by from decisions where decision_id = '{loser}'") == [winner]
        assert one.explain(loser).logged.decision.superseded_by == winner
        again = [elige.decide("hero", context={"country": "ES"}, request_id="r") for elige in (one, other)]
        assert {decision.id for decision in again} == {winner}  # both now give the one that stands
        assert one.reward(loser).learned_at is None
        eventually(lambda: sql("select count(*) from windows") == [0])
        assert sql("select decision_id from rewards") == [winner]
        sound()


def test_a_second_server_on_one_outbox_is_refused(
    serve: Serve, elige: Callable[..., Any], url: str, tmp_path: Path
) -> None:
    outbox = ("--outbox", str(tmp_path / "outbox.db"))
    serve(*outbox, db=url)
    second = elige("serve", "--listen", "localhost:0", *outbox, ELIGE_DB=url)
    assert second.returncode == 1
    assert "another server uses the outbox" in second.stderr
    assert "--outbox" in second.stderr
    assert "Traceback" not in second.stderr
