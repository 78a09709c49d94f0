"""`python -m server.evaluation.answer`: the process that answers one call which computes for long.

It reads the work, a function of the database, pickled, from standard input, and tells its `Answer` pickled: nobody but
the server is at the other end of either pipe.
"""

import os
import pickle
import sys
from collections.abc import Callable

from server.evaluation.child import Answer, as_told, begin, end_with_the_server
from server.store.database import Database


def answer_to(url: str, work: Callable[[Database], object]) -> Answer:
    """The answer to `work(database)`."""
    try:
        database = Database(url, create=False)
        try:
            return Answer(work(database))
        finally:
            database.close()
    except Exception as error:  # noqa: BLE001 told as what it is
        told = as_told(error)
        return Answer(refused=True, error=type(told) if told else None, why=str(told) if told else "")


def main() -> None:
    told = begin()
    try:
        work = pickle.load(sys.stdin.buffer)
    except (EOFError, pickle.UnpicklingError):  # the server has died, or been told that nobody waits any more
        sys.exit(1)
    end_with_the_server()
    told.write(pickle.dumps(answer_to(os.environ["ELIGE_DB"], work)))


if __name__ == "__main__":
    main()
