"""Evaluations as jobs: asked for, taken by one server at a time, ended once.

An evaluation is queued, runs, and ends as done, failed or cancelled. Who runs it holds it for a while and says again
and again that it is alive; one that is not held any more is taken by whoever looks next. Every write names the holder
and the attempt: who lost it, to a cancellation or to another server, writes nothing. `now` is by the database's clock,
`Database.time_of`: those of two servers may be minutes apart, and who is alive must not depend on it.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson
import sqlalchemy
from sqlalchemy import Connection, Row, and_, insert, null, or_, select, update

from server.errors import Conflict, NoSuchEvaluation, WrongState
from server.store.tables import evaluations

TURN = (":evaluations",)
"""No campaign's name: who starts or takes one waits for others who do, and for no decision."""
ATTEMPTS = 2
"""How often one is begun whose process ends without an answer."""
CLOCK_SET_BACK = 10
"""So many times as long as one is held at most, it stays with a holder who died before the clock was set back."""
MAX_TEXT = 4_000
"""Characters of what is kept of an error."""


class EvaluationState(StrEnum):
    """How far an evaluation is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self not in (EvaluationState.QUEUED, EvaluationState.RUNNING)


@dataclass(frozen=True, slots=True)
class StoredEvaluation:
    """One evaluation as it is kept. request: the document of an EvaluationRequest; provenance: what of the log it sees,
    and, once it is done, what computed it. attempts: how often it was begun. error_code: the name of a gRPC status.

    result: the dictionary of an Evaluation; None before it is done, and in lists.
    """

    id: str
    campaign: str
    state: EvaluationState
    request: Mapping[str, Any]
    request_id: str | None
    request_hash: str
    provenance: Mapping[str, Any]
    created_at: datetime
    created_by: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempts: int = 0
    holder: str | None = None
    held_until: datetime | None = None
    progress: float = 0.0
    stage: str = ""
    error_code: str | None = None
    error: str | None = None
    result: Mapping[str, Any] | None = None


def digest(request: Mapping[str, Any]) -> str:
    """32 hexadecimal digits that tell one request from any other."""
    plain = orjson.dumps(request, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(plain, digest_size=16, person=b"elige-evaluation").hexdigest()


def append(connection: Connection, fresh: StoredEvaluation) -> StoredEvaluation:
    """Store an evaluation; the one that was asked for before under the same request id, if there is one. Inside a
    transaction of TURN. Raises Conflict where that one asks for something else.
    """
    if fresh.request_id is not None:
        found = asked_under(connection, fresh.request_id)
        if found is not None and found.request_hash != fresh.request_hash:
            raise used_before(fresh.request_id)
        if found is not None:
            return found
    row = asdict(fresh)
    connection.execute(insert(evaluations), {"evaluation_id": row.pop("id"), **row})
    return fresh


def asked_under(connection: Connection, request_id: str) -> StoredEvaluation | None:
    """The evaluation that was asked for under a request id."""
    return _one(connection, evaluations.c.request_id == request_id)


def used_before(request_id: str) -> Conflict:
    """The error for a request id that was used for something else."""
    return Conflict(f"request_id {request_id!r} was used before with another payload")


def read(connection: Connection, evaluation_id: str) -> StoredEvaluation:
    """One evaluation, with its result. Raises NoSuchEvaluation."""
    found = _one(connection, evaluations.c.evaluation_id == evaluation_id)
    if found is None:
        raise NoSuchEvaluation(evaluation_id)
    return found


def glance(connection: Connection, evaluation_id: str) -> tuple[EvaluationState, float, str]:
    """State, progress and stage of one evaluation. Raises NoSuchEvaluation."""
    columns = evaluations.c
    query = select(columns.state, columns.progress, columns.stage).where(columns.evaluation_id == evaluation_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NoSuchEvaluation(evaluation_id)
    return EvaluationState(row.state), row.progress, row.stage


def newest(
    connection: Connection,
    *,
    campaign: str | None = None,
    states: Collection[EvaluationState] = (),
    before: str | None = None,
    limit: int,
) -> list[StoredEvaluation]:
    """The newest first, without their results: of one campaign, in these states, if given; older than the one with the
    id `before`.
    """
    columns = [null().label("result") if column.name == "result" else column for column in evaluations.c]
    query = select(*columns)
    if campaign is not None:
        query = query.where(evaluations.c.campaign == campaign)
    if states:
        query = query.where(evaluations.c.state.in_([one.value for one in states]))
    if before is not None:
        last = select(evaluations.c.created_at).where(evaluations.c.evaluation_id == before).scalar_subquery()
        same = and_(evaluations.c.created_at == last, evaluations.c.evaluation_id < before)
        query = query.where(or_(evaluations.c.created_at < last, same))
    query = query.order_by(evaluations.c.created_at.desc(), evaluations.c.evaluation_id.desc())
    return [_stored(row) for row in connection.execute(query.limit(limit))]


def waiting(connection: Connection, *, now: datetime, lasts: timedelta) -> bool:
    """Whether there is anything to `take`."""
    return connection.execute(_takeable(now, lasts).limit(1)).first() is not None


def take(connection: Connection, *, holder: str, now: datetime, lasts: timedelta) -> StoredEvaluation | None:
    """The evaluation that waits longest, which then is the holder's: queued, or left alone by who ran it. None where
    there is none. What was begun ATTEMPTS times and left alone is failed. Inside a transaction of TURN.
    """
    oldest_first = (evaluations.c.created_at, evaluations.c.evaluation_id)
    for row in connection.execute(_takeable(now, lasts).order_by(*oldest_first)).all():
        ours = evaluations.c.evaluation_id == row.evaluation_id
        if row.attempts >= ATTEMPTS:
            why = f"whoever ran it ended without an answer, {row.attempts} times; the last was {row.holder}"
            ended = {"state": EvaluationState.FAILED.value, "finished_at": now, "error_code": "INTERNAL", "error": why}
            connection.execute(update(evaluations).where(ours).values(ended))
            continue
        values = {
            "state": EvaluationState.RUNNING.value,
            "attempts": row.attempts + 1,
            "holder": holder,
            "held_until": now + lasts,
            "started_at": now,
            "progress": 0.0,
            "stage": "",
        }
        connection.execute(update(evaluations).where(ours).values(values))
        return read(connection, row.evaluation_id)
    return None


def beat(connection: Connection, held: StoredEvaluation, *, until: datetime, progress: float, stage: str) -> bool:
    """Say that it is alive, and how far. False: it is not the holder's any more."""
    return _change(connection, held, {"held_until": until, "progress": progress, "stage": _kept(stage)})


