"""`python -m server.training URL`: the process that `elige serve` starts and supervises."""

import signal
import sys
import threading

from server.logging import configure_logging
from server.training.process import run, stop_at_end_of_input

if __name__ == "__main__":
    configure_logging()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal: the server decides
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    stop_at_end_of_input(stopping)
    run(sys.argv[1], stop=stopping)
