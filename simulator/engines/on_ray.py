"""The one door to Ray, an optional part (the extra `ray`): pieces of a log on the machines of a cluster.

Every machine needs this package, and the log under the same path: a shared folder, or a mounted bucket. The results
are those of one process to the last bit: what is done with a piece is the same, and so is the order in which it is
added up.
"""

import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from simulator.engines.local import Engine, EngineError

Piece = TypeVar("Piece")
Result = TypeVar("Result")

CONNECT_SECONDS = 5.0
AHEAD = 2
"""Pieces under way for each core: results of a long log do not pile up behind a slow piece."""


class RayMissing(ImportError):
    """Ray is not installed; the message says how to get it."""

    def __init__(self) -> None:
        super().__init__("evaluating on a cluster needs Ray: install Elige with its extra 'ray', elige[ray]")


class OnRay:
    """As `simulator.engines.local.Engine`, on a Ray cluster that is connected to."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self._work = ray.remote(_work)

    @property
    def cores(self) -> int:
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def map(self, task: Callable[[Piece], Result], pieces: Iterable[Piece]) -> Iterator[Result]:
        sent = self._ray.put(task)  # once for all pieces
        waiting: deque[Any] = deque()
        for piece in pieces:
            waiting.append(self._work.remote(sent, piece))
            if len(waiting) >= AHEAD * self.cores:
                yield self._result(waiting.popleft())
        while waiting:
            yield self._result(waiting.popleft())

    def _result(self, under_way: Any) -> Any:
        exceptions = self._ray.exceptions
        try:
            return self._ray.get(under_way)
        except exceptions.RayTaskError as error:  # what the task raised, as it was
            raise error.cause from None
        except exceptions.RayError as error:
            raise EngineError(f"a piece of the log could not be worked on by the cluster: {error}") from error


@contextmanager
def ray_engine(address: str | None = None) -> Iterator[Engine]:
    """The engine of a cluster, for as long as the block runs. address: of a running one, as `ray start` prints it; None
    for that of RAY_ADDRESS, or else one that is begun on this machine and ended with the block.

    Raises RayMissing, and EngineError where no cluster answers.
    """
    try:
        import ray
    except ImportError as error:
        raise RayMissing from error
    if address is not None:
        _check_answers(address)
    ours = not ray.is_initialized()
    if ours:
        try:
            ray.init(address=address, include_dashboard=None if address else False, log_to_driver=False)
        except (ConnectionError, ValueError) as error:
            raise EngineError(f"no Ray cluster could be had: {error}") from error
    try:
        yield OnRay(ray)
    finally:
        if ours:
            ray.shutdown()


def _check_answers(address: str) -> None:
    """Raises EngineError where nothing listens. Ray itself would wait for minutes, and then end this process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise EngineError(f"no Ray cluster at {address!r}: {error}; expected HOST:PORT, as ray start prints") from error


def _work(task: Callable[[Any], Any], piece: Any) -> Any:
    return task(piece)
