"""Evaluations as jobs: one after the other, each computed by a process of its own, so that serving never waits for it.

The server that takes one holds it. It starts the process, writes down how far it is, and ends it once somebody has
cancelled the evaluation. A process that ends without an answer (out of memory, killed) is begun once more, and so is
one whose server died, or that found the database away; the second time it is failed. A server that stops gives back
what it holds.
"""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog

from server.backoff import Backoff
from server.errors import DiskFull, EligeError, Overloaded, Unavailable
from server.evaluation.processes import LONGEST_LINE, ending, kill, start
from server.store import evaluations as evaluation_rows
from server.store.database import Database
from server.store.evaluations import ATTEMPTS, TURN, EvaluationState, StoredEvaluation

log = structlog.get_logger()

COMMAND = ("-m", "server.evaluation")
NICE = 10
"""Decisions come first."""
LOOK_SECONDS = 2.0
"""How often a server looks for evaluations that were asked for elsewhere, or whose server died."""
BEAT_SECONDS = 0.5
"""How often it looks whether one that runs was cancelled, and writes how far it is."""
HELD = timedelta(seconds=30)
"""How long nobody else takes one after its server's last sign of life."""
RENEW_SECONDS = 5.0
RETRY_SECONDS = 1.0
"""How long it waits with an answer that the database could not take."""


@dataclass(slots=True)
class _Heard:
    """What a process has told so far. The share of a stage is turned into one of the whole."""

    stages: int
    progress: float = 0.0
    stage: str = "starting"
    answer: Mapping[str, Any] | None = None
    seen: list[str] = field(default_factory=list)

    def hear(self, told: Mapping[str, Any]) -> None:
        if "stage" not in told:
            self.answer = told
            return
        self.stage = told["stage"]
        if self.stage not in self.seen:
            self.seen.append(self.stage)
        share = (len(self.seen) - 1 + told["done"]) / max(self.stages, len(self.seen))
        self.progress = max(self.progress, min(0.99, share))


class Jobs:
    """Takes evaluations and has them computed. Belongs to one event loop; what blocks runs in threads."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime], asked: asyncio.Event) -> None:
        """asked: set whenever one is asked for through this server, which need not wait for the next look."""
        self._database, self._clock, self._asked = database, clock, asked
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"[-100:]

    async def work(self) -> None:
        """Until cancelled."""
        backoff = Backoff()
        while True:
            self._asked.clear()
            try:
                taken = await asyncio.to_thread(self._take)
                if taken is not None:
                    await self._run(taken)
            except Exception as error:  # a server that stops looking would leave them waiting in silence
                trouble = backoff.failed("", f"{type(error).__name__}: {error}", self._clock())
                expected = trouble.known or isinstance(error, EligeError)
                log.warning("evaluations wait", reason=trouble.reason, exc_info=None if expected else error)
                await asyncio.sleep(trouble.pause.total_seconds())
                continue
            backoff.succeeded("")
            if taken is None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._asked.wait()

    def _take(self) -> StoredEvaluation | None:
        with self._database.reading() as connection:  # nearly always there is nothing to write
            if not evaluation_rows.waiting(connection, now=self._database.time_of(connection), lasts=HELD):
                return None
        with self._database.writing(TURN) as connection:
            now = self._database.time_of(connection)
            return evaluation_rows.take(connection, holder=self._holder, now=now, lasts=HELD)

    async def _run(self, taken: StoredEvaluation) -> None:
        heard = _Heard(stages=2 + 2 * len(taken.request.get("policies", ())))
        try:
            process = await start(*COMMAND, taken.id, address=self._database.address, nice=NICE)
        except OSError as error:  # no memory, too many processes
            await self._end(taken, None, f"its process could not be started: {error}")
            return
        listening = asyncio.create_task(_listen(process, heard))
        written = time.monotonic()
        try:
            while not (await asyncio.wait({listening}, timeout=BEAT_SECONDS))[0]:
                renew = time.monotonic() - written >= RENEW_SECONDS
                with suppress(EligeError):  # the database is away: it may be back before anybody else sees it
                    if not await asyncio.to_thread(self._beat, taken, heard, renew):
                        return
                    written = time.monotonic() if renew else written
            listening.result()
            why = f"its process ended without an answer, {ending(await process.wait())}"
        except asyncio.CancelledError:
            kill(process)
            with suppress(EligeError):
                await asyncio.shield(asyncio.to_thread(self._give_back, taken, counts=False))
            raise
        finally:
            listening.cancel()
            kill(process)
            await process.wait()
        await self._end(taken, heard.answer, why)

    def _beat(self, held: StoredEvaluation, heard: _Heard, renew: bool) -> bool:
        """Whether it is still ours."""
        now = (EvaluationState.RUNNING, heard.progress, heard.stage)
        with self._database.reading() as connection:
            stored = evaluation_rows.glance(connection, held.id)
        if stored == now and not renew:
            return True
        with self._database.writing(()) as connection:
            until = self._database.time_of(connection) + HELD
            return evaluation_rows.beat(connection, held, until=until, progress=heard.progress, stage=heard.stage)

    async def _end(self, held: StoredEvaluation, answer: Mapping[str, Any] | None, why: str) -> None:
        """Write down how it ended, as soon as the database lets us. A result for which there is no room keeps others
        waiting: after HELD it fails, where there is room for the reason at least.
        """
        began, told = time.monotonic(), answer
        while True:
            try:
                await asyncio.to_thread(self._write_end, held, told, why)
            except (Unavailable, DiskFull) as error:
                log.warning("evaluations wait", reason=str(error), exc_info=None)
                late = isinstance(error, DiskFull) and time.monotonic() - began >= HELD.total_seconds()
                if late and told is answer and answer is not None and "result" in answer:
                    told = {"code": error.code, "error": f"there is no room for its answer: {error}"}
                    continue
                told = answer
                await asyncio.sleep(RETRY_SECONDS)
            except EligeError as error:  # of the answer itself: trying again would keep all others waiting for ever
                told = answer = {"code": "INTERNAL", "error": f"its answer can't be kept: {error}"}
            else:
                return

    def _write_end(self, held: StoredEvaluation, answer: Mapping[str, Any] | None, why: str) -> None:
        away = answer is not None and answer.get("code") == Unavailable.code
        if (answer is None or away) and held.attempts < ATTEMPTS:
            why = answer["error"] if answer is not None else why
            log.warning("evaluation begun again", evaluation=held.id, reason=why)
            self._give_back(held, counts=True)
            return
        with self._database.writing(()) as connection:
            now = self._database.time_of(connection)
            if answer is None:
                error = f"{why}, {held.attempts} times: is there enough memory?"
                evaluation_rows.fail(connection, held, now=now, code="INTERNAL", error=error)
            elif "error" in answer:
                evaluation_rows.fail(connection, held, now=now, code=answer["code"], error=answer["error"])
            else:
                told = {"result": answer["result"], "provenance": answer["provenance"]}
                evaluation_rows.finish(connection, held, now=now, **told)

    def _give_back(self, held: StoredEvaluation, *, counts: bool) -> None:
        with self._database.writing(()) as connection:
            evaluation_rows.give_back(connection, held, counts=counts)


async def _listen(process: asyncio.subprocess.Process, heard: _Heard) -> None:
    assert process.stdout is not None
    try:
        while line := await process.stdout.readline():
            with suppress(orjson.JSONDecodeError):  # the process was killed in the middle of it
                heard.hear(orjson.loads(line))
    except ValueError:
        told = f"its result has more than {LONGEST_LINE:,} bytes: expected fewer groups or policies at once"
        heard.answer = {"code": Overloaded.code, "error": told}
