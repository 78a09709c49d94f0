"""Windows are matured only when all that was acknowledged before their close is in the log."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.errors import Unavailable
from server.store import servers
from server.store.database import Database
from server.store.servers import Draining
from server.training.horizon import SETTLING, Horizon

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GRACE = timedelta(minutes=5)
SECOND = timedelta(seconds=1)


def server(*, seen: timedelta, until: timedelta) -> Draining:
    """Seen, and drained, so long ago."""
    return Draining("s", NOW - seen, 0, NOW - until)


@pytest.fixture
def horizon() -> Horizon:
    """One that has followed the servers for long."""
    made = Horizon(drain_grace=GRACE)
    made.at((), NOW - timedelta(hours=1))
    return made


def test_the_server_that_is_furthest_behind_is_waited_for(horizon: Horizon) -> None:
    assert horizon.at((), NOW) == NOW
    one, other = (server(seen=SECOND, until=n * SECOND) for n in (2, 40))
    assert horizon.at([one, other], NOW) == other.drained_until
    assert horizon.at([server(seen=SECOND, until=-SECOND)], NOW) == NOW  # its clock is ahead of ours by a little


def test_a_server_that_says_nothing_is_waited_for_so_long(horizon: Horizon) -> None:
    last = timedelta(minutes=6)
    assert horizon.at([server(seen=GRACE - SECOND, until=last)], NOW) == NOW - last
    assert horizon.at([server(seen=GRACE + SECOND, until=last)], NOW) == NOW


def test_a_clock_that_ran_ahead_does_not_block_for_ever(horizon: Horizon) -> None:
    assert horizon.at([server(seen=-timedelta(days=300), until=timedelta(hours=1))], NOW) == NOW


def test_after_an_outage_nobody_is_given_up_at_once(horizon: Horizon) -> None:
    silent = server(seen=timedelta(hours=1), until=timedelta(hours=2))
    assert horizon.at([silent], NOW) == NOW
    horizon.lost()  # for longer than the grace, perhaps: then nobody could say anything
    assert horizon.at([silent], NOW) == silent.drained_until
    assert horizon.at([silent], NOW + SETTLING - SECOND) == silent.drained_until
    assert horizon.at([silent], NOW + SETTLING) == NOW + SETTLING
    back = NOW - timedelta(hours=3)  # our own clock jumps back
    assert horizon.at([silent], back) == back
    later = server(seen=timedelta(hours=1), until=timedelta(hours=4))
    assert horizon.at([later], back + SETTLING - SECOND) == later.drained_until
    assert horizon.at([later], back + SETTLING) == back + SETTLING
    assert Horizon(drain_grace=GRACE).at([silent], NOW) == silent.drained_until


@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
def test_the_trainer_waits_for_what_is_not_drained(
    put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, database: Database, sql: Callable[..., list[Any]]
) -> None:
    put(hero)
    with database.writing() as connection:
        servers.register(connection, "one", started_at=clock(), through=0)
    trainer = new_trainer()
    log.decide([{}] * 3)
    closes_at = clock.now + timedelta(minutes=30)

    def says(until: datetime) -> None:
        with database.writing() as connection:
            servers.advance(connection, "one", through=0, until=until, now=clock())

    clock.now = closes_at + SECOND
    says(closes_at - SECOND)
    assert trainer.step(clock()).matured == 0
    says(closes_at)
    assert trainer.step(clock()).matured == 3
    log.decide([{}])
    clock.move(minutes=40)  # and it says nothing any more
    assert trainer.step(clock()).matured == 1


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_trainer_notes_that_the_database_was_away(
    put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(hero)
    with database.writing() as connection:
        servers.register(connection, "one", started_at=clock(), through=0)
    trainer = new_trainer()
    log.decide([{}])
    trainer.step(clock())
    clock.move(hours=1)

    def away() -> Any:
        raise Unavailable("it is away")

    with monkeypatch.context() as patch:
        patch.setattr(database, "reading", away)
        with pytest.raises(Unavailable):
            trainer.step(clock())
    assert trainer.step(clock()).matured == 0
    clock.now += SETTLING
    assert trainer.step(clock()).matured == 1
