"""What is kept about people: linked, given back, erased."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from elige.v1 import campaigns_pb2
from server.campaigns.catalogue import Served
from server.cli import app
from server.decide import DecideRequest, SlotOptions, decide
from server.errors import Conflict, InvalidRequest, NoSuchErasure, WrongState
from server.explain import Verdict, explain
from server.ids import RANDOM, person_key
from server.loading import Loader
from server.people import (
    Erased,
    ErasureState,
    Link,
    all_decisions_of,
    decisions_of,
    erase_person,
    link_people,
    outcomes_of,
    person_keys,
    read_erasure,
)
from server.records import Candidate, Decision, Outcome, OutcomeStatus, State
from server.store import decisions as decision_rows
from server.store import erasures as erasure_rows
from server.store import inspection
from server.store import outcomes as outcome_rows
from server.store import servers as server_rows
from server.store import training as training_rows
from server.store.database import Database
from server.store.people import LinkStatus
from server.store.tables import metadata
from server.training import trainer as trainer_module
from server.training.doctor import diagnose
from server.training.retrain import retrain
from server.training.rollback import roll_back
from server.training.trainer import Trainer
from tests.server.conftest import Clock

both = pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
MAIL = """\
campaign: mail
metrics: {click: once, revenue: sum}
reward: {window: 30m, range: [0, 3], value: "click + 0.01 * revenue"}
context: {town: text, orders: number}
slots:
  subject: {candidates: true, default: news, variants: [{id: news, content: {text: News}}]}
  cta: {default: try, variants: [{id: try}, {id: demo}]}
"""
TRACES = ("Santanyi-7391", "vip-7391", "request-ana", "order-ana", "Hola Ana", "Europe/Andorra")
"""What the log knows of Ana beside her key."""


@dataclass
class Story:
    """A campaign's life over one database."""

    database: Database
    clock: Clock
    trainer: Trainer
    told: list[tuple[Decision, Outcome | None]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    served: list[Served] = field(default_factory=list)

    def visit(self, number: int, person: str) -> Decision:
        """One person's decision, every second with an outcome."""
        ana = person.startswith("ana")
        self.served = Loader(self.database).changed(self.served) or self.served
        (served,) = self.served
        request = DecideRequest(
            "mail",
            person=person,
            context={"town": "Santanyi-7391" if ana else ("Lleida", "Girona")[number % 2], "orders": number % 5},
            labels={"tier": "vip-7391" if ana else "none"},
            options={"subject": SlotOptions(candidates=(_candidate("Hola Ana" if ana else f"Hola {number}"),))},
            time_zone="Europe/Andorra" if ana else "Europe/Madrid",
            request_id=f"request-{person}-{number}",
        )
        random = Random(number).randbytes(RANDOM)
        made = decide(served, request, secret=self.database.secret, now=self.clock(), random=random)
        click = Outcome(made.id, "mail", "click", 1.0, made.at, made.at, key=f"order-{person}-{number}")
        self.tell(made, click if number % 2 else None)
        return made

    def tell(self, made: Decision, happened: Outcome | None) -> None:
        with self.database.writing() as connection:
            decision_rows.append(connection, [made])
            outcome_rows.append(connection, [happened] if happened else [])
        self.told.append((made, happened))

    def visits(self, numbers: range) -> list[Decision]:
        """Every third is one of Ana's."""
        found = []
        for number in numbers:
            self.clock.move(seconds=1)
            found.append(self.visit(number, "ana" if number % 3 == 0 else f"visitor-{number}"))
        return found

    def live_without(self, person_keys: Sequence[str], other: "Story") -> None:
        """The other story so far, had these people never come."""
        for made, happened in other.told[len(self.seen) :]:
            self.seen.append(made.id)
            if made.person not in person_keys:
                self.tell(made, happened)

    def train(self) -> None:
        """Until nothing is left to do."""
        while not self.trainer.step(self.clock()).idle:
            pass

    def erase(self, person: str = "ana", *, erasure_id: str = "e" * 32) -> Erased:
        return erase_person(self.database, person, now=self.clock(), erasure_id=erasure_id)

    def newest(self) -> Any:
        with self.database.reading() as connection:
            (newest,) = training_rows.list_snapshots(connection, "mail", before=None, limit=1, serving=True)
        return newest

    def everything(self) -> str:
        """All that stands in any column of any table."""
        with self.database.reading() as connection:
            rows = [row for table in metadata.sorted_tables for row in connection.execute(select(table))]
        return "\n".join(str(value) for row in rows for value in row)


def _candidate(words: str) -> Candidate:
    return Candidate("written", {"text": words}, {"length": float(len(words))})


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "SEGMENT", 7)


