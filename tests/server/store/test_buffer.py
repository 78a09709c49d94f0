"""Behind an outbox callers get the answers that the database itself would give them; while it is away, the outbox's."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from server.errors import DiskFull, EligeError, InvalidRequest, Unavailable
from server.records import Activated, Activation, ActivationStatus, Decision, Outcome, OutcomeStatus, Recorded
from server.store.appending import Record
from server.store.buffer import Buffer, Deadline
from server.store.committer import Committer, Direct, Target
from server.store.database import Database
from server.store.decisions import Repeat
from server.store.drain import Drain
from server.store.outbox import Outbox
from server.store.presence import Presence


@pytest.fixture
def presence() -> Presence:
    return Presence()


@pytest.fixture
def outbox(open_outbox: Callable[..., Outbox]) -> Outbox:
    return open_outbox()


@pytest.fixture
def buffer(outbox: Outbox, database: Database, presence: Presence, clock: Any, patient: None) -> Buffer:
    return Buffer(outbox, database, presence, clock=clock, appended=lambda: None)


@pytest.fixture
def drain(outbox: Outbox, database: Database, presence: Presence, clock: Any) -> Callable[[], None]:
    """Brings all there is to the database."""

    def drain() -> None:
        assert Drain(outbox, database, presence, clock=clock).close(seconds=60)

    return drain


@contextmanager
def away(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """It can't be read; how often somebody tried."""
    tried: list[int] = []

    @contextmanager
    def reading() -> Iterator[Any]:
        tried.append(1)
        raise Unavailable("it is away")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(database, "reading", reading)
        yield tried


def deferred(decision: Decision, minutes: int) -> Decision:
    return replace(
        decision,
        activate_by=decision.at + timedelta(minutes=minutes),
        activated_at=None,
        window_closes_at=None,
        choices=tuple(replace(choice, activated_at=None) for choice in decision.choices),
    )


def shown(decision: Decision, *slots: str, after: int = 0) -> Activation:
    return Activation(decision.id, "hero", slots, decision.at + timedelta(minutes=after))


def story(make: Any, told: Any) -> list[list[Record]]:
    """Batches with something of everything."""
    one, two, three, four, five = make(5)
    one = replace(one, request_id="r", request_hash="h")
    again, other = (replace(two, request_id="r", request_hash=payload) for payload in ("h", "other"))
    late = timedelta(minutes=31)
    three, four = deferred(three, 10), deferred(four, 10)
    return [
        [one, told(one, key="k"), told(one), five],
        [again, other],
        [told(one, key="k"), told(one, metric="revenue", key="k"), told(one, at=one.at + late), told(two, key="k")],
        [told(one, key="twice"), told(one, key="twice")],
        [three, four, told(three), shown(three, "cta", after=5), told(three, key="a")],
        [shown(three, after=6), shown(three), shown(four, after=11), shown(five), shown(four, "nowhere")],
        [told(three, at=three.at + timedelta(minutes=34)), told(three, at=three.at + timedelta(minutes=36))],
        [shown(two), told(two)],  # not decided here
        [replace(told(one, key="p"), person="ana"), replace(told(five, key="p"), person="ana")],
        [replace(told(one, key="q"), decision_id=None, person="eva")],
    ]


def plain(answer: Any) -> Any:
    """To compare: a decision without what its campaign says, an error by its text."""
    if isinstance(answer, EligeError):
        return type(answer), str(answer)
    if isinstance(answer, Repeat):
        return "repeat", answer.decision.id, answer.same_payload
    return answer.id if isinstance(answer, Decision) else answer


def told_to(target: Target, batches: Sequence[Sequence[Record]], between: Callable[[], object]) -> list[list[Any]]:
    answers = []
    for batch in batches:
        answers.append([plain(answer) for answer in target.append(batch)])
        between()
    return answers


