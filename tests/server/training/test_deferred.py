"""What was only decided, what was shown, and what never arrived: each counts for what it is."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from server.errors import InvalidRequest
from server.evaluation.log import read_log
from server.files.export import export_log
from server.files.exported import read_exported_log
from server.records import Activation, Decision, Excluded, Matured
from server.store import activations as activation_rows
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store.database import Database
from server.store.facts import read_facts
from server.training.doctor import diagnose, stuck
from server.training.trainer import Progress, Trainer
from simulator import evaluate, to_json

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MAIL = """\
campaign: mail
metrics: {open: once, bounce: cancels}
reward: {window: 3d, value: "open"}
activation_ttl: 2d
policy: epsilon
slots:
  subject:
    default: short
    seen: decision
    variants: [{id: short}, {id: long}]
  content:
    default: words
    variants: [{id: words}, {id: pictures}]
"""


@pytest.fixture
def mail(put: Any, log: Any) -> Callable[..., list[Decision]]:
    """Makes decisions of a mail: the subject is seen before it is opened, the content after."""
    put(MAIL)
    return lambda n=1, **asked: log.decide([{}] * n, campaign="mail", **{"defer_activation": True, **asked})


@pytest.fixture
def show(database: Database) -> Callable[..., None]:
    def show(decision: Decision, *slots: str, after: timedelta = MINUTE) -> None:
        one = Activation(decision.id, decision.campaign, slots, decision.at + after)
        with database.writing() as connection:
            activation_rows.append(connection, [one])

    return show


def matured(database: Database, campaign: str = "mail") -> dict[str, Matured]:
    with database.reading() as connection:
        return {one.decision.id: one for one in decision_rows.matured(connection, campaign, limit=1_000)}


def test_a_mail_that_is_not_opened_is_a_result_of_its_subject_alone(
    mail: Any, show: Any, database: Database, clock: Any, new_trainer: Callable[..., Trainer], log: Any
) -> None:
    opened, read, sent = mail(3)
    show(opened)
    log.happen(opened, "open")
    show(read)
    # two learners, each with what was shown of its slot
    assert new_trainer().step(clock.move(days=3)) == Progress(3, 3)
    found = matured(database)
    assert [found[one.id].reward_of("subject") for one in (opened, read, sent)] == [1.0, 0.0, 0.0]
    assert [found[one.id].reward_of("content") for one in (opened, read, sent)] == [1.0, 0.0, None]
    assert [one.excluded for one in found.values()] == [None] * 3
    assert read_log(database, "mail", slot="subject").rewards.sum() == 1.0
    assert read_log(database, "mail", slot="content").rewards.sum() == 1.0
    assert [len(read_log(database, "mail", slot=slot).rewards) for slot in ("subject", "content")] == [3, 2]


def test_learned_is_what_was_shown(
    mail: Any, show: Any, clock: Any, new_trainer: Callable[..., Trainer], sql: Any
) -> None:
    for one in mail(3)[:2]:
        show(one)
    new_trainer().step(clock.move(days=3))
    assert sql("SELECT examples FROM snapshots") == [(5,)]  # three subjects, two contents


def test_what_is_never_shown_keeps_its_place_and_counts_for_nothing(
    put: Any, hero: str, log: Any, database: Database, clock: Any, new_trainer: Callable[..., Trainer], sql: Any
) -> None:
    put(hero)
    (expired,) = log.decide([{}], defer_activation=True)
    log.happen(expired)
    trainer = new_trainer()
    assert trainer.step(clock.move(days=1) - timedelta(microseconds=1)) == Progress(0, 0)
    (at_once,) = log.decide([{}])
    assert trainer.step(clock.now).matured == 1
    trainer.step(clock.move(minutes=30))
    found = matured(database, "hero")
    assert [(one.sequence, one.excluded, one.reward) for one in found.values()] == [
        (1, Excluded.EXPIRED, None),
        (2, None, 0.0),
    ]
    assert list(found) == [expired.id, at_once.id]
    assert sql("SELECT sum(examples) FROM snapshots WHERE trained_through = 2") == [(2,)]
    assert len(read_log(database, "hero", slot="headline").rewards) == 1


def test_nothing_but_what_was_never_shown_can_not_be_evaluated(
    put: Any, hero: str, log: Any, database: Database, clock: Any, new_trainer: Callable[..., Trainer]
) -> None:
    put(hero)
    log.decide([{}] * 3, defer_activation=True)
    new_trainer().step(clock.move(days=1))
    with pytest.raises(InvalidRequest, match="nothing to evaluate"):
        read_log(database, "hero")


def test_what_is_activated_late_is_matured_late(
    put: Any, hero: str, log: Any, show: Any, database: Database, clock: Any, new_trainer: Callable[..., Trainer]
) -> None:
    put(hero)
    (decision,) = log.decide([{}], defer_activation=True)
    show(decision, after=timedelta(hours=20))
    log.happen(decision, after=timedelta(hours=20, minutes=30))
    trainer = new_trainer()
    assert trainer.step(clock.move(hours=20, minutes=29)).matured == 0
    assert trainer.step(clock.move(minutes=1)).matured == 1
    assert matured(database, "hero")[decision.id].reward == 1.0


def test_a_mail_that_bounced_never_arrived(
    mail: Any, log: Any, database: Database, clock: Any, new_trainer: Callable[..., Trainer], sql: Any
) -> None:
    bounced, sound, late = mail(3)
    log.happen(bounced, "open")
    log.happen(bounced, "bounce", slot="content")
    log.happen(sound, "bounce", 0.0)  # so says a file in which every row has the column
    log.happen(late, "bounce", after=3 * DAY + MINUTE)
    new_trainer().step(clock.move(days=3))
    found = matured(database)
    assert (found[bounced.id].excluded, found[bounced.id].reward) == (Excluded.CANCELLED, None)
    assert (found[sound.id].excluded, found[sound.id].reward) == (None, 0.0)
    assert (found[late.id].excluded, found[late.id].reward) == (None, 0.0)
    assert found[bounced.id].reward_of("content") is None
    assert sql("SELECT examples FROM snapshots") == [(2,)]
    assert len(read_log(database, "mail", slot="subject").rewards) == 2


def test_the_doctor_counts_them_on_their_own(
    mail: Any, log: Any, database: Database, clock: Any, new_trainer: Callable[..., Trainer]
) -> None:
    waits = log.decide([{}], campaign="mail", defer_activation=True, slots=frozenset({"content"}))
    for one in mail(9)[:3]:
        log.happen(one, "bounce")
    found = {(one.about, one.says) for one in diagnose(database, "mail", now=clock())}
    assert ("activation", "1 decision waits for its activation.") in found
    assert any(about == "windows" and says.startswith("9 windows are open") for about, says in found)
    new_trainer().step(clock.move(days=3))
    found = {(one.about, one.level.value, one.says) for one in diagnose(database, "mail", now=clock())}
    assert {
        ("rewards", "ok", "1 of the last 10 decisions was not activated in time, and counts for nothing."),
        ("rewards", "note", "3 of the last 10 decisions never arrived, as outcomes say, and count for nothing."),
    } <= found
    assert not [says for _, _, says in found if "no number" in says or "wait for their" in says]
    assert len(waits) == 1


def test_what_counts_for_nothing_does_not_wait_to_be_learned(
    mail: Any, log: Any, database: Database, clock: Any, new_trainer: Callable[..., Trainer], sql: Any
) -> None:
    """As when the snapshot that has passed over them can't be saved: nobody is called for that."""
    for one in mail(2):
        log.happen(one, "bounce")
    new_trainer().step(clock.move(days=3))
    sql("DELETE FROM snapshot_slots")
    sql("DELETE FROM snapshots")
    clock.move(hours=1)
    with database.reading() as connection:
        stored = campaign_rows.read_version(connection, "mail")
    assert not stuck(database, stored, now=clock())
    assert not [one for one in diagnose(database, "mail", now=clock()) if "wait to be learned" in one.says]
    mail()
    new_trainer().step(clock.move(days=3))
    with database.reading() as connection:
        facts = read_facts(connection, "mail", learned_through=0, now=clock(), patience=MINUTE)
    assert (facts.last_sequence, facts.waiting) == (3, 1)


