"""The order in which tests are run."""

from pathlib import Path

import pytest

WHOLE_PROGRAMS = [Path(__file__).parent / room for room in ("system", "docs", "bench")]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: one that starts last is waited for by every core but its own."""
    items.sort(key=lambda item: (_is_long(item), item.path.parent in WHOLE_PROGRAMS), reverse=True)


def _is_long(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None
