"""How long to leave alone what keeps failing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 5, 15, 60))
"""After the first failure, the second, …; the last for every further one."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps failing. `known`: it failed before for the same reason, which needs no second traceback."""

    failures: int
    reason: str
    pause: timedelta
    until: datetime
    known: bool


class Backoff:
    """Pauses that grow with every failure in a row, by key. One thread."""

    def __init__(self) -> None:
        self._troubles: dict[str, Trouble] = {}

    def ready(self, key: str, now: datetime) -> bool:
        """Whether to try now."""
        trouble = self._troubles.get(key)
        # a clock that jumped back must not make a minute's pause an hour long
        return trouble is None or not trouble.until - trouble.pause <= now < trouble.until

    def failed(self, key: str, reason: str, now: datetime) -> Trouble:
        """It failed again."""
        before = self._troubles.get(key)
        failures = before.failures + 1 if before else 1
        pause = PAUSES[min(failures, len(PAUSES)) - 1]
        known = before is not None and before.reason == reason
        trouble = self._troubles[key] = Trouble(failures, reason, pause, now + pause, known)
        return trouble

    def reason(self, key: str) -> str | None:
        """Why it fails, as long as it does."""
        trouble = self._troubles.get(key)
        return trouble.reason if trouble else None

    def succeeded(self, key: str) -> Trouble | None:
        """It works; what had been wrong until now, if anything."""
        return self._troubles.pop(key, None)
