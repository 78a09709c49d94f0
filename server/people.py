"""What is kept about people: linked, given back, erased. Persons come as callers name them and go no further than this:
inside they are keyed hashes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from server.campaigns.model import Campaign
from server.decide import with_contents
from server.errors import EligeError, InvalidRequest, NoSuchErasure
from server.ids import person_key
from server.records import Decision, Matured, Outcome
from server.store import campaigns as campaign_rows
from server.store import decisions as decision_rows
from server.store import erasures as erasure_rows
from server.store import outcomes as outcome_rows
from server.store import people as people_rows
from server.store.database import Database
from server.store.lineages import Retraining, retrainings
from server.store.outcomes import LoggedOutcome
from server.store.people import LinkStatus
from server.texts import check_text
from server.training.erasing import sweep

ID_BYTES = 16
"""Of an erasure's id."""
PAGE = 1_000
"""Decisions that an export reads at once."""


@dataclass(frozen=True, slots=True)
class Link:
    """Two keys of one human being: `alias`, a cookie, is given up for `person`, a customer number."""

    alias: str
    person: str


@dataclass(frozen=True, slots=True)
class Record:
    """A decision as the log holds it, with what came of it. `matured`: None before that."""

    decision: Decision
    outcomes: tuple[LoggedOutcome, ...]
    matured: Matured | None


class ErasureState(StrEnum):
    """How far an erasure is."""

    RETRAINING = "retraining"  # the rows are blanked; policies are being trained without them
    DONE = "done"  # nothing of the person is left
    FAILED = "failed"  # the last attempt failed; it is tried again


@dataclass(frozen=True, slots=True)
class Erased:
    """An erasure and how far it is. A dry run, which only counts, has neither id nor state nor time.

    `keys`: how many links were removed.
    """

    id: str
    state: ErasureState | None
    decisions: int
    outcomes: int
    keys: int
    retrainings: tuple[Retraining, ...] = ()
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None


def link_people(database: Database, links: Sequence[Link], *, now: datetime) -> list[LinkStatus | EligeError]:
    """Tell that keys are one human being; every link has its answer or error (InvalidRequest, Conflict), in order."""
    answers: list[LinkStatus | EligeError | None] = [_wrong(one) for one in links]
    good = [place for place, wrong in enumerate(answers) if wrong is None]
    secret = database.secret
    hashed = [
        people_rows.Link(person_key(secret, links[place].alias), person_key(secret, links[place].person))
        for place in good
    ]
    with database.writing() as connection:
        for place, answer in zip(good, people_rows.link(connection, hashed, now=now), strict=True):
            answers[place] = answer
    return [answer for answer in answers if answer is not None]


def person_keys(database: Database, person: str) -> list[str]:
    """The keyed hashes under which somebody is stored: the one that is kept, then those linked to it.

    Raises InvalidRequest.
    """
    key = _key(database, person)
    with database.reading() as connection:
        return people_rows.keys_of(connection, key)


def decisions_of(database: Database, person: str, *, after: str | None, limit: int) -> list[Record]:
    """What the log holds of somebody, in all campaigns, oldest first; after the decision with that id.

    Raises InvalidRequest.
    """
    key = _key(database, person)
    with database.reading() as connection:
        keys = people_rows.keys_of(connection, key)
        decided = decision_rows.of_people(connection, keys, after=after, limit=limit)
        records = []
        for decision in decided:
            stored = campaign_rows.read_version(connection, decision.campaign, decision.version)
            shown = with_contents(Campaign.from_document(stored.document), decision)
            told = outcome_rows.history(connection, decision.id)
            records.append(Record(shown, tuple(told), decision_rows.matured_one(connection, decision.id)))
    return records


def all_decisions_of(database: Database, person: str) -> Iterator[Record]:
    """The same, page by page to the end."""
    after: str | None = None
    while page := decisions_of(database, person, after=after, limit=PAGE):
        yield from page
        after = page[-1].decision.id


def outcomes_of(database: Database, person: str) -> list[Outcome]:
    """What was told of somebody without a decision that is known. Raises InvalidRequest."""
    keys = person_keys(database, person)
    with database.reading() as connection:
        return outcome_rows.of_people_alone(connection, keys)


def erase_person(database: Database, person: str, *, now: datetime, erasure_id: str, dry_run: bool = False) -> Erased:
    """Erase what there is of somebody, under all their keys; somebody who is not known too. What they taught, the
    trainer unlearns afterwards. `erasure_id`: ID_BYTES fresh bytes in hexadecimal. Raises InvalidRequest.
    """
    key = _key(database, person)
    if dry_run:
        with database.reading() as connection:
            decisions, outcomes, links = erasure_rows.count(connection, people_rows.keys_of(connection, key))
        return Erased("", None, decisions, outcomes, links)
    with database.writing() as connection:
        begun = erasure_rows.begin(connection, erasure_id, people_rows.keys_of(connection, key), now=now)
    sweep(database, begun, now=now)
    return read_erasure(database, erasure_id)


def read_erasure(database: Database, erasure_id: str) -> Erased:
    """How far an erasure is. Raises NoSuchErasure."""
    with database.reading() as connection:
        found = erasure_rows.read(connection, erasure_id)
        if found is None:
            raise NoSuchErasure(erasure_id)
        progress = retrainings(connection, found)
    if found.finished_at is not None:
        state = ErasureState.DONE
    else:
        state = ErasureState.RETRAINING if found.error is None else ErasureState.FAILED
    return Erased(
        id=found.id,
        state=state,
        decisions=found.decisions,
        outcomes=found.outcomes,
        keys=found.links,
        retrainings=progress,
        started_at=found.started_at,
        finished_at=found.finished_at,
        error=found.error,
    )


def _wrong(link: Link) -> InvalidRequest | None:
    try:
        check_text("alias", link.alias)
        check_text("person", link.person)
    except InvalidRequest as error:
        return error
    return InvalidRequest("alias: equals person, and can't be linked to itself") if link.alias == link.person else None


def _key(database: Database, person: str) -> str:
    check_text("person", person)
    return person_key(database.secret, person)
