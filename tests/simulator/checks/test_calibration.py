from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bench.checks import said_otherwise
from simulator import Log, Severity
from simulator.checks.calibration import bins_of, calibration
from simulator.checks.wording import Voice

MakeLog = Callable[..., Log]


def test_every_choice_is_counted_in_its_bin(sound: MakeLog) -> None:
    log = sound("contextual")
    assert log.probabilities is not None
    bins = bins_of(log)
    for one in bins:
        inside = (log.probabilities > one.low) & (log.probabilities <= one.high)
        assert one.expected == pytest.approx(log.probabilities[inside].sum())
        assert one.observed == inside[np.arange(2000), log.chosen].sum()
    assert len(bins) > 3
    assert min(one.p_value for one in bins) > 0.01


@pytest.mark.parametrize("power", [0.5, 2.0])
@pytest.mark.parametrize("kind", ["contextual", "repeated"])
def test_probabilities_that_are_not_those_of_the_draw(sound: MakeLog, kind: str, power: float) -> None:
    for seed in range(3):
        found = calibration(said_otherwise(sound(kind, seed=seed), power), Voice())
        assert found is not None
        assert found.severity is Severity.RED, seed
        assert "Choices said to be made with probability" in found.says


def test_a_small_error_is_amber(sound: MakeLog) -> None:
    found = calibration(said_otherwise(sound("contextual", n=40_000), 1.08), Voice())
    assert found is not None
    assert found.severity is Severity.AMBER
    assert abs(found.numbers["observed"] / found.numbers["expected"] - 1.0) < 0.1


def test_one_bin_tells_nothing(sound: MakeLog) -> None:
    assert calibration(sound("uniform"), Voice()) is None


def test_propensities_alone_may_not_be_too_small(sound: MakeLog) -> None:
    log = sound("propensities")
    assert calibration(log, Voice()) is None
    halved = calibration(replace(log, propensities=log.propensities / 2.0), Voice())
    assert halved is not None
    assert halved.severity is Severity.RED
    assert halved.numbers["mean_weight"] == pytest.approx(2.0, abs=0.15)
    doubled = replace(log, propensities=np.minimum(1.0, log.propensities * 2.0))
    assert calibration(doubled, Voice()) is None, "missing support has the same look"
