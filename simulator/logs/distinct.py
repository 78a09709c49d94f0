"""Each value once."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Kind = TypeVar("Kind", bound=np.generic)


def distinct(values: NDArray[Kind]) -> NDArray[Kind]:
    """Of (n,) values each once, in order. `np.unique` hashes integers where it is asked for nothing else, which takes
    thirty times as long where most of them differ, as persons do.
    """
    ordered = np.sort(values)
    first = np.ones(ordered.size, dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    found: NDArray[Kind] = ordered[first]
    return found
