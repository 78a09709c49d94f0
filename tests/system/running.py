"""One running server, and what it takes to wait for it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from elige.client import Client

T = TypeVar("T")
ELIGE = [sys.executable, "-c", "from server.cli import main; main()"]


@dataclass
class Server:
    """One `elige serve`."""

    process: subprocess.Popen[str]
    address: str
    log: Path

    def client(self, **options: Any) -> Client:
        return Client(self.address, **{"decide_timeout": 60.0, **options})

    def stop(self, number: int = signal.SIGTERM) -> int:
        """The exit status after this signal."""
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def end(self) -> None:
        """However it is, it is gone afterwards."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    @property
    def trainer(self) -> int:
        """The process id of its trainer, once there is one."""
        return eventually(lambda: next(iter(children(self.process.pid)), None))


def start_server(*arguments: str, db: str, log: Path) -> Server:
    """`elige serve` on a free port, answering; what it complains of goes to `log`."""
    command = [*ELIGE, "serve", "--db", db, "--listen", "localhost:0", *arguments]
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=log.parent)
    assert process.stdout is not None
    match = re.search(r" on (\S+:\d+)", process.stdout.readline())
    if match is None:
        process.kill()
        process.communicate()  # a pipe that is left open fails whatever test comes next
        raise AssertionError(log.read_text())
    return Server(process, match[1], log)


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError):
            found += [int(child) for child in task.read_text().split()]
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(ask: Callable[[], T | None], *, seconds: float = 60.0) -> T:
    """The first answer that is not None or False. Fails after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = ask()
        if answer is not None and answer is not False:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")
