"""Calls that compute for seconds, each answered by a process of its own: decisions wait for none of them.

A thread of the server would take the interpreter from every decision meanwhile, and could not be ended. A process is:
as soon as its caller has gone, has waited for long enough, or the server has died.
"""

import asyncio
import pickle
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from server.errors import Overloaded
from server.evaluation.child import Answer
from server.evaluation.processes import ending, kill, start
from server.store.database import Database

T = TypeVar("T")

COMMAND = ("-m", "server.evaluation.answer")
NICE = 5
"""Decisions come first, but somebody waits for it."""
AT_ONCE = 2
"""A short one need not wait for a long one to end; more would take the memory, and the cores, of what serves."""
WAITING = 100
"""How many may wait for their turn. Whoever has no deadline would wait for ever."""


class Defect(Exception):
    """The process that should have answered failed as it never should."""


class Calls:
    """Has work done by processes, AT_ONCE at a time. Belongs to one event loop."""

    def __init__(self, address: str) -> None:
        """address: of the database that the work is done on."""
        self._address = address
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def answer(self, work: Callable[[Database], T]) -> T:
        """What `work(database)` returns in a process of its own; work and result are pickled. Cancelled, the process is
        ended before this is.

        Raises what the work raises, without more than its text; Overloaded where too many wait, or there is too little
        memory; Defect.
        """
        if self._waiting >= WAITING:
            raise Overloaded(f"{self._waiting} plans and diagnoses wait already: try again later")
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            answered: T = _told(await self._asked(pickle.dumps(work)))
        finally:
            self._turn.release()
        return answered

    async def _asked(self, work: bytes) -> Answer:
        try:
            process = await start(*COMMAND, address=self._address, nice=NICE)
        except OSError as error:
            raise Overloaded(f"the process that should answer could not be started: {error}") from error
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with suppress(ConnectionError):  # it has ended already, which is found out below
                process.stdin.write(work)
                await process.stdin.drain()
            told = await process.stdout.read()
            code = await process.wait()
        finally:
            kill(process)
            await process.wait()
        try:
            answer: Answer = pickle.loads(told)
        except (EOFError, pickle.UnpicklingError):  # it ended before the end of its answer
            how = ending(code)
            if code < 0:
                raise Overloaded(f"the process that should answer ended, {how}: is there enough memory?") from None
            raise Defect(f"the process that should answer ended {how}, and said nothing") from None
        return answer


def _told(answer: Answer) -> Any:
    if not answer.refused:
        return answer.value
    if answer.error is None:
        raise Defect("the process that should answer failed; it has said why above")
    # by its text alone: the words that its class was once given are in it
    raise answer.error.__new__(answer.error, answer.why)
