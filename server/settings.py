"""What an operator can set, from the command line or the environment, in one place."""

from dataclasses import dataclass
from datetime import timedelta

DEFAULT_DATABASE = "sqlite:///elige.db"
DEFAULT_PORT = 7461
DEFAULT_ADDRESS = f"localhost:{DEFAULT_PORT}"
DEV_WINDOW = timedelta(seconds=5)

GRACE = timedelta(milliseconds=250)
"""How long after its close a window waits for outcomes that are being committed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How one server runs. `dev` closes every reward window after 5 seconds."""

    database: str = DEFAULT_DATABASE
    listen: str = DEFAULT_ADDRESS
    dev: bool = False

    @property
    def longest_window(self) -> timedelta | None:
        return DEV_WINDOW if self.dev else None
