"""The composition root: builds everything once, runs it, and takes it down in order."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime

import structlog

from server.backoff import Backoff
from server.errors import DatabaseUnusable, EligeError
from server.evaluation.jobs import Jobs
from server.evaluation.keeping import drop_what_is_old
from server.metrics import Figures, told
from server.rpc.server import RpcServer
from server.service import Service
from server.settings import Durability, Settings
from server.store import notices
from server.store.database import MEMORY, Database
from server.store.front import Front, buffered, direct
from server.training.process import supervise

log = structlog.get_logger()

REFRESH_SECONDS = 0.1
"""How often a server looks for newer campaigns and snapshots, also when nobody tells it of any."""
WATCH_SECONDS = 0.25
"""How often health checks are told whether the database answers."""
STOP_SECONDS = 10.0
"""How long calls under way may take to finish."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def running(settings: Settings, *, train: bool = True) -> AsyncIterator[RpcServer]:
    """A server that answers while the block runs. Leaving it: stop accepting, finish, flush, end the trainer."""
    database = Database(settings.database)
    if settings.database == MEMORY:
        log.warning("nothing is kept: the database goes with the server")
    try:
        front = _front(settings, database)
    except BaseException:
        database.close()
        raise
    service = Service(
        database, clock=utc_now, entropy=secrets.token_bytes, longest_window=settings.longest_window, front=front
    )
    tasks: list[asyncio.Task[None]] = []
    opened = ExitStack()
    try:
        await service.refresh()
        if settings.metrics is not None:
            opened.enter_context(told(Figures(front, service.committed, clock=utc_now), settings.metrics))
        server = RpcServer(service, settings.listen)
        if train:
            # before the first connection: starting a process means a fork, and a fork knows all connections there are
            tried = asyncio.Event()
            training = supervise(database.address, tried=tried, drain_grace=settings.drain_grace)
            tasks.append(asyncio.create_task(training))
            await tried.wait()
        await server.start()
        news = asyncio.Event()
        tasks.append(asyncio.create_task(notices.listen(database, news.set)))
        tasks.append(asyncio.create_task(_keep_fresh(service, news, front)))
        tasks.append(asyncio.create_task(_keep_told(server, front)))
        if settings.keep_evaluations is not None:
            dropping = drop_what_is_old(database, settings.keep_evaluations, clock=utc_now)
            tasks.append(asyncio.create_task(dropping))
        tasks.append(asyncio.create_task(Jobs(database, clock=utc_now, asked=service.evaluation_asked).work()))
        try:
            yield server
        finally:
            await server.stop(STOP_SECONDS)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        opened.close()
        await service.close()
        await asyncio.to_thread(front.close)
        database.close()


def _front(settings: Settings, database: Database) -> Front:
    """Raises DatabaseUnusable for an outbox that makes no sense, or can't be had."""
    local = database.url.get_backend_name() == "sqlite"
    durability = settings.durability or (Durability.DATABASE if local else Durability.OUTBOX)
    if durability is Durability.DATABASE:
        return direct(database)
    if local:
        raise DatabaseUnusable("--durability outbox is for PostgreSQL: a SQLite database is a local file itself")
    return buffered(database, settings.outbox, clock=utc_now)


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


async def _keep_told(server: RpcServer, front: Front) -> None:
    """Until cancelled: tell health checks whether the database answers."""
    while True:
        front.watch()
        await server.set_database(up=front.presence.up)
        await asyncio.sleep(WATCH_SECONDS)


async def _keep_fresh(service: Service, news: asyncio.Event, front: Front) -> None:
    """Until cancelled; at once where there is `news`. What is in memory goes on being served while looking for
    newer things fails.
    """
    backoff = Backoff()
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(REFRESH_SECONDS):  # wait_for of Python 3.11 loses a cancellation beside news
                await news.wait()
        news.clear()
        if front.drain is not None and not front.presence.up:  # it finds out when there is sense in looking again
            backoff.succeeded("")
            continue
        if not backoff.ready("", utc_now()):
            continue
        try:
            await service.refresh()
        except Exception as error:  # a server that stops looking would grow old in silence
            trouble = backoff.failed("", f"{type(error).__name__}: {error}", utc_now())
            expected = isinstance(error, EligeError)
            if expected and front.drain is None:
                front.presence.lost(str(error))
            log.warning(
                "refresh failed",
                reason=trouble.reason,
                failures=trouble.failures,
                exc_info=None if trouble.known or expected else error,
            )
        else:
            backoff.succeeded("")
            if front.drain is None and front.presence.back():
                log.info("the database is back", drained=0)
