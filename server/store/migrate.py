"""The schema of a database: made, recognised, upgraded. What it is now stands in tables.py, how it came to be in
migrations/, which revision a database has in Alembic's own table.

Alembic is imported only where a schema is made or changed: opening a database compares one row.
"""

import secrets
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, select

from server.errors import DatabaseUnusable
from server.store.tables import meta, metadata

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0003"
"""The revision that this program needs: the newest under migrations/versions."""
BASELINE = "0001"
"""What databases hold that were made before there were migrations."""
FOLDER = Path(__file__).with_name("migrations")

_version = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
_one_at_a_time = threading.Lock()  # Alembic's context is a global


def revision(connection: Connection) -> str | None:
    """The revision of the database's schema; None where there is no schema yet."""
    if inspect(connection).has_table(_version.name):
        found: str = connection.execute(select(_version.c.version_num)).scalar_one()
        return found
    return BASELINE if inspect(connection).has_table(meta.name) else None


def is_current(connection: Connection) -> bool:
    """Whether nothing is left to do; reads only."""
    tables = inspect(connection)
    return tables.has_table(_version.name) and revision(connection) == HEAD


def settle(connection: Connection, url: str, *, upgrade: bool = False, create: bool = True) -> str | None:
    """Make the schema where there is none, note its revision where nobody has, and upgrade an older one if asked to;
    all of it or nothing. Returns the revision found, None for none. Raises DatabaseUnusable for a schema that is newer,
    or older and not to be upgraded, or missing and not to be made.
    """
    found = revision(connection)
    if found is None and not create:
        raise DatabaseUnusable(f"there is no database at {url}")
    if found is None:
        _upgrade(connection)
        connection.execute(insert(meta).values(name="secret", value=secrets.token_hex(32)))
        return None
    if found > HEAD:
        raise DatabaseUnusable(
            f"the database has schema {found}, this program knows up to {HEAD}: a newer elige upgraded it; use that one"
        )
    if found < HEAD and not upgrade:
        raise DatabaseUnusable(
            f"the database has schema {found}, this program needs {HEAD}: "
            f"stop its servers, keep a copy, then run: elige db upgrade --db {url}"
        )
    if not inspect(connection).has_table(_version.name):
        _version.create(connection)
        connection.execute(insert(_version).values(version_num=BASELINE))
    if found < HEAD:
        _upgrade(connection)
    return found


def differences(connection: Connection) -> list[str]:
    """Where the database's tables are not those of tables.py, as Alembic tells it."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def ours(item: Any, name: str | None, kind: str, reflected: bool, compared: object) -> bool:
        if not reflected or compared is not None:
            return True
        if kind == "foreign_key_constraint":  # PostgreSQL repeats those to a partitioned table for its partitions
            return item.elements[0].target_fullname.partition(".")[0] in metadata.tables
        return kind != "table"  # tables of others are no business of ours

    context = MigrationContext.configure(connection, opts={"include_object": ours, "target_metadata": metadata})
    return [str(difference) for difference in compare_metadata(context, metadata)]


def configuration(connection: Connection) -> "Config":
    """What Alembic would read from an ini file."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))  # the value is interpolated
    config.set_main_option("path_separator", "os")  # how lists of folders are written; unsaid, it warns
    return config


def _upgrade(connection: Connection) -> None:
    from alembic import command

    with _one_at_a_time:
        command.upgrade(configuration(connection), HEAD)
