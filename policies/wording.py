"""What a learner sees of a variant's own text: its words and its looks, so that a new headline starts from what was
learned about the words of others.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice, pairwise
from typing import Any

from policies.types import Features

OURS = "text."
"""Features whose names begin so are made here: no declared feature may have such a name."""

MAX_READ = 2_000
"""Characters of a content's texts that are read, all together. Far beyond any headline; an article is cut."""
MAX_WORDS = 32
"""Different words that are seen, the first ones."""
MAX_WORD = 32
"""Characters of a word that are seen."""

_INVISIBLE = re.compile(r"<(script|style)\b.*?</\1\s*>|</?[a-z][^<>]*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
"""Markup. What stands between two tags is read, unless it is a program."""

_NOT_READ_BY_PEOPLE = re.compile(
    r"""(?:[a-z][a-z0-9+.-]*://|www\.|mailto:|tel:|data:|\.{0,2}/|~/)\S*  # addresses and paths
      | [^\s/@]+@[^\s/@]+\.[a-z]{2,}
      | [\w./%-]+\.(?:avif|css|gif|html?|ico|jpe?g|js|json|mp4|pdf|png|svg|webm|webp|woff2?)
      | \#[0-9a-f]{3,8} | (?:rgb|hsl)a?\([^)]*\)  # colours""",
    re.IGNORECASE | re.VERBOSE,
)

# Thai and Lao, Myanmar, Khmer, Japanese, Chinese
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_ASCII_WORDS = re.compile("[a-z0-9]+")
_PIECES = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_WITHOUT_SPACES = re.compile(f"[{_UNSPACED}]")

_MARKS = {"¿": "?", "¡": "!", '"': "quotes", "Sc": "currency", "So": "emoji", "Pi": "quotes", "Pf": "quotes"}
"""Marks that count as another one, by themselves or by their Unicode category; any other is itself."""


def wording(content: Mapping[str, Any]) -> Features:
    """The features of all texts in a variant's content, whatever their keys; none where it has no text.

    `text.words`: the first MAX_WORDS different words, compatible forms and cases folded (NFKC, casefold), accents
    kept; of scripts without spaces, the pairs of neighbouring characters. `text.length`: the power of two that the
    number of characters reaches. `text.digits`: whether there are any. `text.marks`: the different punctuation marks
    and symbols. `text.capitals`: whether most letters are. Lists and mappings are read to any depth, mappings in the
    order of their keys: a store may have changed it.
    """
    text = _text_of(content)
    return _seen(text) if text else {}


@lru_cache(maxsize=1024)
def _seen(text: str) -> Features:
    # remembered, because the candidates of a call come again with the next one
    upper, lower = sum(map(str.isupper, text)), sum(map(str.islower, text))
    letters = set(text)
    return {
        "text.words": tuple(islice(dict.fromkeys(_words(text)), MAX_WORDS)),
        "text.length": f"{1 << (len(text).bit_length() - 1)}+",
        "text.digits": any(map(str.isdecimal, letters)),
        "text.marks": tuple(sorted({mark for mark in map(_mark, letters) if mark})),
        "text.capitals": upper > lower,
    }


def _text_of(content: Mapping[str, Any]) -> str:
    """Everything that a person reads, in one line of at most MAX_READ characters."""
    left = MAX_READ
    texts: list[str] = []
    for raw in _strings(content):
        text = raw[:left].strip()
        if _NOT_READ_BY_PEOPLE.fullmatch(text):
            continue
        left -= len(text)
        texts.append(html.unescape(_INVISIBLE.sub(" ", text)))
        if not left:
            break
    together = " ".join(texts)
    if not together.isascii():
        together = unicodedata.normalize("NFKC", together)
        # soft hyphens, joiners, the padding of e-mails: nobody sees them, and no word must end at them
        together = "".join(letter for letter in together if unicodedata.category(letter) != "Cf")
    return " ".join(together.split())


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for key in sorted(value):
                yield from _strings(value[key])
        case list() | tuple():
            for item in value:
                yield from _strings(item)


def _words(text: str) -> Iterator[str]:
    if text.isascii():
        yield from (word[:MAX_WORD] for word in _ASCII_WORDS.findall(text.lower()))
        return
    # folding a case can leave a letter and its accent apart
    folded = unicodedata.normalize("NFKC", text.casefold())
    # letters and digits with what stands on them: `\w` would end a Hindi or a Thai word at every vowel sign
    spaced = "".join(letter if unicodedata.category(letter)[0] in "LNM" else " " for letter in folded)
    for run in spaced.split():
        for piece in _PIECES.findall(run):
            if _WITHOUT_SPACES.match(piece) and len(piece) > 1:
                yield from map("".join, pairwise(piece))
            elif any(map(str.isalnum, piece)):  # not a mark alone, as an emoji leaves one
                yield piece[:MAX_WORD]


def _mark(letter: str) -> str:
    if letter.isalnum() or (category := unicodedata.category(letter))[0] not in "PS":
        return ""
    return _MARKS.get(letter) or _MARKS.get(category) or letter
