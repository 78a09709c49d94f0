"""Calls that a process of its own answers: what it told, and that it ends with whoever waits for it. Most processes
here only do what the test wants.
"""

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from policies.registry import PolicyError
from server.errors import EligeError, InvalidRequest, NoSuchCampaign, Overloaded, WrongState
from server.evaluation import calls as module
from server.evaluation import processes
from server.evaluation.answer import answer_to
from server.evaluation.calls import Calls, Defect
from server.evaluation.child import Answer
from server.store.database import Database
from simulator import LogError

SAYS = """
import os, pathlib, sys, time
with open(pathlib.Path({folder!r}) / "begun", "a") as file:
    print(os.getpid(), file=file, flush=True)
"""
WAITS = "while os.read(0, 1024): pass"
WORK = """
import os, time

def waits(database):
    os.write(3, b"waiting\\n")
    time.sleep(60)
"""


@pytest.fixture
def does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """What each process does; it leaves its number in a file."""

    def does(script: str) -> None:
        monkeypatch.setattr(module, "COMMAND", ("-S", "-c", SAYS.format(folder=str(tmp_path)) + script))

    return does


@pytest.fixture
def begun(tmp_path: Path) -> Callable[[], list[int]]:
    """The processes that were begun."""

    def begun() -> list[int]:
        file = tmp_path / "begun"
        return list(map(int, file.read_text().split())) if file.exists() else []

    return begun


def tells(answer: Answer) -> str:
    return f"sys.stdout.buffer.write({pickle.dumps(answer)!r})"


def nothing(database: object) -> None:
    raise AssertionError("it is never called here")


def run(scenario: Callable[[Calls], Coroutine[Any, Any, Any]], address: str = "sqlite:///nowhere.db") -> Any:
    async def with_calls() -> Any:
        return await scenario(Calls(address))

    return asyncio.run(with_calls())


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.005)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NoSuchCampaign("nope", ["hero"]), Answer(None, True, NoSuchCampaign, "no campaign 'nope'; known: 'hero'")),
        (PolicyError("no policy"), Answer(None, True, InvalidRequest, "no policy")),
        (LogError("log", ["empty"]), Answer(None, True, WrongState, "log 'log': empty")),
        (MemoryError(), Answer(None, True, Overloaded, "it needs more memory than there is")),
        (ZeroDivisionError(), Answer(None, True, None, "")),
    ],
)
def test_an_answer_says_what_the_caller_may_know(
    tmp_path: Path, said: list[Any], error: Exception, told: Answer
) -> None:
    Database(url := f"sqlite:///{tmp_path / 'elige.db'}").close()

    def fails(database: Database) -> None:
        raise error

    assert answer_to(url, fails) == told
    assert [one["event"] for one in said] == (["computing failed"] if told.error is None else [])
    assert answer_to(url, lambda database: 7) == Answer(7)


def test_what_it_told_is_the_answer(does: Any, begun: Any) -> None:
    does(tells(Answer({"plan": 7})))
    assert run(lambda calls: calls.answer(nothing)) == {"plan": 7}
    (pid,) = begun()
    assert not alive(pid)


@pytest.mark.parametrize(
    ("script", "kind", "told"),
    [
        ("os.kill(os.getpid(), 9)", Overloaded, "ended, killed by SIGKILL: is there enough memory"),
        ("sys.exit(3)", Defect, "ended with exit code 3, and said nothing"),
        (tells(Answer("x" * 100))[:-60] + "')", Defect, "ended with exit code"),
        (tells(Answer(refused=True, error=Overloaded, why="no memory")), Overloaded, "no memory"),
        (tells(Answer(refused=True)), Defect, "failed"),
    ],
    ids=["killed", "ended", "half an answer", "refused", "defect"],
)
def test_one_that_can_not_answer_says_why(does: Any, script: str, kind: type[Exception], told: str) -> None:
    does(script)
    with pytest.raises(kind, match=told):
        run(lambda calls: calls.answer(nothing))


def test_a_process_that_can_not_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes.sys, "executable", "/nowhere/python")
    with pytest.raises(Overloaded, match=r"could not be started: .*nowhere"):
        run(lambda calls: calls.answer(nothing))


def test_who_goes_away_ends_the_process_and_who_waits_is_next(does: Any, begun: Any) -> None:
    does(WAITS)

    async def scenario(calls: Calls) -> None:
        asked = [asyncio.create_task(calls.answer(nothing)) for _ in range(module.AT_ONCE + 2)]
        await until(lambda: len(begun()) == module.AT_ONCE)
        first, *_, waits, last = asked
        assert all(alive(pid) for pid in begun())
        waits.cancel()  # it has no process yet
        first.cancel()
        await asyncio.wait({waits, first})
        assert sum(alive(pid) for pid in begun()[: module.AT_ONCE]) == module.AT_ONCE - 1
        await until(lambda: len(begun()) == module.AT_ONCE + 1)  # the turn of the last
        assert os.getpriority(os.PRIO_PROCESS, begun()[-1]) == module.NICE
        for one in asked:
            one.cancel()
        await asyncio.wait({last, *asked})

    run(scenario)
    assert len(begun()) == module.AT_ONCE + 1
    assert not any(alive(pid) for pid in begun())


def test_no_more_wait_than_can_be_served(does: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 1)
    does(WAITS)

    async def scenario(calls: Calls) -> None:
        asked = [asyncio.create_task(calls.answer(nothing)) for _ in range(module.AT_ONCE + 1)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="1 plans and diagnoses wait already"):
            await calls.answer(nothing)
        for one in asked:
            one.cancel()
        await asyncio.wait(asked)

    run(scenario)


def test_it_ends_with_its_server_however_that_dies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Killed by -9, a server says nothing: its end of the pipe is closed."""
    (tmp_path / "elige_test_work.py").write_text(WORK, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import elige_test_work  # type: ignore[import-not-found]

    Database(url := f"sqlite:///{tmp_path / 'elige.db'}").close()
    environment = {**os.environ, "ELIGE_DB": url, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command, pipe = [sys.executable, *module.COMMAND], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment, start_new_session=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(pickle.dumps(elige_test_work.waits))
        process.stdin.flush()
        assert process.stdout.readline() == b"waiting\n"
        process.stdin.close()
        assert process.wait(timeout=30) == -signal.SIGKILL


def test_only_errors_that_a_caller_is_told_come_by_their_class() -> None:
    kinds = [EligeError, *EligeError.__subclasses__()]
    for kind in kinds:
        with pytest.raises(kind, match=r"^why$"):
            module._told(Answer(refused=True, error=kind, why="why"))