@pytest.mark.parametrize("when", ["undrained", "drained at once", "drained in between"])
def test_the_answers_are_those_of_the_database(
    when: str, buffer: Buffer, drain: Any, make: Any, told: Any, database: Database, sql: Any
) -> None:
    batches = story(make, told)
    turn = [0]

    def sometimes() -> None:
        turn[0] += 1
        if when == "drained at once" or (when == "drained in between" and turn[0] % 3 == 0):
            drain()

    answers = told_to(buffer, batches, sometimes)
    drain()
    columns = "decision_id, metric, value, slot, at, received_at, key, person"
    rows = [sql("SELECT * FROM decisions ORDER BY 1"), sql("SELECT * FROM windows ORDER BY 1")]
    rows.append(sql(f"SELECT {columns} FROM outcomes ORDER BY outcome_id"))
    for table in ("windows", "requests", "early_activations", "outcomes", "choices", "decisions"):
        sql(f"DELETE FROM {table}")
    assert answers == told_to(Direct(database), batches, lambda: None)
    assert rows[0] == sql("SELECT * FROM decisions ORDER BY 1")
    assert rows[1] == sql("SELECT * FROM windows ORDER BY 1")
    assert rows[2] == sql(f"SELECT {columns} FROM outcomes ORDER BY outcome_id")


def test_while_the_database_is_away_the_outbox_answers_alone(
    buffer: Buffer,
    drain: Any,
    make: Any,
    told: Any,
    database: Database,
    presence: Presence,
    sql: Any,
    monkeypatch: pytest.MonkeyPatch,
    said: list[Any],
) -> None:
    (before,) = make(request_id="r", request_hash="h")
    buffer.append([before])
    drain()
    buffer._outbox.clear()  # it was long ago
    one, again, waits = make(3)
    one = replace(one, request_id="s", request_hash="h")
    waits = deferred(waits, 10)
    with away(database, monkeypatch) as tried:
        assert buffer.append([one]) == [one]
        assert not presence.up
        stood = buffer.append([replace(again, request_id="s", request_hash="h")])
        assert plain(stood[0]) == ("repeat", one.id, True)
        anew = replace(again, request_id="r", request_hash="h")
        assert buffer.append([anew]) == [anew]  # what it can't know
        assert [answer.status for answer in buffer.append([told(one, key="k"), told(one, key="k"), told(before)])] == [
            OutcomeStatus.ACCEPTED,
            OutcomeStatus.DUPLICATE,
            OutcomeStatus.PENDING,
        ]
        assert buffer.append([told(one)])[0].learned_at == one.window_closes_at
        # how long its window is the database knows alone
        assert buffer.append([waits, shown(waits)]) == [waits, Activated(ActivationStatus.PENDING, None)]
        assert tried == [1]
    (warning,) = [entry for entry in said if entry["event"] == "the database is away"]
    assert warning["log_level"] == "warning"
    drain()
    assert presence.back() is False  # the drain's success had said so
    assert sql("SELECT superseded_by FROM decisions WHERE decision_id = :id", id=anew.id) == [(before.id,)]
    assert sql("SELECT status FROM outcomes WHERE decision_id = :id", id=before.id) == [("accepted",)]
    assert sql("SELECT waiting FROM windows WHERE decision_id = :id", id=waits.id) == [(False,)]
    assert plain(buffer.append([replace(again, request_id="r", request_hash="h")])[0]) == ("repeat", before.id, True)
    assert buffer.append([told(anew)]) == [Recorded(OutcomeStatus.ACCEPTED, None, None, anew.id)]  # never learned


