"""Outcomes: stored in any order, each key once, with what became of them."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, func, insert, select

from server.records import Kind, Outcome, OutcomeStatus, Recorded
from server.store.attribution import last_shown
from server.store.chunks import chunks
from server.store.people import keys_of, keys_of_each
from server.store.tables import choices, decisions, outcomes, rewards
from server.times import CLOCK_SKEW


@dataclass(frozen=True, slots=True)
class LoggedOutcome:
    """An outcome as it is kept, with what became of it."""

    outcome: Outcome
    status: OutcomeStatus


@dataclass(frozen=True, slots=True)
class Fate:
    """A decision as its outcomes see it. `kind`: drawn or observed, if anything of it was, unless another decision took
    its place; `learned`: it is matured. `closes_at`: None as long as nothing of it was shown; what comes meanwhile
    counts if its window still begins. Of one that is `erased` nothing more is stored.
    """

    closes_at: datetime | None
    kind: Kind | None
    learned: bool
    erased: bool = False


Name: TypeAlias = tuple[str, str, str]
"""What makes an outcome one that was told before: its decision, or its campaign and person; its metric and key."""


@dataclass(frozen=True, slots=True)
class Known:
    """What outcomes are judged by: the decisions that are here, by id; the names of what was told before with a key; of
    people with several keys of their own, the one that is kept.
    """

    fates: Mapping[str, Fate]
    names: AbstractSet[Name]
    people: Mapping[str, str] = field(default_factory=dict)


def append(connection: Connection, batch: Sequence[Outcome]) -> list[Recorded]:
    """Store outcomes; answers in the order of the batch. A key is stored once for a decision and metric, and once for a
    person, campaign and metric where it was told of a person.

    An outcome counts if it happened before its window closed and came before its decision was matured. One told of a
    person whose decision was not known credits the last that was shown to them; if there is none it stays pending.
    """
    batch = [one if one.decision_id is not None else _credited(connection, one) for one in batch]
    known = look_up(connection, batch)
    answers = judge(batch, known)
    erased = {decision_id for decision_id, fate in known.fates.items() if fate.erased}
    told = zip(batch, answers, strict=True)
    stored = ((one, answer) for one, answer in told if one.decision_id not in erased)
    fresh = [_row(one, answer.status) for one, answer in stored if answer.status is not OutcomeStatus.DUPLICATE]
    if fresh:
        connection.execute(insert(outcomes), fresh)
    return answers


def look_up(connection: Connection, batch: Sequence[Outcome]) -> Known:
    """What the database knows that these are judged by."""
    keys = keys_of_each(connection, {one.person for one in batch if one.person is not None})
    names = _of_decisions(connection, batch) | _of_people(connection, batch, keys)
    return Known(_fates(connection, batch), names, {person: kept for person, (kept, *_) in keys.items()})


def judge(batch: Sequence[Outcome], known: Known) -> list[Recorded]:
    """What becomes of each outcome, in the order of the batch."""
    seen = set(known.names)
    answers: list[Recorded] = []
    for outcome in batch:
        fate = None if outcome.decision_id is None else known.fates.get(outcome.decision_id)
        names = names_of(outcome, known.people)
        if not seen.isdisjoint(names):
            answers.append(Recorded(OutcomeStatus.DUPLICATE, None))
            continue
        seen |= names
        status = _status(outcome, fate)
        counts = fate is not None and fate.kind is not None and status is OutcomeStatus.ACCEPTED
        closes_at = fate.closes_at if fate and counts else None
        answers.append(Recorded(status, closes_at, fate.kind if fate else None, outcome.decision_id))
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
            found[row.decision_id].append(outcome_of(row))
    return found


def history(connection: Connection, decision_id: str) -> list[LoggedOutcome]:
    """Everything that was told of one decision, late outcomes too, in the order in which it happened."""
    return histories(connection, [decision_id])[decision_id]


def histories(connection: Connection, ids: Sequence[str]) -> dict[str, list[LoggedOutcome]]:
    """The same of several."""
    found: dict[str, list[LoggedOutcome]] = {decision_id: [] for decision_id in ids}
    for chunk in chunks(ids):
        query = select(outcomes).where(outcomes.c.decision_id.in_(chunk))
        for row in connection.execute(query.order_by(outcomes.c.at, outcomes.c.outcome_id)):
            found[row.decision_id].append(LoggedOutcome(outcome_of(row), OutcomeStatus(row.status)))
    return found


def of_people_alone(connection: Connection, keys: Sequence[str]) -> list[Outcome]:
    """What was told of somebody with these keys and is credited to no decision, in the order in which it happened."""
    query = select(outcomes).where(outcomes.c.person.in_(keys), outcomes.c.decision_id.is_(None))
    return [outcome_of(row) for row in connection.execute(query.order_by(outcomes.c.at, outcomes.c.outcome_id))]


def outcome_of(row: Any) -> Outcome:
    """An outcome of a row with the columns of the table as attributes, wherever it was kept."""
    return Outcome(
        decision_id=row.decision_id,
        campaign=row.campaign,
        metric=row.metric,
        value=row.value,
        at=row.at,
        received_at=row.received_at,
        slot=row.slot,
        key=row.key,
        person=row.person,
    )


def _row(outcome: Outcome, status: OutcomeStatus) -> dict[str, Any]:
    return {
        "decision_id": outcome.decision_id,
        "campaign": outcome.campaign,
        "person": outcome.person,
        "slot": outcome.slot,
        "metric": outcome.metric,
        "value": outcome.value,
        "at": outcome.at,
        "received_at": outcome.received_at,
        "status": status.value,
        "key": outcome.key,
    }


def _status(outcome: Outcome, fate: Fate | None) -> OutcomeStatus:
    if fate is None:
        return OutcomeStatus.PENDING
    late = fate.learned or fate.erased or (fate.closes_at is not None and outcome.at > fate.closes_at)
    return OutcomeStatus.LATE if late else OutcomeStatus.ACCEPTED


def _credited(connection: Connection, outcome: Outcome) -> Outcome:
    """An outcome of a person with the last decision that was shown to them, if there is one."""
    assert outcome.person is not None
    keys = keys_of(connection, outcome.person)
    shown = last_shown(connection, outcome.campaign, keys, by=outcome.at + CLOCK_SKEW)
    return outcome if shown is None else replace(outcome, decision_id=shown.decision_id, at=max(outcome.at, shown.at))


def _fates(connection: Connection, batch: Sequence[Outcome]) -> dict[str, Fate]:
    found: dict[str, Fate] = {}
    joined = decisions.outerjoin(rewards, decisions.c.decision_id == rewards.c.decision_id)
    learnable = choices.c.kind.in_((Kind.POLICY.value, Kind.OBSERVED.value))  # no decision has both
    kind = select(func.min(choices.c.kind)).where(choices.c.decision_id == decisions.c.decision_id, learnable)
    told = kind.scalar_subquery().label("kind")
    columns = (decisions.c.decision_id, decisions.c.window_closes_at, decisions.c.superseded_by, decisions.c.erased_at)
    for chunk in chunks(sorted({one.decision_id for one in batch if one.decision_id is not None})):
        query = select(*columns, rewards.c.sequence, told).select_from(joined)
        for row in connection.execute(query.where(decisions.c.decision_id.in_(chunk))):
            made_as = None if row.kind is None or row.superseded_by else Kind(row.kind)
            learned, erased = row.sequence is not None, row.erased_at is not None
            found[row.decision_id] = Fate(row.window_closes_at, made_as, learned, erased)
    return found


def names_of(outcome: Outcome, people: Mapping[str, str]) -> set[Name]:
    """What it may have been told under before; nothing without a key."""
    if outcome.key is None:
        return set()
    told_of = set() if outcome.decision_id is None else {outcome.decision_id}
    if outcome.person is not None:
        told_of.add(_person(outcome.campaign, people.get(outcome.person, outcome.person)))
    return {(one, outcome.metric, outcome.key) for one in told_of}


def _person(campaign: str, kept: str) -> str:
    return f"{campaign}/{kept}"


def _of_decisions(connection: Connection, batch: Sequence[Outcome]) -> set[Name]:
    """What was told of the same decisions with a key."""
    found: set[Name] = set()
    ids = {one.decision_id for one in batch if one.key is not None and one.decision_id is not None}
    for chunk in chunks(sorted(ids)):
        query = select(outcomes.c.decision_id, outcomes.c.metric, outcomes.c.key)
        rows = connection.execute(query.where(outcomes.c.decision_id.in_(chunk), outcomes.c.key.is_not(None)))
        found.update((row.decision_id, row.metric, row.key) for row in rows)
    return found


def _of_people(connection: Connection, batch: Sequence[Outcome], keys: Mapping[str, Sequence[str]]) -> set[Name]:
    """What was told of the same people with a key. `keys`: person to all of theirs, the one that is kept first."""
    found: set[Name] = set()
    kept = {key: keys[one.person][0] for one in batch if one.key and one.person for key in keys[one.person]}
    for chunk in chunks(sorted(kept)):
        query = select(outcomes.c.person, outcomes.c.campaign, outcomes.c.metric, outcomes.c.key)
        rows = connection.execute(query.where(outcomes.c.person.in_(chunk), outcomes.c.key.is_not(None)))
        found.update((_person(row.campaign, kept[row.person]), row.metric, row.key) for row in rows)
    return found
