"""Logs as an experiment would leave them."""

from collections.abc import Callable

import pytest

from bench.checks import sound_log
from simulator import Log


@pytest.fixture
def sound() -> Callable[..., Log]:
    """A factory of logs whose probabilities are those of the draws, by kind (the first argument) and `seed`."""

    def make(kind: str = "contextual", *, seed: int = 0, **changes: object) -> Log:
        return sound_log(kind, seed=seed, **changes)  # type: ignore[arg-type]

    return make
