"""Decisions and their choices: written once, read back as the records they were."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select

from policies.types import Features, Value
from server.errors import NoSuchDecision
from server.ids import earliest_id
from server.records import Candidate, Choice, Decision, Excluded, Group, Kind, Matured, Reason, Refusal
from server.store.activations import catch_up
from server.store.chunks import chunks
from server.store.tables import choices, decisions, requests, rewards, windows


@dataclass(frozen=True, slots=True)
class Repeat:
    """A request id was seen before: its decision stands. `same_payload` tells a repetition from a clash."""

    decision: Decision
    same_payload: bool


def append(connection: Connection, batch: Sequence[Decision]) -> list[Decision | Repeat]:
    """Store decisions and open their windows; answers in the order of the batch.

    The first decision of a (campaign, request_id) is stored; every later one gets it back as a Repeat.
    """
    seen = by_request(connection, batch)
    answers: list[Decision | Repeat] = []
    fresh: list[Decision] = []
    for decision in batch:
        request = (decision.campaign, decision.request_id)
        if decision.request_id and (stored := seen.get(request)):
            answers.append(Repeat(stored, stored.request_hash == decision.request_hash))
            continue
        if decision.request_id:
            seen[request] = decision
        fresh.append(decision)
        answers.append(decision)
    _open(connection, fresh)
    return answers


def drain(connection: Connection, batch: Sequence[Decision]) -> list[None]:
    """Store decisions that were acknowledged before; nobody waits for an answer any more.

    Of a (campaign, request_id) the first that comes here stands. Any other is stored with that one's id in
    `superseded_by`: it has no window, so that it is never learned. A decision that is here already is passed over.
    """
    here = _present(connection, [decision.id for decision in batch])
    first = {request: decision.id for request, decision in by_request(connection, batch).items()}
    fresh: list[Decision] = []
    superseded: list[Decision] = []
    for decision in batch:
        if decision.id in here:
            continue
        request = (decision.campaign, decision.request_id)
        if decision.request_id and (winner := first.setdefault(request, decision.id)) != decision.id:
            superseded.append(replace(decision, superseded_by=winner))
        else:
            fresh.append(decision)
    _open(connection, fresh)
    if superseded:
        insert_rows(connection, superseded)
        catch_up(connection, superseded)
    return [None] * len(batch)


def _open(connection: Connection, fresh: Sequence[Decision]) -> None:
    if fresh:
        insert_rows(connection, fresh)
        connection.execute(insert(windows), [_window_row(decision) for decision in fresh])
        catch_up(connection, fresh)


def insert_rows(connection: Connection, fresh: Sequence[Decision]) -> None:
    """The rows of decisions that are known to be new, without a window (an import brings its rewards along)."""
    connection.execute(insert(decisions), [_decision_row(decision) for decision in fresh])
    connection.execute(insert(choices), [row for decision in fresh for row in _choice_rows(decision)])
    standing = (decision for decision in fresh if decision.request_id and decision.superseded_by is None)
    if asked := [_request_row(decision) for decision in standing]:
        connection.execute(insert(requests), asked)


def read(connection: Connection, decision_id: str) -> Decision:
    """One decision. Raises NoSuchDecision."""
    found = list(_read(connection, select(decisions).where(decisions.c.decision_id == decision_id)))
    if not found:
        raise NoSuchDecision(decision_id, "it is not in the log")
    return found[0]


def newest(connection: Connection, campaign: str, *, limit: int) -> list[Decision]:
    """The last decisions of a campaign that say what was asked for, newest first: not those of the erased."""
    query = select(decisions).where(decisions.c.campaign == campaign, decisions.c.erased_at.is_(None))
    return list(_read(connection, query.order_by(decisions.c.at.desc(), decisions.c.decision_id.desc()).limit(limit)))


def newest_first(
    connection: Connection,
    *,
    campaign: str | None = None,
    keys: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int,
) -> list[Decision]:
    """Decisions, newest first: of one campaign, about somebody with these keys, of the period [since, until), older
    than the one of this time and id, where given. Ids sort by time.
    """
    query = select(decisions)
    if campaign is not None:
        query = query.where(decisions.c.campaign == campaign)
    if keys is not None:
        query = query.where(decisions.c.person.in_(keys))
    if before is not None:
        query = query.where(decisions.c.at <= before[0], decisions.c.decision_id < before[1])
    if since is not None:
        query = query.where(decisions.c.at >= since, decisions.c.decision_id >= earliest_id(since))
    if until is not None:
        query = query.where(decisions.c.at < until, decisions.c.decision_id < earliest_id(until))
    # the same order twice: there is an index for each of the two
    by_time = () if campaign is None else (decisions.c.at.desc(),)
    return list(_read(connection, query.order_by(*by_time, decisions.c.decision_id.desc()).limit(limit)))


def of_people(connection: Connection, keys: Sequence[str], *, after: str | None, limit: int) -> list[Decision]:
    """The decisions about somebody with these keys, in all campaigns, by id, which is by time; after the one given."""
    query = select(decisions).where(decisions.c.person.in_(keys))
    if after is not None:
        query = query.where(decisions.c.decision_id > after)
    return list(_read(connection, query.order_by(decisions.c.decision_id).limit(limit)))


def matured(
    connection: Connection,
    campaign: str,
    *,
    after: int = 0,
    through: int | None = None,
    limit: int,
    since: datetime | None = None,
    until: datetime | None = None,
    counting: bool = False,
) -> list[Matured]:
    """Matured decisions with a sequence number above `after`, and up to `through` if given, in sequence; of the period
    [since, until) if given.

    `counting`: without those that are excluded. What is learned is cut into segments of these alone, so that the
    boundaries are those of a log that never had the others.
    """
    query = select(rewards, decisions).join(decisions, rewards.c.decision_id == decisions.c.decision_id)
    query = query.where(rewards.c.campaign == campaign, rewards.c.sequence > after)
    if through is not None:
        query = query.where(rewards.c.sequence <= through)
    if counting:
        query = query.where(rewards.c.excluded.is_(None))
    if since is not None:
        query = query.where(decisions.c.at >= since)
    if until is not None:
        query = query.where(decisions.c.at < until)
    rows = connection.execute(query.order_by(rewards.c.sequence).limit(limit)).all()
    by_id = _choices(connection, [row.decision_id for row in rows])
    return [_matured(row, by_id[row.decision_id]) for row in rows]


def matured_one(connection: Connection, decision_id: str) -> Matured | None:
    """One decision with what it earned; None before it is matured."""
    query = select(rewards, decisions).join(decisions, rewards.c.decision_id == decisions.c.decision_id)
    row = connection.execute(query.where(rewards.c.decision_id == decision_id)).one_or_none()
    return None if row is None else _matured(row, _choices(connection, [decision_id])[decision_id])


def matured_many(connection: Connection, ids: Sequence[str]) -> dict[str, Matured]:
    """Those of these decisions that are matured, by id."""
    found: dict[str, Matured] = {}
    for chunk in chunks(ids):
        query = select(rewards, decisions).join(decisions, rewards.c.decision_id == decisions.c.decision_id)
        rows = connection.execute(query.where(rewards.c.decision_id.in_(chunk))).all()
        made = _choices(connection, [row.decision_id for row in rows])
        found.update((row.decision_id, _matured(row, made[row.decision_id])) for row in rows)
    return found


def matured_of(row: Any, choice_rows: Iterable[Any]) -> Matured:
    """A matured decision of rows with the columns of the tables as attributes, wherever they were kept."""
    return _matured(row, tuple(_choice(one) for one in choice_rows))


def read_many(connection: Connection, ids: Iterable[str]) -> dict[str, Decision]:
    """The decisions that exist, by id."""
    found: dict[str, Decision] = {}
    for chunk in chunks(list(ids)):
        query = select(decisions).where(decisions.c.decision_id.in_(chunk))
        found.update((decision.id, decision) for decision in _read(connection, query))
    return found


def by_request(connection: Connection, batch: Sequence[Decision]) -> dict[tuple[str, str | None], Decision]:
    """The decisions that already stand for request ids of the batch, by campaign and request id."""
    found: dict[tuple[str, str | None], Decision] = {}
    asked = sorted((decision for decision in batch if decision.request_id), key=lambda d: d.campaign)
    for campaign, group in groupby(asked, key=lambda d: d.campaign):
        for chunk in chunks([str(decision.request_id) for decision in group]):
            query = select(decisions).join(requests, requests.c.decision_id == decisions.c.decision_id)
            query = query.where(requests.c.campaign == campaign, requests.c.request_id.in_(chunk))
            found.update(((d.campaign, d.request_id), d) for d in _read(connection, query))
    return found


def _present(connection: Connection, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for chunk in chunks(ids):
        query = select(decisions.c.decision_id).where(decisions.c.decision_id.in_(chunk))
        found.update(connection.execute(query).scalars())
    return found


def _read(connection: Connection, query: Select[Any]) -> Iterator[Decision]:
    rows = connection.execute(query).all()
    by_id = _choices(connection, [row.decision_id for row in rows])
    for row in rows:
        yield _decision(row, by_id[row.decision_id])


def _choices(connection: Connection, ids: Sequence[str]) -> Mapping[str, tuple[Choice, ...]]:
    found: dict[str, list[Choice]] = {decision_id: [] for decision_id in ids}
    for chunk in chunks(ids):
        query = select(choices).where(choices.c.decision_id.in_(chunk)).order_by(choices.c.position)
        for row in connection.execute(query):
            found[row.decision_id].append(_choice(row))
    return {decision_id: tuple(rows) for decision_id, rows in found.items()}


def _decision_row(decision: Decision) -> dict[str, Any]:
    return {
        "decision_id": decision.id,
        "campaign": decision.campaign,
        "version": decision.version,
        "at": decision.at,
        "person": decision.person,
        "context": dict(decision.context),
        "ignored_context": list(decision.ignored_context),
        "labels": dict(decision.labels),
        "time_zone": decision.time_zone,
        "group_name": decision.group.value,
        "snapshot_id": decision.snapshot,
        "activate_by": decision.activate_by,
        "activated_at": decision.activated_at,
        "window_closes_at": decision.window_closes_at,
        "request_id": decision.request_id,
        "request_hash": decision.request_hash,
        "superseded_by": decision.superseded_by,
    }


def _request_row(decision: Decision) -> dict[str, Any]:
    return {"campaign": decision.campaign, "request_id": decision.request_id, "decision_id": decision.id}


def _window_row(decision: Decision) -> dict[str, Any]:
    waiting = decision.window_closes_at is None
    closes = decision.activate_by if waiting else decision.window_closes_at
    return {"decision_id": decision.id, "campaign": decision.campaign, "closes_at": closes, "waiting": waiting}


def _choice_rows(decision: Decision) -> Iterator[dict[str, Any]]:
    for position, choice in enumerate(decision.choices):
        yield {
            "decision_id": decision.id,
            "position": position,
            "slot": choice.slot,
            "variant": choice.variant,
            "propensity": choice.propensity,
            "kind": choice.kind.value,
            "reason": choice.reason.value,
            "policy": choice.policy,
            "explore": choice.explore,
            "eligible": choice.eligible,
            "probabilities": choice.probabilities,
            "candidates": [asdict(candidate) for candidate in choice.candidates],
            "refusals": [{"variant": refusal.variant, "reason": refusal.reason} for refusal in choice.refusals],
            "activated_at": choice.activated_at,
        }


def _matured(row: Row[Any], made: tuple[Choice, ...]) -> Matured:
    return Matured(
        decision=_decision(row, made),
        sequence=row.sequence,
        reward=row.reward,
        slot_rewards=row.slot_rewards,
        matured_at=row.matured_at,
        error=row.error,
        excluded=None if row.excluded is None else Excluded(row.excluded),
    )


def _decision(row: Row[Any], made: tuple[Choice, ...]) -> Decision:
    return Decision(
        id=row.decision_id,
        campaign=row.campaign,
        version=row.version,
        at=row.at,
        person=row.person,
        context=features(row.context),
        ignored_context=tuple(row.ignored_context),
        labels=row.labels,
        time_zone=row.time_zone,
        group=Group(row.group_name),
        snapshot=row.snapshot_id,
        window_closes_at=row.window_closes_at,
        choices=made,
        activate_by=row.activate_by,
        activated_at=row.activated_at,
        request_id=row.request_id,
        request_hash=row.request_hash,
        superseded_by=row.superseded_by,
        erased=row.erased_at is not None,
    )


def _choice(row: Row[Any]) -> Choice:
    """Without its content: that stands in the campaign's version or among the candidates."""
    candidates = tuple(Candidate(c["id"], c["content"], features(c["features"])) for c in row.candidates)
    content = next((candidate.content for candidate in candidates if candidate.id == row.variant), {})
    return Choice(
        slot=row.slot,
        variant=row.variant,
        content=content,
        propensity=row.propensity,
        kind=Kind(row.kind),
        reason=Reason(row.reason),
        policy=row.policy,
        explore=row.explore,
        eligible=tuple(row.eligible),
        probabilities=tuple(row.probabilities),
        candidates=candidates,
        refusals=tuple(Refusal(row.slot, r["variant"], r["reason"]) for r in row.refusals),
        activated_at=row.activated_at,
    )


def features(document: Mapping[str, Any]) -> Features:
    """Features as they were before JSON: lists of texts are tuples, whole numbers are floats."""

    def value(raw: Any) -> Value:
        if isinstance(raw, list):
            return tuple(raw)
        return float(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw

    return {name: value(raw) for name, raw in document.items()}
