"""Real experiments, which are not part of this repository: a benchmark that finds none says so and goes on."""

import os
from pathlib import Path

from bench.children import ROOT


class NoData(Exception):
    """A file of real data is absent; the message says which, and how to name another folder."""


def real_data(path: str) -> Path:
    """The file of this path under the folder `data` of $ELIGE_SHARED, by default `shared` beside the repository.

    Raises NoData.
    """
    file = Path(os.environ.get("ELIGE_SHARED", ROOT.parent / "shared")) / "data" / path
    if not file.is_file():
        raise NoData(f"no {file}; ELIGE_SHARED may name another folder")
    return file
