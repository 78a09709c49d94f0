"""The text of an expression: read into tokens, checked, and written again as the CEL that we run.

The CEL engine keeps integers and doubles apart and refuses `click + 1` for a double click. People who write rewards
think in numbers, so every number is made a double here, before the engine sees the text. What is checked here, the
engine checks late or not at all: names, functions, and sizes at which a recursive parser would end the process.
"""

import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

MAX_LENGTH = 4_000
"""Characters in an expression."""
MAX_NESTING = 20
"""Brackets inside brackets. The engine recurses, and gives up itself at 32."""
MAX_OPERATORS = 200
"""Operators in an expression: each may be one more level of recursion, on threads whose stack may be small."""

FUNCTIONS = {"min": (2, 64), "max": (2, 64), "clip": (3, 3), "log1p": (1, 1), "present": (1, 1), "size": (1, 1)}
"""Function to its least and greatest number of arguments."""
LOOPS = frozenset({"exists", "all", "exists_one", "filter"})
METHODS = LOOPS | {"contains", "startsWith", "endsWith", "matches"}

_CONSTANTS = {"true", "false"}
_RESERVED = {
    *("in", "null", "as", "break", "const", "continue", "else", "for", "function", "if"),
    *("import", "let", "loop", "package", "namespace", "return", "var", "void", "while"),
}
_PRESENT = "__present_"
_NAME = r"[_a-zA-Z][_a-zA-Z0-9]*"
TOKEN = re.compile(
    r"""
      (?P<space> [ \t\r\n\f]+ | //[^\n]* )
    | (?P<text> [bB]? (?: [rR] (?: \"{3}[\s\S]*?\"{3} | '{3}[\s\S]*?'{3} | \"[^\"\r\n]*\" | '[^'\r\n]*' )
                        | \"{3}(?:\\[\s\S]|[^\\])*?\"{3} | '{3}(?:\\[\s\S]|[^\\])*?'{3}
                        | \"(?:\\[^\r\n]|[^\"\\\r\n])*\" | '(?:\\[^\r\n]|[^'\\\r\n])*' ) )
    | (?P<whole> (?: 0[xX][0-9a-fA-F]+ | [0-9]+ (?![0-9]*(?:\.[0-9]|[eE][+-]?[0-9])) ) [uU]? (?![\w.]) )
    | (?P<decimal> (?: [0-9]+\.[0-9]+ | \.[0-9]+ | [0-9]+ (?=[eE]) ) (?: [eE][+-]?[0-9]+ )? (?![\w.]) )
    | (?P<name> [_a-zA-Z][_a-zA-Z0-9]* )
    | (?P<operator> == | != | <= | >= | && | \|\| | [-+*/<>?:!] )
    | (?P<mark> [.,()\[\]] )
    """,
    re.VERBOSE,
)
"""One word of an expression, or the space or comment between two."""


class ExpressionError(ValueError):
    """An expression that can't be compiled, or has no usable answer for these values."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word of an expression; `start` is its place in the source, from 0."""

    kind: str
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class CelText:
    """What the engine compiles. `reads`: names that it takes a value of; `asks`: names given to `present`."""

    pieces: tuple[tuple[str, int], ...]
    """What is written, word by word, and the place in the source that each stands for."""
    length: int
    """Of the source."""
    reads: tuple[str, ...]
    asks: tuple[str, ...]
    functions: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(piece for piece, _ in self.pieces)

    def origin(self, offset: int) -> int:
        """The place in the source that `text[offset]` was written from; its end for the end of the text."""
        end = 0
        for piece, start in self.pieces:
            end += len(piece) + 1
            if offset < end - 1:
                return start
        return self.length


def is_name(text: str) -> bool:
    """Whether expressions can use it as the name of a value: a CEL identifier that means nothing else."""
    return (
        re.fullmatch(_NAME, text) is not None
        and not text.startswith("__")
        and text not in _CONSTANTS | _RESERVED | FUNCTIONS.keys() | METHODS
    )


