"""What the checks say of logs that are sound."""

from collections.abc import Callable

import pytest

from bench.checks import KINDS
from simulator import Log, Severity, diagnose_log

LOGS = 20
"""Of each kind; `python -m bench.checks` looks at more."""


@pytest.mark.parametrize("kind", KINDS)
def test_sound_logs_are_green(sound: Callable[..., Log], kind: str) -> None:
    found = [finding for seed in range(LOGS) for finding in diagnose_log(sound(kind, seed=seed))]
    assert [one for one in found if one.severity is Severity.RED] == []
    assert sum(one.severity is Severity.AMBER for one in found) <= 2
    checks = {"rewards", "duplicates", "reward_drift", "context_drift"}
    known = set() if kind == "propensities" else {"sample_ratio"}
    more = {"calibration"} - ({"calibration"} if kind in ("uniform", "propensities") else set())
    assert {one.check for one in found} == checks | known | more, "each of them was made"
