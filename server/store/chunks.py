"""Long lists of ids, cut into what one statement takes."""

from collections.abc import Iterator, Sequence

CHUNK = 500
"""Ids in one IN (...): below SQLite's limit of variables, and short enough to let writers in between."""


def chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    """The items in order, CHUNK at a time."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