@pytest.fixture
def story(database: Database, clock: Clock, put: Callable[[str], Any], new_trainer: Callable[..., Trainer]) -> Story:
    put(MAIL)
    return Story(database, clock, new_trainer())


@pytest.fixture
def without_ana(tmp_path: Path, story: Story) -> Story:
    """The same installation, had Ana never come."""
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    with other.writing() as connection, story.database.reading() as first:
        for name in ("meta", "campaigns"):
            table = metadata.tables[name]
            connection.execute(table.delete())
            connection.execute(table.insert(), [dict(row) for row in first.execute(select(table)).mappings()])
    return Story(other, story.clock, Trainer(other, holder="two", grace=timedelta(0)))


def settle(story: Story) -> None:
    """Let the windows close, and all that is to be done be done."""
    story.clock.move(minutes=31)
    story.train()


@both
def test_a_person_erased_is_found_nowhere_and_nothing_was_ever_learned_from_them(
    story: Story, without_ana: Story, url: str
) -> None:
    key = person_key(story.database.secret, "ana")
    link_people(story.database, [Link("ana-cookie", "ana")], now=story.clock())
    cookie = person_key(story.database.secret, "ana-cookie")
    story.visits(range(40))
    settle(story)
    without_ana.live_without((key, cookie), story)
    without_ana.train()
    story.visits(range(40, 50))  # their windows are open when she goes
    story.visit(51, "ana-cookie")
    without_ana.live_without((key, cookie), story)
    traces = (key, cookie, *TRACES)
    assert all(trace in story.everything() for trace in traces)
    before = story.newest()
    assert before.lineage == 1
    assert before.slots[0].state != without_ana.newest().slots[0].state

    asked = story.erase()
    assert (asked.state, asked.decisions, asked.keys) == (ErasureState.RETRAINING, 18, 1)
    assert asked.outcomes == 9
    assert [(one.campaign, one.old_lineage, one.done) for one in asked.retrainings] == [("mail", 1, False)]
    for _ in range(2):
        story.train()
        without_ana.train()
        story.clock.move(minutes=31)

    done = read_erasure(story.database, asked.id)
    assert done.state is ErasureState.DONE
    assert done.finished_at is not None
    assert [(one.new_lineage, one.progress, one.done) for one in done.retrainings] == [(2, 1.0, True)]
    assert not any(trace in story.everything() for trace in traces)
    if url.startswith("sqlite"):
        files = list(Path(url.removeprefix("sqlite:///")).parent.glob("elige.db*"))
        assert len(files) == 3  # the database, its write-ahead log, and that one's index
        raw = b"".join(file.read_bytes() for file in files)
        assert b"Lleida" in raw
        assert not any(trace.encode() in raw for trace in traces)
    after, never = story.newest(), without_ana.newest()
    assert after.lineage == 2
    assert [one.state for one in after.slots] == [one.state for one in never.slots]
    assert after.examples == never.examples > 0
    assert retrain(story.database, "mail").agrees
    with story.database.reading() as connection:
        assert [found.rule for found in inspection.check(connection) if found.wrong] == []


