"""The times that callers tell, held against our own."""

from datetime import datetime, timedelta

from server.errors import InvalidRequest

CLOCK_SKEW = timedelta(seconds=5)
"""How much earlier than its decision something may claim to be: two machines' clocks never agree."""
AHEAD = timedelta(minutes=5)
"""How far in the future something may claim to be."""


def told_time(claimed: datetime | None, *, decided: datetime | None, now: datetime) -> datetime:
    """When something happened: as claimed, else now, and never before its decision (None: not known yet).

    Raises InvalidRequest for a time that can't be.
    """
    if claimed is not None and decided is not None and claimed < decided - CLOCK_SKEW:
        raise InvalidRequest(f"at {claimed.isoformat()} lies before the decision ({decided.isoformat()})")
    if claimed is not None and claimed > now + AHEAD:
        raise InvalidRequest(f"at {claimed.isoformat()} lies in the future (now {now.isoformat()})")
    at = now if claimed is None else claimed
    return at if decided is None else max(at, decided)  # our own clock may have jumped back
