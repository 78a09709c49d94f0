"""Processes that a benchmark starts, and that never outlive it."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 15.0
"""How long a process may take to end once asked."""


class ChildFailed(RuntimeError):
    """A process of the benchmark ended, or said nothing in time."""


class Child:
    """A process that is spoken with in lines: its standard input and output. What it complains of goes to a file."""

    def __init__(self, process: "subprocess.Popen[str]", *, name: str, complaints: Path) -> None:
        self._process = process
        self._name = name
        self._complaints = complaints

    def say(self, line: str) -> None:
        """Raises ChildFailed."""
        try:
            print(line, file=_pipe(self._process.stdin), flush=True)
        except BrokenPipeError as error:
            raise self._failure("has ended") from error

    def hear(self, *, seconds: float) -> str:
        """The next line. A process that says nothing for so long is killed. Raises ChildFailed."""
        late = threading.Timer(seconds, self._process.kill)
        try:
            late.start()
            line = _pipe(self._process.stdout).readline()
        finally:
            late.cancel()
        if not line:
            raise self._failure(f"ended, or said nothing for {seconds:g} s")
        return line.rstrip("\n")

    def _failure(self, what: str) -> ChildFailed:
        last = self._complaints.read_text(encoding="utf-8", errors="replace")[-2000:].strip()
        return ChildFailed(f"{self._name} {what}" + (f"; its last words:\n{last}" if last else ""))


@contextmanager
def child(arguments: Sequence[str], *, name: str, folder: Path) -> Iterator[Child]:
    """A Python process, `python ARGUMENTS`, for as long as the block runs; leaving it, however, ends the process."""
    complaints = folder / f"{name}.stderr"
    with complaints.open("w", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=ROOT,  # where this package is found
            start_new_session=True,  # Ctrl-C reaches only us, and we end it in order
        )
    try:
        yield Child(process, name=name, complaints=complaints)
    finally:
        _end(process)


def run(command: Callable[[], None]) -> None:
    """Run a command line so that it ends its processes however it ends: Ctrl-C, SIGTERM, a terminal that is closed."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    try:
        command()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except ChildFailed as error:
        sys.exit(f"bench: {error}")


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.communicate(timeout=STOP_SECONDS)
    except BaseException as error:
        process.kill()
        process.communicate()
        if not isinstance(error, subprocess.TimeoutExpired):  # a second Ctrl-C: it is dead, and so may we be
            raise


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None  # every process here was started with pipes
    return stream