@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
def test_files_say_what_the_store_says(
    mail: Any, show: Any, log: Any, database: Database, clock: Any, tmp_path: Path, new_trainer: Callable[..., Trainer]
) -> None:
    made = mail(60)
    for place, one in enumerate(made):
        if place % 2:
            show(one, after=place * MINUTE)
        if place % 3 == 0:
            log.happen(one, "open")
        if place % 7 == 0:
            log.happen(one, "bounce")
    log.decide([{}] * 5, campaign="mail", defer_activation=True, slots=frozenset({"content"}))
    new_trainer().step(clock.move(days=4))
    export_log(database, tmp_path / "log")
    for slot in ("subject", "content"):
        kept, told = read_log(database, "mail", slot=slot), read_exported_log(tmp_path / "log", "mail", slot=slot)
        assert to_json(evaluate(kept)) == to_json(evaluate(told))
    assert len(read_log(database, "mail", slot="subject").rewards) == 60 - 9
    assert len(read_log(database, "mail", slot="content").rewards) == 30 - 4


def test_an_activation_changes_the_day_that_is_exported(
    mail: Any, show: Any, database: Database, tmp_path: Path
) -> None:
    (decision,) = mail()
    assert export_log(database, tmp_path / "log").written == 1
    show(decision)
    assert export_log(database, tmp_path / "log").written == 1
    assert export_log(database, tmp_path / "log").written == 0
