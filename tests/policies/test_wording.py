"""What a variant's text tells: words and looks, of any script, bounded, and nothing that people do not read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.wording import MAX_READ, MAX_WORD, MAX_WORDS, OURS, wording

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def words(*texts: str) -> tuple[str, ...]:
    seen = wording({"texts": texts})["text.words"]
    assert isinstance(seen, tuple)
    return seen


def test_a_headline() -> None:
    assert wording({"text": "¿Gana 3 horas por semana? ¡Gana ya!"}) == {
        "text.words": ("gana", "3", "horas", "por", "semana", "ya"),
        "text.length": "32+",
        "text.digits": True,
        "text.marks": ("!", "?"),
        "text.capitals": False,
    }


@pytest.mark.parametrize("content", [{}, {"text": ""}, {"text": " \n"}, {"percent": 10, "on": True, "none": None}])
def test_without_text_there_is_nothing(content: dict[str, Any]) -> None:
    assert wording(content) == {}


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("AÑO Nuevo", ("año", "nuevo")),
        ("an\u0303o", ("año",)),  # n and a combining tilde
        ("ano", ("ano",)),
        ("Straße STRASSE", ("strasse",)),
        ("\u0390", ("\u0390",)),  # folding its case takes its two marks off
        ("ｆｕｌｌ　ｗｉｄｔｈ", ("full", "width")),
        ("publi\u00adcidad", ("publicidad",)),
        ("नमस्ते दुनिया", ("नमस्ते", "दुनिया")),
        ("สวัสดี", ("สว", "วั", "ัส", "สด", "ดี")),
        ("今すぐiPhone買", ("今す", "すぐ", "iphone", "買")),
        ("¡Última❤️ hora!", ("última", "hora")),
        ("👩‍👩‍👧", ()),
        ("snake_case don't", ("snake", "case", "don", "t")),
    ],
)
def test_words_of_any_script(text: str, seen: tuple[str, ...]) -> None:
    assert words(text) == seen


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/oferta?x=1",
        "www.example.org",
        "mailto:a@example.org",
        "ana@example.org",
        "/img/hero",
        "../hero",
        "img/hero-2.webp",
        "hero.png",
        "data:image/png;base64,AAAA",
        "#ff8800",
        "rgb(1, 2, 3)",
    ],
)
def test_what_people_do_not_read_is_not_read(text: str) -> None:
    assert wording({"a": text}) == {}
    assert words("Hola", text) == ("hola",)


def test_markup_is_left_out_and_what_stands_in_it_is_read() -> None:
    html = '<style>p {color: red}</style><p class="big">Hasta&nbsp;un <b>30&#37;</b></p><!-- viejo -->'
    assert words(html) == ("hasta", "un", "30")
    assert words("3 < 5 y 7 > 2") == ("3", "5", "y", "7", "2")
    assert words("#rebajas y/o #modas") == ("rebajas", "y", "o", "modas")


def test_all_texts_are_read_in_the_order_of_their_keys() -> None:
    one = {"title": "Uno", "body": ["dos", {"more": "tres"}]}
    other = {"body": ["dos", {"more": "tres"}], "title": "Uno"}
    assert wording(one) == wording(other)
    assert wording(one)["text.words"] == ("dos", "tres", "uno")


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("Desde 9 €, o $10", (",", "currency")),
        ("30 % menos…", ("%", ".")),
        ('«Hola» “hola” "hola"', ("quotes",)),
        ("Hola 🎉", ("emoji",)),
        ("¿Qué？", ("?",)),
    ],
)
def test_marks(text: str, marks: tuple[str, ...]) -> None:
    assert wording({"text": text})["text.marks"] == marks


@pytest.mark.parametrize(("letters", "length"), [(1, "1+"), (31, "16+"), (32, "32+"), (63, "32+"), (64, "64+")])
def test_lengths_are_powers_of_two(letters: int, length: str) -> None:
    assert wording({"text": "x" * letters})["text.length"] == length


def test_capitals_and_digits() -> None:
    assert wording({"text": "ÚLTIMA hora"})["text.capitals"] is True
    assert wording({"text": "Última Hora"})["text.capitals"] is False
    assert wording({"text": "tres"})["text.digits"] is False
    assert wording({"text": "٣"})["text.digits"] is True


def test_a_long_text_is_cut() -> None:
    assert words(*(f"w{n}" for n in range(1_000))) == tuple(f"w{n}" for n in range(MAX_WORDS))
    assert words("x" * 1_000) == ("x" * MAX_WORD,)
    assert words("ñ" * 1_000) == ("ñ" * MAX_WORD,)
    assert words("ab" * (MAX_READ // 2), "late") == (("ab" * MAX_WORD)[:MAX_WORD],)
    assert wording({"a": "x" * 10**6})["text.length"] == "1024+"


@given(st.dictionaries(st.text(), JSON))
def test_whatever_the_content_the_features_are_bounded_and_ours(content: dict[str, Any]) -> None:
    seen = wording(content)
    assert all(name.startswith(OURS) for name in seen)
    assert seen == wording(dict(reversed(content.items())))
    if seen:
        assert isinstance(seen["text.words"], tuple)
        assert len(seen["text.words"]) == len(set(seen["text.words"])) <= MAX_WORDS
        assert all(0 < len(word) <= MAX_WORD for word in seen["text.words"])
