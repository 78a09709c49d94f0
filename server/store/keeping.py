"""How long evaluations are kept once they have ended: what is older goes, and anybody can read the rule."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from server.durations import iso_duration, parse_duration
from server.store.chunks import CHUNK
from server.store.evaluations import EvaluationState
from server.store.tables import evaluations, meta

ENDED = tuple(state.value for state in EvaluationState if state.ended)
_RULE = "evaluations_kept"


def drop(connection: Connection, *, before: datetime) -> int:
    """Forget up to CHUNK evaluations that ended earlier, with what they found; how many there were. What waits or runs
    stays, however old it is.
    """
    columns = evaluations.c
    # created earlier as well, of course: by that there is an index
    old = (columns.state.in_(ENDED), columns.created_at < before, columns.finished_at < before)
    some = select(columns.evaluation_id).where(*old).order_by(columns.created_at).limit(CHUNK)
    return connection.execute(delete(evaluations).where(columns.evaluation_id.in_(some))).rowcount


def say(connection: Connection, kept: timedelta, *, now: datetime) -> None:
    """Write down that a server keeps evaluations for so long."""
    value = f"{iso_duration(kept)} {now.isoformat()}"
    ours = meta.c.name == _RULE
    if not connection.execute(update(meta).where(ours).values(value=value)).rowcount:
        connection.execute(insert(meta).values(name=_RULE, value=value))


def said(connection: Connection, *, since: datetime) -> timedelta | None:
    """For how long a server keeps evaluations that has said so since then; None where none has."""
    found = connection.execute(select(meta.c.value).where(meta.c.name == _RULE)).scalar_one_or_none()
    if found is None:
        return None
    kept, at = found.split(" ", 1)
    return parse_duration(kept) if datetime.fromisoformat(at) >= since else None