def test_what_is_erased_keeps_its_place_and_its_propensities(story: Story, sql: Callable[..., list[Any]]) -> None:
    (first, *_) = story.visits(range(9))
    settle(story)
    story.erase()
    (row,) = sql(
        "SELECT d.context, d.erased_at, r.sequence, r.reward, r.excluded FROM decisions d JOIN rewards r "
        "USING (decision_id) WHERE decision_id = :id",
        id=first.id,
    )
    assert (row.context, row.sequence, row.reward, row.excluded) == ("{}", 1, None, "erased")
    assert row.erased_at is not None
    kept = sql(
        "SELECT variant, propensity, probabilities, candidates FROM choices WHERE decision_id = :id", id=first.id
    )
    assert [(one.variant, one.propensity) for one in kept] == [(one.variant, one.propensity) for one in first.choices]
    assert {one.candidates for one in kept} == {"[]"}
    explained = explain(story.database, first.id)
    assert explained.agrees
    assert [slot.draw.verdict for slot in explained.slots] == [Verdict.AGREES, Verdict.AGREES]
    assert [slot.policy.verdict for slot in explained.slots] == [Verdict.NOT_RECOMPUTABLE] * 2


def test_a_decision_whose_window_is_open_gets_its_place_when_it_closes(story: Story) -> None:
    (made, *_) = story.visits(range(3))
    story.erase()
    settle(story)
    with story.database.reading() as connection:
        matured = decision_rows.matured_one(connection, made.id)
    assert matured is not None
    assert (matured.excluded, matured.reward) == ("erased", None)


def test_nothing_that_is_told_of_the_erased_is_stored(story: Story, sql: Callable[..., list[Any]]) -> None:
    (made, *_) = story.visits(range(3))
    story.erase()
    with story.database.writing() as connection:
        late = Outcome(made.id, "mail", "click", 1.0, made.at, made.at, key="order-ana-late")
        (answer,) = outcome_rows.append(connection, [late])
    assert answer.status is OutcomeStatus.LATE
    assert sql("SELECT key FROM outcomes WHERE key LIKE 'order-ana%'") == []


def test_the_old_lineage_serves_until_the_new_one_has_caught_up(story: Story) -> None:
    story.visits(range(40))
    settle(story)
    old = story.newest().id
    asked = story.erase()
    serving, progress = [], []
    while not story.trainer.step(story.clock()).idle:
        (served,) = Loader(story.database).changed(())
        serving.append(served.snapshot)
        progress += [one.progress for one in read_erasure(story.database, asked.id).retrainings]
    assert serving[0] == old
    assert serving[-1] == old + 4
    assert serving == sorted(serving)
    assert set(serving) == {old, old + 4}
    assert progress == sorted(progress)
    assert 0.0 < progress[0] < 0.5
    assert progress[-1] == 1.0


def test_a_withdrawn_snapshot_has_no_bytes_and_says_why_it_is_not_checked(story: Story) -> None:
    story.visits(range(9))
    settle(story)
    old = story.newest().id
    story.erase()
    during = retrain(story.database, "mail", old)
    assert not during.agrees
    assert "is being replaced" in during.why_not
    story.train()
    with story.database.reading() as connection:
        withdrawn = training_rows.read_snapshot(connection, old)
    assert withdrawn is not None
    assert withdrawn.withdrawn
    assert [slot.state for slot in withdrawn.slots] == [None, None]
    after = retrain(story.database, "mail", old)
    assert not after.agrees
    assert not after.recomputable
    assert after.why_not.startswith("withdrawn")
    assert retrain(story.database, "mail").agrees


