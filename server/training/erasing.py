"""Erasures brought on: what arrives late is swept, and an erasure is done once nothing of the person is left anywhere,
neither in the log nor in what was learned from it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from server.store import erasures as erasure_rows
from server.store.database import Database
from server.store.erasures import Erasure

log = structlog.get_logger()

UNDER_WAY = timedelta(seconds=12)
"""Longer than a record waits for the database before its caller is refused: what was decided before an erasure was
asked for is here by then, unless it waits in an outbox.
"""


def advance(database: Database, *, now: datetime, complete: datetime, reason_of: Callable[[str], str | None]) -> None:
    """Bring every erasure on: sweep what has arrived since, and finish those of which nothing is left.

    `complete`: what was acknowledged before is in the log. `reason_of`: why a campaign's training fails at present, if
    it does.
    """
    with database.reading() as connection:
        unfinished = erasure_rows.unfinished(connection)
    for erasure in unfinished:
        _advance(database, sweep(database, erasure, now=now), now=now, complete=complete, reason_of=reason_of)


def sweep(database: Database, erasure: Erasure, *, now: datetime) -> Erasure:
    """Erase what there is of the person, in small transactions; the erasure as it is then."""
    while True:
        with database.reading() as connection:
            if not erasure_rows.left(connection, erasure):
                return erasure
        with database.writing() as connection:
            erasure = erasure_rows.sweep(connection, erasure.id, now=now)


def _advance(
    database: Database,
    erasure: Erasure,
    *,
    now: datetime,
    complete: datetime,
    reason_of: Callable[[str], str | None],
) -> None:
    with database.reading() as connection:
        training = erasure_rows.still_training(connection, erasure)
    error = next((f"{campaign}: {reason}" for campaign in training if (reason := reason_of(campaign))), None)
    if error != erasure.error:
        with database.writing() as connection:
            erasure_rows.set_error(connection, erasure.id, error)
    if training or complete <= erasure.until + UNDER_WAY:
        return
    if erasure.keys:
        with database.writing() as connection:
            if erasure_rows.left(connection, erasure) or erasure_rows.still_training(connection, erasure):
                return  # it came a moment ago: the next pass sweeps it
            erasure_rows.forget_keys(connection, erasure.id)
    if not database.overwrite():
        return  # somebody reads what was there before: the next pass tries again
    with database.writing() as connection:
        erasure_rows.finish(connection, erasure.id, now=now)
    log.info("person erased", erasure=erasure.id, decisions=erasure.decisions, outcomes=erasure.outcomes)
