"""The trainer as a process: it trains, and ends when it is told to or when whoever started it is gone."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from server.errors import Unavailable
from server.store.database import Database
from server.training import process as module
from server.training.process import run, supervise
from server.training.trainer import Progress

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}"}


def wait_until(condition: Callable[[], object], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def closed(put: Any, hero: str, log: Any, clock: Any) -> None:
    """Ten decisions whose windows have closed, by the real clock."""
    clock.now = datetime.now(UTC) - timedelta(hours=1)
    put(hero)
    log.visits(10)


@contextmanager
def in_thread(url: str) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(url,), kwargs={"stop": stop})
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def test_it_trains_and_lets_go_of_its_leases(closed: None, url: str, sql: Callable[..., list[Any]]) -> None:
    with in_thread(url):
        wait_until(lambda: sql("SELECT * FROM snapshots"))
        assert len(sql("SELECT * FROM rewards")) == 10
    assert sql("SELECT * FROM leases WHERE expires_at <= :now", now=str(datetime.now(UTC)))


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_two_processes_never_have_one_name(url: str, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    monkeypatch.setattr(module, "Trainer", lambda *_, holder, **__: names.append(holder))
    stop = threading.Event()
    stop.set()
    for _ in range(2):
        with suppress(AttributeError):  # it has only a name
            run(url, stop=stop)
    assert len(set(names)) == 2


def test_a_database_that_is_away_is_waited_for_with_growing_patience(
    url: str, database: Database, monkeypatch: pytest.MonkeyPatch, said: list[Any]
) -> None:
    pauses: list[float] = []

    class Away:
        def __init__(self, *_: object, **__: object) -> None:
            self.steps = 0

        def step(self, now: datetime) -> Progress:
            self.steps += 1
            if self.steps in (4, 5):
                return Progress()
            raise Unavailable("the database refuses: it is away")

        def close(self, now: datetime) -> None:
            raise Unavailable("still away")

    class Stopping(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0.0)
            if len(pauses) == 7:
                self.set()
            return self.is_set()

    monkeypatch.setattr(module, "Trainer", Away)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 7.0))  # a pass takes no time
    run(url, stop=Stopping())
    assert pauses == [1, 2, 5, module.IDLE_SECONDS, module.IDLE_SECONDS, 1, 2]
    assert len([entry for entry in said if entry["event"] == "training waits"]) == 5


@pytest.mark.slow
def test_it_ends_when_whoever_started_it_is_gone(closed: None, url: str, sql: Callable[..., list[Any]]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "server.training"],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**ENVIRONMENT, "ELIGE_DB": url},
    )
    assert process.stdin is not None
    wait_until(lambda: sql("SELECT * FROM snapshots"))
    process.stdin.close()  # as the death of its parent would
    assert process.wait(60) == 0


@pytest.mark.slow
def test_a_database_that_is_away_is_one_sentence() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "server.training"],
        input=b"",
        capture_output=True,
        env={**ENVIRONMENT, "ELIGE_DB": "sqlite:///no/such/folder/x.db"},
        check=False,
    )
    assert ran.returncode == 1
    assert b"there is no folder" in ran.stderr
    assert b"Traceback" not in ran.stderr


@pytest.mark.slow
def test_a_supervised_trainer_is_started_again_and_ended_with_its_server(
    closed: None, url: str, sql: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch, said: list[Any]
) -> None:
    monkeypatch.setenv("PYTHONPATH", ENVIRONMENT["PYTHONPATH"])
    pids: list[int] = []
    create = asyncio.create_subprocess_exec

    async def remember(*args: Any, **given: Any) -> Any:
        process = await create(*args, stderr=asyncio.subprocess.DEVNULL, **given)
        pids.append(process.pid)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", remember)

    async def scenario() -> None:
        supervisor = asyncio.create_task(supervise(url, tried=asyncio.Event()))
        await asyncio.to_thread(wait_until, lambda: pids)
        os.kill(pids[0], signal.SIGKILL)
        await asyncio.to_thread(wait_until, lambda: len(pids) == 2 and sql("SELECT * FROM snapshots"))
        supervisor.cancel()
        with suppress(asyncio.CancelledError):
            await supervisor

    asyncio.run(scenario())
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert [entry["reason"] for entry in said if entry["event"] == "trainer ended"] == ["exit code -9"]


def test_a_trainer_that_can_not_be_started_is_tried_again(
    url: str, monkeypatch: pytest.MonkeyPatch, said: list[Any]
) -> None:
    monkeypatch.setattr(module, "RESTART_SECONDS", (0.0, 0.0, 0.01))
    enough = threading.Event()
    tries: list[int] = []

    async def refuse(*_: object, **__: object) -> None:
        tries.append(1)
        if len(tries) == 4:
            enough.set()
        raise OSError("no more processes")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)

    async def scenario() -> None:
        supervisor = asyncio.create_task(supervise(url, tried=asyncio.Event()))
        assert await asyncio.to_thread(enough.wait, 60)
        supervisor.cancel()
        with suppress(asyncio.CancelledError):
            await supervisor

    asyncio.run(scenario())
    told = [entry for entry in said if entry["event"] == "trainer ended"]
    assert [entry["restart_in_seconds"] for entry in told[:3]] == [0.0, 0.0, 0.01]
    assert all("no more processes" in entry["reason"] for entry in told)
