"""The order in which tests are run, on how many threads, and that no example has to be done within a time."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Before anything imports numpy, and for child processes too: every core has tests of its own, and threads that wait for
# each other's part of a small matrix took twenty times the processor's time of one that does it alone.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

WHOLE_PROGRAMS = [Path(__file__).parent / room for room in ("system", "docs", "bench")]

settings.register_profile("elige", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("elige")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: one that starts last is waited for by every core but its own."""
    items.sort(key=lambda item: (_is_long(item), item.path.parent in WHOLE_PROGRAMS), reverse=True)


def _is_long(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None
