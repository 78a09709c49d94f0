"""How much comes: what a plan asks of the log."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from server.store.tables import decisions


@dataclass(frozen=True, slots=True)
class Traffic:
    """decisions: of a period. first: the time of the first of all that are kept; None where there is none."""

    decisions: int
    first: datetime | None


def read_traffic(connection: Connection, campaign: str, *, since: datetime, until: datetime) -> Traffic:
    """Decisions of a campaign in [since, until), but for those whose place another took."""
    ours = (decisions.c.campaign == campaign, decisions.c.superseded_by.is_(None))
    made = select(func.count()).where(*ours, decisions.c.at >= since, decisions.c.at < until)
    first = select(func.min(decisions.c.at)).where(*ours)
    return Traffic(connection.execute(made).scalar_one(), connection.execute(first).scalar_one())
