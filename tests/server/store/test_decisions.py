"""Decisions in the log: what is read is what was written, and a request id is answered once."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import StatementError

from server.errors import InvalidRequest, NoSuchDecision
from server.records import Candidate, Choice, Decision, Group, Kind, Reason, Refusal
from server.store import decisions as rows
from server.store.campaigns import StoredCampaign
from server.store.database import Database
from server.store.decisions import Repeat

AT = datetime(2026, 3, 1, 12, 0, 0, 123457, tzinfo=UTC)
HOSTILE = ["", " ", "a|b:c\t\n", "\x00", "😀", "é" * 5_000, "'; drop table decisions; --", '{"json": [']


@pytest.fixture(autouse=True)
def campaign(put: Callable[[str], StoredCampaign], hero: str) -> None:
    put(hero)
    put(hero.replace("campaign: hero", "campaign: other"))


def choice(**changes: Any) -> Choice:
    made = Choice(
        slot="headline",
        variant="price",
        content={},
        propensity=1 / 3,
        kind=Kind.POLICY,
        reason=Reason.DRAWN,
        policy="squarecb",
        explore=0.02,
        eligible=("hours", "price"),
        probabilities=(2 / 3, 1 / 3),
    )
    return replace(made, **changes)


def decision(name: str = "d", **changes: Any) -> Decision:
    made = Decision(
        id=name,
        campaign="hero",
        version=1,
        at=AT,
        person="p",
        context={"country": "ES"},
        ignored_context=(),
        labels={},
        time_zone=None,
        group=Group.POLICY,
        snapshot=None,
        window_closes_at=AT + timedelta(minutes=30),
        choices=(choice(),),
    )
    return replace(made, **changes)


def append(database: Database, *batch: Decision) -> list[Decision | Repeat]:
    with database.writing() as connection:
        return rows.append(connection, batch)


def read(database: Database, name: str = "d") -> Decision:
    with database.reading() as connection:
        return rows.read(connection, name)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_hostile_text_comes_back_as_it_went(text: str, database: Database) -> None:
    written = decision(
        context={text: text, "x": (text, text), "n": 3.0, "flag": True},
        labels={text: [text, {text: None}]},
        ignored_context=(text,),
        request_id=text or None,
        request_hash="h",
        choices=(
            choice(
                variant=text,
                content={text: [text]},
                eligible=("hours", text),
                candidates=(Candidate(text, {text: [text]}, {text: (text,), "n": 1.0}),),
                refusals=(Refusal("headline", text, "excluded"),),
            ),
            choice(slot="cta", variant="try", eligible=("try",), probabilities=(1.0,), propensity=1.0),
        ),
    )
    if database.url.get_backend_name() == "postgresql" and ("\x00" in text or len(text) > 256):
        with pytest.raises(InvalidRequest, match="it can't be stored"):  # as JSON it could, as an id it can't
            append(database, written)
        return
    append(database, written)
    assert read(database) == written


def test_every_bit_of_a_probability_is_kept(database: Database) -> None:
    probabilities = (0.1 + 0.2, 5e-324, 1 - 2**-53, 1e-300)
    written = decision(
        choices=(choice(propensity=5e-324, eligible=("a", "price", "c", "d"), probabilities=probabilities),)
    )
    append(database, written)
    (back,) = read(database).choices
    assert back.probabilities == probabilities
    assert back.propensity == 5e-324


def test_numbers_flags_and_lists_keep_their_kind(database: Database) -> None:
    features: Mapping[str, Any] = {"one": 1.0, "yes": True, "text": "1", "texts": ("1",), "none": ()}
    append(database, decision(context=features))
    back = read(database).context
    assert back == features
    assert {name: type(value) for name, value in back.items()} == {
        name: type(value) for name, value in features.items()
    }


def test_a_request_id_is_answered_once(database: Database) -> None:
    first = decision("a", request_id="r", request_hash="h")
    again = decision("b", request_id="r", request_hash="h")
    clash = decision("c", request_id="r", request_hash="other")
    elsewhere = decision("d", campaign="other", request_id="r", request_hash="h")
    # in one batch …
    answers = append(database, first, again, clash, elsewhere)
    assert answers == [first, Repeat(first, True), Repeat(first, False), elsewhere]
    # … and across batches
    assert append(database, again, clash) == [Repeat(first, True), Repeat(first, False)]
    with database.reading() as connection:
        assert {one.id for one in rows.newest(connection, "hero", limit=9)} == {"a"}


def test_without_a_request_id_nothing_is_a_repetition(database: Database) -> None:
    batch = [decision(name) for name in "abc"]
    assert append(database, *batch) == batch


def test_what_is_not_there(database: Database) -> None:
    with pytest.raises(NoSuchDecision, match="no decision 'd'"):
        read(database)
    with database.reading() as connection:
        assert rows.read_many(connection, ["d"]) == {}
        assert rows.matured_one(connection, "d") is None


def test_more_decisions_than_one_statement_takes(database: Database) -> None:
    batch = [decision(f"d{i:04}", request_id=f"r{i}", request_hash="h") for i in range(1_201)]
    append(database, *batch)
    assert append(database, *batch) == [Repeat(one, True) for one in batch]
    with database.reading() as connection:
        assert len(rows.read_many(connection, [one.id for one in batch])) == 1_201


def test_a_batch_is_stored_whole_or_not_at_all(database: Database) -> None:
    # people's contexts are in none of the texts; psycopg converts by itself, the others by SQLAlchemy
    with pytest.raises((StatementError, TypeError), match=r"parameters hidden|^Type is not JSON serializable: object$"):
        append(database, decision("a"), decision("b", labels={"x": object()}))
    with database.reading() as connection:
        assert rows.newest(connection, "hero", limit=9) == []
