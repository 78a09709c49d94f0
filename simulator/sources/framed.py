"""The columns of a frame that a mapping names, and everything that is wrong with them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.logs.problems import LogError, Problems
from simulator.sources.columns import Cells, Levels, Lists, Numeric, names_of, read_column
from simulator.sources.mapping import ColumnMapping


class Framed:
    """The columns that a mapping names, each read once, and what is wrong with them."""

    def __init__(self, frame: Any, mapping: ColumnMapping, name: str) -> None:
        """Raises LogError for a column that is not there or can't be read, and for a table of no row."""
        there, wanted = names_of(frame), tuple(dict.fromkeys(mapping.columns))
        absent = [column for column in wanted if column not in there]
        if absent:
            raise LogError(name, [f"no column {', '.join(map(repr, absent))}; there are: {there}"])
        if twice := [column for column in wanted if there.count(column) > 1]:
            raise LogError(name, [f"more than one column {', '.join(map(repr, twice))}; expected names that differ"])
        self.n = len(frame)
        if self.n == 0:
            raise LogError(name, ["no rows; expected at least 1"])
        self.problems = Problems(self.n)
        self.cells: dict[str, Cells] = {}
        for column in wanted:
            try:
                self.cells[column] = read_column(frame, column)
            except (TypeError, ValueError) as error:
                self.problems.note(f"column {column!r}: {error}")
        if self.problems.texts:
            raise LogError(name, self.problems.texts)

    def check(self, column: str, means: str, bad: Any, expected: str) -> None:
        """Note the rows of a column where `bad`, (n,), holds."""
        self.problems.check(f"column {column!r} ({means})", bad, self.cells[column], expected)

    def single(self, column: str, means: str) -> Numeric | Levels:
        """A column that must have one value a row; where it has lists, that is noted, and nothing is in it."""
        cells = self.cells[column]
        if isinstance(cells, Lists):
            self.check(column, means, ~cells.missing, "one value, not a list")
            return Numeric(np.full(self.n, np.nan))
        return cells


def places_of(named: Levels, ids: Sequence[str]) -> NDArray[np.intp]:
    """(n,) each text's place in `ids`, -1 where it has none."""
    place = {one: index for index, one in enumerate(ids)}
    return np.array([*(place.get(level, -1) for level in named.levels), -1], dtype=np.intp)[named.codes]