def test_what_is_being_trained_anew_is_said(story: Story, start_server: Callable[..., Any], url: str) -> None:
    def listed() -> list[str]:
        found = server.campaigns.ListSnapshots(campaigns_pb2.ListSnapshotsRequest(campaign="mail")).snapshots
        return [campaigns_pb2.SnapshotState.Name(one.state).removeprefix("SNAPSHOT_STATE_") for one in found]

    def shown() -> list[tuple[bool, bool]]:
        ran = CliRunner().invoke(app, ["train", "list", "--campaign", "mail", "--db", url, "--json"])
        return [(one["published"], one["withdrawn"]) for one in json.loads(ran.stdout)]

    story.visits(range(12))
    settle(story)
    story.erase()
    story.trainer.step(story.clock())
    says = [one.says for one in diagnose(story.database, "mail", now=story.clock()) if one.about == "snapshot"]
    assert any(re.search("trained anew, without a person", one) for one in says)
    assert shown() == [(False, False), (True, False), (True, False)]
    story.train()
    server = start_server()
    assert listed() == ["SERVING", "KEPT", "WITHDRAWN", "WITHDRAWN"]
    assert shown() == [(True, False), (True, False), (True, True), (True, True)]
    table = CliRunner().invoke(app, ["train", "list", "--campaign", "mail", "--db", url]).stdout
    assert "withdrawn" in table
    said = CliRunner().invoke(app, ["train", "check", "--campaign", "mail", "--snapshot", "1", "--db", url])
    assert said.exit_code == 1
    assert said.stdout == "snapshot 1: not recomputable: withdrawn: it had learned from a person since erased\n"


def test_going_back_waits_until_nothing_knows_the_erased(story: Story) -> None:
    story.visits(range(9))
    settle(story)
    story.erase()
    with pytest.raises(WrongState, match="may know a person who is just being erased"):
        roll_back(story.database, "mail", 1, now=story.clock())
    story.train()
    with pytest.raises(WrongState, match="withdrawn"):
        roll_back(story.database, "mail", 1, now=story.clock())


def test_a_second_erasure_while_the_first_is_learned_again_starts_it_again(story: Story) -> None:
    story.visits(range(40))
    settle(story)
    story.erase("ana", erasure_id="a" * 32)
    story.trainer.step(story.clock())
    story.trainer.step(story.clock())
    story.erase("visitor-1", erasure_id="b" * 32)
    story.train()
    settle(story)
    for erasure_id, old in (("a" * 32, 1), ("b" * 32, 2)):
        done = read_erasure(story.database, erasure_id)
        assert done.state is ErasureState.DONE
        assert [(one.old_lineage, one.new_lineage, one.done) for one in done.retrainings] == [(old, 3, True)]
    assert story.newest().lineage == 3
    assert retrain(story.database, "mail").agrees


def test_an_erasure_of_what_the_new_lineage_has_not_reached_does_not_start_it_again(story: Story) -> None:
    story.visits(range(40))
    settle(story)
    story.erase("ana", erasure_id="a" * 32)
    story.trainer.step(story.clock())
    story.erase("visitor-38", erasure_id="b" * 32)
    story.train()
    assert story.newest().lineage == 2
    settle(story)
    assert read_erasure(story.database, "b" * 32).state is ErasureState.DONE


def test_erased_again_while_policies_still_know_them(story: Story) -> None:
    """The second erasure finds no rows, and is not done before the first."""
    story.visits(range(9))
    settle(story)
    story.erase("ana", erasure_id="a" * 32)
    again = story.erase("ana", erasure_id="b" * 32)
    assert (again.decisions, again.state) == (0, ErasureState.RETRAINING)
    assert [(one.campaign, one.done) for one in again.retrainings] == [("mail", False)]


