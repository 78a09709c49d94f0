"""Back to an earlier snapshot: learned on from its bytes, or pinned; said in the history, and proved by the log."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from sqlalchemy import insert

from server.errors import CannotRebuild, Diverged, NoSuchCampaign, NoSuchSnapshot, VersionConflict, WrongState
from server.loading import Loader
from server.records import Snapshot, State, state_digest
from server.store import campaigns as campaign_rows
from server.store import inspection
from server.store import training as training_rows
from server.store.database import Database
from server.store.tables import erasures
from server.training import trainer as trainer_module
from server.training.restore import restore
from server.training.retrain import retrain
from server.training.rollback import roll_back, unpin
from server.training.trainer import Progress, Trainer

Sql = Callable[..., list[Any]]


@pytest.fixture
def trainer(new_trainer: Callable[..., Trainer]) -> Trainer:
    return new_trainer()


@pytest.fixture
def trained(
    made_once: Any,
    put: Any,
    hero: str,
    log: Any,
    clock: Any,
    new_trainer: Callable[..., Trainer],
    trainer: Trainer,
    database: Database,
) -> list[Snapshot]:
    """Five snapshots of one lineage, through 15, 30, 45, 60 and 75; the trainer is in the midst of its lease."""

    def make() -> list[Snapshot]:
        put(hero)
        learning = new_trainer()
        for _ in range(5):
            log.visits(15)
            learning.step(clock.move(hours=1))
        return snapshots(database)

    made: list[Snapshot] = made_once(make)
    assert trainer.step(clock()) == Progress()
    return made


def snapshots(database: Database) -> list[Snapshot]:
    """Oldest first."""
    with database.reading() as connection:
        return training_rows.list_snapshots(connection, "hero", before=None, limit=99)[::-1]


def broken(database: Database) -> list[inspection.Finding]:
    with database.reading() as connection:
        return [one for one in inspection.check(connection) if one.wrong]


def digests(snapshot: Snapshot) -> list[str]:
    return [slot.digest for slot in snapshot.slots]


def test_learning_goes_on_from_its_bytes_in_a_new_lineage(
    trained: list[Snapshot], trainer: Trainer, log: Any, clock: Any, database: Database, sql: Sql
) -> None:
    origin = trained[1]
    stored = roll_back(database, "hero", origin.id, now=clock.move(minutes=1))
    assert (stored.version, stored.pinned_snapshot) == (2, None)
    back = snapshots(database)[-1]
    assert (back.lineage, back.parent, back.skipped, back.version) == (2, origin.id, True, 2)
    assert (back.trained_from, back.trained_through, back.examples) == (31, 75, origin.examples)
    assert back.slots == origin.slots
    assert sql("SELECT epoch FROM leases") == [(2,)]
    assert log.decide([{}])[0].snapshot == back.id
    # the next segment is learned from there, by the trainer that was in the midst of its lease
    log.visits(15)
    assert trainer.step(clock.move(hours=1)) == Progress(16, 16)
    after = snapshots(database)[-1]
    assert (after.lineage, after.parent, after.skipped) == (2, back.id, False)
    assert (after.trained_from, after.trained_through, after.examples) == (76, 91, origin.examples + 32)
    assert broken(database) == []


def test_what_was_learned_after_a_roll_back_comes_out_again(
    trained: list[Snapshot], trainer: Trainer, log: Any, clock: Any, database: Database, sql: Sql
) -> None:
    for place in (3, 1):  # twice, the second time to before the first
        roll_back(database, "hero", trained[place].id, now=clock())
        log.visits(15)
        trainer.step(clock.move(hours=1))
    done = retrain(database, "hero")
    assert done.agrees, done.why_not
    assert (done.snapshot.lineage, done.boundaries, done.examples) == (3, 4, done.snapshot.examples)
    before = retrain(database, "hero", done.snapshot.parent)  # the roll-back itself
    assert (before.agrees, before.boundaries) == (True, 3)
    whole = snapshots(database)
    sql("UPDATE snapshot_slots SET state = NULL")
    assert [restore(database, one.id) for one in whole] == whole
    sql("UPDATE rewards SET reward = 2.5 WHERE sequence = 20")
    assert retrain(database, "hero").differs_at == trained[1].id


def test_windows_that_were_open_are_learned_and_rewards_that_waited_are_passed_over(
    trained: list[Snapshot], trainer: Trainer, set_to: Any, log: Any, clock: Any, database: Database
) -> None:
    log.visits(5)
    set_to("hero", State.KILLED)
    trainer.step(clock.move(hours=1))  # matured, not learned
    set_to("hero", State.ACTIVE)
    log.visits(3)
    roll_back(database, "hero", trained[0].id, now=clock())
    assert snapshots(database)[-1].trained_through == 80
    assert trainer.step(clock.move(hours=1)) == Progress(3, 3)


def test_back_to_the_newest(trained: list[Snapshot], clock: Any, database: Database) -> None:
    roll_back(database, "hero", trained[-1].id, now=clock())
    back = snapshots(database)[-1]
    assert (back.trained_from, back.trained_through, back.lineage) == (76, 75, 2)
    assert digests(back) == digests(trained[-1])
    assert broken(database) == []
    assert retrain(database, "hero").agrees


def test_the_trainer_that_was_learning_writes_nothing_and_takes_its_lease_again(
    trained: list[Snapshot],
    trainer: Trainer,
    log: Any,
    clock: Any,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    said: list[Any],
) -> None:
    learn = trainer_module.learn_segment

    def meanwhile(*given: Any) -> Any:
        monkeypatch.setattr(trainer_module, "learn_segment", learn)
        roll_back(database, "hero", trained[0].id, now=clock())
        return learn(*given)

    monkeypatch.setattr(trainer_module, "learn_segment", meanwhile)
    log.visits(15)
    assert trainer.step(clock.move(hours=1)) == Progress(15, 0)
    assert [entry["event"] for entry in said if entry["log_level"] == "warning"] == ["lease lost"]
    assert [one.lineage for one in snapshots(database)] == [1] * 5 + [2]
    log.visits(2)
    assert trainer.step(clock.move(hours=1)) == Progress(2, 2)
    assert [one.trained_from for one in snapshots(database)[-2:]] == [16, 91]
    assert broken(database) == []


def test_bytes_that_were_thinned_out_are_rebuilt(
    trained: list[Snapshot], clock: Any, database: Database, sql: Sql
) -> None:
    sql("UPDATE snapshot_slots SET state = NULL")
    roll_back(database, "hero", trained[2].id, now=clock())
    assert digests(snapshots(database)[-1]) == digests(trained[2])
    assert snapshots(database)[-1].intact
    roll_back(database, "hero", trained[3].id, pin=True, now=clock())
    assert snapshots(database)[3] == trained[3]


def test_a_pinned_snapshot_serves_whatever_is_learned(
    trained: list[Snapshot],
    trainer: Trainer,
    put: Any,
    hero: str,
    set_to: Any,
    log: Any,
    clock: Any,
    database: Database,
) -> None:
    pinned = trained[1].id
    assert roll_back(database, "hero", pinned, pin=True, now=clock()).pinned_snapshot == pinned
    assert len(snapshots(database)) == 5
    log.visits(15)
    assert trainer.step(clock.move(hours=1)) == Progress(15, 15)  # the trainer goes on from the newest
    assert snapshots(database)[-1].parent == trained[-1].id
    assert log.decide([{}])[0].snapshot == pinned
    put(hero.replace("30m", "1h"))
    set_to("hero", State.PAUSED)
    set_to("hero", State.ACTIVE)
    assert log.decide([{}])[0].snapshot == pinned
    again = roll_back(database, "hero", pinned, pin=True, now=clock())
    assert again.version == 5  # as it was
    assert unpin(database, "hero", now=clock()).version == 6
    assert unpin(database, "hero", now=clock()).version == 6
    assert log.decide([{}])[0].snapshot == snapshots(database)[-1].id


def test_a_roll_back_frees_what_was_pinned(trained: list[Snapshot], clock: Any, log: Any, database: Database) -> None:
    roll_back(database, "hero", trained[1].id, pin=True, now=clock())
    assert roll_back(database, "hero", trained[3].id, now=clock()).pinned_snapshot is None
    assert log.decide([{}])[0].snapshot == snapshots(database)[-1].id


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE snapshot_slots SET state = NULL WHERE snapshot_id = :id", "its bytes are damaged"),
        ("UPDATE snapshots SET withdrawn_at = created_at WHERE snapshot_id = :id", "it was withdrawn"),
    ],
)
def test_a_pinned_snapshot_that_can_not_serve_any_more_leaves_it_to_the_newest(
    change: str, why: str, trained: list[Snapshot], clock: Any, database: Database, sql: Sql, said: list[Any]
) -> None:
    roll_back(database, "hero", trained[1].id, pin=True, now=clock())
    sql(change, id=trained[1].id)
    (served,) = Loader(database).changed(())
    assert served.snapshot == trained[-1].id
    (told,) = [entry for entry in said if entry["event"] == "snapshot refused"]
    assert (told["snapshot"], why in told["reason"]) == (trained[1].id, True)


def test_a_pinned_snapshot_that_no_longer_fits_leaves_it_to_the_newest(
    trained: list[Snapshot], trainer: Trainer, put: Any, hero: str, clock: Any, database: Database, said: list[Any]
) -> None:
    roll_back(database, "hero", trained[1].id, pin=True, now=clock())
    put(hero.replace("[0, 3]", "[0, 4]"))
    trainer.step(clock())
    (served,) = Loader(database).changed(())
    assert served.snapshot == snapshots(database)[-1].id
    assert "not those in force" in next(one["reason"] for one in said if one["event"] == "snapshot refused")


def test_thinning_leaves_what_is_pinned(trained: list[Snapshot], clock: Any, database: Database, sql: Sql) -> None:
    sql("UPDATE snapshots SET created_at = (SELECT max(created_at) FROM snapshots)")
    roll_back(database, "hero", trained[1].id, pin=True, now=clock())
    with database.writing() as connection:
        training_rows.thin(connection, "hero", keep=1)
    assert [one.intact for one in snapshots(database)] == [False, True, False, True, True]


@pytest.mark.parametrize(("lineage", "refused"), [(0, False), (1, True)])
def test_while_a_person_is_being_erased_nothing_that_may_know_them_comes_back(
    lineage: int, refused: bool, trained: list[Snapshot], clock: Any, database: Database
) -> None:
    taught = [{"campaign": "hero", "lineage": lineage}]
    counts = {"decisions": 0, "outcomes": 0, "links": 0}
    with database.writing() as connection:
        connection.execute(
            insert(erasures).values(erasure_id="e", keys=["k"], campaigns=taught, started_at=clock(), **counts)
        )
    for pin in (False, True):
        with pytest.raises(WrongState, match="just being erased") if refused else nullcontext():
            roll_back(database, "hero", trained[1].id, pin=pin, now=clock())


def test_what_can_not_be_gone_back_to(
    trained: list[Snapshot], put: Any, hero: str, set_to: Any, clock: Any, database: Database, sql: Sql
) -> None:
    def refused(error: type[Exception], why: str, *, campaign: str = "hero", snapshot: int = 1, **given: Any) -> None:
        for pin in (False, True):
            with pytest.raises(error, match=why):
                roll_back(database, campaign, snapshot, pin=pin, now=clock(), **given)

    put(hero.replace("campaign: hero", "campaign: other"))
    refused(NoSuchCampaign, "no campaign 'nope'", campaign="nope")
    for number in (99, 0, -1, 2**31, 2**70):
        refused(NoSuchSnapshot, f"campaign 'hero' has no snapshot {number}", snapshot=number)
    refused(NoSuchSnapshot, "campaign 'other' has no snapshot 1", campaign="other")
    refused(VersionConflict, "is at version 1, expected 7", expected_version=7)
    sql("UPDATE snapshots SET withdrawn_at = created_at WHERE snapshot_id = 2")
    refused(WrongState, "snapshot 2 was withdrawn", snapshot=2)
    sql("UPDATE snapshots SET published = false WHERE snapshot_id = 3")
    refused(WrongState, "snapshot 3 is not published", snapshot=3)
    put(hero.replace("[0, 3]", "[0, 4]"))
    refused(WrongState, "trained for version 1: its slots or policies are not those of version 2, which is in force")
    put(hero)
    sql("UPDATE rewards SET reward = 2.5 WHERE sequence = 1")
    sql("UPDATE snapshot_slots SET state = NULL")
    refused(CannotRebuild, "the bytes of snapshot 1 are gone")
    foreign = b"of other software"
    values = {"state": foreign, "digest": state_digest(foreign)}
    sql("UPDATE snapshot_slots SET state = :state, digest = :digest WHERE snapshot_id = 1", **values)
    refused(Diverged, "can't be loaded")
    set_to("hero", State.ARCHIVED)
    refused(WrongState, "is archived")
    with database.reading() as connection:
        assert campaign_rows.read_version(connection, "hero").version == 4
    assert len(snapshots(database)) == 5
    with pytest.raises(VersionConflict):
        unpin(database, "hero", now=clock(), expected_version=1)
