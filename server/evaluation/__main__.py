"""`python -m server.evaluation ID`: the process that computes one stored evaluation for the server that holds it.

It reads the database of ELIGE_DB and writes nothing there: what it has to tell goes to standard output, one JSON object
a line. Whatever a library prints goes to standard error instead.
"""

import os
import signal
import sys
import threading
import time
from typing import Any

import orjson
import structlog

from policies.expressions import ExpressionError
from policies.registry import PolicyError
from server.errors import EligeError, InvalidRequest, Overloaded, WrongState
from server.evaluation.computing import compute
from server.logging import configure_logging
from server.store import evaluations as evaluation_rows
from server.store.database import Database
from simulator import EvaluationError, LogError, Progress

log = structlog.get_logger()

TELL_SECONDS = 0.25
"""From one word about progress to the next."""


class Pipe:
    """Tells the server, and never anybody else."""

    def __init__(self) -> None:
        self._file = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        self._stage, self._told = "", -TELL_SECONDS

    def tell(self, message: dict[str, Any]) -> None:
        self._file.write(orjson.dumps(message) + b"\n")

    def progress(self, stage: str, done: float) -> None:
        now = time.monotonic()
        if stage != self._stage or now - self._told >= TELL_SECONDS:
            self._stage, self._told = stage, now
            self.tell({"stage": stage, "done": done})


def _end_with_the_server() -> None:
    """End this process, and what it has started, once standard input ends: the server died, however it died."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, name="elige-parent-watch", daemon=True).start()


def answer_to(url: str, evaluation_id: str, *, progress: Progress) -> dict[str, Any]:
    """What there is to tell at the end: `result` and `provenance`, or an `error` and its `code`."""
    try:
        return _computed(url, evaluation_id, progress)
    except EligeError as error:
        return {"code": error.code, "error": str(error)}
    except (EvaluationError, LogError) as error:  # right in itself, but this log can't answer it
        return {"code": WrongState.code, "error": str(error)}
    except (PolicyError, ExpressionError) as error:
        return {"code": InvalidRequest.code, "error": str(error)}
    except MemoryError:
        return {"code": Overloaded.code, "error": "it needs more memory than there is"}
    except Exception:
        log.exception("evaluation failed", evaluation=evaluation_id)
        return {"code": "INTERNAL", "error": "a defect of the service; it is in its own log"}


def _computed(url: str, evaluation_id: str, progress: Progress) -> dict[str, Any]:
    database = Database(url, create=False)
    try:
        with database.reading() as connection:
            stored = evaluation_rows.read(connection, evaluation_id)
        computed = compute(database, stored, progress=progress)
    finally:
        database.close()
    return {"result": computed.result, "provenance": computed.provenance}


def main(evaluation_id: str) -> None:
    configure_logging()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal: the server decides
    _end_with_the_server()
    pipe = Pipe()
    pipe.tell(answer_to(os.environ["ELIGE_DB"], evaluation_id, progress=pipe.progress))


if __name__ == "__main__":
    main(sys.argv[1])
