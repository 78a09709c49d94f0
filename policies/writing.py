"""How a language writes numbers, shares and intervals."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_POINT = re.compile(r"(?<=\d)\.(?=\d)")


ENGLISH = (".", ",", ", ", "%")
SPANISH = (",", ".", "; ", " %")
"""The fields of `Writing`."""


class Written(str):
    """A number as it is written. In a template it chooses the words beside it: of `{n} {n:round|rounds}` the first
    for 1, the second for all others.
    """

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        one, choice, others = spec.partition("|")
        if not choice:
            return super().__format__(spec)
        return one if self == "1" else others


@dataclass(frozen=True, slots=True)
class Writing:
    """decimal, thousands: the marks in a number. between: the limits of an interval, where a comma may be in a number
    already. percent: behind a number in a table.
    """

    decimal: str
    thousands: str
    between: str
    percent: str

    def number(self, value: float, digits: int = 4) -> Written:
        """Four significant digits, unless told otherwise."""
        return self.written(f"{value:.{digits}g}")

    def signed(self, value: float, digits: int = 3) -> str:
        """With its sign, always."""
        return self.written(f"{value:+.{digits}g}")

    def count(self, value: int) -> Written:
        """Two significant digits, in thousands."""
        return self.whole(int(float(f"{value:.1e}")))

    def whole(self, value: float) -> Written:
        """All digits before the point, in thousands."""
        return Written(f"{value:,.0f}".replace(",", self.thousands))

    def share(self, value: float) -> str:
        """A percentage: of two significant digits, whole ones from 10 on."""
        percent = 100.0 * value
        return f"{percent:.0f}".replace("-0", "0") + " %" if abs(percent) >= 10.0 else self.number(percent, 2) + " %"

    def cell(self, share: float, decimals: int = 0) -> str:
        """A percentage in a table, with so many decimals."""
        return self.written(f"{100.0 * share:.{decimals}f}") + self.percent

    def interval(self, low: float, high: float, digits: int = 3) -> str:
        """[low, high]."""
        return f"[{self.number(low, digits)}{self.between}{self.number(high, digits)}]"

    def gain(self, value: float, low: float, high: float) -> str:
        """value [low, high], all with their signs."""
        return f"{self.signed(value)} [{self.signed(low)}{self.between}{self.signed(high)}]"

    def written(self, number: str) -> Written:
        """A text with numbers as Python writes them, without thousands; a point elsewhere stays."""
        return Written(_POINT.sub(self.decimal, number))

    def sentence(self, template: str, **parts: str | int) -> str:
        """The template filled in; it begins with a capital letter."""
        text = template.format(**parts)
        return text[0].upper() + text[1:]

    def listed(self, policies: Sequence[str], most: int = 6) -> str:
        """Those that come first, as they are called."""
        return ", ".join(policies[:most]) + (", …" if len(policies) > most else "")


WRITINGS: Mapping[str, Writing] = {"en": Writing(*ENGLISH), "es": Writing(*SPANISH)}
