"""Outcomes: stored in any order, each key once, with what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from server.records import Outcome, OutcomeStatus, Recorded
from server.store.decisions import chunks
from server.store.tables import decisions, outcomes, rewards


@dataclass(frozen=True, slots=True)
class _Fate:
    closes_at: datetime
    learned: bool


def append(connection: Connection, batch: Sequence[Outcome]) -> list[Recorded]:
    """Store outcomes; answers in the order of the batch. The same (campaign, metric, key) is stored once.

    An outcome counts if it happened before its window closed and came before its decision was matured.
    """
    fates = _fates(connection, sorted({outcome.decision_id for outcome in batch}))
    seen = _keys_seen(connection, batch)
    answers: list[Recorded] = []
    fresh: list[dict[str, Any]] = []
    for outcome in batch:
        fate = fates.get(outcome.decision_id)
        identity = (outcome.campaign, outcome.metric, outcome.key)
        if outcome.key is not None and identity in seen:
            answers.append(Recorded(OutcomeStatus.DUPLICATE, None))
            continue
        seen.add(identity)
        status = _status(outcome, fate)
        fresh.append(_row(outcome, status))
        counts = fate is not None and status is OutcomeStatus.ACCEPTED
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
            found[row.decision_id].append(
                Outcome(
                    decision_id=row.decision_id,
                    campaign=row.campaign,
                    metric=row.metric,
                    value=row.value,
                    at=row.at,
                    received_at=row.received_at,
                    slot=row.slot,
                    key=row.key,
                )
            )
    return found


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
    for chunk in chunks(ids):
        query = select(decisions.c.decision_id, decisions.c.window_closes_at, rewards.c.sequence).select_from(joined)
        for row in connection.execute(query.where(decisions.c.decision_id.in_(chunk))):
            found[row.decision_id] = _Fate(row.window_closes_at, row.sequence is not None)
    return found


def _keys_seen(connection: Connection, batch: Sequence[Outcome]) -> set[tuple[str, str, str | None]]:
    keys = sorted({outcome.key for outcome in batch if outcome.key is not None})
    found: set[tuple[str, str, str | None]] = set()
    campaigns = {outcome.campaign for outcome in batch}
    for chunk in chunks(keys):
        query = select(outcomes.c.campaign, outcomes.c.metric, outcomes.c.key)
        rows = connection.execute(query.where(outcomes.c.campaign.in_(campaigns), outcomes.c.key.in_(chunk)))
        found.update((row.campaign, row.metric, row.key) for row in rows)
    return found
