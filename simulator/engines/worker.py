"""A process that does tasks on pieces, for `simulator.engines.local`: asked on its input, answering on its output."""

import os
import pickle
import signal
import sys
from typing import IO


def serve(questions: IO[bytes], answers: IO[bytes]) -> None:
    """Until nothing more is asked: (True, result), or (False, (class, arguments, state)) of what the task raised."""
    kept, task = b"", None
    while True:
        try:
            packed, piece = pickle.load(questions)
        except EOFError:
            return
        try:
            if packed != kept:
                kept, task = packed, pickle.loads(packed)
            answer = pickle.dumps((True, task(piece)), protocol=pickle.HIGHEST_PROTOCOL)  # type: ignore[misc]
        except Exception as error:  # noqa: BLE001  # whatever it is, it is raised where the task was given
            answer = pickle.dumps((False, (type(error), error.args, error.__dict__)))
        answers.write(answer)
        answers.flush()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who asks, and who then closes our input
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no answer
    try:
        serve(sys.stdin.buffer, answers)
    except BrokenPipeError:
        os._exit(1)  # nobody waits for the answer


if __name__ == "__main__":
    main()
