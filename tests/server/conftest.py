"""A database of its own for every test, a clock that stands still, randomness with a seed; servers in this process."""

import asyncio
import shutil
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import grpc
import numpy as np
import pytest
import structlog.testing
from sqlalchemy import text

from elige.v1 import campaigns_pb2_grpc, decisions_pb2_grpc, evaluations_pb2_grpc, people_pb2_grpc
from policies.entries import Entry
from policies.registry import MENU
from policies.types import Action, Features, Pmf, TrainingExample
from server.app import running
from server.campaigns.catalogue import Catalogue
from server.campaigns.file import load_campaigns
from server.campaigns.versions import put_campaign, set_state
from server.decide import DecideRequest, SlotOptions, decide
from server.ids import RANDOM
from server.loading import Loader
from server.records import Decision, Outcome, Recorded, State
from server.service import Service
from server.settings import Settings
from server.store import buffer, drain
from server.store import decisions as decision_rows
from server.store import outcomes as outcome_rows
from server.store.campaigns import StoredCampaign
from server.store.database import Database
from server.training.trainer import Trainer
from tests.postgres import Postgres, running_postgres
from tests.server.kept import Copies

T = TypeVar("T")

HERO = """\
campaign: hero
metrics: {click: once, revenue: sum}
reward: {window: 30m, range: [0, 3], value: "click + 0.01 * revenue"}
context: {country: text, orders: number}
slots:
  headline:
    default: hours
    variants:
      - {id: hours, content: {text: "Gana 3 horas"}}
      - {id: price, content: {text: "Desde 9 €"}, features: {angle: price}}
      - {id: trust, content: {text: "Ya somos 12.000"}}
  cta:
    default: try
    variants:
      - {id: try, content: {text: Pruébalo}}
      - {id: demo, content: {text: Pide una demo}}
"""


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@pytest.fixture(autouse=True)
def said() -> Iterator[list[Any]]:
    """What the service's own log says during the test."""
    with structlog.testing.capture_logs() as entries:
        yield entries


