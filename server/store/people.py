"""Which keys are one human being: a cookie, and the customer that it turned out to be.

A link leads from an alias to the key that is kept, in one step. Decisions stay under the key with which they were made;
who is who is resolved when asking.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert, select, update

from server.errors import Conflict, EligeError, InvalidRequest
from server.store.chunks import chunks
from server.store.tables import people


@dataclass(frozen=True, slots=True)
class Link:
    """Two keys that are one human being, both as keyed hashes: `alias` is given up for `person`."""

    alias: str
    person: str


class LinkStatus(StrEnum):
    """What became of a link."""

    LINKED = "linked"
    ALREADY_LINKED = "already_linked"


def keys_of(connection: Connection, person_key: str) -> list[str]:
    """All keys of the human being who has this one: the key that is kept, then its aliases in their order.

    A key without links is alone.
    """
    kept = _kept(connection, [person_key]).get(person_key, person_key)
    aliases = select(people.c.person).where(people.c.linked_to == kept).order_by(people.c.person)
    return [kept, *connection.execute(aliases).scalars()]


def keys_of_each(connection: Connection, person_keys: Collection[str]) -> dict[str, list[str]]:
    """As keys_of, for many at once."""
    kept = _kept(connection, sorted(person_keys))
    found = {one: [one] for one in {kept.get(key, key) for key in person_keys}}
    for chunk in chunks(sorted(found)):
        aliases = select(people.c.linked_to, people.c.person).where(people.c.linked_to.in_(chunk))
        for row in connection.execute(aliases.order_by(people.c.person)):
            found[row.linked_to].append(row.person)
    return {key: found[kept.get(key, key)] for key in person_keys}


def link(connection: Connection, links: Sequence[Link], *, now: datetime) -> list[LinkStatus | EligeError]:
    """Link one after the other; the answers in their order. Whoever was linked to an alias follows it.

    Answers InvalidRequest for a key that would be linked to itself, Conflict for an alias of someone else.
    """
    keys = sorted({key for one in links for key in (one.alias, one.person)})
    kept = _kept(connection, keys)
    followers: dict[str, list[str]] = defaultdict(list)
    for alias, person in kept.items():
        followers[person].append(alias)
    fresh: dict[str, str] = {}
    answers: list[LinkStatus | EligeError] = []
    for one in links:
        person = kept.get(one.person, one.person)
        before = kept.get(one.alias)
        if one.alias == person:
            answers.append(InvalidRequest("alias: it is the key that is kept already, and can't be linked to itself"))
        elif before == person:
            answers.append(LinkStatus.ALREADY_LINKED)
        elif before is not None:
            answers.append(Conflict("alias: it is linked to someone else"))
        else:
            fresh[one.alias] = person
            followers[person] += [one.alias, *followers.pop(one.alias, ())]
            kept.update(dict.fromkeys(followers[person], person))
            answers.append(LinkStatus.LINKED)
    _write(connection, fresh, kept, now=now)
    return answers


def _write(connection: Connection, fresh: Mapping[str, str], kept: Mapping[str, str], *, now: datetime) -> None:
    for chunk in chunks(list(fresh)):  # aliases that had aliases
        followed = select(people.c.linked_to).distinct().where(people.c.linked_to.in_(chunk))
        for alias in connection.execute(followed).scalars().all():
            connection.execute(update(people).where(people.c.linked_to == alias).values(linked_to=kept[alias]))
    if fresh:
        rows = [{"person": alias, "linked_to": kept[alias], "linked_at": now} for alias in fresh]
        connection.execute(insert(people), rows)


def _kept(connection: Connection, keys: Sequence[str]) -> dict[str, str]:
    """Alias to the key that is kept, for those of the keys that are aliases."""
    found: dict[str, str] = {}
    for chunk in chunks(keys):
        query = select(people.c.person, people.c.linked_to).where(people.c.person.in_(chunk))
        found.update((row.person, row.linked_to) for row in connection.execute(query))
    return found
