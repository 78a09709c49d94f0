"""Records that are durable in the outbox when they are acknowledged, answered with what the database knows.

While the database answers, one short read a batch asks it what it has seen; what is not drained yet the outbox knows.
While it is away the outbox answers alone.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from queue import SimpleQueue
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from server.errors import EligeError, InvalidRequest, Unavailable
from server.records import Activated, Activation, ActivationStatus, Decision, Kind, Outcome, OutcomeStatus, Recorded
from server.store import activations, decisions, outcomes
from server.store.activations import Waiting
from server.store.appending import Record, by_kind
from server.store.database import Database
from server.store.decisions import Repeat
from server.store.outbox import Outbox
from server.store.outcomes import Fate, Known, Name
from server.store.payloads import encode
from server.store.presence import Presence

T = TypeVar("T")

ASK_SECONDS = 1.0
"""How long a batch waits for what the database knows, before the database counts as away."""
LEARNABLE = (Kind.POLICY, Kind.OBSERVED)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of what a batch is about. `stood`: the decisions that stand for request ids. `made`: those of the
    batch itself.
    """

    stood: dict[tuple[str, str | None], Decision] = field(default_factory=dict)
    made: dict[str, Decision] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    fates: dict[str, Fate] = field(default_factory=dict)
    names: set[Name] = field(default_factory=set)
    people: Mapping[str, str] = field(default_factory=dict)
    windows: dict[tuple[str, int], timedelta] = field(default_factory=dict)


