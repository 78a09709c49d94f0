"""The trainer as a process of its own, and its supervision by a server."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import structlog

from server.backoff import Backoff
from server.durations import iso_duration
from server.errors import EligeError
from server.settings import DRAIN_GRACE, GRACE
from server.store.database import Database, shown
from server.training.trainer import Trainer

log = structlog.get_logger()

IDLE_SECONDS = 0.25
"""From the beginning of a pass to that of the next, unless more waits: so long, at least, between two snapshots."""
LEAST_PAUSE = 0.05
"""After a pass that took longer: the database is for others, too."""
RESTART_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
STABLE_SECONDS = 30.0


def run(url: str, *, drain_grace: timedelta = DRAIN_GRACE, stop: threading.Event | None = None) -> None:
    """Train until told to stop by SIGTERM, SIGINT or the end of standard input: when the server that started this
    process dies, however it dies, its end of the pipe closes.
    """
    stopping = stop or threading.Event()
    if stop is None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
    database = Database(url)
    # two containers may both be process 1 of the same host: one name for both would be one lease for both
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    trainer = Trainer(database, holder=holder, grace=GRACE, drain_grace=drain_grace)
    backoff = Backoff()
    log.info("trainer started", database=shown(url))
    while not stopping.is_set():
        began, pause = time.monotonic(), 0.0
        try:
            if not trainer.step(datetime.now(UTC)).behind:
                pause = max(LEAST_PAUSE, IDLE_SECONDS - (time.monotonic() - began))
        except EligeError as error:
            trouble = backoff.failed("", str(error), datetime.now(UTC))
            pause = trouble.pause.total_seconds()
            log.warning("training waits", reason=trouble.reason, failures=trouble.failures, seconds=pause)
        else:
            backoff.succeeded("")
        stopping.wait(pause)
    with contextlib.suppress(EligeError):
        trainer.close(datetime.now(UTC))
    database.close()


def stop_at_end_of_input(stopping: threading.Event) -> None:
    """Set the event once standard input ends."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        stopping.set()

    threading.Thread(target=watch, name="elige-parent-watch", daemon=True).start()


async def supervise(url: str, *, tried: asyncio.Event, drain_grace: timedelta = DRAIN_GRACE) -> None:
    """Keep one trainer process running until cancelled; then end it gently. `tried`: the first one was started, or
    could not be.
    """
    failures = 0
    while True:
        began = asyncio.get_running_loop().time()
        ended = await _train(url, tried, drain_grace)
        stable = asyncio.get_running_loop().time() - began > STABLE_SECONDS
        failures = 1 if stable else failures + 1
        pause = RESTART_SECONDS[min(failures, len(RESTART_SECONDS)) - 1]
        log.error("trainer ended", reason=ended, restart_in_seconds=pause)
        await asyncio.sleep(pause)


async def _train(url: str, tried: asyncio.Event, drain_grace: timedelta) -> str:
    """Run one trainer process; how it ended."""
    # not as arguments, which `ps` shows to everybody
    told = {"ELIGE_DB": url, "ELIGE_DRAIN_GRACE": iso_duration(drain_grace)}
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "server.training",
            stdin=asyncio.subprocess.PIPE,
            env={**os.environ, **told},
        )
    except OSError as error:  # no memory, too many processes: perhaps later
        return f"could not be started: {error}"
    finally:
        tried.set()
    try:
        return f"exit code {await process.wait()}"
    except asyncio.CancelledError:
        await _end(process)
        raise


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), timeout=10)
    except TimeoutError:
        process.kill()  # safe: all it knows is in the database
        await process.wait()
