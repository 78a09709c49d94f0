"""The console script `elige`, and `python -m server`: interrupted before it has begun anything, it just ends."""

import os
import signal


def main() -> None:
    """Run the command line."""
    # of numpy, which is imported below: matrices here are small, and threads that wait for each other's share of one
    # take the cores from what serves and from processes that evaluate beside each other
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    interrupts = signal.getsignal(signal.SIGINT)
    if interrupts is signal.default_int_handler:  # and not ignored, as in the background of a script
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # importing takes a second: nobody wants its traceback
    from server.cli import main as run

    signal.signal(signal.SIGINT, interrupts)
    run()


if __name__ == "__main__":
    main()
