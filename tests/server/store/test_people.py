"""Which keys are one human being."""

from datetime import UTC, datetime
from typing import Any

import pytest

from server.errors import Conflict, InvalidRequest
from server.store.database import Database
from server.store.people import Link, LinkStatus, keys_of, link

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def linked(database: Database, *pairs: tuple[str, str]) -> list[Any]:
    """Link alias to person, pair after pair, in one batch."""
    with database.writing() as connection:
        return link(connection, [Link(alias, person) for alias, person in pairs], now=NOW)


def keys(database: Database, person: str) -> list[str]:
    with database.reading() as connection:
        return keys_of(connection, person)


def test_a_key_without_links_is_alone(database: Database) -> None:
    assert keys(database, "cookie") == ["cookie"]


def test_every_key_of_a_person_gives_all_of_them(database: Database) -> None:
    assert linked(database, ("c1", "ana"), ("c2", "ana")) == [LinkStatus.LINKED, LinkStatus.LINKED]
    for one in ("ana", "c1", "c2"):
        assert keys(database, one) == ["ana", "c1", "c2"]
    assert keys(database, "berta") == ["berta"]


def test_linking_to_an_alias_links_to_the_key_that_is_kept(database: Database) -> None:
    linked(database, ("c1", "ana"))
    linked(database, ("c2", "c1"))
    assert keys(database, "c2") == ["ana", "c1", "c2"]


@pytest.mark.parametrize("together", [True, False])
def test_the_aliases_of_an_alias_follow_it(database: Database, together: bool) -> None:
    pairs = [("c1", "visitor"), ("c2", "visitor"), ("visitor", "ana"), ("ana", "ana@home")]
    batches = [pairs] if together else [[pair] for pair in pairs]
    for batch in batches:
        assert set(linked(database, *batch)) == {LinkStatus.LINKED}
    assert keys(database, "c1") == ["ana@home", "ana", "c1", "c2", "visitor"]


def test_what_is_linked_already_is_said_to_be(database: Database) -> None:
    linked(database, ("c1", "ana"), ("c2", "ana"))
    assert linked(database, ("c1", "ana"), ("c1", "c2"), ("c3", "ana"), ("c3", "ana")) == [
        LinkStatus.ALREADY_LINKED,
        LinkStatus.ALREADY_LINKED,
        LinkStatus.LINKED,
        LinkStatus.ALREADY_LINKED,
    ]


def test_an_alias_of_someone_else_stays_theirs(database: Database) -> None:
    linked(database, ("c1", "ana"))
    (answer,) = linked(database, ("c1", "berta"))
    assert isinstance(answer, Conflict)
    assert keys(database, "c1") == ["ana", "c1"]
    assert keys(database, "berta") == ["berta"]


def test_nobody_is_linked_to_themselves(database: Database) -> None:
    linked(database, ("c1", "ana"))
    for pair in (("ana", "ana"), ("ana", "c1")):
        (answer,) = linked(database, pair)
        assert isinstance(answer, InvalidRequest)
    assert keys(database, "ana") == ["ana", "c1"]
