"""The composition root: builds everything once, runs it, and takes it down in order."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import structlog

from server.backoff import Backoff
from server.errors import EligeError
from server.rpc.server import RpcServer
from server.service import Service
from server.settings import Settings
from server.store.database import Database
from server.training.process import supervise

log = structlog.get_logger()

REFRESH_SECONDS = 0.25
"""How often a server looks for newer campaigns and snapshots."""
STOP_SECONDS = 10.0
"""How long calls under way may take to finish."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def running(settings: Settings, *, train: bool = True) -> AsyncIterator[RpcServer]:
    """A server that answers while the block runs. Leaving it: stop accepting, finish, flush, end the trainer."""
    database = Database(settings.database)
    service = Service(database, clock=utc_now, entropy=secrets.token_bytes, longest_window=settings.longest_window)
    tasks: list[asyncio.Task[None]] = []
    try:
        await service.refresh()
        server = RpcServer(service, settings.listen)
        if train:
            # before the first connection: starting a process means a fork, and a fork knows all connections there are
            tried = asyncio.Event()
            tasks.append(asyncio.create_task(supervise(settings.database, tried=tried)))
            await tried.wait()
        await server.start()
        tasks.append(asyncio.create_task(_keep_fresh(service)))
        try:
            yield server
        finally:
            await server.stop(STOP_SECONDS)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await service.close()
        database.close()


async def serve(settings: Settings, *, ready: Callable[[int], None]) -> None:
    """Serve until SIGTERM or SIGINT. `ready` is called with the port once calls are answered."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with running(settings) as server:
        ready(server.port)
        await stopping.wait()
        log.info("stopping")


async def _keep_fresh(service: Service) -> None:
    """Until cancelled. What is in memory goes on being served while looking for newer things fails."""
    backoff = Backoff()
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        if not backoff.ready("", utc_now()):
            continue
        try:
            await service.refresh()
        except Exception as error:  # a server that stops looking would grow old in silence
            trouble = backoff.failed("", f"{type(error).__name__}: {error}", utc_now())
            told = trouble.known or isinstance(error, EligeError)
            log.warning(
                "refresh failed", reason=trouble.reason, failures=trouble.failures, exc_info=None if told else error
            )
        else:
            backoff.succeeded("")
