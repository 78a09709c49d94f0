"""Jobs: each evaluation computed once, by a process that can be killed, stopped and outlived. The processes here only
tell what the test wants; tests/server/rpc/test_evaluations.py has a real one.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from server.errors import DiskFull, InvalidRequest
from server.evaluation import jobs as module
from server.evaluation import processes
from server.evaluation.jobs import Jobs
from server.store import evaluations as rows
from server.store.database import Database
from server.store.evaluations import TURN, EvaluationState, StoredEvaluation

SAYS = """
import json, os, pathlib, sys
folder = pathlib.Path({folder!r})
with open(folder / sys.argv[1], "a") as file:
    print(os.getpid(), file=file, flush=True)
def tell(**message):
    print(json.dumps(message), flush=True)
"""
ANSWERS = 'tell(stage="reading the log", done=1.0); tell(result={"n": 1}, provenance={"by": "me"})'
WAITS = 'tell(stage="judging", done=0.5); sys.stdin.read()'


@pytest.fixture
def does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """What each process does; it leaves its number in a file that is called as the evaluation."""
    for name in ("LOOK_SECONDS", "BEAT_SECONDS", "RETRY_SECONDS"):
        monkeypatch.setattr(module, name, 0.02)

    def does(script: str) -> None:
        text = SAYS.format(folder=str(tmp_path)) + script
        monkeypatch.setattr(module, "COMMAND", ("-S", "-c", text))

    return does


@pytest.fixture
def ask(database: Database) -> Callable[[str], None]:
    def ask(evaluation_id: str) -> None:
        draft = StoredEvaluation(evaluation_id, "hero", EvaluationState.QUEUED, {}, None, "", {}, datetime.now(UTC))
        with database.writing(TURN) as connection:
            rows.append(connection, draft)

    return ask


@pytest.fixture
def begun(tmp_path: Path) -> Callable[[str], list[int]]:
    """The processes that were begun for an evaluation."""

    def begun(evaluation_id: str) -> list[int]:
        file = tmp_path / evaluation_id
        return list(map(int, file.read_text().splitlines())) if file.exists() else []

    return begun


def read(database: Database, evaluation_id: str) -> StoredEvaluation:
    with database.reading() as connection:
        return rows.read(connection, evaluation_id)


def utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def working(database: Database, clock: Callable[[], datetime] = utc_now) -> AsyncIterator[asyncio.Event]:
    asked = asyncio.Event()
    task = asyncio.create_task(Jobs(database, clock=clock, asked=asked).work())
    try:
        yield asked
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(scenario())  # type: ignore[arg-type]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_is_computed_and_its_answer_kept(database: Database, ask: Any, does: Any, begun: Any) -> None:
    does(ANSWERS)

    async def scenario() -> None:
        async with working(database) as asked:
            ask("e1")
            asked.set()
            await until(lambda: read(database, "e1").state.ended)

    run(scenario)
    done = read(database, "e1")
    assert (done.state, done.progress, done.attempts) == (EvaluationState.DONE, 1.0, 1)
    assert (done.result, done.provenance) == ({"n": 1}, {"by": "me"})
    assert done.started_at is not None
    assert done.finished_at is not None
    assert len(begun("e1")) == 1


def test_several_servers_compute_each_once(
    database: Database, open_database: Callable[[], Database], ask: Any, does: Any, begun: Any
) -> None:
    # each waits until two are begun: one server alone would never end the first
    does("while len(list(folder.glob('e?'))) < 2: pass\n" + ANSWERS)
    names = [f"e{number}" for number in range(6)]
    for name in names:
        ask(name)

    async def scenario() -> None:
        async with working(database), working(open_database()):
            await until(lambda: all(read(database, name).state.ended for name in names))

    run(scenario)
    assert {len(begun(name)) for name in names} == {1}
    assert len({read(database, name).holder for name in names}) == 2


def test_how_far_it_is_can_be_read_meanwhile_and_a_cancelled_one_is_ended(
    database: Database, ask: Any, does: Any, begun: Any
) -> None:
    does(WAITS)
    ask("e1")

    async def scenario() -> None:
        async with working(database):
            await until(lambda: read(database, "e1").progress > 0.0)
            now = read(database, "e1")
            assert (now.state, now.stage) == (EvaluationState.RUNNING, "judging")
            assert 0.0 < now.progress < 1.0
            assert os.getpriority(os.PRIO_PROCESS, begun("e1")[0]) == module.NICE
            with database.writing(()) as connection:
                rows.cancel(connection, "e1", now=datetime.now(UTC))
            (pid,) = begun("e1")
            await until(lambda: not alive(pid))

    run(scenario)
    assert read(database, "e1").state is EvaluationState.CANCELLED


def test_one_that_is_killed_is_begun_once_more_and_then_failed(
    database: Database, ask: Any, does: Any, begun: Any, said: list[Any]
) -> None:
    does(WAITS)
    ask("e1")

    async def scenario() -> None:
        async with working(database):
            for attempt in (1, 2):
                await until(lambda attempt=attempt: len(begun("e1")) == attempt)  # type: ignore[misc]
                os.kill(begun("e1")[-1], signal.SIGKILL)
            await until(lambda: read(database, "e1").state.ended)

    run(scenario)
    failed = read(database, "e1")
    assert (failed.state, failed.error_code, failed.attempts) == (EvaluationState.FAILED, "INTERNAL", 2)
    assert failed.error == ("its process ended without an answer, killed by SIGKILL, 2 times: is there enough memory?")
    assert [one["event"] for one in said if one["log_level"] == "warning"] == ["evaluation begun again"]


@pytest.mark.parametrize(
    ("script", "code", "error"),
    [
        ('tell(code="INVALID_ARGUMENT", error="no slot")', "INVALID_ARGUMENT", "no slot"),
        ('tell(code="UNAVAILABLE", error="the database is away")', "UNAVAILABLE", "the database is away"),
        ("sys.exit(3)", "INTERNAL", "its process ended without an answer, with exit code 3, 2 times"),
        ('print("{\\"result", end=""); sys.exit(0)', "INTERNAL", "with exit code 0, 2 times"),
    ],
)
def test_what_ended_it_is_told(database: Database, ask: Any, does: Any, script: str, code: str, error: str) -> None:
    does(script)
    ask("e1")

    async def scenario() -> None:
        async with working(database):
            await until(lambda: read(database, "e1").state.ended)

    run(scenario)
    failed = read(database, "e1")
    assert (failed.state, failed.error_code) == (EvaluationState.FAILED, code)
    assert error in (failed.error or "")


def test_a_server_that_stops_gives_back_what_it_holds(database: Database, ask: Any, does: Any, begun: Any) -> None:
    does(WAITS)
    ask("e1")

    async def scenario() -> None:
        async with working(database):
            await until(lambda: read(database, "e1").progress > 0.0)
        (pid,) = begun("e1")
        assert not alive(pid)

    run(scenario)
    given_back = read(database, "e1")
    assert (given_back.state, given_back.attempts, given_back.holder) == (EvaluationState.QUEUED, 0, None)


@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
def test_servers_whose_clocks_differ_leave_each_other_what_they_run(
    database: Database,
    open_database: Callable[[], Database],
    ask: Any,
    does: Any,
    begun: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    does("import time\nwhile not (folder / 'go').exists(): time.sleep(0.01)\n" + ANSWERS)
    monkeypatch.setattr(module, "RENEW_SECONDS", 0.0)
    looked = 0
    waiting = rows.waiting

    def counted(*args: Any, **kwargs: Any) -> bool:
        nonlocal looked
        looked += 1
        return waiting(*args, **kwargs)

    ask("e1")

    async def scenario() -> None:
        async with working(database, lambda: utc_now() - timedelta(hours=1)):
            await until(lambda: begun("e1"))
            monkeypatch.setattr(rows, "waiting", counted)  # the first has its hands full: only the second looks
            async with working(open_database(), lambda: utc_now() + timedelta(hours=1)):
                await until(lambda: looked >= 5)
                (tmp_path / "go").touch()
                await until(lambda: read(database, "e1").state.ended)

    run(scenario)
    done = read(database, "e1")
    assert (done.state, done.attempts, len(begun("e1"))) == (EvaluationState.DONE, 1, 1)
    assert abs(datetime.now(UTC) - (done.finished_at or datetime.min.replace(tzinfo=UTC))) < timedelta(minutes=10)


def test_what_a_dead_server_held_is_taken_over(database: Database, ask: Any, does: Any) -> None:
    does(ANSWERS)
    ask("e1")
    with database.writing(TURN) as connection:
        before = database.time_of(connection) - module.HELD - timedelta(seconds=1)
        rows.take(connection, holder="dead", now=before, lasts=module.HELD)

    async def scenario() -> None:
        async with working(database):
            await until(lambda: read(database, "e1").state.ended)

    run(scenario)
    assert (read(database, "e1").state, read(database, "e1").attempts) == (EvaluationState.DONE, 2)


def test_it_goes_on_looking_after_the_database_was_away(
    database: Database, ask: Any, does: Any, monkeypatch: pytest.MonkeyPatch, said: list[Any]
) -> None:
    does(ANSWERS)
    ask("e1")
    waiting, failures = rows.waiting, iter((RuntimeError("a defect"),))

    def fails_once(*args: Any, **kwargs: Any) -> bool:
        for failure in failures:
            raise failure
        return waiting(*args, **kwargs)

    monkeypatch.setattr(rows, "waiting", fails_once)
    monkeypatch.setattr("server.backoff.PAUSES", (timedelta(milliseconds=1),))

    async def scenario() -> None:
        async with working(database):
            await until(lambda: read(database, "e1").state.ended)

    run(scenario)
    assert read(database, "e1").state is EvaluationState.DONE
    assert [one["reason"] for one in said if one["event"] == "evaluations wait"] == ["RuntimeError: a defect"]


def test_one_that_found_the_database_away_is_begun_once_more(database: Database, ask: Any, does: Any) -> None:
    first = 'tell(code="UNAVAILABLE", error="the database is away") if len(begun) == 1 else '
    does("begun = (folder / sys.argv[1]).read_text().split()\n" + first + ANSWERS.partition("; ")[2])
    ask("e1")

    async def scenario() -> None:
        async with working(database):
            await until(lambda: read(database, "e1").state.ended)

    run(scenario)
    assert (read(database, "e1").state, read(database, "e1").attempts) == (EvaluationState.DONE, 2)


@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
def test_an_answer_that_can_not_be_kept_keeps_no_other_waiting(
    database: Database, ask: Any, does: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL has no place for a NUL in a text, which an error may quote; a line may be too long to be read; and
    whatever else it is.
    """
    monkeypatch.setattr(processes, "LONGEST_LINE", 1_000)
    finish = rows.finish

    def refuses(connection: Any, held: StoredEvaluation, **told: Any) -> bool:
        if held.id == "e3":
            raise InvalidRequest("it can't be stored")
        return finish(connection, held, **told)

    monkeypatch.setattr(rows, "finish", refuses)
    does(
        'tell(stage="training a\\0b", done=0.5)\n'
        'if sys.argv[1] == "e1": tell(code="INVALID_ARGUMENT", error="no key a\\0b"); sys.exit()\n'
        'tell(result={"n": "1" * (9_000 if sys.argv[1] == "e2" else 1)}, provenance={})'
    )
    names = ("e1", "e2", "e3", "e4")
    for name in names:
        ask(name)

    async def scenario() -> None:
        async with working(database):
            await until(lambda: all(read(database, name).state.ended for name in names))

    run(scenario)
    refused, long, unkept, done = (read(database, name) for name in names)
    assert refused.error == "no key a\ufffdb"
    assert (done.state, done.result) == (EvaluationState.DONE, {"n": "1"})
    assert (long.error_code, "more than" in (long.error or "")) == ("RESOURCE_EXHAUSTED", True)
    assert (unkept.error_code, unkept.error) == ("INTERNAL", "its answer can't be kept: it can't be stored")


