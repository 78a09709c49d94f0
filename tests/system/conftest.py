"""The product as its users have it: `elige` as a program, a real server, the real client."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.postgres import Postgres, running_postgres
from tests.system.running import ELIGE, Server, start_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL, started for the first test that asks."""
    with running_postgres() as one:
        yield one


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'elige.db'}"


@pytest.fixture
def serve(tmp_path: Path, database: str) -> Iterator[Callable[..., Server]]:
    """A factory of servers on free ports, over one database unless told otherwise."""
    started: list[Server] = []

    def start(*arguments: str, db: str = database) -> Server:
        started.append(start_server(*arguments, db=db, log=tmp_path / f"server-{len(started)}.log"))
        return started[-1]

    yield start
    for server in started:
        server.end()


@pytest.fixture
def elige(database: str, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run one command of the command line over the test's database, in the test's folder."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        known = {**os.environ, "ELIGE_DB": database, "COLUMNS": "200", **environment}
        return subprocess.run(
            [*ELIGE, *arguments], env=known, capture_output=True, text=True, timeout=600, cwd=tmp_path, check=False
        )

    return run