def present_variable(name: str) -> str:
    """The variable that stands for `present(name)`: the engine fails on an absent name before it calls a function."""
    return _PRESENT + name


def function_variable(function: str) -> str:
    """The name under which the engine finds a function of ours: its own `size` counts bytes, and in integers."""
    return f"__{function}"


def read(source: str, *, names: Collection[str] | None) -> CelText:
    """Check `source` and write it as CEL on doubles. `names`: what it may read; None for anything.

    A whole number alone in the brackets after a list is a place in that list, and stays whole: `interests[0]`.
    Raises ExpressionError.
    """
    if len(source) > MAX_LENGTH:
        raise ExpressionError(f"expression of {len(source)} characters: expected at most {MAX_LENGTH}")
    return _Reader(source, names).read()


def complain(source: str, start: int, problem: str) -> ExpressionError:
    """An error that shows where in the source it is, counted from 1 as editors do."""
    return ExpressionError(f"{source!r}, character {start + 1}: {problem}")


def _tokens(source: str) -> Iterator[Token]:
    position = 0
    while position < len(source):
        match = TOKEN.match(source, position)
        if match is None:
            raise complain(source, position, _unreadable(source[position:]))
        kind = str(match.lastgroup)
        if kind != "space":
            yield Token(kind, match.group(), position)
        position = match.end()


def _unreadable(rest: str) -> str:
    if rest[0] in "'\"":
        return "a text that does not end"
    if number := re.match(r"[0-9][\w.]*", rest):
        return f"{number.group()!r} is not a number"
    if rest[0] == "%":
        return "there is no '%': numbers are not whole"
    if rest[0] in "{}":
        return "there are no maps"
    return f"unexpected {rest[0]!r}"


