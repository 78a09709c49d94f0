"""What is wrong with a log: every kind of violation, each counted, with the first row that has it."""

from collections.abc import Sequence
from typing import Any

import numpy as np


class LogError(ValueError):
    """A log that can't be used; `problems` names every kind of violation with its count and first row."""

    def __init__(self, name: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"log {name!r}: " + "; ".join(problems))


class Problems:
    """Violations of n rows by column and by what was expected: a count, and the first row of each with its value."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._found: dict[tuple[str, str], tuple[int, str]] = {}

    def add(self, column: str, row: int, value: object, expected: str, *, count: int = 1) -> None:
        """`count` rows of which `row`, with `value`, is the first."""
        before, first = self._found.get(
            (column, expected), (0, f"first row {row:,} has {value!r}, expected {expected}")
        )
        self._found[column, expected] = (before + count, first)

    def check(self, column: str, bad: Any, values: Any, expected: str) -> None:
        """Note the rows where `bad`, (n,) of flags, holds. `values`: (n,) or (n, m), what they have."""
        if bad.any():
            first = int(np.argmax(bad))
            value = values[first]
            self.add(
                column,
                first,
                value.tolist() if hasattr(value, "tolist") else value,
                expected,
                count=int(np.count_nonzero(bad)),
            )

    def note(self, text: str) -> None:
        """A violation that is of no row."""
        self._found[text, ""] = (0, "")

    @property
    def texts(self) -> list[str]:
        """One line a kind."""
        return [
            f"{column}: {count:,} of {self._n:,} rows, {first}" if count else column
            for (column, _), (count, first) in self._found.items()
        ]
