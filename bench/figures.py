"""What a benchmark found, for people and for programs."""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Figures:
    """One table. `rows` have the length of `header`; `document` holds the same, unrounded, for JSON."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    document: Mapping[str, Any]


def as_text(figures: Figures) -> str:
    """A Markdown table with its title, aligned: readable as it is, and what the documentation holds.

    Without rows, the title alone, which says why.
    """
    if not figures.rows:
        return figures.title
    widths = [max(map(len, column)) for column in zip(figures.header, *figures.rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        # the first column names the row, the others are numbers
        padded = (c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True)))
        return f"| {' | '.join(padded)} |"

    rule = "|".join(("", *(f" {'-' * (w - 1)}{':' if i else '-'} " for i, w in enumerate(widths)), ""))
    return "\n".join((figures.title, "", line(figures.header), rule, *map(line, figures.rows)))


def write_json(path: Path, results: Iterable[Figures]) -> None:
    """All figures with the kind of machine, never its name."""
    document = {**machine(), "results": [{"title": one.title, **one.document} for one in results]}
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def machine() -> dict[str, Any]:
    """What figures depend on first."""
    return {"cores": os.cpu_count(), "python": platform.python_version()}
