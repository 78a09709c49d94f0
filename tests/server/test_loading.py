"""What is served: the newest that works. Nothing that can't be built takes the place of something that does."""

from collections.abc import Callable
from typing import Any

import pytest

from server import loading as module
from server.campaigns.catalogue import Served
from server.errors import Unavailable
from server.loading import Loader
from server.records import Snapshot, State
from server.store import training as training_rows
from server.store.database import Database

Sql = Callable[..., list[Any]]


@pytest.fixture
def loader(database: Database) -> Loader:
    return Loader(database)


@pytest.fixture
def trained(put: Any, hero: str, log: Any, clock: Any, new_trainer: Any, database: Database) -> list[Snapshot]:
    put(hero)
    trainer = new_trainer()
    for _ in range(3):
        log.visits(10)
        trainer.step(clock.move(hours=1))
    with database.reading() as connection:
        return training_rows.list_snapshots(connection, "hero", before=None, limit=9)[::-1]


def refused(said: list[Any]) -> list[int]:
    return [entry["snapshot"] for entry in said if entry["event"] == "snapshot refused"]


def test_what_is_new_is_loaded_once(loader: Loader, put: Any, hero: str) -> None:
    assert loader.changed([]) == []
    put(hero)
    (served,) = loader.changed([])
    assert (served.version, served.snapshot, served.state) == (1, None, State.ACTIVE)
    assert loader.changed([served]) == []
    put(hero.replace("30m", "1h"))
    (after,) = loader.changed([served])
    assert after.version == 2


def test_the_newest_snapshot_serves(loader: Loader, trained: list[Snapshot]) -> None:
    (served,) = loader.changed([])
    assert served.snapshot == served.newest_snapshot == trained[-1].id


def test_a_damaged_snapshot_is_refused_once_and_the_last_good_one_serves(
    loader: Loader, trained: list[Snapshot], sql: Sql, said: list[Any]
) -> None:
    sql("UPDATE snapshot_slots SET state = zeroblob(100) WHERE snapshot_id = :id", id=trained[-1].id)
    (served,) = loader.changed([])
    assert (served.snapshot, served.newest_snapshot) == (trained[1].id, trained[2].id)
    assert refused(said) == [trained[2].id]
    assert loader.changed([served]) == []  # it is not tried again with every look
    assert refused(said) == [trained[2].id]


def test_the_kill_switch_works_beside_a_damaged_snapshot(
    loader: Loader, trained: list[Snapshot], sql: Sql, set_to: Any
) -> None:
    (served,) = loader.changed([])
    sql("UPDATE snapshot_slots SET state = zeroblob(100)")
    set_to("hero", State.KILLED)
    (after,) = loader.changed([served])
    assert (after.state, after.snapshot) == (State.KILLED, None)


def test_where_none_is_good_it_serves_untrained(
    loader: Loader, trained: list[Snapshot], sql: Sql, said: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sql("UPDATE snapshot_slots SET state = NULL WHERE snapshot_id = :id", id=trained[0].id)
    sql("UPDATE snapshot_slots SET state = X'00' WHERE snapshot_id > :id", id=trained[0].id)
    (served,) = loader.changed([])
    assert (served.snapshot, served.newest_snapshot) == (None, trained[2].id)
    assert refused(said) == [one.id for one in reversed(trained)]
    monkeypatch.setattr(module, "TRIES", 1)
    said.clear()
    assert loader.changed([])[0].snapshot is None
    assert refused(said) == [trained[2].id]


def test_bytes_that_are_as_written_but_can_not_be_read_are_refused_too(
    loader: Loader, trained: list[Snapshot], sql: Sql, said: list[Any]
) -> None:
    from server.records import state_digest

    foreign = b"of another version of the software, and long enough"
    digest = state_digest(foreign)
    values = {"id": trained[-1].id, "state": foreign, "digest": digest}
    sql("UPDATE snapshot_slots SET state = :state, digest = :digest WHERE snapshot_id = :id", **values)
    (served,) = loader.changed([])
    assert served.snapshot == trained[1].id
    assert "expected a state of" in next(entry["reason"] for entry in said if entry["event"] == "snapshot refused")


def test_a_campaign_that_can_not_be_built_keeps_no_other_from_being_served(
    loader: Loader, put: Any, hero: str, sql: Sql, said: list[Any]
) -> None:
    put(hero)
    put(hero.replace("campaign: hero", "campaign: other"))
    served = {one.name: one for one in loader.changed([])}
    put(hero.replace("30m", "1h"))
    put(hero.replace("campaign: hero", "campaign: other").replace("30m", "1h"))
    sql("UPDATE campaigns SET document = '{}' WHERE campaign = 'hero' AND version = 2")
    changed = loader.changed(list(served.values()))
    assert [(one.name, one.version) for one in changed] == [("other", 2)]
    now: list[Served] = [served["hero"], *changed]
    for _ in range(3):
        assert loader.changed(now) == []
    assert [entry["campaign"] for entry in said if entry["log_level"] == "error"] == ["hero"]
    put(hero.replace("30m", "2h"))
    assert [(one.name, one.version) for one in loader.changed(now)] == [("hero", 3)]


def test_trouble_of_the_database_is_not_held_against_a_campaign(
    loader: Loader, put: Any, hero: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(hero)

    def away(*_: object, **__: object) -> None:
        raise Unavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(training_rows, "list_snapshots", away)
        with pytest.raises(Unavailable):
            loader.changed([])
    assert len(loader.changed([])) == 1


def test_a_snapshot_that_fails_when_it_is_asked_is_refused(
    loader: Loader, put: Any, exploding: str, log: Any, clock: Any, new_trainer: Any, sql: Sql, said: list[Any]
) -> None:
    from server.records import state_digest

    put(exploding)
    for _ in range(2):
        log.decide([{}])
        new_trainer().step(clock.move(hours=1))
    assert loader.changed([])[0].snapshot == 2
    values = {"state": b"inf", "digest": state_digest(b"inf")}
    sql("UPDATE snapshot_slots SET state = :state, digest = :digest WHERE snapshot_id = 2", **values)
    (served,) = loader.changed([])
    assert (served.snapshot, served.newest_snapshot) == (1, 2)
    (told,) = [entry for entry in said if entry["event"] == "snapshot refused"]
    assert told["reason"].startswith("slot 'headline': asked for a context without features, the learner fails")
    assert loader.changed([served]) == []
