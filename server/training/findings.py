"""What can be found about a campaign's learning: how much it matters, and how it is said, in English or Spanish."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policies.writing import WRITINGS, Writing, Written

Case = tuple[str, str]
"""What is, in one sentence, and what to do about it: templates, whose parts are text."""


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"  # worth reading, and may be meant so
    PROBLEM = "problem"  # it does not learn, or not what it should

    @property
    def rank(self) -> int:
        """Problems first."""
        return ("problem", "note", "ok").index(self.value)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `about`: in short, `state`, `slot NAME` …, alike in every language; `says`: what is, in one
    sentence; `do`: what to do about it, empty where all is well.
    """

    level: Level
    about: str
    says: str
    do: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """One finding in every language that there is."""

    en: Case
    es: Case


@dataclass(frozen=True, slots=True)
class Word:
    """A part of a sentence in every language."""

    en: str
    es: str


@dataclass(frozen=True, slots=True)
class Voice:
    """Says what was found. lang: `en` or `es`."""

    lang: str = "en"

    @property
    def writing(self) -> Writing:
        """How numbers are written."""
        return WRITINGS[self.lang]

    def ok(self, about: str, said: Said, **parts: str) -> Finding:
        """All is well: there is nothing to do."""
        says, _ = self._filled(said, parts)
        return Finding(Level.OK, about, says)

    def note(self, about: str, said: Said, **parts: str) -> Finding:
        return Finding(Level.NOTE, about, *self._filled(said, parts))

    def problem(self, about: str, said: Said, **parts: str) -> Finding:
        return Finding(Level.PROBLEM, about, *self._filled(said, parts))

    def word(self, word: Word, **parts: str) -> str:
        text: str = getattr(word, self.lang)
        return text.format(**parts)

    def count(self, value: float) -> Written:
        """All digits, in thousands."""
        return self.writing.whole(value)

    def number(self, value: float) -> str:
        """Up to six digits."""
        return self.writing.number(value, 6)

    def moment(self, at: datetime) -> str:
        """To the minute, in UTC."""
        return f"{at:%Y-%m-%d %H:%M} UTC"

    def second(self, at: datetime) -> str:
        """To the second, in UTC."""
        return f"{at:%Y-%m-%d %H:%M:%S} UTC"

    def _filled(self, said: Said, parts: dict[str, str]) -> Case:
        says, do = getattr(said, self.lang)
        return says.format(**parts), do.format(**parts)
