"""A service whose database is away decides on, repeats itself, takes outcomes, and knows whom it showed what."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from server.activations import ActivateRequest
from server.app import running
from server.decide import DecideRequest
from server.errors import Conflict, DatabaseUnusable, NothingShown, Unavailable
from server.outcomes import RewardRequest
from server.records import ActivationStatus, OutcomeStatus
from server.service import Service
from server.settings import Durability, Settings
from server.store import drain as drain_module
from server.store.database import Database
from server.store.front import buffered

on_postgresql = pytest.mark.parametrize("url", ["postgres"], indirect=True)


class Link:
    """Between the service and its database, to be cut."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cut = False
        for name in ("reading", "writing"):
            monkeypatch.setattr(database, name, self._through(getattr(database, name)))

    def _through(self, call: Any) -> Any:
        @contextmanager
        def through(*given: Any) -> Iterator[Any]:
            if self.cut:
                raise Unavailable("the database refuses: it is away")
            with call(*given) as connection:
                yield connection

        return through


@pytest.fixture
def link(database: Database, monkeypatch: pytest.MonkeyPatch, patient: None) -> Link:
    monkeypatch.setattr(drain_module, "PAUSES", (0.01,))
    return Link(database, monkeypatch)


@pytest.fixture
def outlast(
    database: Database, link: Link, clock: Any, tmp_path: Path
) -> Callable[[Callable[[Service], Awaitable[None]]], None]:
    """Runs a scenario with a service whose records go into an outbox; in the end all is drained."""

    def run(scenario: Callable[[Service], Awaitable[None]]) -> None:
        async def whole() -> None:
            front = buffered(database, tmp_path / "outbox.db", clock=clock)
            service = Service(database, clock=clock, entropy=Random(1).randbytes, front=front)
            try:
                await service.refresh()
                await scenario(service)
            finally:
                link.cut = False
                await service.close()
                front.close()

        asyncio.run(asyncio.wait_for(whole(), 60))

    return run


@on_postgresql
def test_it_decides_and_repeats_itself(put: Any, hero: str, outlast: Any, link: Link, sql: Any) -> None:
    put(hero)
    request = DecideRequest("hero", context={"country": "ES"}, request_id="r")

    async def scenario(service: Service) -> None:
        link.cut = True
        first = await service.decide(request)
        again = await service.decide(request)
        assert again.repeated
        assert again.decision.id == first.decision.id
        assert [one.content for one in again.decision.choices] == [one.content for one in first.decision.choices]
        with pytest.raises(Conflict):
            await service.decide(DecideRequest("hero", context={"country": "PT"}, request_id="r"))
        recorded = await service.reward(RewardRequest(first.decision.id, "click"))
        assert recorded.status is OutcomeStatus.ACCEPTED
        assert recorded.learned_at == first.decision.window_closes_at

    outlast(scenario)
    assert sql("SELECT count(*) FROM decisions") == [(1,)]
    assert sql("SELECT status FROM outcomes") == [("accepted",)]


@on_postgresql
def test_it_knows_whom_it_showed_what(put: Any, hero: str, outlast: Any, link: Link, sql: Any, clock: Any) -> None:
    put(hero)

    async def scenario(service: Service) -> None:
        before = await service.decide(DecideRequest("hero", person="eva"))
        while service._front.backlog().records:  # type: ignore[union-attr]
            await asyncio.sleep(0.01)
        service._front.outbox.clear()  # type: ignore[union-attr]
        clock.move(seconds=1)
        link.cut = True
        made = await service.decide(DecideRequest("hero", person="ana"))
        clock.move(seconds=1)
        recorded = await service.reward(RewardRequest(None, "click", person="ana", campaign="hero", key="k"))
        assert (recorded.status, recorded.decision_id) == (OutcomeStatus.ACCEPTED, made.decision.id)
        again = await service.reward(RewardRequest(None, "click", person="ana", campaign="hero", key="k"))
        assert again.status is OutcomeStatus.DUPLICATE
        unknown = await service.reward(RewardRequest(None, "click", person="eva", campaign="hero"))
        assert (unknown.status, unknown.decision_id) == (OutcomeStatus.PENDING, None)
        link.cut = False
        while not service._front.presence.up:
            await asyncio.sleep(0.01)
        with pytest.raises(NothingShown):
            await service.reward(RewardRequest(None, "click", person="nobody", campaign="hero"))
        credited.append(before.decision.id)

    credited: list[str] = []
    outlast(scenario)
    assert sql("SELECT decision_id FROM outcomes WHERE person IS NOT NULL AND key IS NULL") == [(credited[0],)]
    assert sql("SELECT count(*) FROM outcomes") == [(2,)]


@on_postgresql
def test_an_activation_begins_the_window(put: Any, hero: str, outlast: Any, link: Link, sql: Any, clock: Any) -> None:
    put(hero)

    async def scenario(service: Service) -> None:
        await service.decide(DecideRequest("hero", defer_activation=True))  # meanwhile it learns how long windows are
        link.cut = True
        made = (await service.decide(DecideRequest("hero", defer_activation=True))).decision
        assert made.window_closes_at is None
        at = clock.move(minutes=5)
        activated = await service.activate(ActivateRequest(made.id))
        assert activated.status is ActivationStatus.ACTIVATED
        recorded = await service.reward(RewardRequest(made.id, "click"))
        assert recorded.learned_at == activated.window_closes_at
        assert recorded.learned_at is not None
        assert (recorded.learned_at - at).total_seconds() == 30 * 60

    outlast(scenario)
    assert sorted(sql("SELECT waiting FROM windows")) == [(False,), (True,)]


@on_postgresql
def test_a_server_of_postgresql_has_an_outbox_unless_told_otherwise(
    start_server: Any, put: Any, hero: str, sql: Any, tmp_path: Path
) -> None:
    put(hero)
    server = start_server()
    health = health_pb2_grpc.HealthStub(server.channel)
    answer = health.Check(health_pb2.HealthCheckRequest(service="elige.database"))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert sql("SELECT count(*) FROM servers") == [(1,)]
    server.stop()
    assert sql("SELECT count(*) FROM servers") == [(0,)]
    assert (tmp_path / "outbox.db").exists()
    start_server(durability=Durability.DATABASE, outbox=str(tmp_path / "other.db"))
    assert sql("SELECT count(*) FROM servers") == [(0,)]
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_sqlite_database_has_none(start_server: Any, url: str, sql: Any, tmp_path: Path) -> None:
    start_server()
    assert not (tmp_path / "outbox.db").exists()

    async def start() -> None:
        async with running(Settings(url, "localhost:0", durability=Durability.OUTBOX), train=False):
            pass

    with pytest.raises(DatabaseUnusable, match="--durability outbox is for PostgreSQL"):
        asyncio.run(start())