class _Reader:
    """One pass over the tokens of one expression."""

    def __init__(self, source: str, names: Collection[str] | None) -> None:
        self._source = source
        self._names = names
        self._tokens = list(_tokens(source))
        self._closing = self._match_brackets()
        self._loops: list[tuple[str, int, int]] = []
        self._reads: dict[str, None] = {}
        self._asks: dict[str, None] = {}
        self._functions: dict[str, None] = {}

    def read(self) -> CelText:
        if not self._tokens:
            raise ExpressionError(f'{self._source!r}: an expression is expected, as in "orders > 10"')
        operators = sum(token.kind == "operator" or token.text == "in" for token in self._tokens)
        if operators > MAX_OPERATORS:
            raise ExpressionError(f"expression with {operators} operators: expected at most {MAX_OPERATORS}")
        pieces: list[tuple[str, int]] = []
        skip_to = 0
        for index, token in enumerate(self._tokens):
            if index < skip_to:
                continue
            text = token.text
            if token.kind == "whole" and not self._is_place(index):
                text = self._double(token)
            elif token.kind == "name":
                text = self._word(index, token)
                if token.text == "present":
                    skip_to = index + 4  # the brackets and the name are part of what was written
            pieces.append((text, token.start))
        return CelText(tuple(pieces), len(self._source), tuple(self._reads), tuple(self._asks), tuple(self._functions))

    def _match_brackets(self) -> dict[int, int]:
        closing: dict[int, int] = {}
        opened: list[int] = []
        for index, token in enumerate(self._tokens):
            if token.kind == "mark" and token.text in "([":
                opened.append(index)
                if len(opened) > MAX_NESTING:
                    raise self._error(token, f"more than {MAX_NESTING} brackets inside each other")
            elif token.kind == "mark" and token.text in ")]":
                if not opened or self._tokens[opened[-1]].text + token.text not in ("()", "[]"):
                    raise self._error(token, f"{token.text!r} closes nothing")
                closing[opened.pop()] = index
        if opened:
            raise self._error(self._tokens[opened[-1]], f"{self._tokens[opened[-1]].text!r} is never closed")
        return closing

    def _word(self, index: int, token: Token) -> str:
        """Check one word by its place: a method, a function, a constant or a name."""
        word = token.text
        called = self._text(index + 1) == "("
        if self._text(index - 1) == ".":
            if not called or word not in METHODS:
                raise self._error(token, f"no method {word!r}; known: {_listed(METHODS)}")
            if word in LOOPS:
                self._open_loop(index, token)
        elif called and word != "in":
            if word not in FUNCTIONS:
                raise self._error(
                    token, f"no function {word!r}{_nearest(word, FUNCTIONS)}; known: {_listed(FUNCTIONS)}"
                )
            return self._call(index, token)
        elif word == "null":
            raise self._error(token, "nothing is null; to ask whether a value was given: present(name)")
        elif word not in _CONSTANTS and word != "in":
            if not is_name(word):
                raise self._error(token, f"{word!r} can't be the name of a value")
            if not any(word == name and first < index < last for name, first, last in self._loops):
                self._check_name(token)
                self._reads[word] = None
        return word

    def _call(self, index: int, token: Token) -> str:
        word, opening = token.text, index + 1
        low, high = FUNCTIONS[word]
        count = self._arguments(opening)
        if not low <= count <= high:
            expected = str(low) if low == high else f"{low} or more" if count < low else f"at most {high}"
            raise self._error(token, f"{word} with {count} arguments; expected {expected}")
        if word == "present":
            asked = self._tokens[opening + 1]
            if self._closing[opening] != opening + 2 or asked.kind != "name" or not is_name(asked.text):
                raise self._error(token, "expected a name, as in present(orders)")
            self._check_name(asked)
            self._asks[asked.text] = None
            return present_variable(asked.text)
        self._functions[word] = None
        return function_variable(word)

    def _open_loop(self, index: int, token: Token) -> None:
        """Note the variable of `list.exists(x, …)` and where it is known."""
        opening, closing = index + 1, self._closing[index + 1]
        if any(first < index < last for _, first, last in self._loops):
            # its cost would be the product of the lists
            raise self._error(token, f"{token.text!r} inside another loop over a list")
        if not is_name(self._text(opening + 1)) or self._text(opening + 2) != ",":
            raise self._error(token, f"expected a name and a test, as in interests.{token.text}(x, x == 'art')")
        self._loops.append((self._text(opening + 1), opening, closing))

    def _check_name(self, token: Token) -> None:
        if self._names is not None and token.text not in self._names:
            near = _nearest(token.text, self._names)
            raise self._error(token, f"no name {token.text!r}{near}; known: {_listed(self._names) or 'none'}")

    def _arguments(self, opening: int) -> int:
        closing = self._closing[opening]
        if closing == opening + 1:
            return 0
        count, index = 1, opening + 1
        while index < closing:
            count += self._text(index) == ","
            index = self._closing.get(index, index) + 1
        return count

    def _is_place(self, index: int) -> bool:
        """Whether this whole number is the place in a list: `name[2]`, not the list `[2]`."""
        before = self._tokens[index - 2] if index >= 2 else None
        return (
            before is not None
            and (self._text(index - 1), self._text(index + 1)) == ("[", "]")
            and ((before.kind == "name" and before.text != "in") or before.text in (")", "]"))
        )

    def _double(self, token: Token) -> str:
        digits = token.text.rstrip("uU")
        try:
            value = float(int(digits, 16)) if digits[:2] in ("0x", "0X") else float(digits)
        except OverflowError:
            value = math.inf
        if math.isinf(value):
            raise self._error(token, "a number beyond 1.8e308")
        return repr(value)

    def _text(self, index: int) -> str:
        return self._tokens[index].text if 0 <= index < len(self._tokens) else ""

    def _error(self, token: Token, problem: str) -> ExpressionError:
        return complain(self._source, token.start, problem)


def _listed(words: Collection[str]) -> str:
    shown = sorted(words)
    return ", ".join(map(repr, shown[:30])) + (f" and {len(shown) - 30} more" if len(shown) > 30 else "")


def _nearest(word: str, known: Collection[str]) -> str:
    close = get_close_matches(word, list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else ""
