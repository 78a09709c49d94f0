"""Whether the database answers, as those find out who ask it."""

import threading

import structlog

log = structlog.get_logger()


class Presence:
    """Up until somebody says that it is lost. Thread-safe."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._up = True

    @property
    def up(self) -> bool:
        return self._up

    def lost(self, reason: str) -> None:
        """It does not answer. Told in the log once."""
        with self._turn:
            was, self._up = self._up, False
        if was:
            log.warning("the database is away", reason=reason.partition("\n")[0])

    def back(self) -> bool:
        """It answers; whether it had been lost."""
        with self._turn:
            was, self._up = self._up, True
        return not was
