"""Decision ids: what was given out is known for sure, whatever is done to it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import InvalidRequest
from server.ids import LENGTH, RANDOM, earliest_id, make_decision_id, person_key, read_decision_id

SECRET = b"s" * 32
AT = datetime(2026, 3, 1, 12, 0, 0, 123457, tzinfo=UTC)
ALPHABET = "0123456789abcdefghijklmnopqrstuv"


def make(at: datetime = AT, number: int = 7, random: bytes = b"\x00\xff\x10\x20\x30\x40") -> str:
    return make_decision_id(SECRET, at=at, campaign_number=number, random=random)


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(4000, 1, 1), timezones=st.just(UTC)),
    st.integers(0, 2**32 - 1),
    st.binary(min_size=RANDOM, max_size=RANDOM),
)
def test_an_id_says_when_and_of_which_campaign(at: datetime, number: int, random: bytes) -> None:
    made = make(at, number, random)
    read = read_decision_id(SECRET, made)
    assert (read.at, read.campaign_number) == (at, number)
    assert len(made) == LENGTH
    assert set(made) <= set(ALPHABET)


@given(st.datetimes(datetime(1970, 1, 2), datetime(4000, 1, 1), timezones=st.just(UTC)), st.integers(0, 2**32 - 1))
def test_a_moment_parts_the_ids_before_it_from_those_after(at: datetime, number: int) -> None:
    bound = earliest_id(at)
    assert make(at - timedelta(microseconds=1), number, random=b"\xff" * RANDOM) < bound
    assert bound <= make(at, number, random=b"\x00" * RANDOM)


def test_a_moment_after_the_last_id_that_can_be_is_after_all_of_them() -> None:
    assert make(datetime(4000, 1, 1, tzinfo=UTC)) < earliest_id(datetime.max.replace(tzinfo=UTC))


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(4000, 1, 1), timezones=st.just(UTC)),
    st.timedeltas(timedelta(microseconds=1), timedelta(days=4000)),
)
def test_ids_sort_by_time(at: datetime, later: timedelta) -> None:
    assert make(at, random=b"\xff" * RANDOM) < make(at + later, random=b"\x00" * RANDOM)


def test_a_time_before_1970_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"1969-12-31T23:59:59.* lies before 1970"):
        make(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC))


def test_every_single_change_is_noticed() -> None:
    genuine = make()
    for place, letter in enumerate(genuine):
        for other in (ALPHABET[(ALPHABET.index(letter) + 1) % 32], ALPHABET[ALPHABET.index(letter) ^ 16]):
            with pytest.raises(InvalidRequest, match="no decision id of this installation"):
                read_decision_id(SECRET, genuine[:place] + other + genuine[place + 1 :])


@pytest.mark.parametrize("length", range(0, LENGTH, 3))
def test_a_truncated_id_is_none(length: int) -> None:
    with pytest.raises(InvalidRequest, match=f"expected {LENGTH} characters"):
        read_decision_id(SECRET, make()[:length])


@given(st.text())
def test_no_text_is_an_id(text: str) -> None:
    with pytest.raises(InvalidRequest):
        read_decision_id(SECRET, text)


def id_with(letter: str) -> str:
    return next(made for made in (make(random=i.to_bytes(RANDOM, "big")) for i in range(10_000)) if letter in made)


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda made: made + "=",
        lambda made: f" {made}",
        lambda made: f"{made}\n",
        lambda made: made + make()[:8],
        lambda made: made.replace("i", "ı"),
        lambda made: made.replace("s", "ſ"),
        lambda made: made.replace("0", "٠"),
        lambda made: made.replace("0", "0"),
    ],
    ids=["upper", "padded", "space", "newline", "longer", "dotless i", "long s", "arabic zero", "full-width zero"],
)
def test_only_the_very_text_that_was_given_out_is_an_id(change: Callable[[str], str]) -> None:
    for letter in "is0":
        made = id_with(letter)
        assert read_decision_id(SECRET, made).campaign_number == 7
        if change(made) != made:
            with pytest.raises(InvalidRequest):
                read_decision_id(SECRET, change(made))


def test_another_installation_gave_it_out() -> None:
    with pytest.raises(InvalidRequest, match="of this installation"):
        read_decision_id(b"t" * 32, make())


def test_a_long_id_is_quoted_short() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_decision_id(SECRET, "x" * 10_000)
    assert len(str(caught.value)) < 200


def test_a_person_is_a_keyed_hash() -> None:
    assert person_key(SECRET, "ana@example.com") == person_key(SECRET, "ana@example.com")
    different = {person_key(SECRET, person) for person in ("ana", "Ana", "ana ", "ana\x00", "añа", "😀", "\ud800")}
    assert len(different | {person_key(b"t" * 32, "ana")}) == 8
    assert all(len(key) == 32 and int(key, 16) >= 0 for key in different)
