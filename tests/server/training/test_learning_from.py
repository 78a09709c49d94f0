"""What a change of learn_from does to what was learned, and to what is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from server.ids import RANDOM
from server.loading import Loader
from server.observe import ObservedChoice, ObserveRequest, observe
from server.records import Snapshot
from server.store import decisions as decision_rows
from server.store import training as training_rows
from server.store.database import Database
from server.training.retrain import retrain

pytestmark = pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)

Put = Callable[[str], object]


@pytest.fixture
def learn_from(put: Put, hero: str) -> Put:
    """Puts a campaign in force that learns from these."""
    return lambda kinds: put(hero.replace("context:", f"learn_from: {kinds}\ncontext:"))


@pytest.fixture
def newest(database: Database) -> Callable[[], Snapshot]:
    def newest() -> Snapshot:
        with database.reading() as connection:
            return training_rows.list_snapshots(connection, "hero", before=None, limit=1)[0]

    return newest


def tell(database: Database, log: Any, n: int) -> None:
    """Store `n` choices of a rule that shows `price`."""
    served = next(one for one in Loader(database).changed(()) if one.name == "hero")
    request = ObserveRequest("hero", (ObservedChoice("headline", "price"),))
    made = [
        observe(served, request, secret=database.secret, now=log.clock(), random=log.entropy.randbytes(RANDOM))
        for _ in range(n)
    ]
    with database.writing(["hero"]) as connection:
        decision_rows.append(connection, made)


def test_who_begins_to_learn_from_others_learns_the_whole_log_again(
    database: Database, learn_from: Put, log: Any, clock: Any, new_trainer: Any, newest: Callable[[], Snapshot]
) -> None:
    learn_from("[drawn]")
    trainer = new_trainer()
    log.visits(20)
    tell(database, log, 10)
    trainer.step(clock.move(minutes=31))
    assert (newest().lineage, newest().trained_through, newest().examples) == (1, 30, 40)
    learn_from("[drawn, observed]")
    trainer.step(clock.move(minutes=1))
    assert (newest().lineage, newest().trained_from, newest().examples) == (2, 1, 50)
    again = retrain(database, "hero")
    assert again.agrees, again.why_not


def test_who_only_logs_goes_on_deciding_by_what_was_learned(
    database: Database, learn_from: Put, log: Any, clock: Any, new_trainer: Any, newest: Callable[[], Snapshot]
) -> None:
    learn_from("[drawn]")
    trainer = new_trainer()
    log.visits(20)
    trainer.step(clock.move(minutes=31))
    before = newest()
    learn_from("[]")
    logged = log.visits(20)
    assert {one.snapshot for one in logged} == {before.id}
    progress = trainer.step(clock.move(minutes=31))
    assert (progress.matured, progress.learned) == (20, 0)
    assert newest().id == before.id
    learn_from("[drawn]")
    trainer.step(clock.move(minutes=1))
    assert (newest().parent, newest().trained_from, newest().trained_through) == (before.id, 21, 40)


def test_choices_of_long_ago_mature_at_once(
    database: Database, learn_from: Put, log: Any, clock: Any, new_trainer: Any, newest: Callable[[], Snapshot]
) -> None:
    learn_from("[observed]")
    now = clock.now
    clock.now = now - timedelta(days=300)
    tell(database, log, 5)
    clock.now = now
    log.visits(5)
    assert new_trainer().step(now).matured == 5
    assert newest().examples == 5
