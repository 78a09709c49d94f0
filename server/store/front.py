"""What stands in front of a database: nothing, or an outbox with its drain."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from server.errors import EligeError
from server.store.attribution import Shown
from server.store.buffer import Buffer
from server.store.committer import Direct, Target
from server.store.database import Database
from server.store.drain import Drain
from server.store.outbox import Backlog, Outbox
from server.store.presence import Presence

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Front:
    """Where a server's records become durable, and what is known of the database behind."""

    target: Target
    presence: Presence
    outbox: Outbox | None = None
    drain: Drain | None = None

    def backlog(self) -> Backlog | None:
        """What waits to be drained; None without an outbox. Raises Unavailable."""
        return None if self.outbox is None else self.outbox.backlog()

    @property
    def asks_first(self) -> bool:
        """Whether there is sense in asking the database: it answers, or nothing else does."""
        return self.outbox is None or self.presence.up

    def last_shown(self, campaign: str, keys: Sequence[str], *, by: datetime) -> Shown | None:
        """As attribution.last_shown, of what lies in the outbox."""
        return None if self.outbox is None else self.outbox.last_shown(campaign, keys, by=by)

    def watch(self) -> None:
        """To be called several times a second: finds out that the database hangs."""
        if self.drain is not None:
            self.drain.watch()

    def close(self) -> None:
        """Once nothing more is appended: drain what is left, as far as the database takes it within seconds."""
        if self.outbox is None or self.drain is None:
            return
        if not self.drain.close():
            log.warning("records stay in the outbox", reason="the database does not answer")
            return  # the thread that hangs still has the file; both end with the process
        with contextlib.suppress(EligeError):
            if left := self.drain.leave():
                log.warning("records stay in the outbox", records=left)
        self.outbox.close()


def direct(database: Database) -> Front:
    """Acknowledged after the database's own commit."""
    return Front(Direct(database), Presence())


def buffered(database: Database, file: str | Path, *, clock: Callable[[], datetime]) -> Front:
    """Acknowledged once in the outbox, drained in the background. Raises DatabaseUnusable, Unavailable."""
    presence = Presence()
    outbox = Outbox(file, secret=database.secret)
    try:
        drain = Drain(outbox, database, presence, clock=clock)
    except BaseException:
        outbox.close()
        raise
    return Front(Buffer(outbox, database, presence, clock=clock, appended=drain.wake), presence, outbox, drain)
