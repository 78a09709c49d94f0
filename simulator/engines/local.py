"""Where work on the pieces of a log is done: here, or in processes of this machine, one a core.

An engine maps a task over pieces and gives the results in the order of the pieces, however many processes there are, so
that what is added up in that order has the same bits. An engine on other machines needs no more than `map`.
"""

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")

STOP_SECONDS = 5.0
"""How long an idle process may take to end."""


class EngineError(RuntimeError):
    """A process ended before it had answered; the message says how."""


class Engine(Protocol):
    """Does a task on many pieces."""

    @property
    def cores(self) -> int:
        """How many pieces are worked on at once."""
        ...

    def map(self, task: Callable[[Piece], Result], pieces: Iterable[Piece]) -> Iterator[Result]:
        """The results in the order of the pieces. Task, pieces and results can be pickled, and mean the same in another
        process. Raises what the task raises, and EngineError.
        """
        ...


class Inline:
    """In this process, one piece after the other."""

    cores = 1

    def map(self, task: Callable[[Piece], Result], pieces: Iterable[Piece]) -> Iterator[Result]:
        return map(task, pieces)


class Processes:
    """One process a core, started when first needed, and kept until `close`.

    They are new programs, never forks of this one: Vowpal Wabbit and numerical libraries have threads, which a fork
    would lose. And they do not run this program's main module again, so that a script or a notebook needs no guard;
    hence what is defined there does not exist in them, see `portable`.
    """

    def __init__(self, cores: int) -> None:
        self._cores = cores
        self._workers: list[_Worker] = []
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._threads = ThreadPoolExecutor(cores, thread_name_prefix="elige-engine")

    @property
    def cores(self) -> int:
        return self._cores

    def map(self, task: Callable[[Piece], Result], pieces: Iterable[Piece]) -> Iterator[Result]:
        packed = pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL)
        while len(self._workers) < self._cores:
            self._workers.append(_Worker())
            self._idle.put(self._workers[-1])
        waiting: deque[Future[Result]] = deque()
        for piece in pieces:
            waiting.append(self._threads.submit(self._ask, packed, piece))
            if len(waiting) > 2 * self._cores:  # the results of a long log do not pile up behind a slow piece
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def close(self) -> None:
        """End the processes, at once where they are still at work."""
        busy = len(self._workers) - self._idle.qsize()
        for worker in self._workers:
            worker.end(0.0 if busy else STOP_SECONDS)
        self._threads.shutdown(cancel_futures=True)

    def _ask(self, packed: bytes, piece: object) -> Any:
        worker = self._idle.get()
        try:
            return worker.ask(packed, piece)
        finally:
            self._idle.put(worker)


class _Worker:
    """One process that runs `simulator.engines.worker`."""

    def __init__(self) -> None:
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simulator.engines.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **one_thread, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    def ask(self, packed: bytes, piece: object) -> Any:
        assert self._process.stdin is not None  # both were asked for above
        assert self._process.stdout is not None
        try:
            pickle.dump((packed, piece), self._process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
            done, answer = pickle.load(self._process.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
            code = self._process.wait()
            raise EngineError(
                f"a process that worked on a piece of the log ended with {code}: out of memory? Fewer cores need less"
            ) from error
        if done:
            return answer
        kind, arguments, state = answer
        raised = kind.__new__(kind, *arguments)  # as it was, whatever its __init__ asks for
        raised.__dict__.update(state)
        raise raised

    def end(self, seconds: float) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if seconds == 0.0:
            self._process.kill()
        with suppress(BrokenPipeError):  # it has ended already, with a question half asked
            self._process.stdin.close()  # it ends when nothing more can be asked
        try:
            self._process.wait(seconds or None)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


@contextmanager
def local_engine(cores: int | None = None, *, most: int | None = None) -> Iterator[Engine]:
    """The engine of this machine, for as long as the block runs. cores: None for all that this process may use; but
    never more than `most`, if that is given: as many as there are pieces.

    Raises ValueError for less than 1.
    """
    count = available_cores() if cores is None else cores
    if count < 1:
        raise ValueError(f"cores {count}: expected at least 1")
    count = min(count, most or count)
    if count == 1:
        yield Inline()
        return
    processes = Processes(count)
    try:
        yield processes
    finally:
        processes.close()


def mapped(
    engine: Engine,
    task: Callable[[Piece], Result],
    pieces: Sequence[Piece],
    tell: Callable[[str, float], None],
    what: str,
) -> Iterator[Result]:
    """The results in the order of the pieces; `tell` hears which share of them is there."""
    tell(what, 0.0)
    for done, result in enumerate(engine.map(task, pieces), start=1):
        tell(what, done / len(pieces))
        yield result


def available_cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def portable(value: object) -> bool:
    """Whether it can be sent to another process, and is nothing of this program's main module, which is not there."""
    try:
        packed = pickle.dumps(value)
    except (pickle.PicklingError, TypeError, AttributeError):
        return False
    return b"__main__" not in packed