@pytest.fixture
def room(database: Database) -> Callable[[int], None]:
    """Lets the file grow by so many pages from now on, and no further."""
    allowed = 0

    def limit(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {allowed}")

    def room(pages: int) -> None:
        nonlocal allowed
        with database.reading() as connection:
            allowed = pages + int(connection.execute(text("PRAGMA page_count")).scalar_one())
        database._engine.dispose()

    event.listen(database._engine, "connect", limit)
    return room


BIG = 'tell(result={"n": "1" * (400_000 if sys.argv[1] == "e1" else 1)}, provenance={})'


def test_a_result_without_room_ends_with_the_reason_and_keeps_no_other_waiting(
    database: Database, ask: Any, does: Any, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HELD", timedelta(seconds=0.2))
    does(BIG)
    ask("e1")
    ask("e2")
    room(20)

    async def scenario() -> None:
        async with working(database):
            await until(lambda: read(database, "e2").state.ended)

    run(scenario)
    failed, done = read(database, "e1"), read(database, "e2")
    assert (failed.state, failed.error_code, failed.result) == (EvaluationState.FAILED, "RESOURCE_EXHAUSTED", None)
    assert failed.error == "there is no room for its answer: the database refuses: database or disk is full"
    assert (done.state, done.result) == (EvaluationState.DONE, {"n": "1"})


def test_a_result_is_kept_once_there_is_room(
    database: Database, ask: Any, does: Any, room: Any, begun: Any, said: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*args: Any, **kwargs: Any) -> bool:
        raise DiskFull("not even for the reason")

    monkeypatch.setattr(rows, "fail", refuses)
    monkeypatch.setattr(module, "HELD", timedelta(0))
    does(BIG)
    ask("e1")
    room(20)

    async def scenario() -> None:
        async with working(database):
            await until(lambda: [one.get("reason") for one in said].count("not even for the reason") >= 2)
            assert read(database, "e1").state is EvaluationState.RUNNING
            room(1_000)
            await until(lambda: read(database, "e1").state.ended)

    run(scenario)
    assert (read(database, "e1").state, len(begun("e1"))) == (EvaluationState.DONE, 1)