def finish(
    connection: Connection,
    held: StoredEvaluation,
    *,
    now: datetime,
    result: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> bool:
    """Done. False: it is not the holder's any more."""
    values = {"state": EvaluationState.DONE.value, "finished_at": now, "progress": 1.0, "stage": "", "error": None}
    return _change(connection, held, {**values, "result": result, "provenance": provenance, "held_until": None})


def fail(connection: Connection, held: StoredEvaluation, *, now: datetime, code: str, error: str) -> bool:
    """Failed, with the reason. False: it is not the holder's any more."""
    values = {"state": EvaluationState.FAILED.value, "finished_at": now, "error_code": code, "error": _kept(error)}
    return _change(connection, held, {**values, "held_until": None})


def give_back(connection: Connection, held: StoredEvaluation, *, counts: bool) -> bool:
    """Queue it again: its process ended without an answer, which `counts`, or was ended. False: it is not the holder's
    any more.
    """
    attempts = held.attempts if counts else held.attempts - 1
    values = {"state": EvaluationState.QUEUED.value, "attempts": attempts, "holder": None, "held_until": None}
    return _change(connection, held, {**values, "started_at": None, "progress": 0.0, "stage": ""})


def cancel(connection: Connection, evaluation_id: str, *, now: datetime) -> StoredEvaluation:
    """End it, unless it has ended; as it is then. Raises NoSuchEvaluation."""
    open_states = evaluations.c.state.in_([EvaluationState.QUEUED.value, EvaluationState.RUNNING.value])
    values = {"state": EvaluationState.CANCELLED.value, "finished_at": now, "holder": None, "held_until": None}
    ours = (evaluations.c.evaluation_id == evaluation_id, open_states)
    connection.execute(update(evaluations).where(*ours).values(values))
    return read(connection, evaluation_id)


def delete(connection: Connection, evaluation_id: str) -> None:
    """Forget one that has ended. Raises NoSuchEvaluation, and WrongState while it waits or runs."""
    state, _, _ = glance(connection, evaluation_id)
    ours = (evaluations.c.evaluation_id == evaluation_id, evaluations.c.state == state.value)
    if not state.ended or not connection.execute(sqlalchemy.delete(evaluations).where(*ours)).rowcount:
        raise WrongState(f"evaluation {evaluation_id!r} is {state}: cancel it first")


def _takeable(now: datetime, lasts: timedelta) -> Any:
    until = evaluations.c.held_until
    # what ends impossibly late was written before the clock jumped back: it must not block for hours
    over = or_(until < now, until > now + CLOCK_SET_BACK * lasts)
    left_alone = and_(evaluations.c.state == EvaluationState.RUNNING.value, over)
    columns = (evaluations.c.evaluation_id, evaluations.c.attempts, evaluations.c.holder)
    return select(*columns).where(or_(evaluations.c.state == EvaluationState.QUEUED.value, left_alone))


def _kept(text: str) -> str:
    """A text as every database holds it, whatever it quotes: PostgreSQL has no place for a NUL."""
    return text.replace("\x00", "\ufffd")[:MAX_TEXT]


def _change(connection: Connection, held: StoredEvaluation, values: Mapping[str, Any]) -> bool:
    ours = (
        evaluations.c.evaluation_id == held.id,
        evaluations.c.state == EvaluationState.RUNNING.value,
        evaluations.c.holder == held.holder,
        evaluations.c.attempts == held.attempts,
    )
    return connection.execute(update(evaluations).where(*ours).values(values)).rowcount == 1


def _one(connection: Connection, which: Any) -> StoredEvaluation | None:
    row = connection.execute(select(evaluations).where(which)).one_or_none()
    return None if row is None else _stored(row)


def _stored(row: Row[Any]) -> StoredEvaluation:
    values = dict(row._mapping)
    state = EvaluationState(values.pop("state"))
    return StoredEvaluation(id=values.pop("evaluation_id"), state=state, **values)
