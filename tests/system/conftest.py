"""The product as its users have it: `elige` as a program, a real server, the real client."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.running import ELIGE, Server


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'elige.db'}"


@pytest.fixture
def serve(tmp_path: Path, database: str) -> Iterator[Callable[..., Server]]:
    """A factory of servers on free ports, over one database unless told otherwise."""
    started: list[Server] = []

    def start(*arguments: str, db: str = database) -> Server:
        log = tmp_path / f"server-{len(started)}.log"
        command = [*ELIGE, "serve", "--db", db, "--listen", "localhost:0", *arguments]
        with log.open("w") as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert process.stdout is not None
        match = re.search(r" on (\S+:\d+)", process.stdout.readline())
        assert match, log.read_text()
        started.append(Server(process, match[1], log))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.wait()
        if server.process.stdout:
            server.process.stdout.close()


@pytest.fixture
def elige(database: str, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run one command of the command line over the test's database, in the test's folder."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        known = {**os.environ, "ELIGE_DB": database, "COLUMNS": "200", **environment}
        return subprocess.run(
            [*ELIGE, *arguments], env=known, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False
        )

    return run
