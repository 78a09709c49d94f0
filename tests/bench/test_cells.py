"""Work is spread over processes, and none of them outlives it."""

import multiprocessing
import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from bench.cells import spread


def test_results_come_in_the_order_of_the_cells_from_other_processes() -> None:
    assert spread(divmod, [(7, 2), (9, 4), (1, 1)]) == [(3, 1), (2, 1), (1, 0)]
    assert os.getpid() not in spread(_process, [(1,), (2,), (3,)])


def test_a_failing_cell_ends_the_others() -> None:
    started = time.monotonic()
    with pytest.raises(ValueError, match="invalid literal"):
        spread(_call, [("int", "x"), *[("sleep", 600.0)] * 20])
    assert time.monotonic() - started < 300.0
    assert not multiprocessing.active_children()


def _process(cell: int) -> int:
    return os.getpid()


def _call(name: str, value: Any) -> None:
    calls: dict[str, Callable[[Any], object]] = {"int": int, "sleep": time.sleep}
    calls[name](value)
