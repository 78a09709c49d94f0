"""Which decision an outcome credits that was told of a person: the last one that was shown to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, Connection, bindparam, select

from server.store.tables import decisions, outcomes


@dataclass(frozen=True, slots=True)
class Shown:
    """A decision that was shown to a person, by the version that decided. `at`: when it was made."""

    decision_id: str
    version: int
    at: datetime
    shown_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """An outcome that was told of a person before. `decision_id`: None where it is not known what they were shown."""

    decision_id: str | None


def last_shown(connection: Connection, campaign: str, keys: Sequence[str], *, by: datetime) -> Shown | None:
    """The last decision of a campaign that was shown by then to the person who has these keys; None if there is none.

    Of two shown at one moment, the one decided later.
    """
    row = connection.execute(_LAST, {"keys": list(keys), "of": campaign, "by": by}).one_or_none()
    return None if row is None else Shown(row.decision_id, row.version, row.at, row.activated_at)


def told_before(connection: Connection, campaign: str, keys: Sequence[str], metric: str, key: str) -> Told | None:
    """The outcome of this metric and key that was told of the person who has these keys; None if there is none."""
    told = {"keys": list(keys), "of": campaign, "told": metric, "once": key}
    row = connection.execute(_TOLD, told).one_or_none()
    return None if row is None else Told(row.decision_id)


# built once: building them takes longer than asking
_OF_PERSON: BindParameter[str] = bindparam("keys", expanding=True)
_LAST = (
    select(decisions.c.decision_id, decisions.c.version, decisions.c.at, decisions.c.activated_at)
    .where(decisions.c.person.in_(_OF_PERSON), decisions.c.campaign == bindparam("of"))
    .where(decisions.c.activated_at <= bindparam("by"))
    .order_by(decisions.c.activated_at.desc(), decisions.c.decision_id.desc())
    .limit(1)
)
_TOLD = (
    select(outcomes.c.decision_id)
    .where(outcomes.c.person.in_(_OF_PERSON), outcomes.c.campaign == bindparam("of"))
    .where(outcomes.c.metric == bindparam("told"), outcomes.c.key == bindparam("once"))
    .limit(1)
)