@pytest.fixture
def hero() -> str:
    """The text of a campaign with two slots, hers the default policy."""
    return HERO


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL, started for the first test that asks."""
    with running_postgres() as one:
        yield one


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new database. Every test has a copy: migrating one from nothing takes 30 times as long."""
    file = tmp_path_factory.mktemp("template") / "elige.db"
    Database(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Of a database that nobody else has: SQLite, unless the test is run on `postgres` or `memory` too."""
    kind = getattr(request, "param", "sqlite")
    if kind == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "elige.db")
        yield f"sqlite:///{tmp_path / 'elige.db'}"
        return
    if kind == "memory":
        thrown_away = Database("memory:")
        yield thrown_away.address
        thrown_away.close()
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    with postgres.database() as made:
        yield made


@pytest.fixture
def open_database(url: str) -> Iterator[Callable[..., Database]]:
    """Opens the test's database once more, as another process would."""
    opened: list[Database] = []

    def make(*, upgrade: bool = False) -> Database:
        opened.append(Database(url, upgrade=upgrade))
        return opened[-1]

    yield make
    for database in opened:
        database.close()


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    """Its secret is always the same one, and with it every draw."""
    opened = open_database()
    with opened.writing() as connection:
        connection.execute(text("UPDATE meta SET value = :secret WHERE name = 'secret'"), {"secret": "5e" * 32})
    return opened


@pytest.fixture
def sql(database: Database) -> Callable[..., list[Any]]:
    """Reads or changes the database behind everybody's back."""

    def run(statement: str, **parameters: Any) -> list[Any]:
        with database.writing() as connection:
            result = connection.execute(text(statement), parameters)
            return list(result.all()) if result.returns_rows else []

    return run


@pytest.fixture
def put(database: Database, clock: Clock) -> Callable[..., StoredCampaign]:
    """Puts a campaign in force straight in the database."""

    def put(source: str, *, state: State = State.ACTIVE) -> StoredCampaign:
        (campaign,) = load_campaigns(source, file_name="test.yaml")
        return put_campaign(database, campaign, source, now=clock(), state=state).stored

    return put


@pytest.fixture
def set_to(database: Database, clock: Clock) -> Callable[[str, State], StoredCampaign]:
    return lambda campaign, state: set_state(database, campaign, state, now=clock())


@pytest.fixture
def in_service(database: Database, clock: Clock) -> Callable[..., Any]:
    """Runs a coroutine function with a service over the test's database, from start to close."""

    def run(scenario: Callable[[Service], Awaitable[T]], *, seed: int = 1) -> T:
        async def whole() -> T:
            service = Service(database, clock=clock, entropy=Random(seed).randbytes)
            try:
                await service.refresh()
                return await scenario(service)
            finally:
                await service.close()

        return asyncio.run(whole())

    return run


@dataclass
class Log:
    """Writes decisions and outcomes as a server does, without one."""

    database: Database
    clock: Clock
    entropy: Random = field(default_factory=lambda: Random(7))
    loader: Loader = field(init=False)
    catalogue: Catalogue = field(default_factory=Catalogue)

    def __post_init__(self) -> None:
        self.loader = Loader(self.database)

    def decide(
        self,
        contexts: Iterable[Mapping[str, Any]],
        *,
        campaign: str = "hero",
        options: Mapping[str, SlotOptions] = {},
        **asked: Any,
    ) -> list[Decision]:
        """Decide for each context with what is newest, and store the decisions. `asked`: more of each request."""
        for changed in self.loader.changed(self.catalogue.all()):
            self.catalogue.put(changed)
        served = self.catalogue.get(campaign)
        made = [
            decide(
                served,
                DecideRequest(campaign, context=context, options=options, **asked),
                secret=self.database.secret,
                now=self.clock(),
                random=self.entropy.randbytes(RANDOM),
            )
            for context in contexts
        ]
        with self.database.writing() as connection:
            decision_rows.append(connection, made)
        return made

    def happen(
        self,
        decision: Decision,
        metric: str = "click",
        value: float = 1.0,
        *,
        after: timedelta = timedelta(minutes=1),
        slot: str | None = None,
        key: str | None = None,
    ) -> Recorded:
        """Store an outcome of a decision."""
        at = decision.at + after
        outcome = Outcome(decision.id, decision.campaign, metric, value, at, self.clock(), slot, key)
        with self.database.writing() as connection:
            (answer,) = outcome_rows.append(connection, [outcome])
        return answer

    def visits(self, n: int, *, campaign: str = "hero") -> list[Decision]:
        """`n` people, half of ES and half of PT; those of ES click on `price`, the others on anything else."""
        made = self.decide([{"country": "ES" if i % 2 else "PT"} for i in range(n)], campaign=campaign)
        clicked = [
            Outcome(one.id, one.campaign, "click", 1.0, one.at, one.at)
            for one in made
            if (one.choices[0].variant == "price") == (one.context["country"] == "ES")
        ]
        with self.database.writing() as connection:
            outcome_rows.append(connection, clicked)
        return made


@pytest.fixture
def log(database: Database, clock: Clock) -> Log:
    return Log(database, clock)


@pytest.fixture(scope="session")
def copies(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Copies:
    return Copies(tmp_path_factory.mktemp("copies"), lambda: request.getfixturevalue("postgres"))


@pytest.fixture
def made_once(
    request: pytest.FixtureRequest, copies: Copies, database: Database, clock: Clock, log: Log
) -> Callable[[Callable[[], T]], T]:
    """Calls a function for the first test of the module that asks. The others have what it returned, and find the
    database, the clock and the log as it left them. What it makes must not depend on the test.
    """

    def once(make: Callable[[], T]) -> T:
        name = f"{request.node.nodeid.partition('::')[0]}: {make.__qualname__}"
        return copies.made(name, make, database, clock=clock, log=log)

    return once


@pytest.fixture
def new_trainer(database: Database) -> Callable[..., Trainer]:
    """A trainer, stepped by hand; each of them by default over the same database."""

    def make(holder: str = "one", *, over: Database | None = None) -> Trainer:
        return Trainer(over or database, holder=holder, grace=timedelta(0))

    return make


class Exploding:
    """A learner whose weight grows without bound with every reward: after the second, it is infinite and its
    probabilities are NaN.
    """

    arguments = "--exploding"

    def __init__(self, state: bytes | None) -> None:
        self.weight = float(state) if state else 1.0

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        with np.errstate(invalid="ignore"):
            weights: Pmf = np.full(len(actions), self.weight)
            weights /= weights.sum()
        return weights

    def learn(self, examples: Iterable[TrainingExample]) -> None:
        for example in examples:
            self.weight *= 1e200 if example.reward > 0.0 else 1.0

    def dump(self) -> bytes:
        return repr(self.weight).encode()


@pytest.fixture
def exploding(hero: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The text of a campaign whose learner diverges with the second click."""
    monkeypatch.setitem(MENU, "exploding", Entry("diverges", lambda given: Exploding(given.state), learns=True))
    return hero.replace("context:", "policy: exploding\ncontext:")


@dataclass
class Running:
    """A server that runs, and the stubs of its calls."""

    target: str
    channel: grpc.Channel
    decisions: Any
    campaigns: Any
    evaluations: Any
    people: Any
    stop: Callable[[], None]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is slow, as everything is on a loaded machine, does not count as away."""
    monkeypatch.setattr(buffer, "ASK_SECONDS", 60.0)
    monkeypatch.setattr(drain, "STUCK_SECONDS", 60.0)


@pytest.fixture
def start_server(url: str, database: Database, tmp_path: Path, patient: None) -> Iterator[Callable[..., Running]]:
    """Starts a real server of the test's database in a thread, on a free port."""
    running_now: list[Running] = []

    def start(*, train: bool = False, dev: bool = False, **settings: Any) -> Running:
        settings = {"outbox": str(tmp_path / "outbox.db"), **settings}
        ready = threading.Event()
        said: dict[str, Any] = {}

        async def serve() -> None:
            said["loop"], said["stopping"] = asyncio.get_running_loop(), asyncio.Event()
            try:
                async with running(Settings(url, "127.0.0.1:0", dev, **settings), train=train) as server:
                    said["port"] = server.port
                    ready.set()
                    await said["stopping"].wait()
            finally:
                ready.set()

        thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
        thread.start()
        assert ready.wait(60)
        assert "port" in said, "the server did not start"
        target = f"127.0.0.1:{said['port']}"
        limits = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]
        channel = grpc.insecure_channel(target, options=limits)

        def stop() -> None:
            channel.close()
            with suppress(RuntimeError):  # stopped before
                said["loop"].call_soon_threadsafe(said["stopping"].set)
            thread.join(60)
            assert not thread.is_alive()

        one = Running(
            target,
            channel,
            decisions_pb2_grpc.DecisionServiceStub(channel),
            campaigns_pb2_grpc.CampaignServiceStub(channel),
            evaluations_pb2_grpc.EvaluationServiceStub(channel),
            people_pb2_grpc.PeopleServiceStub(channel),
            stop,
        )
        running_now.append(one)
        return one

    yield start
    for one in running_now:
        one.stop()


@pytest.fixture
def server(start_server: Callable[..., Running]) -> Running:
    """A server that does not train."""
    return start_server()
