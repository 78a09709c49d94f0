"""What a process that computes for a server has in common with the others: whom it tells, when it ends, how it fails.

It reads the database of ELIGE_DB and writes nothing there. What it has to tell goes to standard output, and whatever a
library prints to standard error instead.
"""

import os
import signal
import threading
from dataclasses import dataclass
from typing import Any, BinaryIO

import structlog

from policies.expressions import ExpressionError
from policies.registry import PolicyError
from server.errors import EligeError, InvalidRequest, Overloaded, WrongState
from server.logging import configure_logging
from simulator import EvaluationError, LogError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the work gave, or why it could not: the class of an error and its text; `refused` and nothing else for a
    defect.
    """

    value: Any = None
    refused: bool = False
    error: type[EligeError] | None = None
    why: str = ""


def begin() -> BinaryIO:
    """Be a child of the server from now on. What is written to the file, unbuffered, the server reads."""
    configure_logging()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal: the server decides
    told = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return told


def end_with_the_server() -> None:
    """End this process, and what it has started, once standard input ends: the server died, however it died."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, name="elige-parent-watch", daemon=True).start()


def as_told(error: Exception) -> EligeError | None:
    """What a caller is told of what went wrong; None for a defect, which is written to our own log alone."""
    match error:
        case EligeError():
            return error
        case EvaluationError() | LogError():  # right in itself, but this log can't answer it
            return WrongState(str(error))
        case PolicyError() | ExpressionError():
            return InvalidRequest(str(error))
        case MemoryError():
            return Overloaded("it needs more memory than there is")
    log.error("computing failed", exc_info=error)
    return None
