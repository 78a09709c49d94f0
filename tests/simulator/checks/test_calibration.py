from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bench.checks import said_otherwise
from policies.types import Action
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


def test_a_propensity_of_fewer_digits_than_its_probability_is_in_the_same_bin(sound: MakeLog) -> None:
    """.1 of four bytes is a little above .1, which ends a bin."""
    rows = np.arange(2000)
    pmf = np.where((rows % 2 == 0)[:, None], [0.1, 0.3, 0.3, 0.3], [0.1, 0.1, 0.4, 0.4])
    chosen = (rows // 2 * 7 % 20 >= np.cumsum(20 * pmf, axis=1).T.round()).sum(axis=0)
    exact = sound("uniform", probabilities=pmf, chosen=chosen, propensities=pmf[rows, chosen])
    short = replace(exact, propensities=exact.propensities.astype(np.float32).astype(float))
    assert bins_of(short) == bins_of(exact)
    found = calibration(short, Voice())
    assert found is not None
    assert found.severity is Severity.GREEN


@pytest.mark.parametrize(("persons", "red"), [(100, False), (1000, True)])
def test_draws_made_once_for_all_visits_of_a_person_are_not_many(sound: MakeLog, persons: int, red: bool) -> None:
    """Of 1,000 rounds 600 have weight 1.43 and 400 have .62: of 1,000 people too much, of 100 luck."""
    n = 1000
    actions = {"actions": (Action("a"), Action("b")), "eligible": np.ones((n, 2), dtype=bool)}
    person = np.arange(n) * persons // n
    said = np.where(person % 10 < 6, 0.35, 0.8)
    log = sound("propensities", n=n, chosen=np.zeros(n, int), propensities=said, persons=person, **actions)
    found = calibration(log, Voice())
    assert (found is not None and found.severity is Severity.RED) == red


@pytest.mark.parametrize("n", [1, 3, 10])
def test_a_few_choices_that_were_a_little_unlikely_are_luck(sound: MakeLog, n: int) -> None:
    """Nine variants in ten have weight 1.11 where the tenth, that happens not to be there, has .53."""
    actions = {"actions": tuple(map(Action, "abcdefghij")), "eligible": np.ones((n, 10), dtype=bool)}
    log = sound("propensities", n=n, chosen=np.zeros(n, int), propensities=np.full(n, 0.09), **actions)
    assert calibration(log, Voice()) is None


def test_propensities_alone_may_not_be_too_small(sound: MakeLog) -> None:
    log = sound("propensities")
    assert calibration(log, Voice()) is None
    halved = calibration(replace(log, propensities=log.propensities / 2.0), Voice())
    assert halved is not None
    assert halved.severity is Severity.RED
    assert halved.numbers["mean_weight"] == pytest.approx(2.0, abs=0.15)
    doubled = replace(log, propensities=np.minimum(1.0, log.propensities * 2.0))
    assert calibration(doubled, Voice()) is None, "missing support has the same look"
