"""How a check says what it found: templates in every language, numbers as that language writes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor

from policies.writing import Written
from simulator.findings import Finding, Severity
from simulator.sentences import LANGUAGES, Language

Case = tuple[str, str]
"""What was found, and what to do about it."""

Words = Mapping[str, Mapping[str, Case]]
"""By case, then by language. The parts in braces are filled in with text, so that numbers are written beforehand."""


def rounded_down(value: float) -> float:
    """To one decimal: what is below a limit must not be written as if it were not."""
    return floor(10.0 * value + 1e-6) / 10.0


@dataclass(frozen=True, slots=True)
class Voice:
    """lang: one of LANGUAGES."""

    lang: str = "en"

    @property
    def language(self) -> Language:
        return LANGUAGES[self.lang]

    def finding(
        self,
        check: str,
        severity: Severity,
        words: Mapping[str, Case],
        numbers: Mapping[str, float] | None = None,
        **parts: str,
    ) -> Finding:
        """A finding in this language. words: one case, by language."""
        says, do = words[self.lang]
        filled = says.format(**parts), do.format(**parts)
        said, done = (text[:1].upper() + text[1:] for text in filled)
        return Finding(check, severity, said, done, numbers or {})

    def count(self, value: int) -> Written:
        """All digits, in thousands."""
        return self.language.whole(value)

    def percent(self, share: float, digits: int = 1) -> str:
        """A percentage with a fixed number of decimals: near a limit, which side it is on must be seen."""
        return f"{100.0 * share:.{digits}f} %".replace(".", self.language.decimal)

    def number(self, value: float, digits: int = 3) -> Written:
        """So many significant digits, in thousands, never with an exponent unless it is very small."""
        if abs(value) >= 10.0**digits:
            return self.count(round(value))
        return self.language.number(value, digits)

    def p_value(self, p: float) -> str:
        """As a number; below what such a test can tell, that it is less."""
        return "< 1e-12" if p < 1e-12 else self.language.number(p, 2)
