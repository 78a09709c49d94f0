"""Data that may be absent, and factories of small logs."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from policies.types import Action
from simulator import Log

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and reference answers; tests that need it are skipped without it."""
    folder = Path(os.environ.get("ELIGE_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is absent; ELIGE_SHARED may name another folder")
    return folder


@pytest.fixture
def make_log() -> Callable[..., Log]:
    """A factory: n rounds, 3 variants a, b, c; clicks depend on the variant and on `lang`."""

    def make(n: int = 600, *, seed: int = 0, persons: int | None = None, known: bool = True, **changes: object) -> Log:
        rng = np.random.default_rng(seed)
        lang = rng.integers(2, size=n)
        probabilities = np.where(lang[:, None] == 0, [[0.5, 0.3, 0.2]], [[0.2, 0.2, 0.6]])
        chosen = np.array([rng.choice(3, p=row) for row in probabilities])
        click = np.array([[0.2, 0.5, 0.3], [0.4, 0.1, 0.3]])[lang, chosen]
        columns: dict[str, object] = {
            "actions": tuple(Action(name) for name in "abc"),
            "contexts": tuple({"lang": "es" if value == 0 else "en"} for value in lang),
            "eligible": np.ones((n, 3), dtype=bool),
            "chosen": chosen,
            "propensities": probabilities[np.arange(n), chosen],
            "probabilities": probabilities if known else None,
            "rewards": (rng.random(n) < click).astype(float),
            "times": np.arange(n) * 60.0,
            "persons": np.arange(n) if persons is None else rng.integers(persons, size=n),
            "default": "a",
        }
        return Log(**{**columns, **changes})

    return make
