"""`python -m server.evaluation ID`: the process that computes one stored evaluation for the server that holds it.

It tells one JSON object a line.
"""

import os
import sys
import time
from typing import Any, BinaryIO

import orjson

from server.errors import DatabaseUnusable, Unavailable
from server.evaluation.child import as_told, begin, end_with_the_server
from server.evaluation.computing import compute
from server.store import evaluations as evaluation_rows
from server.store.database import Database
from simulator import Progress

TELL_SECONDS = 0.25
"""From one word about progress to the next."""


class Pipe:
    """Tells the server, and never anybody else."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._stage, self._told = "", -TELL_SECONDS

    def tell(self, message: dict[str, Any]) -> None:
        self._file.write(orjson.dumps(message) + b"\n")

    def progress(self, stage: str, done: float) -> None:
        now = time.monotonic()
        if stage != self._stage or now - self._told >= TELL_SECONDS:
            self._stage, self._told = stage, now
            self.tell({"stage": stage, "done": done})


def answer_to(url: str, evaluation_id: str, *, progress: Progress) -> dict[str, Any]:
    """What there is to tell at the end: `result` and `provenance`, or an `error` and its `code`."""
    try:
        return _computed(url, evaluation_id, progress)
    except Exception as error:  # noqa: BLE001 told as what it is
        told = as_told(error)
        if told is None:
            return {"code": "INTERNAL", "error": "a defect of the service; it is in its own log"}
        return {"code": told.code, "error": str(told)}


def _computed(url: str, evaluation_id: str, progress: Progress) -> dict[str, Any]:
    try:
        database = Database(url, create=False)
    except DatabaseUnusable as error:  # the server has it open: it is away at the moment
        raise Unavailable(str(error)) from error
    try:
        with database.reading() as connection:
            stored = evaluation_rows.read(connection, evaluation_id)
        computed = compute(database, stored, progress=progress)
    finally:
        database.close()
    return {"result": computed.result, "provenance": computed.provenance}


def main(evaluation_id: str) -> None:
    pipe = Pipe(begin())
    end_with_the_server()
    pipe.tell(answer_to(os.environ["ELIGE_DB"], evaluation_id, progress=pipe.progress))


if __name__ == "__main__":
    main(sys.argv[1])
