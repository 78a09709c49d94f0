"""Independent pieces of one table, spread over processes."""

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

PROCESSES = 2

Result = TypeVar("Result")


def spread(task: Callable[..., Result], cells: Sequence[tuple[Any, ...]]) -> list[Result]:
    """`task(*cell)` of every cell, in their order. Raises what the first failing one raises; the rest is then ended.

    `task` is a function of a module; it and its arguments and results can be pickled. Processes are spawned, not
    forked: Vowpal Wabbit and numerical libraries have threads of their own.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=_begin) as pool:
        futures = [pool.submit(task, *cell) for cell in cells]
        try:
            return [future.result() for future in futures]
        except BaseException:
            for process in multiprocessing.active_children():  # else leaving waits for what they have begun
                process.terminate()
            raise


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a process at once; its parent says so
    threadpool_limits(1)  # matrices are small, and every core has a process of its own