def test_what_is_known_of_windows_serves_while_the_database_is_away(
    buffer: Buffer, make: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, waits = (deferred(one, 10) for one in make(2))
    buffer.append([known])
    with away(database, monkeypatch):
        answers = buffer.append([waits, shown(waits), shown(known)])
    closes_at = waits.at + timedelta(minutes=30)
    assert answers[1:] == [Activated(ActivationStatus.ACTIVATED, closes_at)] * 2


def test_a_slow_database_costs_one_batch_its_patience(
    buffer: Buffer,
    make: Any,
    database: Database,
    presence: Presence,
    monkeypatch: pytest.MonkeyPatch,
    said: list[Any],
) -> None:
    goes_on = threading.Event()
    reads: list[int] = []
    reading = database.reading

    @contextmanager
    def slow() -> Iterator[Any]:
        reads.append(1)
        goes_on.wait(60)
        with reading() as connection:
            yield connection

    monkeypatch.setattr(database, "reading", slow)
    buffer._ask_in_time = Deadline(0.05)
    one, two, three = (replace(decision, request_id=f"r{n}") for n, decision in enumerate(make(3)))
    assert buffer.append([one]) == [one]
    assert not presence.up
    assert buffer.append([two]) == [two]
    presence.back()
    assert buffer.append([three]) == [three]  # it still waits for the first answer
    assert not presence.up
    assert [one["reason"] for one in said] == [
        "the database does not answer within 0.05 s",
        "the database has not answered an earlier question yet",
    ]
    assert reads == [1]
    goes_on.set()
    monkeypatch.undo()
    presence.back()
    buffer._ask_in_time = Deadline(30)
    assert plain(buffer.append([replace(two, id="x")])[0]) == ("repeat", two.id, True)
    assert presence.up


def test_that_something_is_under_way_is_told_until_it_is_appended(
    buffer: Buffer, outbox: Outbox, make: Any, told: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (decision,) = make()
    received = clock.now
    clock.move(seconds=1)  # it waited
    seen: list[Any] = []
    append = outbox.append
    monkeypatch.setattr(outbox, "append", lambda *one, **at: (seen.append(outbox.under_way), append(*one, **at)))
    buffer.append([decision])
    buffer.append([told(decision), told(decision, received_at=clock.now)])
    assert seen == [clock.now, received]
    assert outbox.under_way is None
    with pytest.raises(InvalidRequest):
        buffer.append([told(decision, key="\0")])
    assert outbox.under_way is None


def test_decisions_alone_ask_nobody(
    buffer: Buffer, make: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(3)
    with away(database, monkeypatch) as tried:
        assert buffer.append(made) == made
        assert tried == []


def test_one_bad_record_does_not_fail_its_neighbours(buffer: Buffer, outbox: Outbox, make: Any, told: Any) -> None:
    decisions = make(40)
    decisions[17] = replace(decisions[17], labels={"x": object()})
    decisions[18] = replace(decisions[18], labels={"x": "\ud800"})
    decisions[19] = replace(decisions[19], request_id="\ud800")
    decisions[20] = replace(decisions[20], request_id="a\0b")

    async def scenario() -> list[Any]:
        committer = Committer(buffer)
        outcomes = [told(decisions[0]), told(decisions[0], key="\0")]
        calls = [*map(committer.decision, decisions), *map(committer.outcome, outcomes)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert committer.committed == {"decision": 36, "outcome": 1}
        await asyncio.to_thread(committer.close)
        return answers

    answers = asyncio.run(scenario())
    failed = {place: type(answer) for place, answer in enumerate(answers) if isinstance(answer, Exception)}
    assert failed == dict.fromkeys((17, 18, 19, 20, 41), InvalidRequest)
    assert outbox.backlog().records == 37


def test_a_full_disk_is_told_and_nothing_of_the_batch_is_acknowledged(
    buffer: Buffer, outbox: Outbox, make: Any, presence: Presence
) -> None:
    pages = outbox._appender.execute("PRAGMA page_count").fetchone()[0]
    outbox._appender.execute(f"PRAGMA max_page_count = {pages + 10}")
    made = [replace(one, labels={"x": "y" * 2_000}) for one in make(60)]

    async def scenario() -> list[Any]:
        committer = Committer(buffer)
        answers = []
        for one in made:
            answers += await asyncio.gather(committer.decision(one), return_exceptions=True)
        outbox._appender.execute("PRAGMA max_page_count = 100000")
        await committer.decision(made[-1])
        await asyncio.to_thread(committer.close)
        return answers

    answers = asyncio.run(scenario())
    acknowledged = [one.id for one in answers if isinstance(one, Decision)]
    assert {type(one) for one in answers} == {Decision, DiskFull}
    kept = [one.record for one in outbox.after(0, limit=100)]
    assert [one.id for one in kept if isinstance(one, Decision)] == [*acknowledged, made[-1].id]
    assert presence.up  # it is our disk, not the database


def test_of_a_batch_that_is_told_twice_the_second_is_known(buffer: Buffer, make: Any, told: Any) -> None:
    (decision,) = make(request_id="r", request_hash="h")
    outcome: Outcome = told(decision, key="k")
    batch: list[Record] = [decision, outcome]
    buffer.append(batch)
    assert [plain(one) for one in buffer.append(batch)] == [
        ("repeat", decision.id, True),
        Recorded(OutcomeStatus.DUPLICATE, None),
    ]
