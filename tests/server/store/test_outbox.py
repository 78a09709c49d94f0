"""The outbox: what was appended is there, in order, until it was drained and a while longer; one server has it."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from server.errors import DatabaseUnusable, DiskFull, Unavailable
from server.records import Activation, Decision
from server.store.appending import Record
from server.store.outbox import CLEAN_SECONDS, KEEP_SECONDS, Outbox
from server.store.payloads import encode

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = b"5e" * 32


class Passing:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Passing:
    return Passing()


@pytest.fixture
def open_outbox(url: str, tmp_path: Path, seconds: Passing) -> Iterator[Callable[..., Outbox]]:
    opened: list[Outbox] = []

    def make(file: str = "outbox.db", secret: bytes = SECRET) -> Outbox:
        opened.append(Outbox(tmp_path / file, secret=secret, monotonic=seconds))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def outbox(open_outbox: Callable[..., Outbox]) -> Outbox:
    return open_outbox()


def add(outbox: Outbox, records: Sequence[Record], *, at: datetime = AT) -> None:
    outbox.append([(one, encode(one)) for one in records], at=at)


def bare(decision: Decision) -> Decision:
    """As the log has it: what its variants show stands in the campaign."""
    return replace(decision, choices=tuple(replace(choice, content={}) for choice in decision.choices))


def test_records_come_back_in_their_order(outbox: Outbox, make: Any, told: Any) -> None:
    (decision,) = make()
    activation = Activation(decision.id, "hero", (), AT)
    outcomes = [told(decision, value=float(i)) for i in range(3)]
    add(outbox, [activation, *outcomes[:2]])
    add(outbox, [decision, outcomes[2]], at=AT + timedelta(seconds=1))
    kept = outbox.after(0, limit=10)
    assert [one.record for one in kept] == [activation, *outcomes[:2], bare(decision), outcomes[2]]
    assert [one.position for one in kept] == [1, 2, 3, 4, 5]
    assert [(one.appended_at - AT).seconds for one in kept] == [0, 0, 0, 1, 1]
    assert [one.position for one in outbox.after(2, limit=2)] == [3, 4]
    assert outbox.backlog().records == 5
    assert outbox.backlog().oldest == AT


def test_what_was_told_is_found(outbox: Outbox, make: Any, told: Any) -> None:
    first, second, other = make(3)
    first, second = (replace(one, request_id="r", at=one.at + timedelta(n)) for n, one in enumerate((first, second)))
    activation = Activation(other.id, "hero", ("cta",), AT)
    keyed = told(first, key="k")
    of_person = replace(told(first, key="p"), decision_id=None, person="ana")
    add(outbox, [first, second, other, activation, keyed, of_person])
    assert outbox.decision(second.id) == bare(second)
    assert outbox.decision("unknown") is None
    assert outbox.decision_for("hero", "r") == bare(first)
    assert outbox.decision_for("hero", "s") is None
    assert outbox.decision_for("other", "r") is None
    assert outbox.activations(other.id) == [activation]
    assert outbox.activations(first.id) == []
    assert outbox.has_outcome(keyed)
    assert not outbox.has_outcome(replace(keyed, key="l"))
    assert not outbox.has_outcome(replace(keyed, metric="revenue"))
    assert not outbox.has_outcome(replace(keyed, decision_id=second.id))
    assert outbox.has_outcome(replace(of_person, decision_id=second.id))
    assert not outbox.has_outcome(replace(of_person, person="eva"))
    assert not outbox.has_outcome(replace(of_person, campaign="other"))


def test_the_decision_last_shown_to_a_person(outbox: Outbox, make: Any) -> None:
    early, late, deferred, never = make(4)
    early, late = replace(early, activated_at=AT), replace(late, activated_at=AT + timedelta(hours=1))
    deferred, never = (replace(one, activated_at=None) for one in (deferred, never))
    add(outbox, [late, early, deferred, never, Activation(deferred.id, "hero", (), AT + timedelta(hours=2))])
    person = str(early.person)

    def shown(hours: float) -> str | None:
        found = outbox.last_shown("hero", ["nobody", person], by=AT + timedelta(hours=hours))
        return found.decision_id if found else None

    assert [shown(hours) for hours in (-1, 0, 0.5, 1, 2)] == [None, early.id, early.id, late.id, deferred.id]
    assert outbox.last_shown("other", [person], by=AT + timedelta(days=1)) is None
    assert outbox.last_shown("hero", ["nobody"], by=AT + timedelta(days=1)) is None


def test_what_was_drained_stays_a_minute(outbox: Outbox, make: Any, seconds: Passing) -> None:
    first, second = make(), make()
    add(outbox, first)
    outbox.drained(1)
    assert outbox.backlog().records == 0
    add(outbox, second)
    seconds.now += KEEP_SECONDS - 1
    outbox.drained(2)
    assert outbox.decision(first[0].id)
    seconds.now += CLEAN_SECONDS
    outbox.drained(2)
    assert outbox.decision(first[0].id) is None
    assert outbox.decision(second[0].id)


def test_the_file_does_not_grow_while_it_is_drained(outbox: Outbox, make: Any, seconds: Passing) -> None:
    sizes = []
    for turn in range(1, 13):
        add(outbox, make(100))
        outbox.drained(turn * 100)
        seconds.now += KEEP_SECONDS / 2
        sizes.append(outbox._watcher.execute("PRAGMA page_count").fetchone()[0])
    assert sizes[-1] == sizes[5]
    assert sizes[-1] > 1


def test_places_are_never_given_twice(open_outbox: Callable[..., Outbox], make: Any) -> None:
    outbox = open_outbox()
    add(outbox, make(3))
    outbox.drained(3)
    outbox.clear()
    identity = outbox.identity
    outbox.close()
    again = open_outbox()
    add(again, make())
    assert [one.position for one in again.after(0, limit=10)] == [4]
    assert (again.identity, again.drained_through) == (identity, 3)


def test_what_was_refused_is_kept_with_the_reason(outbox: Outbox, make: Any, seconds: Passing) -> None:
    add(outbox, make(2))
    outbox.refuse(2, "no such campaign", at=AT)
    outbox.refuse(2, "no such campaign", at=AT)  # a crash came between it and its being passed over
    outbox.drained(2)
    outbox.clear()
    assert outbox.backlog().refused == 1
    found = outbox._watcher.execute("SELECT position, kind, reason FROM refused").fetchall()
    assert found == [(2, "decision", "no such campaign")]


def test_one_server_an_outbox(open_outbox: Callable[..., Outbox]) -> None:
    first = open_outbox()
    with pytest.raises(DatabaseUnusable, match=r"another server uses the outbox .*--outbox"):
        open_outbox()
    first.close()
    assert open_outbox().identity == first.identity
    assert open_outbox("other.db").identity != first.identity


def test_an_empty_one_may_serve_another_database(open_outbox: Callable[..., Outbox], make: Any) -> None:
    used = open_outbox()
    add(used, make(3))
    used.drained(3)
    used.clear()
    identity = used.identity
    used.close()
    another = open_outbox(secret=b"another")
    assert another.identity != identity
    assert another.drained_through == 0
    add(another, make())
    assert another.after(0, limit=10)[0].position == 4
    another.close()
    assert open_outbox(secret=b"another").identity == another.identity


def test_a_file_that_is_not_for_us_is_left_alone(open_outbox: Callable[..., Outbox], tmp_path: Path, make: Any) -> None:
    used = open_outbox()
    add(used, make())
    used.close()
    with pytest.raises(DatabaseUnusable, match="holds records of another database"):
        open_outbox(secret=b"another")
    with sqlite3.connect(tmp_path / "foreign.db") as foreign:
        foreign.execute("CREATE TABLE t (x)")
    foreign.close()
    with pytest.raises(DatabaseUnusable, match="no outbox"):
        open_outbox("foreign.db")
    (tmp_path / "text.db").write_text("what is this" * 1_000)
    with pytest.raises(DatabaseUnusable, match="can't be an outbox"):
        open_outbox("text.db")
    with pytest.raises(DatabaseUnusable, match="can't be an outbox: No such file"):
        open_outbox("nowhere/outbox.db")
    newer = open_outbox("newer.db")
    newer._appender.execute("UPDATE meta SET value = '2' WHERE name = 'format'")
    newer.close()
    with pytest.raises(DatabaseUnusable, match="has format 2"):
        open_outbox("newer.db")
    open_outbox("newer2.db")  # and what was refused keeps no lock


def test_a_full_disk_is_told_and_works_again_when_there_is_room(outbox: Outbox, make: Any) -> None:
    def limit(pages: int) -> None:
        outbox._appender.execute(f"PRAGMA max_page_count = {pages}")

    add(outbox, make())
    limit(outbox._appender.execute("PRAGMA page_count").fetchone()[0] + 20)
    big = [replace(one, labels={"x": "y" * 2_000}) for one in make(100)]
    kept = 1

    def add_all() -> None:
        nonlocal kept
        for one in big:
            add(outbox, [one])
            kept += 1

    with pytest.raises(DiskFull, match=r"the outbox refuses: .*full"):
        add_all()
    with pytest.raises(DiskFull):  # all of a batch or nothing of it
        add(outbox, big)
    assert 1 < kept < 100
    assert [one.position for one in outbox.after(0, limit=200)] == list(range(1, kept + 1))
    limit(100_000)
    add(outbox, big)
    assert len(outbox.after(0, limit=200)) == kept + 100


def test_a_file_that_became_read_only_is_told_and_may_recover(outbox: Outbox, make: Any) -> None:
    (one,) = make()
    outbox._appender.execute("PRAGMA query_only = 1")
    with pytest.raises(Unavailable, match="readonly"):
        add(outbox, [one])
    outbox._appender.execute("PRAGMA query_only = 0")
    add(outbox, [one])
    assert outbox.backlog().records == 1


def test_it_is_on_the_disk_when_append_returns(outbox: Outbox, make: Any) -> None:
    assert outbox._appender.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    add(outbox, make())
    with sqlite3.connect(outbox.file) as elsewhere:
        assert elsewhere.execute("SELECT count(*) FROM records").fetchone() == (1,)
    elsewhere.close()
