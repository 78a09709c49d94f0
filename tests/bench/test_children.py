"""No process outlives what started it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.children import ROOT, ChildFailed, child

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
    pid = 0
    with pytest.raises(error), child(["-c", ECHO], name="echo", folder=tmp_path) as echo:
        pid = int(echo.hear(seconds=60))
        raise error
    assert gone(pid)


def test_a_child_that_dies_is_quoted(tmp_path: Path) -> None:
    with (
        pytest.raises(ChildFailed, match=r"(?s)^poet ended.*its last words:.*nevermore"),
        child(["-c", "import sys; sys.exit('nevermore')"], name="poet", folder=tmp_path) as poet,
    ):
        poet.hear(seconds=60)


def test_a_child_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    silent = "import sys; sys.stdin.read()"
    with (
        pytest.raises(ChildFailed, match="monk ended, or said nothing for 0.1 s"),
        child(["-c", silent], name="monk", folder=tmp_path) as monk,
    ):
        monk.hear(seconds=0.1)


def test_sigterm_ends_the_children_of_a_benchmark_too(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from bench.children import child, stopping_on_sigterm
stopping_on_sigterm()
with child(["-c", {ECHO!r}], name="echo", folder=Path({str(tmp_path)!r})) as echo:
    print(echo.hear(seconds=60), flush=True)
    echo.hear(seconds=60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT) as benchmark:
        assert benchmark.stdout is not None
        pid = int(benchmark.stdout.readline())
        benchmark.send_signal(signal.SIGTERM)
        assert benchmark.wait(timeout=60) == 143
    assert gone(pid)
