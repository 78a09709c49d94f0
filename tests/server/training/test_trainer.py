"""The trainer: every decision matured once and in place, learned at most once, whatever happens to it."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from server.records import Snapshot, State
from server.store import decisions as decision_rows
from server.store import training as training_rows
from server.store.database import Database
from server.training import trainer as module
from server.training.trainer import Progress, Trainer

Sql = Callable[..., list[Any]]
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def campaign(put: Callable[[str], object], hero: str) -> None:
    put(hero)


@pytest.fixture
def trainer(new_trainer: Callable[..., Trainer]) -> Trainer:
    return new_trainer()


def snapshots(database: Database, campaign: str = "hero") -> list[Snapshot]:
    """Oldest first."""
    with database.reading() as connection:
        return training_rows.list_snapshots(connection, campaign, before=None, limit=1_000)[::-1]


def rewards(sql: Sql) -> list[Any]:
    return sql("SELECT sequence, decision_id, reward, error FROM rewards WHERE campaign = 'hero' ORDER BY sequence")


def train_to_the_end(trainer: Trainer, now: Any) -> None:
    while not trainer.step(now).idle:
        pass


def test_nothing_is_matured_before_its_window_has_closed(trainer: Trainer, log: Any, clock: Any, sql: Sql) -> None:
    (decision,) = log.visits(1)
    assert trainer.step(decision.window_closes_at - timedelta(microseconds=1)) == Progress(0, 0)
    assert trainer.step(decision.window_closes_at) == Progress(1, 1)
    assert trainer.step(decision.window_closes_at + HOUR) == Progress(0, 0)
    assert len(rewards(sql)) == 1


def test_a_window_waits_a_little_for_what_is_on_its_way(database: Database, log: Any) -> None:
    (decision,) = log.visits(1)
    patient = Trainer(database, holder="one", grace=timedelta(seconds=1))
    assert patient.step(decision.window_closes_at + timedelta(seconds=0.9)).matured == 0
    assert patient.step(decision.window_closes_at + timedelta(seconds=1)).matured == 1


def test_the_sequence_has_no_gaps_and_goes_by_close(
    trainer: Trainer, log: Any, clock: Any, sql: Sql, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MATURE_BATCH", 7)
    monkeypatch.setattr(module, "SEGMENT", 5)
    made = []
    for _ in range(3):
        made += log.visits(9)
        clock.move(minutes=1)
    train_to_the_end(trainer, clock.move(hours=1))
    places = rewards(sql)
    assert [place for place, *_ in places] == list(range(1, 28))
    by_close = sorted(made, key=lambda one: (one.window_closes_at, one.id))
    assert [decision_id for _, decision_id, *_ in places] == [one.id for one in by_close]
    made_of = snapshots(database)
    assert [one.trained_from for one in made_of] == [1, *(one.trained_through + 1 for one in made_of[:-1])]
    assert made_of[-1].trained_through == 27
    assert made_of[-1].examples == 54
    assert [one.parent for one in made_of] == [None, *(one.id for one in made_of[:-1])]


def test_rewards(trainer: Trainer, log: Any, clock: Any, sql: Sql) -> None:
    clicked, bought, nothing, slot = log.decide([{}] * 4)
    log.happen(clicked, key="k")
    log.happen(clicked, key="k")
    log.happen(bought, "revenue", 70.0)
    log.happen(bought, "revenue", -20.0)
    log.happen(nothing, after=HOUR)
    log.happen(slot, slot="cta")
    trainer.step(clock.move(hours=1))
    assert {decision: reward for _, decision, reward, _ in rewards(sql)} == {
        clicked.id: 1.0,
        bought.id: 0.5,
        nothing.id: 0.0,
        slot.id: 1.0,
    }
    (own,) = sql("SELECT CAST(slot_rewards AS TEXT) FROM rewards WHERE decision_id = :id", id=slot.id)
    assert own == ('{"cta":1.0}',)


def test_a_formula_without_an_answer_spoils_one_reward_and_training_goes_on(
    trainer: Trainer, put: Any, hero: str, log: Any, clock: Any, sql: Sql, database: Database
) -> None:
    put(hero.replace("click + 0.01 * revenue", "click / (revenue - 100)"))
    spoilt, fine, endless = log.decide([{}] * 3)
    log.happen(spoilt)
    log.happen(spoilt, "revenue", 100.0)
    log.happen(fine)
    for _ in range(2):
        log.happen(endless, "revenue", 1.7e308)
    assert trainer.step(clock.move(hours=1)) == Progress(3, 3)
    found = {decision: (reward, error) for _, decision, reward, error in rewards(sql)}
    assert found[spoilt.id][0] is None
    assert "click / (revenue - 100)" in found[spoilt.id][1]
    assert found[fine.id] == (-0.01, None)
    assert found[endless.id][0] in (None, -0.0)
    (snapshot,) = snapshots(database)
    assert snapshot.trained_through == 3
    assert snapshot.examples == 2 * sum(reward is not None for reward, _ in found.values())


def test_it_learns(trainer: Trainer, log: Any, clock: Any) -> None:
    for _ in range(6):
        log.visits(100)
        trainer.step(clock.move(hours=1))
    (spain, portugal) = log.decide([{"country": "ES"}, {"country": "PT"}])
    price = {
        one.context["country"]: dict(zip(one.choices[0].eligible, one.choices[0].probabilities, strict=True))["price"]
        for one in (spain, portugal)
    }
    assert price["ES"] > 0.7
    assert price["PT"] < 0.1


def test_two_trainers_at_once_mature_everything_once(
    open_database: Callable[[], Database],
    new_trainer: Any,
    log: Any,
    clock: Any,
    sql: Sql,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MATURE_BATCH", 28)
    log.visits(200)
    now = clock.move(hours=1)
    progress: Counter[str] = Counter()

    def work(holder: str) -> None:
        # a lease of nothing: they take it from each other with every pass
        trainer = new_trainer(holder, over=open_database())
        for turn in range(12):
            done = trainer.step(now + timedelta(seconds=11 * turn))
            progress[holder] += done.matured

    threads = [threading.Thread(target=work, args=(holder,)) for holder in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    places = rewards(sql)
    assert [place for place, *_ in places] == list(range(1, 201))
    assert len({decision for _, decision, *_ in places}) == 200
    assert sum(progress.values()) == 200
    assert sql("SELECT * FROM windows") == []
    train_to_the_end(new_trainer("three"), now + HOUR)
    made = snapshots(database)
    assert [one.trained_from for one in made] == [1, *(one.trained_through + 1 for one in made[:-1])]
    assert made[-1].examples == 400


def test_only_the_holder_of_the_lease_works(new_trainer: Any, log: Any, clock: Any) -> None:
    one, two = new_trainer("one"), new_trainer("two")
    log.visits(3)
    now = clock.move(hours=1)
    assert one.step(now).matured == 3
    log.visits(3)
    later = clock.move(hours=1)
    assert two.step(later - HOUR + timedelta(seconds=9)).matured == 0
    one.close(now)
    assert two.step(later).matured == 3
    assert one.step(later).matured == 0


def test_a_trainer_that_slept_past_its_lease_writes_nothing(
    new_trainer: Any, log: Any, clock: Any, database: Database, monkeypatch: pytest.MonkeyPatch, said: list[Any]
) -> None:
    one, two = new_trainer("one"), new_trainer("two")
    log.visits(10)
    now = clock.move(hours=1)
    learn = module.learn_segment
    others: list[Progress] = []

    def slow(*args: Any) -> Any:
        monkeypatch.setattr(module, "learn_segment", learn)
        others.append(two.step(now + timedelta(seconds=11)))  # while the first one sleeps
        return learn(*args)

    monkeypatch.setattr(module, "learn_segment", slow)
    assert one.step(now) == Progress(10, 0)
    assert others == [Progress(0, 10)]
    assert [one.examples for one in snapshots(database)] == [20]
    assert [entry["event"] for entry in said if entry["log_level"] == "warning"] == ["lease lost"]
    # it is no trouble of the campaign's: it goes on as soon as it may
    log.visits(10)
    assert one.step(clock.move(hours=1)) == Progress(10, 10)


def test_a_clock_that_jumps_back_an_hour(trainer: Trainer, new_trainer: Any, log: Any, clock: Any, sql: Sql) -> None:
    first = log.visits(5)
    assert trainer.step(clock.move(hours=1)).matured == 5
    clock.move(hours=-1)
    second = log.visits(5)
    assert trainer.step(clock.move(minutes=29)).matured == 0
    assert new_trainer("two").step(clock.move(seconds=5)).matured == 0  # the lease was renewed by the new clock
    assert trainer.step(clock.move(minutes=2)).matured == 5
    assert [decision for _, decision, *_ in rewards(sql)] == [
        *sorted(one.id for one in first),
        *sorted(one.id for one in second),
    ]


def lineages(database: Database) -> list[tuple[int, int, int]]:
    return [(one.lineage, one.trained_from, one.trained_through) for one in snapshots(database)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("context:", "policy: epsilon\ncontext:"),
        ("context:", "policy: {squarecb: {gamma_scale: 50}}\ncontext:"),
        ("[0, 3]", "[0, 4]"),
    ],
)
def test_another_policy_starts_a_new_lineage_and_learns_everything_again(
    old: str, new: str, trainer: Trainer, put: Any, hero: str, log: Any, clock: Any, database: Database
) -> None:
    log.visits(10)
    trainer.step(clock.move(hours=1))
    put(hero.replace(old, new))
    assert log.decide([{}])[0].snapshot is None
    assert trainer.step(clock.now) == Progress(0, 10)
    assert lineages(database) == [(1, 1, 10), (2, 1, 10)]
    assert log.decide([{}])[0].snapshot == snapshots(database)[-1].id
    assert trainer.step(clock.now) == Progress(0, 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('      - {id: trust, content: {text: "Ya somos 12.000"}}\n', ""),
        ("  cta:", "      - {id: new, content: {}}\n  cta:"),
        ("angle: price", "angle: cheap"),
        ("click + 0.01 * revenue", "click"),
        ("window: 30m", "window: 1h"),
    ],
)
def test_variants_come_and_go_without_a_reset(
    old: str, new: str, trainer: Trainer, put: Any, hero: str, log: Any, clock: Any, database: Database
) -> None:
    log.visits(10)
    trainer.step(clock.move(hours=1))
    assert hero.count(old) == 1
    put(hero.replace(old, new))
    assert log.visits(10)[0].snapshot == snapshots(database)[-1].id
    assert trainer.step(clock.move(hours=2)) == Progress(10, 10)
    assert lineages(database) == [(1, 1, 10), (1, 11, 20)]


def test_a_slot_that_goes_takes_only_its_own_learner_with_it(
    trainer: Trainer, put: Any, hero: str, log: Any, clock: Any, database: Database
) -> None:
    log.visits(10)
    trainer.step(clock.move(hours=1))
    put(hero[: hero.index("  cta:")])
    log.visits(10)
    assert trainer.step(clock.move(hours=1)) == Progress(10, 10)
    assert lineages(database) == [(1, 1, 10), (1, 11, 20)]
    assert [slot.slot for slot in snapshots(database)[-1].slots] == ["headline"]


def test_a_slot_that_comes_is_learned_from_the_beginning_beside_the_others(
    trainer: Trainer, put: Any, hero: str, log: Any, clock: Any, database: Database
) -> None:
    put(hero[: hero.index("  cta:")])
    log.visits(10)
    trainer.step(clock.move(hours=1))
    put(hero)
    log.visits(10)
    assert trainer.step(clock.move(hours=1)) == Progress(10, 20)
    assert lineages(database) == [(1, 1, 10), (2, 1, 20)]
    newest = snapshots(database)[-1]
    assert [slot.slot for slot in newest.slots] == ["cta", "headline"]
    assert newest.examples == 30


def test_decisions_of_many_versions_are_learned_as_they_were_made(
    trainer: Trainer, put: Any, hero: str, log: Any, clock: Any, database: Database
) -> None:
    log.visits(5)
    put(hero.replace("id: trust", "id: new"))
    log.visits(5)
    put(hero[: hero.index("  cta:")])
    log.visits(5)
    assert trainer.step(clock.move(hours=1)) == Progress(15, 15)
    assert snapshots(database)[-1].examples == 15


def test_a_killed_campaign_learns_nothing_until_it_is_active_again(
    trainer: Trainer, set_to: Any, log: Any, clock: Any, database: Database
) -> None:
    log.visits(10)
    set_to("hero", State.KILLED)
    fallback = log.decide([{}])
    assert trainer.step(clock.move(hours=1)) == Progress(11, 0)
    assert snapshots(database) == []
    set_to("hero", State.ACTIVE)
    assert trainer.step(clock.now) == Progress(0, 11)
    assert snapshots(database)[-1].examples == 20
    assert fallback[0].choices[0].kind == "fallback"


@pytest.mark.parametrize("state", [State.PAUSED, State.ARCHIVED])
def test_windows_that_close_later_are_still_learned(
    state: State, trainer: Trainer, set_to: Any, log: Any, clock: Any
) -> None:
    log.visits(10)
    set_to("hero", state)
    assert trainer.step(clock.move(hours=1)) == Progress(10, 10)


def test_a_campaign_that_does_not_learn_is_matured_all_the_same(
    trainer: Trainer, put: Any, hero: str, log: Any, clock: Any, database: Database
) -> None:
    put(hero.replace("context:", "policy: uniform\ncontext:"))
    log.visits(10)
    assert trainer.step(clock.move(hours=1)) == Progress(10, 0)
    assert snapshots(database) == []


def errors_of_training(said: list[Any]) -> list[str]:
    """Without those of the loader, by which the log decides."""
    return [entry["event"] for entry in said if entry["log_level"] == "error" and entry["event"] != "snapshot refused"]


DAMAGE = {
    "zeros": "UPDATE snapshot_slots SET state = :zeros WHERE snapshot_id = :id",
    "cut": "UPDATE snapshot_slots SET state = substr(state, 1, length(state) - 40) WHERE snapshot_id = :id",
    "empty": "UPDATE snapshot_slots SET state = :empty WHERE snapshot_id = :id",
    "another's": "UPDATE snapshot_slots SET state = (SELECT state FROM snapshot_slots ORDER BY snapshot_id LIMIT 1) "
    "WHERE snapshot_id = :id",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_snapshot_is_rebuilt_and_training_goes_on_from_the_same_bytes(
    damage: str, trainer: Trainer, log: Any, clock: Any, sql: Sql, database: Database, said: list[Any]
) -> None:
    for _ in range(3):
        log.visits(20)
        trainer.step(clock.move(hours=1))
    whole = snapshots(database)
    sql(damage, id=whole[-1].id, zeros=bytes(500), empty=b"")
    assert not snapshots(database)[-1].intact
    log.visits(20)
    assert trainer.step(clock.move(hours=1)) == Progress(20, 20)
    after = snapshots(database)
    assert after[:3] == whole
    assert (after[3].lineage, after[3].parent) == (1, whole[-1].id)
    assert errors_of_training(said) == ["snapshot damaged: rebuilding it from the log"]


def test_a_snapshot_that_can_not_be_rebuilt_starts_a_new_lineage(
    trainer: Trainer, log: Any, clock: Any, sql: Sql, database: Database, said: list[Any]
) -> None:
    for _ in range(2):
        log.visits(20)
        trainer.step(clock.move(hours=1))
    sql("UPDATE snapshot_slots SET state = :damaged", damaged=b"\0")
    sql("UPDATE rewards SET reward = 3 WHERE sequence = 7")  # what it learned from is not what is in the log any more
    log.visits(20)
    assert trainer.step(clock.move(hours=1)) == Progress(20, 60)
    assert lineages(database) == [(1, 1, 20), (1, 21, 40), (2, 1, 60)]
    assert log.decide([{}])[0].snapshot == snapshots(database)[-1].id
    assert errors_of_training(said) == [
        "snapshot damaged: rebuilding it from the log",
        "snapshot lost: learning all of the log again",
    ]
    log.visits(20)
    assert trainer.step(clock.move(hours=1)) == Progress(21, 21)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_trouble_of_one_campaign_is_told_and_left_alone_for_growing_whiles(
    trainer: Trainer, put: Any, hero: str, log: Any, clock: Any, said: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(hero.replace("campaign: hero", "campaign: other"))
    log.visits(5)
    log.visits(5, campaign="other")
    earn = module.earn

    def broken(campaign: Any, *args: Any, **given: Any) -> Any:
        if campaign.campaign == "hero":
            raise ZeroDivisionError("a defect")
        return earn(campaign, *args, **given)

    monkeypatch.setattr(module, "earn", broken)
    now = clock.move(hours=1)
    done = Progress()
    for second in range(240):  # four minutes, a pass a second
        one = trainer.step(now + timedelta(seconds=second))
        done = Progress(done.matured + one.matured, done.learned + one.learned)
    assert done == Progress(5, 5)
    told = [entry for entry in said if entry["event"] == "training failed"]
    assert {entry["campaign"] for entry in told} == {"hero"}
    assert len(told) == 8
    assert [entry["next_try_in_seconds"] for entry in told] == [1, 2, 5, 15, 60, 60, 60, 60]
    assert [bool(entry["exc_info"]) for entry in told] == [True, *[False] * 7]
    assert "a defect" in told[0]["reason"]
    monkeypatch.setattr(module, "earn", earn)
    assert trainer.step(now + timedelta(seconds=400)) == Progress(5, 5)
    assert [entry["failures"] for entry in said if entry["event"] == "training works again"] == [8]


def test_snapshots_are_thinned_campaign_by_campaign(
    trainer: Trainer, put: Any, hero: str, log: Any, clock: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEEP_SNAPSHOTS", 4)
    light = hero.replace("context:", "policy: best_variant\ncontext:")
    for name in ("hero", "other"):
        put(light.replace("campaign: hero", f"campaign: {name}"))
    clock.now = clock.now.replace(hour=0, minute=0)
    for _ in range(14):  # their ids are odd and even: neither may go by the id alone
        log.visits(2)
        log.visits(2, campaign="other")
        trainer.step(clock.now + timedelta(minutes=31))
        clock.move(minutes=1)
    # all but the first steps find the windows of the step before closed
    train_to_the_end(trainer, clock.move(hours=1))
    for name in ("hero", "other"):
        intact = [one.intact for one in snapshots(database, name)]
        assert len(intact) > 9
        assert intact[-4:] == [True] * 4
        assert not all(intact)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_pass_without_work_writes_nothing(trainer: Trainer, log: Any, clock: Any, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "elige.db")) as other:

        def commits() -> int:
            """Changes with every commit of another connection that changed the file."""
            return int(other.execute("PRAGMA data_version").fetchone()[0])

        before = commits()
        log.visits(3)
        trainer.step(clock.move(hours=1))
        assert commits() > before
        before = commits()
        for _ in range(10):
            trainer.step(clock.move(seconds=0.25))
        assert commits() == before


def test_what_was_matured_comes_back_in_sequence(trainer: Trainer, log: Any, clock: Any, database: Database) -> None:
    made = log.visits(10)
    trainer.step(clock.move(hours=1))
    with database.reading() as connection:
        first = decision_rows.matured(connection, "hero", limit=4)
        rest = decision_rows.matured(connection, "hero", after=4, limit=99)
    assert [row.sequence for row in [*first, *rest]] == list(range(1, 11))
    assert {row.decision.id for row in [*first, *rest]} == {one.id for one in made}
    assert all(row.matured_at == clock.now for row in first)


def test_a_full_pass_says_that_more_waits(
    log: Any, put: Callable[[str], object], hero: str, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MATURE_BATCH", 20)
    put(hero)
    log.visits(21)
    trainer = Trainer(log.database, holder="one", grace=timedelta(0))
    now = clock.move(hours=1)
    assert [trainer.step(now).behind for _ in range(2)] == [True, False]


def test_a_learner_that_diverges_is_stopped_and_the_last_good_snapshot_stays(
    trainer: Trainer, put: Any, exploding: str, log: Any, clock: Any, database: Database, said: list[Any]
) -> None:
    put(exploding)
    log.happen(*log.decide([{}]))
    assert trainer.step(clock.move(hours=1)) == Progress(1, 1)
    log.happen(*log.decide([{}]))
    poisoned = clock.move(hours=1)
    assert trainer.step(poisoned) == Progress(1, 0)  # it has its place in the log; no state is made of it
    (good,) = snapshots(database)
    assert good.trained_through == 1
    (told,) = [entry for entry in said if entry["log_level"] == "error"]
    assert (told["event"], told["campaign"], told["next_try_in_seconds"]) == ("training failed", "hero", 1.0)
    assert told["reason"].startswith("Diverged: slot 'headline': asked for a context without features, the learner")
    assert "nan" in told["reason"]
    (after,) = log.decide([{}])
    assert (after.snapshot, after.reason) == (good.id, "drawn")
    # another policy, another lineage: everything is learned, what had been waiting too
    put(exploding.replace("policy: exploding", "policy: epsilon"))
    assert trainer.step(poisoned + timedelta(seconds=2)).learned == 2
    assert lineages(database) == [(1, 1, 1), (2, 1, 2)]
