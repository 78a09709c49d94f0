"""Start, stop, crash: what was acknowledged is there."""

import asyncio
import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from elige.client import AsyncClient, EligeError
from tests.system.running import Server, alive, eventually

CAMPAIGN = """
campaign: hero
metrics: {click: once}
reward: {window: 1s}
context: {country: text}
slots:
  headline:
    default: a
    variants: [{id: a}, {id: b}, {id: c}]
"""
Serve = Callable[..., Server]
Elige = Callable[..., CompletedProcess[str]]

pytestmark = pytest.mark.slow


def stored(database: str, query: str) -> set[str]:
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
        return {row[0] for row in connection.execute(query)}


class Load:
    """Threads that decide and reward until the server goes away, and remember what was acknowledged."""

    def __init__(self, server: Server, *, threads: int = 4) -> None:
        self.decisions: list[str] = []
        self.keys: list[str] = []
        self.failures: list[EligeError] = []
        self._threads = [threading.Thread(target=self._run, args=(server, n)) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(timeout=60)

    def _run(self, server: Server, number: int) -> None:
        with server.client(timeout=60.0) as elige:
            try:
                for i in range(1_000_000):
                    decision = elige.decide("hero", person=f"p{number}", context={"country": "ES"})
                    self.decisions.append(decision.id)
                    key = f"{number}-{i}"
                    elige.reward(decision.id, "click", key=key)
                    self.keys.append(key)
            except EligeError as error:
                self.failures.append(error)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["kill -9", "SIGTERM"])
def test_what_was_acknowledged_under_load_is_there_afterwards(serve: Serve, database: str, number: int) -> None:
    server = serve()
    with server.client() as elige:
        elige.put_campaign(CAMPAIGN)
    load = Load(server)
    eventually(lambda: len(load.keys) > 200)
    code = server.stop(number)
    load.join()
    assert code == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    assert set(load.decisions) <= stored(database, "select decision_id from decisions")
    assert set(load.keys) <= stored(database, "select key from outcomes")
    assert {error.code for error in load.failures} <= {"UNAVAILABLE", "CANCELLED"}

    again = serve()  # the next server goes on where this one was stopped: every window is matured, once
    eventually(lambda: not stored(database, "select decision_id from windows"))
    assert stored(database, "select count(*) - count(distinct decision_id) from rewards") == {0}
    assert stored(database, "select max(sequence) - count(*) from rewards") == {0}
    with again.client() as elige:
        assert elige.decide("hero", dry_run=True)["headline"].variant in "abc"


def test_the_trainer_ends_with_its_server_however_that_ends(serve: Serve) -> None:
    for number in (signal.SIGKILL, signal.SIGTERM):
        server = serve()
        trainer = server.trainer
        server.stop(number)
        eventually(lambda trainer=trainer: not alive(trainer))  # type: ignore[misc]


def test_a_trainer_that_dies_is_started_again_and_goes_on(serve: Serve) -> None:
    server = serve()
    with server.client() as elige:
        elige.put_campaign(CAMPAIGN)
        first = server.trainer
        os.kill(first, signal.SIGKILL)
        decision = elige.decide("hero", context={"country": "ES"})
        elige.reward(decision.id)
        eventually(lambda: elige.get_campaign("hero").snapshot or None)
    assert server.trainer != first
    assert "fork" not in server.log.read_text()  # of gRPC's fork handlers, which are off


def test_two_servers_on_one_database_answer_as_one(serve: Serve, database: str) -> None:
    servers = [serve(), serve()]
    with servers[0].client() as elige:
        elige.put_campaign(CAMPAIGN)
    answers: dict[str, set[str]] = {f"r{i}": set() for i in range(50)}

    def ask(server: Server) -> None:
        with server.client(timeout=60.0) as elige:
            for request, seen in answers.items():
                decision = elige.decide("hero", context={"country": "ES"}, request_id=request)
                seen.add(decision.id)
                elige.reward(decision.id, key=request)

    threads = [threading.Thread(target=ask, args=(server,)) for server in servers for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert {len(seen) for seen in answers.values()} == {1}  # one decision a request id, whoever is asked
    assert stored(database, "select decision_id from decisions") == set().union(*answers.values())
    assert stored(database, "select count(*) from outcomes") == {50}
    eventually(lambda: not stored(database, "select decision_id from windows"))
    assert (
        stored(database, "select count(*) from rewards")
        == stored(database, "select max(sequence) from rewards")
        == {50}
    )
    servers[0].stop(signal.SIGKILL)  # the other one's trainer takes over once the lease has run out
    with servers[1].client() as elige:
        before = elige.get_campaign("hero").snapshot
        elige.reward(elige.decide("hero").id)
        eventually(lambda: elige.get_campaign("hero").snapshot != before)


def test_a_taken_port_is_told(serve: Serve, elige: Elige, tmp_path: Path) -> None:
    server = serve()
    other = elige("serve", "--db", f"sqlite:///{tmp_path / 'other.db'}", "--listen", server.address)
    assert other.returncode == 1
    assert "is another server running there?" in other.stderr
    assert "Traceback" not in other.stderr


def test_health_and_reflection(serve: Serve) -> None:
    server = serve()
    with grpc.insecure_channel(server.address) as channel:
        for name in ("", "elige.v1.DecisionService", "elige.v1.KeyService"):
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        requests = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        (listed,) = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(requests)
        names = {service.name for service in listed.list_services_response.service}
    known = ("DecisionService", "CampaignService", "PeopleService", "EvaluationService", "KeyService")
    assert {f"elige.v1.{name}" for name in known} <= names


def test_a_campaign_applied_to_the_database_is_served_at_once(serve: Serve, elige: Elige, tmp_path: Path) -> None:
    server = serve()
    (tmp_path / "hero.yaml").write_text(CAMPAIGN)
    assert elige("campaign", "apply", "hero.yaml").returncode == 0
    with server.client() as client:
        assert client.decide("hero").campaign == "hero"


def test_a_server_that_stood_still_answers_all_that_waited(serve: Serve) -> None:
    """More calls than gRPC would let wait by itself: it cancels what comes after the first thousand."""
    server = serve()
    with server.client() as elige:
        elige.put_campaign(CAMPAIGN)

    async def calls() -> set[str]:
        async with AsyncClient(server.address, decide_timeout=60.0) as elige:
            await elige.decide("hero")
            server.process.send_signal(signal.SIGSTOP)
            waiting = [asyncio.create_task(elige.decide("hero")) for _ in range(2_500)]
            await asyncio.sleep(1.0)  # all of them are on their way before it goes on
            server.process.send_signal(signal.SIGCONT)
            return {decision.id for decision in await asyncio.gather(*waiting)}

    assert len(asyncio.run(calls())) == 2_500
