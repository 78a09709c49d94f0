"""Group commit: what was answered is stored, whatever happened to its neighbours, its caller or the disk."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import event, text

from server.errors import DiskFull, EligeError, InvalidRequest, Overloaded, Unavailable
from server.records import Decision, Outcome, OutcomeStatus
from server.store import committer as module
from server.store import decisions as decision_rows
from server.store.campaigns import StoredCampaign
from server.store.committer import Committer, Direct
from server.store.database import Database
from server.store.decisions import Repeat

T = TypeVar("T")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def fresh(put: Callable[[str], StoredCampaign], hero: str, log: Any, sql: Callable[..., Any]) -> Any:
    """Makes decisions that are not stored."""
    put(hero)

    def make(n: int) -> list[Decision]:
        made: list[Decision] = log.decide([{}] * n)
        for table in ("windows", "choices", "decisions"):
            sql(f"DELETE FROM {table}")
        return made

    return make


@pytest.fixture
def committing(database: Database) -> Callable[..., Any]:
    """Runs a coroutine function with a committer, and closes it."""

    def run(scenario: Callable[[Committer], Awaitable[T]]) -> T:
        committer = Committer(Direct(database))
        try:
            return asyncio.run(asyncio.wait_for(scenario(committer), 60))  # type: ignore[arg-type]
        finally:
            committer.close()

    return run


def stored(database: Database) -> set[str]:
    with database.reading() as connection:
        return {one.id for one in decision_rows.newest(connection, "hero", limit=10_000)}


@contextmanager
def busy(database: Database) -> Iterator[None]:
    """Keeps the committer waiting for the write lock, so that what comes meanwhile gathers."""
    with database.writing():
        yield


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


async def taken(committer: Committer) -> None:
    """Until nothing waits in the queue any more: it has been taken from there for its transaction."""
    await asyncio.sleep(0)  # tasks that were made a moment ago put it there
    await until(lambda: not committer._queue)


def outcome(decision: Decision, **given: Any) -> Outcome:
    values = {"metric": "click", "value": 1.0, "at": decision.at, "received_at": decision.at, **given}
    return Outcome(decision.id, decision.campaign, **values)


def test_an_answer_means_that_another_process_can_read_it(
    fresh: Any, committing: Any, open_database: Callable[[], Database]
) -> None:
    (decision,) = fresh(1)
    elsewhere = open_database()

    async def scenario(committer: Committer) -> None:
        assert await committer.decision(decision) is decision
        assert stored(elsewhere) == {decision.id}
        assert (await committer.outcome(outcome(decision))).status is OutcomeStatus.ACCEPTED

    committing(scenario)


def test_many_share_a_transaction(fresh: Any, committing: Any, database: Database) -> None:
    decisions = fresh(300)
    commits: list[int] = []
    event.listen(database._engine, "commit", lambda connection: commits.append(1))

    async def scenario(committer: Committer) -> None:
        with busy(database):
            waiting = [asyncio.ensure_future(committer.decision(one)) for one in decisions]
            await asyncio.sleep(0)  # each of them has put its record in the queue then
        await asyncio.gather(*waiting)

    committing(scenario)
    assert stored(database) == {one.id for one in decisions}
    assert len(commits) <= 5


def test_one_bad_record_does_not_fail_its_neighbours(fresh: Any, committing: Any, database: Database) -> None:
    decisions = fresh(64)
    decisions[17] = replace(decisions[17], labels={"x": object()})
    decisions[40] = replace(decisions[40], labels={"x": "\ud800"})
    decisions[41] = replace(decisions[41], request_id="\ud800")
    decisions[50] = replace(decisions[50], version=99)  # no such version: a defect of ours
    bad_outcome = outcome(decisions[3], key="\ud800")

    async def scenario(committer: Committer) -> list[Any]:
        with busy(database):
            waiting = [asyncio.ensure_future(committer.decision(one)) for one in decisions]
            waiting += [asyncio.ensure_future(committer.outcome(one)) for one in (outcome(decisions[3]), bad_outcome)]  # type: ignore[misc]
            await asyncio.sleep(0)
        return await asyncio.gather(*waiting, return_exceptions=True)

    answers = committing(scenario)
    failed = {place: type(answer) for place, answer in enumerate(answers) if isinstance(answer, Exception)}
    assert failed == {17: InvalidRequest, 40: InvalidRequest, 41: InvalidRequest, 50: Unavailable, 65: InvalidRequest}
    assert stored(database) == {one.id for place, one in enumerate(decisions) if place not in failed}
    assert answers[64].status is OutcomeStatus.ACCEPTED


def test_a_caller_that_gives_up_does_not_lose_the_write(fresh: Any, committing: Any, database: Database) -> None:
    first, second = fresh(2)

    async def scenario(committer: Committer) -> None:
        with busy(database):
            given_up = asyncio.ensure_future(committer.decision(first))
            stays = asyncio.ensure_future(committer.decision(second))
            await taken(committer)
            given_up.cancel()
            with pytest.raises(asyncio.CancelledError):
                await given_up
        await stays

    committing(scenario)
    assert stored(database) == {first.id, second.id}


def test_closing_stores_what_waits(fresh: Any, committing: Any, database: Database) -> None:
    decisions = fresh(50)

    async def scenario(committer: Committer) -> list[Decision | Repeat]:
        with busy(database):
            waiting = [asyncio.ensure_future(committer.decision(decisions[0]))]
            await taken(committer)
            waiting += [asyncio.ensure_future(committer.decision(one)) for one in decisions[1:]]
            await asyncio.sleep(0)  # these stay in the queue
            closing = asyncio.ensure_future(asyncio.to_thread(committer.close))
            await until(lambda: committer._closing)
            with pytest.raises(Unavailable, match="shutting down"):
                await committer.decision(decisions[0])
        await closing
        return await asyncio.gather(*waiting)

    assert committing(scenario) == decisions
    assert len(stored(database)) == 50


def test_closing_twice_and_after_the_loop_has_gone(fresh: Any, database: Database) -> None:
    (decision,) = fresh(1)
    committer = Committer(Direct(database))

    async def leave() -> None:
        with busy(database):
            asyncio.ensure_future(committer.decision(decision))  # noqa: RUF006 nobody waits for it: that is the test
            await taken(committer)

    asyncio.run(leave())
    committer.close()
    committer.close()
    assert stored(database) == {decision.id}


def test_the_queue_is_bounded(fresh: Any, committing: Any, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    decisions = fresh(10)

    async def scenario(committer: Committer) -> list[Any]:
        with busy(database):
            waiting = [asyncio.ensure_future(committer.decision(decisions[0]))]
            await taken(committer)
            waiting += [asyncio.ensure_future(committer.decision(one)) for one in decisions[1:]]
            await asyncio.sleep(0)
        return await asyncio.gather(*waiting, return_exceptions=True)

    answers = committing(scenario)
    assert [type(one) for one in answers] == [*[Decision] * 4, *[Overloaded] * 6]
    assert stored(database) == {one.id for one in decisions[:4]}


def test_a_batch_is_bounded(fresh: Any, committing: Any, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BATCH", 7)
    decisions = fresh(50)

    async def scenario(committer: Committer) -> None:
        await asyncio.gather(*map(committer.decision, decisions))

    committing(scenario)
    assert len(stored(database)) == 50


def test_a_request_id_repeated_at_once_is_stored_once(fresh: Any, committing: Any, database: Database) -> None:
    decisions = [replace(one, request_id="r", request_hash="h") for one in fresh(100)]

    async def scenario(committer: Committer) -> list[Decision | Repeat]:
        return await asyncio.gather(*map(committer.decision, decisions))

    answers = committing(scenario)
    assert len(stored(database)) == 1
    assert {(one if isinstance(one, Decision) else one.decision).id for one in answers} == stored(database)


def limit_pages(database: Database, more: int) -> None:
    """Every connection from now on may let the file grow by so many pages only."""
    with database.reading() as connection:
        pages = int(connection.execute(text("PRAGMA page_count")).scalar_one())

    def limit(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages + more}")

    event.listen(database._engine, "connect", limit)
    database._engine.dispose()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_full_disk_is_told_and_loses_nothing_that_was_acknowledged(
    fresh: Any, committing: Any, database: Database
) -> None:
    decisions = [replace(one, labels={"x": "y" * 2_000}) for one in fresh(200)]
    limit_pages(database, 40)

    async def scenario(committer: Committer) -> set[str]:
        acknowledged = set()
        errors: list[EligeError] = []
        for one in decisions:
            try:
                await committer.decision(one)
            except EligeError as error:
                errors.append(error)
            else:
                acknowledged.add(one.id)
        assert {type(error) for error in errors} == {DiskFull}
        assert "full" in str(errors[0])
        return acknowledged

    acknowledged = committing(scenario)
    assert 0 < len(acknowledged) < 200
    assert stored(database) == acknowledged


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_database_that_became_read_only_is_told_and_may_recover(
    fresh: Any, committing: Any, database: Database
) -> None:
    first, *others, last = fresh(12)
    state = {"query_only": 0}

    def begin(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute(f"PRAGMA query_only = {state['query_only']}")

    event.listen(database._engine, "checkout", begin)

    async def scenario(committer: Committer) -> None:
        await committer.decision(first)
        state["query_only"] = 1
        errors = await asyncio.gather(*map(committer.decision, others), return_exceptions=True)
        assert {type(error) for error in errors} == {Unavailable}
        assert "readonly" in str(errors[0])
        assert len({id(error) for error in errors}) == len(others)  # raising one and the same would chain them up
        state["query_only"] = 0
        await committer.decision(last)

    committing(scenario)
    assert stored(database) == {first.id, last.id}


def test_answers_go_to_the_loops_that_asked(fresh: Any, database: Database) -> None:
    committer = Committer(Direct(database))
    decisions = fresh(40)
    answers: list[Any] = []

    def ask(part: list[Decision]) -> None:
        async def scenario() -> None:
            answers.extend(await asyncio.gather(*map(committer.decision, part)))

        asyncio.run(scenario())

    threads = [threading.Thread(target=ask, args=(decisions[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    committer.close()
    assert {one.id for one in answers} == stored(database) == {one.id for one in decisions}


LIMITED = """
import asyncio, pickle, resource, sys
from server.errors import EligeError
from server.store.committer import Committer, Direct
from server.store.database import Database

database = Database(sys.argv[1])
decisions = pickle.loads(sys.stdin.buffer.read())
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))  # as a file system that takes no more

async def main():
    committer = Committer(Direct(database))
    for one in decisions:
        try:
            await committer.decision(one)
        except EligeError as error:
            print("refused", error.code)
        else:
            print("stored", one.id, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.slow
def test_a_file_that_can_not_grow_loses_nothing_that_was_acknowledged(fresh: Any, url: str, database: Database) -> None:
    import pickle

    decisions = [replace(one, labels={"x": "y" * 2_000}) for one in fresh(300)]
    database.close()
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, url],
        input=pickle.dumps(decisions),
        capture_output=True,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}"},
        timeout=120,  # it does not wait for room that does not come
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    lines = ran.stdout.decode().split("\n")[:-1]
    acknowledged = {line.split()[1] for line in lines if line.startswith("stored")}
    refused = {line.split()[1] for line in lines if line.startswith("refused")}
    assert 0 < len(acknowledged) < 300
    assert refused <= {"UNAVAILABLE", "RESOURCE_EXHAUSTED"}
    assert refused
    assert acknowledged <= stored(database)
