"""No process outlives what started it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.children import ROOT, ChildFailed, child, run

ECHO = "import os, sys; print(os.getpid(), flush=True); [print(line.upper(), end='', flush=True) for line in sys.stdin]"


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_child_is_spoken_with_in_lines_and_ends_with_the_block(tmp_path: Path) -> None:
    with child(["-c", ECHO], name="echo", folder=tmp_path) as echo:
        pid = int(echo.hear(seconds=60))
        echo.say("hola")
        assert echo.hear(seconds=60) == "HOLA"
        assert not gone(pid)
    assert gone(pid)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_child_ends_however_the_block_is_left(tmp_path: Path, error: type[BaseException]) -> None:
    pids = []

    def leave() -> None:
        with child(["-c", ECHO], name="echo", folder=tmp_path) as echo:
            pids.append(int(echo.hear(seconds=60)))
            raise error

    with pytest.raises(error):
        leave()
    assert gone(pids[0])


def test_a_child_that_dies_is_quoted(tmp_path: Path) -> None:
    with (
        pytest.raises(ChildFailed, match=r"(?s)^poet ended.*its last words:.*nevermore"),
        child(["-c", "import sys; sys.exit('nevermore')"], name="poet", folder=tmp_path) as poet,
    ):
        poet.hear(seconds=60)


def test_a_child_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    silent = "import sys; sys.stdin.read()"
    with (
        pytest.raises(ChildFailed, match=r"monk ended, or said nothing for 0\.1 s"),
        child(["-c", silent], name="monk", folder=tmp_path) as monk,
    ):
        monk.hear(seconds=0.1)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_ends_a_benchmark_and_its_children(number: int, status: int, tmp_path: Path) -> None:
    program = f"""
import signal
from pathlib import Path
from bench.children import child, run
def command():
    with child(["-c", {ECHO!r}], name="echo", folder=Path({str(tmp_path)!r})) as echo:
        print(echo.hear(seconds=60), flush=True)
        echo.hear(seconds=60)
signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal, wherever the tests run
run(command)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT) as benchmark:
        assert benchmark.stdout is not None
        pid = int(benchmark.stdout.readline())
        benchmark.send_signal(number)
        assert benchmark.wait(timeout=60) == status
    assert gone(pid)


def test_a_child_that_fails_ends_a_benchmark_with_one_message() -> None:
    def command() -> None:
        raise ChildFailed("poet ended")

    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    try:
        with pytest.raises(SystemExit, match="bench: poet ended"):
            run(command)
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGHUP), before, strict=True):
            signal.signal(number, handler)
