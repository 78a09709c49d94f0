"""Group commit: many decisions and outcomes in one transaction, and an answer only after it.

One thread owns all writing of the request path. While one transaction is on its way to the disk the next batch
gathers, so that a commit is shared by as many callers as came in the meantime. Where it goes is the target's business:
the database itself, or the outbox in front of it.
"""

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from sqlalchemy.exc import DBAPIError, StatementError

from server.errors import DiskFull, EligeError, InvalidRequest, Overloaded, Unavailable
from server.records import Activated, Activation, Decision, Outcome, Recorded
from server.store.appending import Record, append, kind_of
from server.store.database import Database
from server.store.decisions import Repeat

log = structlog.get_logger()

MAX_WAITING = 50_000
"""Records that may wait for the disk; past that callers are refused, so that memory stays bounded."""
MAX_BATCH = 5_000


class Target(Protocol):
    """Where records become durable. Used by one thread."""

    def append(self, batch: Sequence[Record]) -> Sequence[Any]:
        """Store all of them or none, durable on return; the answers in the order of the batch, each of its kind.

        Raises Unavailable and DiskFull for all of them; anything else where one of them can't be stored.
        """
        ...


@dataclass(frozen=True, slots=True)
class Direct:
    """The database itself."""

    database: Database

    def append(self, batch: Sequence[Record]) -> Sequence[Any]:
        with self.database.writing({record.campaign for record in batch}) as connection:
            return append(connection, batch)


@dataclass(frozen=True, slots=True)
class _Waiting:
    record: Record
    answer: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class Committer:
    """Stores decisions and outcomes for coroutines of any event loop. `close()` stores what waits, then stops."""

    def __init__(self, target: Target) -> None:
        self.committed: Counter[str] = Counter()
        """How many records were acknowledged, by kind."""
        self._target = target
        self._queue: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="elige-committer", daemon=True)
        self._thread.start()

    async def decision(self, decision: Decision) -> Decision | Repeat:
        """Store a decision; the answer is durable. Raises Unavailable, Overloaded, DiskFull, InvalidRequest."""
        answer: Decision | Repeat = await self._put(decision)
        return answer

    async def outcome(self, outcome: Outcome) -> Recorded:
        """Store an outcome; the answer is durable. Raises Unavailable, Overloaded, DiskFull, InvalidRequest."""
        answer: Recorded = await self._put(outcome)
        return answer

    async def activation(self, activation: Activation) -> Activated:
        """Store an activation; the answer is durable. Raises what activations.append answers, and as `outcome`."""
        answer: Activated = await self._put(activation)
        return answer

    def close(self) -> None:
        """Store all that waits and stop. Safe to call twice."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    async def _put(self, record: Record) -> Any:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(record, loop.create_future(), loop)
        with self._changed:
            if self._closing:
                raise Unavailable("the server is shutting down")
            if len(self._queue) >= MAX_WAITING:
                raise Overloaded(f"{MAX_WAITING} records wait for the disk")
            self._queue.append(waiting)
            self._changed.notify()
        return await waiting.answer  # a caller that gives up cancels its answer, not the write

    def _run(self) -> None:
        while batch := self._next_batch():
            self._commit(batch)

    def _next_batch(self) -> list[_Waiting]:
        """Blocks for at least one record; empty once closing and drained."""
        with self._changed:
            while not self._queue and not self._closing:
                self._changed.wait()
            return [self._queue.popleft() for _ in range(min(len(self._queue), MAX_BATCH))]

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        try:
            answers = self._target.append([waiting.record for waiting in batch])
        except (Unavailable, DiskFull) as error:
            # an exception of its own for each caller: raising one and the same in thousands of tasks chains them up
            _resolve(batch, [type(error)(str(error)) for _ in batch])
        except Exception as error:  # noqa: BLE001 the thread serves everybody: it answers with the error and goes on
            if len(batch) == 1:
                _resolve(batch, [_refused(error)])
                return
            middle = len(batch) // 2  # one bad record must not fail its neighbours, nor cost them a commit each
            self._commit(batch[:middle])
            self._commit(batch[middle:])
        else:
            self.committed.update(kind_of(waiting.record) for waiting in batch)
            _resolve(batch, answers)


def _refused(error: Exception) -> EligeError:
    """What to answer for a record that can't be stored: it is the record's fault, or ours."""
    if isinstance(error, InvalidRequest):
        return error
    reason = error.orig if isinstance(error, StatementError) else error
    # SQLAlchemy wraps what it could not convert; what the database itself refused is a DBAPIError
    converted = isinstance(error, StatementError) and not isinstance(error, DBAPIError)
    if converted or isinstance(error, (ValueError, TypeError, OverflowError)):
        return InvalidRequest(f"it can't be stored: {reason}")
    log.error("the log refuses a record", exc_info=error)
    return Unavailable(f"the log refuses it: {reason}")


def _resolve(batch: Sequence[_Waiting], answers: Sequence[Any]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for waiting, answer in zip(batch, answers, strict=True):
        by_loop.setdefault(waiting.loop, []).append((waiting.answer, answer))
    for loop, pairs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_set_all, pairs)  # one wake-up for the whole batch
        except RuntimeError:  # the loop is closed: nobody waits any more, and the rows are stored
            continue


def _set_all(pairs: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, answer in pairs:
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
