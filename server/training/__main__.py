"""`python -m server.training`: the process that `elige serve` starts and supervises.

It trains the database of ELIGE_DB: arguments can be read by everybody on the machine, and a URL may hold a password.
"""

import os
import signal
import sys
import threading

import structlog

from server.durations import parse_duration
from server.errors import EligeError
from server.logging import configure_logging
from server.settings import DRAIN_GRACE
from server.training.process import run, stop_at_end_of_input

log = structlog.get_logger()

if __name__ == "__main__":
    configure_logging()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal: the server decides
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    stop_at_end_of_input(stopping)
    try:
        told = os.environ.get("ELIGE_DRAIN_GRACE")
        run(os.environ["ELIGE_DB"], drain_grace=parse_duration(told) if told else DRAIN_GRACE, stop=stopping)
    except EligeError as error:  # the database is away, or not ours: the supervisor tries again
        log.error("trainer can't start", reason=str(error))
        sys.exit(1)
