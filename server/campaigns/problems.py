"""What is wrong with a campaign, in words for the person who wrote it.

A problem has a path; where it came from a file, `file.py` turns it into a mistake with a line.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails, PydanticCustomError

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, the value as shown, what is wrong with it, and what would be right."""

    path: Path
    problem: str
    expected: str = ""
    value: str = ""
    on_key: bool = False
    """Wrong is the name of the field, not its value."""

    def __str__(self) -> str:
        return f"{path_text(self.path)}: {self.sentence}"

    @property
    def sentence(self) -> str:
        """All but the path."""
        what = f"{self.value} {self.problem}" if self.value else self.problem
        return f"{what}; expected {self.expected}" if self.expected else what


PLANNED: Mapping[str, frozenset[str]] = {
    "campaign": frozenset({"control", "sticky", "audiences", "rollout", "caps", "when"}),
    "slot": frozenset({"days", "from", "to", "step", "per_hour", "sticky", "caps", "when"}),
    "variant": frozenset({"when", "cost", "caps"}),
}
"""Fields of the campaign file that a later version will have."""

_MISSING = {
    "campaign": "a name such as home-hero",
    "metrics": "what is measured, as in {click: once}",
    "reward": "at least its window, as in {window: 30m}",
    "window": "a duration such as 30m or 3d",
    "value": "a formula, since there are several metrics",
    "slots": "at least one slot",
    "id": "a text",
}
_KINDS = {
    "string_type": "text",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "names with values, as in {a: b}",
    "model_type": "fields with values, as in {a: b}",
}


def wrong(problem: str, expected: str = "") -> PydanticCustomError:
    """The error that a validator raises for a value. `problem` continues a sentence that begins with the value."""
    return PydanticCustomError("wrong", "{problem}; expected {expected}", {"problem": problem, "expected": expected})


def problem_of(error: ErrorDetails, known: Iterable[str]) -> Problem:
    """A pydantic error as a problem. `known`: the fields of the model that the error is about."""
    # parts in angle brackets are the branches of a union, `[key]` says that the key is meant; no field is named so
    on_key = error["loc"][-1:] == ("[key]",)
    path = tuple(part for part in error["loc"] if part != "[key]" and not str(part).startswith("<"))
    value, context = error["input"], error.get("ctx", {})
    match error["type"]:
        case "wrong":
            shown = shown_value(value) if context["expected"] else ""
            return Problem(path, context["problem"], context["expected"], shown, on_key)
        case "missing":
            return Problem(path, "is missing", _MISSING.get(str(path[-1]), ""))
        case "extra_forbidden":
            return _unknown_field(path, known)
        case "literal_error":
            return Problem(path, "is unknown", context["expected"], shown_value(value))
        case "too_short":
            return Problem(path, "is empty", f"at least {context['min_length']}")
        case "too_long":
            return Problem(path, f"has {context['actual_length']} entries", f"at most {context['max_length']}")
        case kind:
            return _wrong_kind(path, value, _KINDS.get(kind, error["msg"]), on_key)


def _wrong_kind(path: Path, value: Any, expected: str, on_key: bool) -> Problem:
    if expected == "text" and isinstance(value, (int, float)):
        expected = f'text, in quotes: "{str(value).lower() if isinstance(value, bool) else value}"'
    if value is None:
        return Problem(path, "is empty", expected)
    return Problem(path, f"is {_kind_of(value)}", expected, shown_value(value), on_key)


def _unknown_field(path: Path, known: Iterable[str]) -> Problem:
    name = str(path[-1])
    if name in PLANNED.get(section_of(path), ()):
        return Problem(path, "not supported yet", on_key=True)
    close = get_close_matches(name, list(known), n=1)
    return Problem(path, "no such field", repr(close[0]) if close else "one of: " + ", ".join(known), on_key=True)


def section_of(path: Path) -> str:
    """The part of a campaign file that the field at `path` stands in."""
    match path[:-1]:
        case ():
            return "campaign"
        case ("reward",):
            return "reward"
        case ("slots", _):
            return "slot"
        case ("slots", _, "variants", _):
            return "variant"
        case ("slots", _, "variants", _, "share"):
            return "share"
    return ""


def path_text(path: Path) -> str:
    """`slots.headline.variants[1].id`; names that are no words in quotes."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[\w-]+", part):
            text += f".{part}" if text else part
        else:
            text += f"[{part!r}]"
    return text or "campaign"


def shown_value(value: Any) -> str:
    """The value, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 80 else text[:80] + "…"


def listed(names: Iterable[str]) -> str:
    """`'hours', 'price'`: names as they appear in messages."""
    names = list(names)
    return ", ".join(map(repr, names[:30])) + (f" and {len(names) - 30} more" if len(names) > 30 else "")


def _kind_of(value: Any) -> str:
    match value:
        case bool():
            return "a flag"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "a mapping"
    return f"of type {type(value).__name__}"