def test_a_segment_that_was_being_learned_while_somebody_went_is_not_saved(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn = trainer_module.learn_segment

    def slow(*arguments: Any) -> Any:
        learned = learn(*arguments)
        story.erase()
        monkeypatch.setattr(trainer_module, "learn_segment", learn)
        return learned

    story.visits(range(6))
    monkeypatch.setattr(trainer_module, "learn_segment", slow)
    settle(story)
    story.train()
    assert story.newest().examples == 8  # of four people who are left, two slots each
    assert retrain(story.database, "mail").agrees


def test_an_erasure_that_was_interrupted_is_taken_up(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after its first transaction, and again after the second: with one of three decisions blanked."""
    monkeypatch.setattr(erasure_rows, "CHUNK", 1)
    story.visits(range(9))
    settle(story)
    key = person_key(story.database.secret, "ana")
    with story.database.writing() as connection:
        erasure_rows.begin(connection, "e" * 32, [key], now=story.clock())
    with story.database.writing() as connection:
        erasure_rows.sweep(connection, "e" * 32, now=story.clock())
    assert "Santanyi" in story.everything()
    settle(story)
    done = read_erasure(story.database, "e" * 32)
    assert (done.state, done.decisions, done.outcomes) == (ErasureState.DONE, 3, 1)
    assert "Santanyi" not in story.everything()
    assert story.newest().examples == 12


def test_what_serves_goes_on_serving_when_somebody_goes_while_a_segment_is_learned(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.visits(range(9))
    settle(story)
    for number in (10, 11, 13):
        story.visit(number, f"visitor-{number}")
    learn = trainer_module.learn_segment

    def slow(*arguments: Any) -> Any:
        learned = learn(*arguments)
        story.erase()
        monkeypatch.setattr(trainer_module, "learn_segment", learn)
        return learned

    monkeypatch.setattr(trainer_module, "learn_segment", slow)
    story.clock.move(minutes=31)
    for _ in range(4):
        story.trainer.step(story.clock())
        (served,) = Loader(story.database).changed(())
        assert served.snapshot is not None
    assert story.newest().lineage == 2


def test_where_nobody_is_left_nothing_is_served(story: Story) -> None:
    for number in (0, 3, 6):
        story.visit(number, "ana")
    settle(story)
    assert story.newest().examples == 6
    story.erase()
    settle(story)
    (served,) = Loader(story.database).changed(())
    assert served.snapshot is None
    assert read_erasure(story.database, "e" * 32).state is ErasureState.DONE
    story.visits(range(10, 20))
    settle(story)
    assert story.newest().lineage == 2


def test_a_campaign_that_learns_nothing_more_is_not_waited_for(story: Story, set_to: Callable[..., Any]) -> None:
    story.visits(range(9))
    settle(story)
    set_to("mail", State.KILLED)
    story.erase()
    settle(story)
    assert read_erasure(story.database, "e" * 32).state is ErasureState.DONE
    assert retrain(story.database, "mail", 1).why_not.startswith("withdrawn")


def test_it_is_not_done_before_every_server_has_brought_what_it_acknowledged(
    story: Story, sql: Callable[..., list[Any]]
) -> None:
    """Nor is what arrives in between left: a decision that waited in an outbox."""

    def seen_now(*, drained_until: datetime) -> None:
        with story.database.writing() as connection:
            server_rows.advance(connection, "far", through=0, until=drained_until, now=story.clock())

    asked_at = story.clock()
    with story.database.writing() as connection:
        server_rows.register(connection, "far", started_at=asked_at - timedelta(minutes=1), through=0)
    made = story.visit(0, "ana")
    for table in ("windows", "choices", "requests", "decisions"):
        sql(f"DELETE FROM {table}")
    story.erase()
    story.clock.move(minutes=31)
    seen_now(drained_until=asked_at)
    story.train()
    assert read_erasure(story.database, "e" * 32).state is ErasureState.RETRAINING
    story.tell(made, None)
    story.train()
    assert "Santanyi" not in story.everything()
    assert read_erasure(story.database, "e" * 32).decisions == 1
    assert read_erasure(story.database, "e" * 32).state is ErasureState.RETRAINING
    seen_now(drained_until=story.clock())
    story.train()
    assert read_erasure(story.database, "e" * 32).state is ErasureState.DONE


def test_who_comes_back_afterwards_is_not_erased(story: Story) -> None:
    story.visit(0, "ana")
    story.erase()
    story.clock.move(seconds=5)
    story.visit(1, "ana")
    settle(story)
    assert read_erasure(story.database, "e" * 32).state is ErasureState.DONE
    assert [one.decision.context["town"] for one in all_decisions_of(story.database, "ana")] == ["Santanyi-7391"]


def test_a_training_that_fails_is_said_of_the_erasure_and_is_tried_again(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.visits(range(9))
    settle(story)
    story.erase()
    learn = trainer_module.learn_segment

    def broken(*arguments: Any) -> Any:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(trainer_module, "learn_segment", broken)
    story.trainer.step(story.clock())
    failed = read_erasure(story.database, "e" * 32)
    assert failed.state is ErasureState.FAILED
    assert failed.error == "mail: RuntimeError: out of memory"
    monkeypatch.setattr(trainer_module, "learn_segment", learn)
    settle(story)
    done = read_erasure(story.database, "e" * 32)
    assert (done.state, done.error) == (ErasureState.DONE, None)


@both
def test_a_dry_run_counts_and_changes_nothing(story: Story) -> None:
    story.visits(range(9))
    link_people(story.database, [Link("ana-cookie", "ana")], now=story.clock())
    before = story.everything()
    counted = erase_person(story.database, "ana", now=story.clock(), erasure_id="e" * 32, dry_run=True)
    assert (counted.id, counted.decisions, counted.outcomes, counted.keys) == ("", 3, 1, 1)
    assert story.everything() == before


def test_somebody_unknown_is_erased_with_zeros(story: Story) -> None:
    asked = story.erase("nobody")
    assert (asked.decisions, asked.outcomes, asked.keys, asked.retrainings) == (0, 0, 0, ())
    settle(story)
    assert read_erasure(story.database, asked.id).state is ErasureState.DONE
    with pytest.raises(NoSuchErasure, match="'x'"):
        read_erasure(story.database, "x")
    with pytest.raises(InvalidRequest, match="person"):
        story.erase("")


@both
def test_an_export_has_all_keys_and_all_decisions_oldest_first(story: Story) -> None:
    made = [story.visit(number, person) for number, person in ((0, "ana-cookie"), (1, "berta"), (3, "ana"))]
    link_people(story.database, [Link("ana-cookie", "ana")], now=story.clock())
    settle(story)
    secret = story.database.secret
    for person in ("ana", "ana-cookie"):
        assert person_keys(story.database, person) == [person_key(secret, "ana"), person_key(secret, "ana-cookie")]
        records = list(all_decisions_of(story.database, person))
        assert {one.decision.id for one in records} == {made[0].id, made[2].id}
        assert records[0].decision.id < records[1].decision.id
    by_number = {one.decision.request_id: one for one in records}
    second = by_number["request-ana-3"]
    assert second.decision.choices[1].variant in ("try", "demo")
    assert [one.outcome.key for one in second.outcomes] == ["order-ana-3"]
    assert second.matured is not None
    assert second.matured.reward == 1.0
    (page,) = decisions_of(story.database, "ana", after=None, limit=1)
    assert page == records[0]
    assert decisions_of(story.database, "ana", after=page.decision.id, limit=5) == records[1:]
    assert list(all_decisions_of(story.database, "nobody")) == []


def test_an_export_has_what_was_told_of_a_person_alone(story: Story) -> None:
    at = story.clock()
    alone = Outcome(None, "mail", "click", 1.0, at, at, person=person_key(story.database.secret, "ana"))
    with story.database.writing() as connection:
        outcome_rows.append(connection, [alone])
    assert outcomes_of(story.database, "ana") == [alone]
    assert outcomes_of(story.database, "berta") == []
    assert story.erase().outcomes == 1
    assert outcomes_of(story.database, "ana") == []


@both
def test_every_link_has_its_own_answer(database: Database, clock: Clock) -> None:
    links = [
        Link("c1", "ana"),
        Link("", "ana"),
        Link("c2", "c2"),
        Link("c1", "ana"),
        Link("c1", "berta"),
        Link("c3", ""),
    ]
    answers = link_people(database, links, now=clock())
    assert [answer if isinstance(answer, LinkStatus) else type(answer) for answer in answers] == [
        LinkStatus.LINKED,
        InvalidRequest,
        InvalidRequest,
        LinkStatus.ALREADY_LINKED,
        Conflict,
        InvalidRequest,
    ]
