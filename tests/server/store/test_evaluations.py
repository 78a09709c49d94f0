"""Evaluations in the store: begun by one at a time, ended once, listed newest first."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from server.errors import Conflict, NoSuchEvaluation
from server.store import evaluations as rows
from server.store.database import Database
from server.store.evaluations import TURN, EvaluationState, StoredEvaluation

pytestmark = pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
HELD = timedelta(seconds=30)


@pytest.fixture
def draft(clock: Any) -> Callable[..., StoredEvaluation]:
    numbers = iter(range(1000))

    def make(campaign: str = "hero", request_id: str | None = None, **asked: Any) -> StoredEvaluation:
        request = {"campaign": campaign, **asked}
        return StoredEvaluation(
            id=f"e{next(numbers):03}",
            campaign=campaign,
            state=EvaluationState.QUEUED,
            request=request,
            request_id=request_id,
            request_hash=rows.digest(request),
            provenance={"extent": {}},
            created_at=clock(),
        )

    return make


@pytest.fixture
def ask(database: Database, draft: Callable[..., StoredEvaluation]) -> Callable[..., StoredEvaluation]:
    def ask(**asked: Any) -> StoredEvaluation:
        with database.writing(TURN) as connection:
            return rows.append(connection, draft(**asked))

    return ask


@pytest.fixture
def take(database: Database, clock: Any) -> Callable[[str], StoredEvaluation | None]:
    def take(holder: str) -> StoredEvaluation | None:
        with database.writing(TURN) as connection:
            return rows.take(connection, holder=holder, now=clock(), lasts=HELD)

    return take


def read(database: Database, evaluation_id: str) -> StoredEvaluation:
    with database.reading() as connection:
        return rows.read(connection, evaluation_id)


def test_what_is_stored_comes_back(database: Database, ask: Any) -> None:
    asked = ask(request_id="r1", policies=["squarecb"])
    assert read(database, asked.id) == asked
    with pytest.raises(NoSuchEvaluation, match="no evaluation 'e999'"):
        read(database, "e999")


def test_a_request_id_is_good_for_one_request(database: Database, ask: Any) -> None:
    first = ask(request_id="r1", policies=["squarecb"])
    assert ask(request_id="r1", policies=["squarecb"]) == first
    with pytest.raises(Conflict, match="request_id 'r1' was used before with another payload"):
        ask(request_id="r1", policies=["epsilon"])
    with pytest.raises(Conflict):
        ask(request_id="r1", campaign="other", policies=["squarecb"])
    assert ask().id != ask().id  # without one, each is another
    with database.reading() as connection:
        assert len(rows.newest(connection, limit=10)) == 3


def test_each_is_taken_once_in_order(ask: Any, take: Any, clock: Any) -> None:
    asked = []
    for _ in range(3):
        asked.append(ask().id)
        clock.move(seconds=1)
    assert [take(holder).id for holder in ("a", "b", "a")] == asked
    assert take("b") is None


def test_what_its_holder_left_alone_is_begun_once_more_and_then_failed(
    database: Database, ask: Any, take: Any, clock: Any
) -> None:
    ask()
    first = take("a")
    assert (first.attempts, first.holder) == (1, "a")
    clock.move(seconds=20)
    with database.writing(()) as connection:
        assert rows.beat(connection, first, until=clock() + HELD, progress=0.5, stage="reading the log")
    clock.move(seconds=20)
    assert take("b") is None  # it said that it is alive
    clock.move(seconds=20)
    second = take("b")
    assert (second.id, second.attempts, second.progress) == (first.id, 2, 0.0)
    with database.writing(()) as connection:  # the first one wakes up
        assert not rows.beat(connection, first, until=clock() + HELD, progress=0.9, stage="")
        assert not rows.finish(connection, first, now=clock(), result={}, provenance={})
    clock.move(seconds=60)
    assert take("c") is None
    failed = read(database, first.id)
    assert (failed.state, failed.error_code) == (EvaluationState.FAILED, "INTERNAL")
    assert "ended without an answer, 2 times; the last was b" in (failed.error or "")


def test_a_clock_that_is_set_back_delays_a_takeover_by_minutes_at_most(ask: Any, take: Any, clock: Any) -> None:
    ask()
    take("a")
    clock.move(minutes=-4)
    assert take("b") is None  # it may be alive
    clock.move(hours=-1)
    assert take("b").attempts == 2


def test_what_is_given_back_is_taken_again(ask: Any, take: Any, database: Database) -> None:
    ask()
    first = take("a")
    with database.writing(()) as connection:
        assert rows.give_back(connection, first, counts=False)
    second = take("b")
    assert (second.attempts, second.holder) == (1, "b")
    with database.writing(()) as connection:
        assert not rows.give_back(connection, first, counts=True)  # of the same attempt, and another's
        assert rows.give_back(connection, second, counts=True)
    assert take("b").attempts == 2
    with database.writing(()) as connection:
        assert not rows.give_back(connection, second, counts=True)  # of the same holder, and an earlier one


@pytest.mark.parametrize("ending", ["finish", "fail", "cancel"])
def test_it_ends_once(database: Database, ask: Any, take: Any, clock: Any, ending: str) -> None:
    asked = ask()
    held = take("a")
    with database.writing(()) as connection:
        if ending == "finish":
            assert rows.finish(connection, held, now=clock(), result={"rows": [1.5]}, provenance={"versions": {}})
        elif ending == "fail":
            assert rows.fail(connection, held, now=clock(), code="INTERNAL", error="no memory")
        else:
            assert rows.cancel(connection, asked.id, now=clock()).state is EvaluationState.CANCELLED
    ended = read(database, asked.id)
    assert ended.state.ended
    assert ended.finished_at == clock()
    clock.move(minutes=10)
    with database.writing(()) as connection:
        assert not rows.finish(connection, held, now=clock(), result={}, provenance={})
        assert not rows.fail(connection, held, now=clock(), code="INTERNAL", error="")
        assert not rows.give_back(connection, held, counts=True)
        assert rows.cancel(connection, asked.id, now=clock()) == ended
    assert take("b") is None
    assert ended.result == ({"rows": [1.5]} if ending == "finish" else None)


def test_lists_are_newest_first_and_stable_under_new_ones(database: Database, ask: Any, take: Any, clock: Any) -> None:
    asked = [ask(campaign="hero" if number % 2 else "other").id for number in range(4)]
    clock.move(seconds=1)
    asked.append(ask(campaign="hero").id)
    take("a")

    def pages(size: int, **wanted: Any) -> Iterator[list[str]]:
        before = None
        while True:
            with database.reading() as connection:
                found = rows.newest(connection, before=before, limit=size, **wanted)
            if not found:
                return
            assert all(one.result is None for one in found)
            yield [one.id for one in found]
            before = found[-1].id
            ask(campaign="third")  # comes before the page that is looked at

    assert [one for page in pages(2, campaign="hero") for one in page] == [asked[4], asked[3], asked[1]]
    assert list(pages(10, states=[EvaluationState.RUNNING])) == [[asked[0]]]
    with database.reading() as connection:
        assert [one.campaign for one in rows.newest(connection, limit=1)] == ["third"]
