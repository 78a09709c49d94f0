"""The drain: what was acknowledged comes to the database, in order, once, whatever happens on the way."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from server.errors import DiskFull, Unavailable
from server.records import Decision
from server.store import decisions as decision_rows
from server.store import drain as module
from server.store import servers
from server.store.appending import Record
from server.store.database import Database
from server.store.drain import Drain
from server.store.inspection import check
from server.store.outbox import Outbox
from server.store.payloads import encode
from server.store.presence import Presence
from server.store.servers import Draining


@pytest.fixture
def outbox(open_outbox: Callable[..., Outbox]) -> Outbox:
    return open_outbox()


@pytest.fixture
def start(database: Database, clock: Any) -> Iterator[Callable[..., Drain]]:
    """Starts drains, and closes them."""
    started: list[Drain] = []

    def make(outbox: Outbox, *, presence: Presence | None = None) -> Drain:
        started.append(Drain(outbox, database, presence or Presence(), clock=clock))
        return started[-1]

    yield make
    for one in started:
        one.close(seconds=60)


def wait_until(condition: Callable[[], object], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def add(outbox: Outbox, records: Sequence[Record], *, at: Any) -> None:
    outbox.append([(one, encode(one)) for one in records], at=at)


def server(database: Database) -> Draining:
    with database.reading() as connection:
        (one,) = servers.draining(connection)
    return one


@contextmanager
def breaking(
    database: Database, monkeypatch: pytest.MonkeyPatch, *, times: int, committed: bool
) -> Iterator[list[int]]:
    """So many writing transactions end with a broken connection: before they were committed, or after."""
    left = [times]
    writing = database.writing

    @contextmanager
    def broken(campaigns: Any = None) -> Iterator[Any]:
        with writing(campaigns) as connection:
            yield connection
            if left[0] and not committed:
                left[0] -= 1
                raise Unavailable("the connection broke")
        if left[0]:
            left[0] -= 1
            raise Unavailable("the connection broke while committing")

    with monkeypatch.context() as patch:
        patch.setattr(database, "writing", broken)
        patch.setattr(module, "PAUSES", (0.01,))
        yield left


def test_everything_comes_to_the_database_in_order(
    outbox: Outbox, start: Any, make: Any, told: Any, clock: Any, sql: Any, database: Database
) -> None:
    decisions = make(5)
    add(outbox, [told(decisions[0], value=9.0), *decisions], at=clock())  # the outcome was told elsewhere, first
    drain = start(outbox)
    wait_until(lambda: server(database).drained_through == 6)
    add(outbox, [told(one, value=float(i)) for i, one in enumerate(decisions)], at=clock())
    drain.wake()
    wait_until(lambda: sql("SELECT count(*) FROM outcomes")[0][0] == 6)
    assert [row[0] for row in sql("SELECT value FROM outcomes ORDER BY outcome_id")] == [9.0, 0.0, 1.0, 2.0, 3.0, 4.0]
    assert [row[0] for row in sql("SELECT decision_id FROM windows ORDER BY 1")] == sorted(one.id for one in decisions)
    assert outbox.backlog().records == 0


def test_what_an_earlier_run_left_is_drained_and_not_again(
    open_outbox: Callable[..., Outbox], start: Any, make: Any, told: Any, clock: Any, sql: Any, database: Database
) -> None:
    (decision,) = make()
    outbox = open_outbox()
    add(outbox, [decision, told(decision)], at=clock())
    assert start(outbox).close(seconds=60)
    add(outbox, [told(decision)], at=clock())
    outbox.close()
    sql("DELETE FROM servers")  # as somebody may who tidies up: the outbox knows where it was
    outbox = open_outbox()
    assert outbox.drained_through == 0  # noted every few seconds only
    outbox.drained(2)
    outbox.clear()
    start(outbox).close(seconds=60)
    assert sql("SELECT count(*) FROM outcomes")[0][0] == 2


def test_the_time_up_to_which_all_is_there(
    outbox: Outbox, start: Any, make: Any, clock: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    began = clock()
    for _ in range(2):
        add(outbox, make(2), at=clock())
        clock.move(minutes=1)
    seen: list[tuple[int, Any]] = []
    advance = servers.advance
    monkeypatch.setattr(
        servers, "advance", lambda *given, **to: (seen.append((to["through"], to["until"])), advance(*given, **to))
    )
    start(outbox)
    wait_until(lambda: len(seen) >= 3)
    assert seen[:3] == [(2, began), (4, began + timedelta(minutes=1)), (4, clock())]
    later = clock.move(minutes=1)
    wait_until(lambda: server(database).drained_until == server(database).seen_at == later)  # nothing to drain says so
    outbox.under_way = later
    last = clock.move(minutes=1)
    wait_until(lambda: server(database).seen_at == last)
    assert server(database).drained_until == later  # something is about to be appended


@pytest.mark.parametrize("committed", [False, True], ids=["before", "while committing"])
def test_a_connection_that_breaks_loses_nothing_and_repeats_nothing(
    outbox: Outbox,
    start: Any,
    make: Any,
    told: Any,
    clock: Any,
    sql: Any,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    committed: bool,
    said: list[Any],
) -> None:
    presence = Presence()
    drain = start(outbox, presence=presence)
    with breaking(database, monkeypatch, times=2, committed=committed) as left:
        wait_until(lambda: not left[0])  # by what it says when idle
        left[0] = 3
        (decision,) = make()
        add(outbox, [decision, told(decision), told(decision)], at=clock())
        drain.wake()
        wait_until(lambda: not left[0])
        wait_until(lambda: outbox.backlog().records == 0 and presence.up)
        assert drain.close(seconds=60)
    assert sql("SELECT count(*) FROM decisions")[0][0] == 1
    assert sql("SELECT count(*) FROM outcomes")[0][0] == 2  # without keys: nothing else could tell them apart
    events = [one["event"] for one in said]
    assert events.count("the database is away") == events.count("the database is back") <= 2


def test_a_record_that_is_refused_stops_nobody(
    outbox: Outbox,
    start: Any,
    make: Any,
    told: Any,
    clock: Any,
    sql: Any,
    database: Database,
    said: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decisions = make(30)
    bad = replace(decisions[11], version=99)  # no such version
    first = clock()
    add(outbox, [*decisions[:11], bad, *decisions[12:15]], at=first)
    add(outbox, [*decisions[15:], told(decisions[29])], at=clock.move(minutes=1))
    advanced: list[tuple[int, Any]] = []
    advance = servers.advance
    monkeypatch.setattr(
        servers, "advance", lambda *given, **to: (advanced.append((to["through"], to["until"])), advance(*given, **to))
    )
    outbox._appender.execute("UPDATE records SET payload = '{' WHERE position = 20")
    drain = start(outbox)
    wait_until(lambda: server(database).drained_through == 31)
    stored = {row[0] for row in sql("SELECT decision_id FROM decisions")}
    assert stored == {one.id for place, one in enumerate(decisions) if place not in (11, 19)}
    assert sql("SELECT status FROM outcomes") == [("accepted",)]
    refused = outbox._watcher.execute("SELECT position, reason FROM refused ORDER BY position").fetchall()
    assert [position for position, _ in refused] == [12, 20]
    assert "foreign key" in refused[0][1].lower()
    assert [one["log_level"] for one in said if one["event"] == "the database refuses a record"] == ["error"] * 2
    assert {until for through, until in advanced if through < 15} == {first}  # not more than what is there
    add(outbox, make(), at=clock())
    drain.wake()
    wait_until(lambda: server(database).drained_through == 32)


def test_the_first_of_two_answers_to_one_request_stands(
    open_outbox: Callable[..., Outbox],
    start: Any,
    make: Any,
    told: Any,
    clock: Any,
    sql: Any,
    database: Database,
) -> None:
    first, second, third = make(3, request_id="r", request_hash="h")
    (other,) = make(request_id="s")
    for name, one in (("one", first), ("two", second)):
        outbox = open_outbox(name)
        add(outbox, [one, told(one), told(one, key="k")], at=clock())
        start(outbox).close(seconds=60)
    outbox = open_outbox("three")
    add(outbox, [other, third], at=clock())
    start(outbox).close(seconds=60)
    assert {row[0]: row[1] for row in sql("SELECT decision_id, superseded_by FROM decisions")} == {
        first.id: None,
        second.id: first.id,
        third.id: first.id,
        other.id: None,
    }
    assert {row[0] for row in sql("SELECT decision_id FROM windows")} == {first.id, other.id}
    assert {tuple(row) for row in sql("SELECT request_id, decision_id FROM requests")} == {
        ("r", first.id),
        ("s", other.id),
    }
    assert sql("SELECT DISTINCT status FROM outcomes") == [("accepted",)]
    assert sql("SELECT count(*) FROM outcomes") == [(4,)]

    def wrong() -> list[str]:
        with database.reading() as connection:
            return [one.rule for one in check(connection) if one.wrong]

    assert wrong() == []
    sql(
        "INSERT INTO windows (decision_id, campaign, closes_at) SELECT decision_id, campaign, at FROM decisions "
        "WHERE superseded_by IS NOT NULL"
    )
    assert wrong() == ["no decision whose place another took is learned, and the other is there"]


def test_what_is_there_already_is_passed_over(make: Any, database: Database, sql: Any) -> None:
    one, other = make(2, request_id="r")
    for batch in ([one], [one], [other], [other, one]):
        with database.writing() as connection:
            decision_rows.drain(connection, batch)
    assert sql("SELECT count(*) FROM decisions") == [(2,)]
    assert sql("SELECT superseded_by FROM decisions WHERE decision_id = :id", id=one.id) == [(None,)]


def test_two_servers_of_one_identity_do_not_skip_each_others_records(
    open_outbox: Callable[..., Outbox], start: Any, make: Any, clock: Any, sql: Any, said: list[Any]
) -> None:
    one, copy = open_outbox("one"), open_outbox("copy")
    copy.identity = one.identity
    presence = Presence()
    start(one, presence=presence)
    clock.move(seconds=1)
    start(copy)
    add(one, make(2), at=clock())
    wait_until(lambda: not presence.up)
    (warning,) = [entry for entry in said if entry["event"] == "the database is away"]
    assert "was its outbox copied?" in warning["reason"]
    assert one.backlog().records == 2
    assert sql("SELECT count(*) FROM decisions") == [(0,)]


def test_leaving(
    outbox: Outbox, start: Any, make: Any, clock: Any, sql: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain = start(outbox)
    with breaking(database, monkeypatch, times=10**6, committed=False) as left:
        add(outbox, make(3), at=clock())
        before = left[0]
        assert drain.close(seconds=60)
        assert before - left[0] <= 2  # the attempt that was under way, and one more: there is nobody
        assert drain.leave() == 3
    assert sql("SELECT drained_through FROM servers") == [(0,)]  # it is waited for
    again = start(outbox)
    assert again.close(seconds=60)
    assert again.leave() == 0
    assert sql("SELECT count(*) FROM servers") == [(0,)]
    assert sql("SELECT count(*) FROM decisions") == [(3,)]
    assert outbox.after(0, limit=10) == []
    start(outbox).close(seconds=60)  # nothing is drained again
    assert sql("SELECT count(*) FROM decisions") == [(3,)]


def test_a_database_that_hangs_is_found_out(
    outbox: Outbox, start: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STUCK_SECONDS", 0.05)
    presence = Presence()
    drain = start(outbox, presence=presence)
    hangs, goes_on = threading.Event(), threading.Event()
    writing = database.writing

    @contextmanager
    def hanging(campaigns: Any = None) -> Iterator[Any]:
        hangs.set()
        goes_on.wait(30)
        with writing(campaigns) as connection:
            yield connection

    monkeypatch.setattr(database, "writing", hanging)
    assert hangs.wait(30)
    wait_until(lambda: (drain.watch(), not presence.up)[1])
    assert not drain.close(seconds=-1.0)
    goes_on.set()
    wait_until(lambda: drain.close(seconds=1))


def test_an_outbox_that_can_not_be_tidied_up_is_drained_all_the_same(
    outbox: Outbox, start: Any, make: Any, clock: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def full(through: int) -> None:
        tried.append(through)
        raise DiskFull("the outbox refuses: database or disk is full")

    monkeypatch.setattr(outbox, "drained", full)
    presence = Presence()
    add(outbox, make(3), at=clock())
    start(outbox, presence=presence)
    wait_until(lambda: len(tried) > 1)
    assert server(database).drained_through == 3
    assert presence.up


def test_what_was_drained_is_as_it_was_told(
    outbox: Outbox, start: Any, make: Any, clock: Any, database: Database
) -> None:
    (made,) = make(request_id="r", request_hash="h", labels={"a": [1.5, "b"]})
    add(outbox, [made], at=clock())
    assert start(outbox).close(seconds=60)
    with database.reading() as connection:
        stored: Decision = decision_rows.read(connection, made.id)
    assert stored == replace(made, choices=tuple(replace(choice, content={}) for choice in made.choices))
