"""Records of every kind, written by the functions that know their kind."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection

from server.records import Activation, Decision, Outcome
from server.store import activations, decisions, outcomes

Record: TypeAlias = Decision | Activation | Outcome

# decisions first, then what was shown: an outcome of the same batch finds its own
KINDS: Mapping[str, type[Record]] = {"decision": Decision, "activation": Activation, "outcome": Outcome}
_NAMES = {type_: name for name, type_ in KINDS.items()}


def kind_of(record: Record) -> str:
    """The name of its kind."""
    return _NAMES[type(record)]


def append(connection: Connection, batch: Sequence[Record]) -> list[Any]:
    """Store records as callers tell them; answers in the order of the batch."""
    return by_kind(
        batch,
        decision=lambda ones: decisions.append(connection, ones),
        activation=lambda ones: activations.append(connection, ones),
        outcome=lambda ones: outcomes.append(connection, ones),
    )


def drain(connection: Connection, batch: Sequence[Record]) -> None:
    """Store records that were acknowledged before, in the order in which they were."""
    by_kind(
        batch,
        decision=lambda ones: decisions.drain(connection, ones),
        activation=lambda ones: activations.append(connection, ones),
        outcome=lambda ones: outcomes.append(connection, ones),
    )


def by_kind(
    batch: Sequence[Record],
    *,
    decision: Callable[[list[Decision]], Sequence[Any]],
    activation: Callable[[list[Activation]], Sequence[Any]],
    outcome: Callable[[list[Outcome]], Sequence[Any]],
) -> list[Any]:
    """Call each with all records of its kind, where there are any; their answers in the order of the batch."""
    answers: list[Any] = [None] * len(batch)
    calls: tuple[tuple[type[Record], Callable[[list[Any]], Sequence[Any]]], ...] = (
        (Decision, decision),
        (Activation, activation),
        (Outcome, outcome),
    )
    for type_, call in calls:
        if places := [place for place, record in enumerate(batch) if type(record) is type_]:
            for place, answer in zip(places, call([batch[place] for place in places]), strict=True):
                answers[place] = answer
    return answers
