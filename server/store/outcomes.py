"""Outcomes: stored in any order, each key once, with what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, exists, insert, select

from server.records import Kind, Outcome, OutcomeStatus, Recorded
from server.store.decisions import chunks
from server.store.tables import choices, decisions, outcomes, rewards


@dataclass(frozen=True, slots=True)
class LoggedOutcome:
    """An outcome as it is kept, with what became of it."""

    outcome: Outcome
    status: OutcomeStatus


@dataclass(frozen=True, slots=True)
class _Fate:
    """A decision as its outcomes see it. `counts`: something of it was drawn; `learned`: it is matured."""

    closes_at: datetime
    counts: bool
    learned: bool


def append(connection: Connection, batch: Sequence[Outcome]) -> list[Recorded]:
    """Store outcomes; answers in the order of the batch. The same (decision, metric, key) is stored once.

    An outcome counts if it happened before its window closed and came before its decision was matured.
    """
    fates = _fates(connection, sorted({outcome.decision_id for outcome in batch}))
    seen = _keys_seen(connection, batch)
    answers: list[Recorded] = []
    fresh: list[dict[str, Any]] = []
    for outcome in batch:
        fate = fates.get(outcome.decision_id)
        identity = (outcome.decision_id, outcome.metric, outcome.key)
        if outcome.key is not None and identity in seen:
            answers.append(Recorded(OutcomeStatus.DUPLICATE, None))
            continue
        seen.add(identity)
        status = _status(outcome, fate)
        fresh.append(_row(outcome, status))
        counts = fate is not None and fate.counts and status is OutcomeStatus.ACCEPTED
        answers.append(Recorded(status, fate.closes_at if fate and counts else None))
    if fresh:
        connection.execute(insert(outcomes), fresh)
    return answers


def insert_rows(connection: Connection, batch: Sequence[Outcome]) -> None:
    """The rows of outcomes that are known to be new and inside their window: those of an import."""
    if batch:
        connection.execute(insert(outcomes), [_row(outcome, OutcomeStatus.ACCEPTED) for outcome in batch])


def of_decisions(connection: Connection, ids: Sequence[str]) -> Mapping[str, list[Outcome]]:
    """The outcomes of these decisions that were not late, in the order in which they happened."""
    found: dict[str, list[Outcome]] = {decision_id: [] for decision_id in ids}
    for chunk in chunks(ids):
        query = select(outcomes).where(outcomes.c.decision_id.in_(chunk), outcomes.c.status != OutcomeStatus.LATE.value)
        for row in connection.execute(query.order_by(outcomes.c.at, outcomes.c.outcome_id)):
            found[row.decision_id].append(_outcome(row))
    return found


def history(connection: Connection, decision_id: str) -> list[LoggedOutcome]:
    """Everything that was told of one decision, late outcomes too, in the order in which it happened."""
    query = select(outcomes).where(outcomes.c.decision_id == decision_id)
    rows = connection.execute(query.order_by(outcomes.c.at, outcomes.c.outcome_id))
    return [LoggedOutcome(_outcome(row), OutcomeStatus(row.status)) for row in rows]


def _outcome(row: Row[Any]) -> Outcome:
    return Outcome(
        decision_id=row.decision_id,
        campaign=row.campaign,
        metric=row.metric,
        value=row.value,
        at=row.at,
        received_at=row.received_at,
        slot=row.slot,
        key=row.key,
    )


def _row(outcome: Outcome, status: OutcomeStatus) -> dict[str, Any]:
    return {
        "decision_id": outcome.decision_id,
        "campaign": outcome.campaign,
        "slot": outcome.slot,
        "metric": outcome.metric,
        "value": outcome.value,
        "at": outcome.at,
        "received_at": outcome.received_at,
        "status": status.value,
        "key": outcome.key,
    }


def _status(outcome: Outcome, fate: _Fate | None) -> OutcomeStatus:
    if fate is None:
        return OutcomeStatus.PENDING
    late = fate.learned or outcome.at > fate.closes_at
    return OutcomeStatus.LATE if late else OutcomeStatus.ACCEPTED


def _fates(connection: Connection, ids: Sequence[str]) -> dict[str, _Fate]:
    found: dict[str, _Fate] = {}
    joined = decisions.outerjoin(rewards, decisions.c.decision_id == rewards.c.decision_id)
    drawn = exists().where(choices.c.decision_id == decisions.c.decision_id, choices.c.kind == Kind.POLICY.value)
    columns = (decisions.c.decision_id, decisions.c.window_closes_at, rewards.c.sequence, drawn.label("drawn"))
    for chunk in chunks(ids):
        query = select(*columns).select_from(joined).where(decisions.c.decision_id.in_(chunk))
        for row in connection.execute(query):
            found[row.decision_id] = _Fate(row.window_closes_at, bool(row.drawn), row.sequence is not None)
    return found


def _keys_seen(connection: Connection, batch: Sequence[Outcome]) -> set[tuple[str, str, str | None]]:
    found: set[tuple[str, str, str | None]] = set()
    for chunk in chunks(sorted({outcome.decision_id for outcome in batch if outcome.key is not None})):
        query = select(outcomes.c.decision_id, outcomes.c.metric, outcomes.c.key)
        rows = connection.execute(query.where(outcomes.c.decision_id.in_(chunk), outcomes.c.key.is_not(None)))
        found.update((row.decision_id, row.metric, row.key) for row in rows)
    return found
