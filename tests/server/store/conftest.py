"""Every test of the store runs on SQLite and PostgreSQL, unless it names its own; those that are the contract of the
log, on a database that nobody keeps as well.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from server.decide import DecideRequest, decide
from server.ids import RANDOM
from server.loading import Loader
from server.records import Decision, Outcome
from server.store.database import Database
from server.store.outbox import Outbox
from tests.postgres import Postgres

CONTRACT = {f"test_{room}" for room in ("campaigns", "decisions", "activations", "outcomes", "attribution", "training")}
"""What every database has to do: append, repeat, know keys and fates, mature what is due, keep snapshots."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    named = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "url" in metafunc.fixturenames and not any("url" in names for names in named):
        thrown_away = ["memory"] if metafunc.module.__name__.rpartition(".")[2] in CONTRACT else []
        metafunc.parametrize("url", [*thrown_away, "sqlite", "postgres"], indirect=True)


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    with postgres.database(template="template1") as made:
        yield made


@pytest.fixture
def make(put: Callable[[str], Any], hero: str, database: Database, clock: Any) -> Callable[..., list[Decision]]:
    """Makes decisions of the campaign hero that are not stored; what is given replaces their fields."""
    put(hero)
    (served,) = Loader(database).changed(())
    entropy = Random(5)

    def decisions(n: int = 1, **given: Any) -> list[Decision]:
        request = DecideRequest("hero", context={"country": "ES", "orders": 2.0}, person="ana")
        made = [
            decide(served, request, secret=database.secret, now=clock(), random=entropy.randbytes(RANDOM))
            for _ in range(n)
        ]
        return [replace(one, **given) for one in made]

    return decisions


@pytest.fixture
def told() -> Callable[..., Outcome]:
    """An outcome of a decision: a click at its time, unless said otherwise."""

    def outcome(decision: Decision, **given: Any) -> Outcome:
        values = {"metric": "click", "value": 1.0, "at": decision.at, "received_at": decision.at, **given}
        return Outcome(decision.id, decision.campaign, **values)

    return outcome


@pytest.fixture
def open_outbox(database: Database, tmp_path: Path) -> Iterator[Callable[..., Outbox]]:
    """Outboxes for the test's database."""
    with ExitStack() as opened:

        def make(name: str = "outbox") -> Outbox:
            outbox = Outbox(tmp_path / f"{name}.db", secret=database.secret)
            opened.callback(outbox.close)
            return outbox

        yield make
