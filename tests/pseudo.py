"""A language of marks: the Spanish of every room, with a number in place of its words. What a report then says in words
nobody translated, and which sentences it reached the numbers tell.
"""

import importlib
import pkgutil
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from types import ModuleType
from typing import Any

import pytest

from policies.writing import Writing

LANGUAGES = {"en", "es"}
NUMBERS = {field.name for field in fields(Writing)}
"""No words: how numbers are written."""
_PART = re.compile(r"\{\{.*?\}\}|%?\{[^{}|]*\}")
"""Not words that a number chooses, as in `{n:round|rounds}`: they are words of the language."""
_MARK = re.compile(r"⟦(\d+)⟧")
_WORD = re.compile(r"[^\W\d_]{2,}")


def sentences(*packages: ModuleType) -> Iterator[tuple[str, Any]]:
    """By name, everything in these packages that is said in several languages: mappings by language, and records with
    a field for each.
    """
    seen: set[int] = set()
    for package in packages:
        names = [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
        for module in map(importlib.import_module, (name for name in names if not name.endswith("__main__"))):
            for name, value in vars(module).items():
                for place, said in _said(value):
                    if id(said) not in seen:
                        seen.add(id(said))
                        yield f"{module.__name__}.{name}{place}", said


def of_language(said: Any, lang: str) -> Any:
    """What `sentences` gives, in one language."""
    return said[lang] if isinstance(said, Mapping) else getattr(said, lang)


def texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a record, a mapping, a tuple; by its name there."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from texts(one, f"{name}.{key}")
    elif isinstance(value, tuple):
        for place, one in enumerate(value):
            yield from texts(one, f"{name}.{place}")
    elif is_dataclass(value):
        for field in fields(value):
            if field.name not in NUMBERS:
                yield from texts(getattr(value, field.name), f"{name}.{field.name}")


def parts(template: str) -> list[str]:
    """What is filled in."""
    return sorted(part for part in _PART.findall(template) if not part.startswith("{{"))


class Marks:
    """The language while it is installed; `names`: of the texts, by their number."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._before: list[tuple[Any, Any]] = []

    def install(self, monkeypatch: pytest.MonkeyPatch, *packages: ModuleType) -> None:
        """In place of Spanish, until the test ends; of records, until `remove`."""
        for name, said in sentences(*packages):
            marked = self._marked(of_language(said, "es"), name)
            if isinstance(said, dict):
                monkeypatch.setitem(said, "es", marked)
            else:
                self._before.append((said, said.es))
                object.__setattr__(said, "es", marked)

    def remove(self) -> None:
        for said, spanish in self._before:
            object.__setattr__(said, "es", spanish)

    def reached(self, text: str) -> set[str]:
        """The names of what is said in a text."""
        return {self.names[int(number)] for number in _MARK.findall(text)}

    def _marked(self, value: Any, name: str) -> Any:
        if isinstance(value, str):
            if not value:
                return value
            mark = f"⟦{len(self.names)}⟧"
            self.names.append(name)
            return mark + mark.join(_PART.findall(value))
        if isinstance(value, Mapping):
            return {key: self._marked(one, f"{name}.{key}") for key, one in value.items()}
        if isinstance(value, tuple):
            return tuple(self._marked(one, f"{name}.{place}") for place, one in enumerate(value))
        own = {field.name: getattr(value, field.name) for field in fields(value) if field.name not in NUMBERS}
        return replace(value, **{field: self._marked(one, f"{name}.{field}") for field, one in own.items()})


def words(text: str, names: Collection[str]) -> set[str]:
    """The words of a text that are neither marked nor names."""
    return set(_WORD.findall(_MARK.sub(" ", text))) - set(names)


def _said(value: Any) -> Iterator[tuple[str, Any]]:
    """The value itself, or those of a mapping, if they are said in several languages."""
    if isinstance(value, dict):
        if set(value) == LANGUAGES:
            yield "", value
        else:
            for key, one in value.items():
                if isinstance(one, dict) and set(one) == LANGUAGES:
                    yield f".{key}", one
    elif is_dataclass(value) and not isinstance(value, type) and {field.name for field in fields(value)} == LANGUAGES:
        yield "", value
