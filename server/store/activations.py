"""Activations: what of a decision was really shown, and when. The first that is told of a slot stands.

The first activation of any slot begins the decision's window, which a later slot does not move.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from server.durations import parse_duration
from server.errors import EligeError, InvalidRequest, NoSuchDecision, WrongState
from server.records import Activated, Activation, ActivationStatus, Decision
from server.store.chunks import chunks
from server.store.tables import campaigns, choices, decisions, early_activations, rewards, windows

NOT_YET = Activated(ActivationStatus.PENDING, None)
EXPIRED = Activated(ActivationStatus.EXPIRED, None)


@dataclass(slots=True)
class Waiting:
    """A decision as activations see and change it. `shown`: slot to when it was, None as long as it was not."""

    version: int
    activate_by: datetime | None
    closes_at: datetime | None
    shown: dict[str, datetime | None]
    matured: bool
    erased: bool


def append(connection: Connection, batch: Sequence[Activation]) -> list[Activated | EligeError]:
    """Store activations; answers in the order of the batch.

    One that can't be is answered by its error and changes nothing: WrongState where nothing was deferred,
    InvalidRequest for a slot that was not decided, NoSuchDecision for a decision that was erased. One whose decision is
    not here is kept, and applied when it is stored.
    """
    found = look_up(connection, sorted({one.decision_id for one in batch}))
    judged = judge(batch, found, windows_of(connection))
    _write(connection, judged)
    return judged.answers


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of activations, and the rows that say so."""

    answers: list[Activated | EligeError] = field(default_factory=list)
    begun: list[Mapping[str, Any]] = field(default_factory=list)
    shown: list[Mapping[str, Any]] = field(default_factory=list)
    early: list[Mapping[str, Any]] = field(default_factory=list)


def judge(
    batch: Sequence[Activation], found: Mapping[str, Waiting], window_of: Callable[[str, int], timedelta]
) -> Judged:
    """What becomes of each activation, in the order of the batch; `found` is changed accordingly.

    `window_of`: how long the reward window of a campaign's version is.
    """
    judged = Judged()
    begun, shown, early, answers = judged.begun, judged.shown, judged.early, judged.answers
    for one in batch:
        decision = found.get(one.decision_id)
        if decision is None:
            early.append({"decision_id": one.decision_id, "slots": list(one.slots), "at": one.at})
            answers.append(NOT_YET)
            continue
        try:
            fresh = _fresh(one, decision)
        except EligeError as error:
            answers.append(error)
            continue
        if fresh and _over(one.at, decision):
            answers.append(EXPIRED)
            continue
        if fresh and decision.closes_at is None:
            window = window_of(one.campaign, decision.version)
            decision.closes_at = one.at + min(window, one.longest_window or window)
            begun.append({"id": one.decision_id, "begun_at": one.at, "closes": decision.closes_at})
        for slot in fresh:
            decision.shown[slot] = one.at
            shown.append({"id": one.decision_id, "of": slot, "shown_at": one.at})
        status = ActivationStatus.ACTIVATED if fresh else ActivationStatus.ALREADY_ACTIVE
        answers.append(Activated(status, decision.closes_at))
    return judged


def catch_up(connection: Connection, stored: Sequence[Decision]) -> None:
    """Apply what came before these decisions, which have just been stored. What can't be applied is dropped."""
    deferred = {one.id: one.campaign for one in stored if one.activate_by is not None}
    came: list[Activation] = []
    for chunk in chunks(list(deferred)):
        ours = early_activations.c.decision_id.in_(chunk)
        query = select(early_activations).where(ours).order_by(early_activations.c.activation_id)
        for row in connection.execute(query):
            campaign = deferred[row.decision_id]
            came.append(Activation(row.decision_id, campaign, tuple(row.slots), row.at))
        if came:
            connection.execute(delete(early_activations).where(ours))
    if came:
        append(connection, came)


def _fresh(one: Activation, decision: Waiting) -> list[str]:
    """The slots that it shows and that were not shown yet. Raises NoSuchDecision, WrongState, InvalidRequest."""
    if decision.erased:
        raise NoSuchDecision(one.decision_id, "its person was erased")
    if decision.activate_by is None:
        raise WrongState(f"decision {one.decision_id!r} counts since it was made: its activation was not deferred")
    for slot in one.slots:
        if slot not in decision.shown:
            known = ", ".join(map(repr, decision.shown))
            raise InvalidRequest(f"decision {one.decision_id!r} did not decide slot {slot!r}; it decided: {known}")
    return [slot for slot, at in decision.shown.items() if at is None and (not one.slots or slot in one.slots)]


def _over(at: datetime, decision: Waiting) -> bool:
    """Whether a slot shown then came too late to count: after its time to live, or after the window of the others."""
    assert decision.activate_by is not None
    ends = decision.activate_by if decision.closes_at is None else min(decision.activate_by, decision.closes_at)
    return decision.matured or at > ends


def look_up(connection: Connection, ids: Sequence[str]) -> dict[str, Waiting]:
    """The decisions with these ids that are here, by id."""
    found: dict[str, Waiting] = {}
    joined = decisions.outerjoin(rewards, decisions.c.decision_id == rewards.c.decision_id)
    columns = decisions.c
    asked = (columns.decision_id, columns.version, columns.activate_by, columns.window_closes_at, columns.erased_at)
    slots = select(choices.c.decision_id, choices.c.slot, choices.c.activated_at)
    for chunk in chunks(ids):
        query = select(*asked, rewards.c.sequence).select_from(joined).where(columns.decision_id.in_(chunk))
        for row in connection.execute(query):
            over, erased = row.sequence is not None, row.erased_at is not None
            found[row.decision_id] = Waiting(row.version, row.activate_by, row.window_closes_at, {}, over, erased)
        made = slots.where(choices.c.decision_id.in_(chunk)).order_by(choices.c.position)
        for choice in connection.execute(made):
            found[choice.decision_id].shown[choice.slot] = choice.activated_at
    return found


def windows_of(connection: Connection) -> Callable[[str, int], timedelta]:
    """How long the reward window of a campaign's version is. Each is read once."""
    known: dict[tuple[str, int], timedelta] = {}
    window = campaigns.c.document["reward", "window"].as_string()

    def of(campaign: str, version: int) -> timedelta:
        if (campaign, version) not in known:
            same = (campaigns.c.campaign == campaign, campaigns.c.version == version)
            known[campaign, version] = parse_duration(connection.execute(select(window).where(*same)).scalar_one())
        return known[campaign, version]

    return of


def _write(connection: Connection, judged: Judged) -> None:
    begun, shown, early = judged.begun, judged.shown, judged.early
    if begun:
        first = update(decisions).where(decisions.c.decision_id == bindparam("id"))
        first = first.values(activated_at=bindparam("begun_at"), window_closes_at=bindparam("closes"))
        connection.execute(first, begun)
        window = update(windows).where(windows.c.decision_id == bindparam("id"))
        connection.execute(window.values(closes_at=bindparam("closes"), waiting=False), begun)
    if shown:
        same = (choices.c.decision_id == bindparam("id"), choices.c.slot == bindparam("of"))
        connection.execute(update(choices).where(*same).values(activated_at=bindparam("shown_at")), shown)
    if early:
        connection.execute(insert(early_activations), early)
