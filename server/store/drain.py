"""The drain: brings what the outbox holds to the database, in order, each record once.

How far it has come is committed together with the records: where nobody knows whether a commit happened, that is found
out before anything is repeated.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from server.errors import DiskFull, EligeError, InvalidRequest, Unavailable
from server.store import appending, servers
from server.store.database import Database
from server.store.outbox import Kept, Outbox
from server.store.presence import Presence

log = structlog.get_logger()

BATCH = 2_000
IDLE_SECONDS = 0.2
"""How often a server says that there is nothing more to come: windows are matured only then."""
GATHER_SECONDS = 0.05
"""How long a drain lets records gather: one transaction for many costs the server's processor much less."""
PAUSES = (0.25, 0.5, 1.0, 2.0)
"""Seconds after the first failure in a row, the second, …; the last for every further one."""
STUCK_SECONDS = 5.0
"""How long the database may take over one batch, before it counts as away."""
CLOSE_SECONDS = 5.0
"""How long closing waits for what is left to be drained."""


class Drain:
    """Drains in a thread of its own until it is closed."""

    def __init__(
        self, outbox: Outbox, database: Database, presence: Presence, *, clock: Callable[[], datetime]
    ) -> None:
        """Registers the server and starts. Raises Unavailable."""
        self._outbox = outbox
        self._database = database
        self._presence = presence
        self._clock = clock
        self._started_at = clock()
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._asked: float | None = None  # when the question under way began, by time.monotonic()
        self._gives_up = float("inf")
        self._was_away = False
        with database.writing(()) as connection:
            self._through = servers.register(
                connection, outbox.identity, started_at=self._started_at, through=outbox.drained_through
            )
        self._thread = threading.Thread(target=self._run, name="elige-drain", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There is something to drain."""
        self._changed.set()

    def watch(self) -> None:
        """Find out that the database hangs: it neither answers nor refuses."""
        asked = self._asked
        if asked is not None and time.monotonic() > asked + STUCK_SECONDS:
            self._presence.lost(f"the database has not answered for {STUCK_SECONDS:g} s")

    def close(self, *, seconds: float = CLOSE_SECONDS) -> bool:
        """Drain what is left for so long, and stop; whether it has stopped, and not hangs with the database."""
        self._gives_up = time.monotonic() + seconds
        self._closing.set()
        self._changed.set()
        self._thread.join(seconds + 1.0)
        return not self._thread.is_alive()

    def leave(self) -> int:
        """Once closed: where nothing is left, take the server off the list of those that drain. How many are left.

        Raises Unavailable.
        """
        left = len(self._outbox.after(self._through, limit=BATCH))
        if left:
            return self._outbox.backlog().records
        # in this order: places that the database has forgotten must not be there to be drained again
        self._outbox.clear()
        with self._database.writing(()) as connection:
            servers.leave(connection, self._outbox.identity)
        return 0

    def _run(self) -> None:
        failures = 0
        while True:
            last = self._closing.is_set()  # before the pass, which then meets all that was appended before
            try:
                self._pass()
            except Exception as error:  # noqa: BLE001 a drain that ends would fill the disk in silence
                failures += 1
                self._failed(error, failures)
            else:
                failures = 0
            if last:
                return
            if failures:
                self._closing.wait(PAUSES[min(failures, len(PAUSES)) - 1])
            elif self._changed.wait(IDLE_SECONDS):
                self._closing.wait(GATHER_SECONDS)
                self._changed.clear()

    def _pass(self) -> None:
        """Drain all there is, and say so."""
        drained, more = 0, True
        while more and time.monotonic() < self._gives_up:
            # before reading: what was acknowledged until now is then among the records, and what was received before
            # is waited for, so that its window does not close over it
            now = self._clock()
            now = min(now, self._outbox.under_way or now)
            rows = self._outbox.after(self._through, limit=BATCH)
            more = len(rows) == BATCH
            self._write(rows, until=rows[-1].appended_at if more else now)
            self._was_away |= self._presence.back()
            drained += len(rows)
            with suppress(DiskFull, Unavailable):  # it tidies up, and will again; of a full disk those hear who append
                self._outbox.drained(self._through)
        if self._was_away:
            log.info("the database is back", drained=drained)
            self._was_away = False

    def _write(self, rows: Sequence[Kept], *, until: datetime) -> None:
        try:
            self._commit(rows, until=until)
        except Exception as error:
            if not (rows and _is_its_own_fault(error)):
                raise
            if len(rows) == 1:
                self._refuse(rows[0], error, until=until)
                return
            middle = len(rows) // 2  # one bad record must not stop its neighbours
            self._write(rows[:middle], until=rows[middle - 1].appended_at)
            self._write(rows[middle:], until=until)

    def _commit(self, rows: Sequence[Kept], *, until: datetime, refused: bool = False) -> None:
        """Write what the database does not have of these, and that it has them. `refused`: only the latter."""
        self._asked = time.monotonic()
        try:
            with self._database.writing({row.campaign for row in rows}) as connection:
                mine = (self._outbox.identity, self._started_at)
                there = servers.hold(connection, *mine, through=self._through)
                fresh = [row.record for row in rows if row.position > there and not refused]
                appending.drain(connection, fresh)
                through = max(there, rows[-1].position) if rows else there
                servers.advance(connection, self._outbox.identity, through=through, until=until, now=self._clock())
        finally:
            self._asked = None
        self._through = through

    def _refuse(self, row: Kept, error: Exception, *, until: datetime) -> None:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        self._outbox.refuse(row.position, reason, at=self._clock())
        log.error("the database refuses a record", kind=row.kind, campaign=row.campaign, reason=reason)
        self._commit([row], until=until, refused=True)

    def _failed(self, error: Exception, failures: int) -> None:
        self._presence.lost(str(error))
        if failures == 1 and not isinstance(error, (EligeError, SQLAlchemyError)):
            log.error("draining failed", exc_info=error)


def _is_its_own_fault(error: Exception) -> bool:
    """Whether it is the record that can't be stored, and another one could."""
    converted = isinstance(error, StatementError) and not isinstance(error, DBAPIError)
    return converted or isinstance(error, (InvalidRequest, IntegrityError, ValueError, TypeError, LookupError))
