"""Numbers as a language writes them, and the words beside them."""

import pytest

from policies.writing import WRITINGS, Written


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, "0 rounds are"), (1, "1 round is"), (2, "2 rounds are"), (11, "11 rounds are"), (1_001, "1,001 rounds are")],
)
def test_a_number_chooses_the_words_beside_it(number: int, told: str) -> None:
    assert "{n} {n:round is|rounds are}".format(n=WRITINGS["en"].whole(number)) == told


def test_what_is_about_one_is_not_one() -> None:
    english, spanish = WRITINGS["en"], WRITINGS["es"]
    assert "{n} {n:vez|veces}".format(n=spanish.number(1.5)) == "1,5 veces"
    assert "{n} {n:time|times}".format(n=english.number(0.99996)) == "1 time"
    assert "{n:of it|}{n:|of them}".format(n=english.count(1)) == "of it"


def test_it_is_text_otherwise() -> None:
    assert f"{Written('12'):>4}" == "  12"
    assert ", ".join([WRITINGS["es"].whole(1_234), WRITINGS["es"].number(0.5)]) == "1.234, 0,5"
