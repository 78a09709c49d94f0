"""Decisions of the log one by one, newest first, with what came of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policies.expressions import ExpressionError, compile_expression
from server.campaigns.model import Campaign
from server.decide import with_contents
from server.errors import InvalidRequest
from server.ids import read_decision_id
from server.people import Record, person_keys
from server.records import Decision
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store import outcomes as outcome_rows
from server.store.database import Database

CHUNK = 500
SCANNED = 20_000
"""Decisions that one call looks at, at most, for those that a test lets through."""

Test = Callable[[Decision], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which decisions: of one campaign, of one person under all their keys, of the period [since, until).

    where: a CEL test over the keys of the context, else of the labels, and `group` and `version`. kind: another test.
    """

    campaign: str | None = None
    person: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    where: str | None = None
    kind: Test | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One page. next: the id after which the next one begins; None on the last. A page may be short although there is a
    next one: the call had looked at enough.
    """

    records: tuple[Record, ...]
    next: str | None


def list_decisions(database: Database, asked: Asked, *, after: str | None, limit: int) -> Listed:
    """Up to `limit` decisions that are older than the one with the id `after`.

    Raises InvalidRequest for a filter or an id that is none, NoSuchCampaign.
    """
    tests = [test for test in (_where(asked.where), asked.kind) if test is not None]
    keys = person_keys(database, asked.person) if asked.person is not None else None
    if asked.campaign is not None:
        with database.reading() as connection:
            campaign_rows.read_version(connection, asked.campaign)
    found: list[Decision] = []
    scanned, more = 0, True
    while more and len(found) < limit and scanned < SCANNED:
        size = min(CHUNK, SCANNED - scanned) if tests else limit
        with database.reading() as connection:
            rows = decision_rows.newest_first(
                connection,
                campaign=asked.campaign,
                keys=keys,
                since=asked.since,
                until=asked.until,
                before=None if after is None else (read_decision_id(database.secret, after).at, after),
                limit=size + 1,
            )
        more = len(rows) > size
        for place, decision in enumerate(rows[:size]):
            after = decision.id
            scanned += 1
            if all(test(decision) for test in tests):
                found.append(decision)
            if len(found) == limit:
                more = more or place + 1 < len(rows[:size])
                break
    return Listed(_records(database, found), after if more else None)


def _where(source: str | None) -> Test | None:
    if source is None:
        return None
    try:
        test = compile_expression(source, names=None)
    except ExpressionError as error:
        raise InvalidRequest(f"where: {error}") from error

    def holds(decision: Decision) -> bool:
        values: Mapping[str, Any] = {
            "group": decision.group.value,
            "version": float(decision.version),
            **decision.labels,
            **decision.context,
        }
        try:
            return test.test(values).holds
        except ExpressionError as error:
            raise InvalidRequest(f"where, decision {decision.id}: {error}") from error

    return holds


def _records(database: Database, decided: Sequence[Decision]) -> tuple[Record, ...]:
    ids = [decision.id for decision in decided]
    versions = {(decision.campaign, decision.version) for decision in decided}
    with database.reading() as connection:
        matured = decision_rows.matured_many(connection, ids)
        told = outcome_rows.histories(connection, ids)
        made_by = {
            version: Campaign.from_document(campaign_rows.read_version(connection, *version).document)
            for version in versions
        }
    shown = (with_contents(made_by[one.campaign, one.version], one) for one in decided)
    return tuple(Record(one, tuple(told[one.id]), matured.get(one.id)) for one in shown)
