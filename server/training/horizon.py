"""How far the log is complete: what was acknowledged before that moment is in it, whichever server acknowledged it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from server.store.servers import Draining

SETTLING = timedelta(seconds=30)
"""How long the database must have answered before a server that says nothing counts as gone: after an outage the
servers, who have much to drain, come back no sooner than the trainer.
"""


class Horizon:
    """Follows the servers that drain, from one look to the next."""

    def __init__(self, *, drain_grace: timedelta) -> None:
        """`drain_grace`: how long a server may say nothing before nobody waits for it any more."""
        self._drain_grace = drain_grace
        self._since: datetime | None = None

    def lost(self) -> None:
        """The database did not answer."""
        self._since = None

    def at(self, servers: Sequence[Draining], now: datetime) -> datetime:
        """Everything acknowledged before is in the log; at most `now`."""
        if self._since is None or now < self._since:  # the clock may have jumped back
            self._since = now
        settled = now - self._since >= SETTLING
        awaited = [one.drained_until for one in servers if self._lives(one, now) or not settled]
        return min([now, *awaited])

    def _lives(self, server: Draining, now: datetime) -> bool:
        # one seen in the future wrote before its clock jumped back, or another's runs ahead: it must not block for ever
        return abs(now - server.seen_at) < self._drain_grace
