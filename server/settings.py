"""What an operator can set, from the command line or the environment, in one place."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

DEFAULT_DATABASE = "sqlite:///elige.db"
DEFAULT_PORT = 7461
DEFAULT_ADDRESS = f"localhost:{DEFAULT_PORT}"
DEV_WINDOW = timedelta(seconds=5)

GRACE = timedelta(milliseconds=250)
"""How long after its close a window waits for outcomes that are being committed."""

DEFAULT_OUTBOX = "elige-outbox.db"
DRAIN_GRACE = timedelta(minutes=5)
"""How long windows wait for a server that has acknowledged what is not in the database yet, and says nothing."""


class Durability(StrEnum):
    """What an answer waits for."""

    DATABASE = "database"  # its commit
    OUTBOX = "outbox"  # that of a local file, from which the database gets it a moment later


@dataclass(frozen=True, slots=True)
class Settings:
    """How one server runs. `dev` closes every reward window after 5 seconds. No `durability`: as suits the database.
    `metrics`: where Prometheus asks, HOST:PORT. `keep_evaluations`: for how long after they have ended; None: for ever.
    """

    database: str = DEFAULT_DATABASE
    listen: str = DEFAULT_ADDRESS
    dev: bool = False
    durability: Durability | None = None
    outbox: str = DEFAULT_OUTBOX
    drain_grace: timedelta = DRAIN_GRACE
    metrics: str | None = None
    keep_evaluations: timedelta | None = None

    @property
    def longest_window(self) -> timedelta | None:
        return DEV_WINDOW if self.dev else None