class Buffer:
    """The target of a committer whose records are drained later. Used by its thread."""

    def __init__(
        self,
        outbox: Outbox,
        database: Database,
        presence: Presence,
        *,
        clock: Callable[[], datetime],
        appended: Callable[[], None],
    ) -> None:
        """`appended` is called when there is something to drain."""
        self._outbox = outbox
        self._database = database
        self._presence = presence
        self._clock = clock
        self._appended = appended
        self._ask_in_time = Deadline(ASK_SECONDS)
        self._windows: dict[tuple[str, int], timedelta] = {}

    def append(self, batch: Sequence[Record]) -> list[Any]:
        at = self._clock()
        self._outbox.under_way = min([at, *(one.received_at for one in batch if isinstance(one, Outcome))])
        try:
            return self._append(batch, at=at)
        finally:
            self._outbox.under_way = None

    def _append(self, batch: Sequence[Record], *, at: datetime) -> list[Any]:
        payloads = {id(record): encode(record) for record in batch}  # first of all: it finds what can't be stored
        seen = self._ask(batch)
        fresh: list[Record] = []
        answers = by_kind(
            batch,
            decision=lambda ones: self._decisions(ones, seen, fresh),
            activation=lambda ones: self._activations(ones, seen, fresh),
            outcome=lambda ones: self._outcomes(ones, seen, fresh),
        )
        if fresh:
            self._outbox.append([(record, payloads[id(record)]) for record in fresh], at=at)
            self._appended()
        return answers

    def _decisions(self, batch: Sequence[Decision], seen: _Seen, fresh: list[Record]) -> list[Decision | Repeat]:
        answers: list[Decision | Repeat] = []
        for one in batch:
            stood = None
            if one.request_id:
                # the database's first: of two servers' answers to one request id, it is the one that stands
                stood = seen.stood.get((one.campaign, one.request_id))
                stood = stood or self._outbox.decision_for(one.campaign, one.request_id)
                seen.stood[one.campaign, one.request_id] = stood or one
            if stood is not None:
                answers.append(Repeat(stood, stood.request_hash == one.request_hash))
                continue
            seen.made[one.id] = one
            fresh.append(one)
            answers.append(one)
        return answers

    def _activations(
        self, batch: Sequence[Activation], seen: _Seen, fresh: list[Record]
    ) -> list[Activated | EligeError]:
        self._look({one.decision_id for one in batch}, seen)
        answers = self._judge(batch, seen)
        changing = (ActivationStatus.ACTIVATED, ActivationStatus.PENDING)
        told = zip(batch, answers, strict=True)
        fresh += [one for one, answer in told if isinstance(answer, Activated) and answer.status in changing]
        return answers

    def _outcomes(self, batch: Sequence[Outcome], seen: _Seen, fresh: list[Record]) -> list[Recorded]:
        ids = {one.decision_id for one in batch if one.decision_id is not None}
        self._look(ids, seen)
        for decision_id in ids & seen.waiting.keys() & seen.fates.keys():  # a window may have begun since
            seen.fates[decision_id] = replace(seen.fates[decision_id], closes_at=seen.waiting[decision_id].closes_at)
        told = (one for one in batch if one.key is not None and self._outbox.has_outcome(one))
        seen.names.update(name for one in told for name in outcomes.names_of(one, seen.people))
        answers = outcomes.judge(batch, Known(seen.fates, seen.names, seen.people))
        judged = zip(batch, answers, strict=True)
        fresh += [one for one, answer in judged if answer.status is not OutcomeStatus.DUPLICATE]
        return answers

    def _look(self, ids: Iterable[str], seen: _Seen) -> None:
        """Add what the outbox knows of these decisions."""
        for decision_id in ids:
            new = decision_id not in seen.fates and decision_id not in seen.waiting
            if new and (decision := seen.made.get(decision_id) or self._outbox.decision(decision_id)):
                _meet(decision, seen)
            waiting = seen.waiting.get(decision_id)
            if waiting is not None and waiting.activate_by is not None:
                self._judge(self._outbox.activations(decision_id), seen)

    def _judge(self, batch: Sequence[Activation], seen: _Seen) -> list[Activated | EligeError]:
        """One whose window is not known yet waits for its decision to be drained."""
        found = {
            one.decision_id: waiting
            for one in batch
            if (waiting := seen.waiting.get(one.decision_id))
            and (waiting.closes_at is not None or (one.campaign, waiting.version) in self._windows)
        }
        return activations.judge(batch, found, lambda campaign, version: self._windows[campaign, version]).answers

    def _ask(self, batch: Sequence[Record]) -> _Seen:
        """What the database knows; nothing while it is away. Raises InvalidRequest for what it can't be asked for."""
        if not (self._presence.up and any(map(self._is_asked_about, batch))):
            return _Seen()
        try:
            seen = self._ask_in_time(lambda: self._read(batch))
        except InvalidRequest:
            raise
        except (EligeError, SQLAlchemyError) as error:
            self._presence.lost(str(error))
            return _Seen()
        self._windows.update(seen.windows)
        return seen

    def _is_asked_about(self, record: Record) -> bool:
        if not isinstance(record, Decision):
            return True
        deferred = record.activate_by is not None
        return record.request_id is not None or (deferred and (record.campaign, record.version) not in self._windows)

    def _read(self, batch: Sequence[Record]) -> _Seen:
        made = [one for one in batch if isinstance(one, Decision)]
        shown = [one for one in batch if isinstance(one, Activation)]
        happened = [one for one in batch if isinstance(one, Outcome)]
        with self._database.reading() as connection:
            known = outcomes.look_up(connection, happened)
            unbegun = {decision_id for decision_id, fate in known.fates.items() if fate.closes_at is None}
            waiting = activations.look_up(connection, sorted({*unbegun, *(one.decision_id for one in shown)}))
            window_of = activations.windows_of(connection)
            needed = {(one.campaign, one.version) for one in made if one.activate_by is not None}
            needed |= {(one.campaign, waiting[one.decision_id].version) for one in shown if one.decision_id in waiting}
            return _Seen(
                stood=decisions.by_request(connection, made),
                waiting=waiting,
                fates=dict(known.fates),
                names=set(known.names),
                people=known.people,
                windows={one: window_of(*one) for one in needed - self._windows.keys()},
            )


def _meet(decision: Decision, seen: _Seen) -> None:
    """Add a decision that the database does not have."""
    kind = next((choice.kind for choice in decision.choices if choice.kind in LEARNABLE), None)
    shown = {choice.slot: choice.activated_at for choice in decision.choices}
    closes_at = decision.window_closes_at
    seen.fates[decision.id] = Fate(closes_at, kind, learned=False)
    seen.waiting[decision.id] = Waiting(
        decision.version, decision.activate_by, closes_at, shown, matured=False, erased=False
    )


class Deadline:
    """Calls functions in a thread of its own, and waits for each so long and no longer."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()
        self._last: Future[Any] | None = None
        threading.Thread(target=self._run, name="elige-asker", daemon=True).start()

    def __call__(self, function: Callable[[], T]) -> T:
        """Raises Unavailable where there is no answer in time, nor an end of a call before."""
        if self._last is not None and not self._last.done():
            raise Unavailable("the database has not answered an earlier question yet")
        self._last = answer = Future[T]()
        self._calls.put((function, answer))
        try:
            return answer.result(self._seconds)
        except TimeoutError:
            raise Unavailable(f"the database does not answer within {self._seconds:g} s") from None

    def _run(self) -> None:
        while True:
            function, answer = self._calls.get()
            try:
                answer.set_result(function())
            except BaseException as error:  # noqa: BLE001 whatever it is, it is the caller's
                answer.set_exception(error)
