from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from simulator import Log, diagnose

MakeLog = Callable[..., Log]
UNIFORM = np.full((600, 3), 1 / 3)


def only(column: int, n: int = 600) -> np.ndarray:
    return np.eye(3)[np.full(n, column)]


def test_a_policy_near_the_logged_one_is_judged(make_log: MakeLog) -> None:
    found = diagnose(make_log(), UNIFORM)
    assert found.refusal is None
    assert found.support == 1.0
    assert found.support_exact
    assert 400 < found.ess < 600
    assert found.warnings == ()


@pytest.fixture
def deficient(make_log: MakeLog) -> Log:
    """Variant c was eligible but never had a chance."""
    rng = np.random.default_rng(0)
    return make_log(
        chosen=rng.integers(2, size=600),
        propensities=np.full(600, 0.5),
        probabilities=np.tile([0.5, 0.5, 0.0], (600, 1)),
        rewards=rng.integers(2, size=600).astype(float),
    )


def test_missing_support_is_refused_whether_it_is_known_or_estimated(deficient: Log) -> None:
    exact = diagnose(deficient, UNIFORM)
    assert exact.support == pytest.approx(2 / 3)
    assert exact.refusal is not None
    assert exact.refusal.startswith("66.7% of what it would do could have been seen in this log; at least 95%")
    guessed = diagnose(replace(deficient, probabilities=None), UNIFORM)
    assert guessed.support == pytest.approx(2 / 3, abs=0.01)
    assert not guessed.support_exact
    assert guessed.refusal is not None
    assert guessed.refusal.startswith("about 66")


def test_a_little_missing_support_is_a_warning(deficient: Log) -> None:
    found = diagnose(deficient, np.tile([0.48, 0.48, 0.04], (600, 1)))
    assert found.refusal is None
    assert any("4.0% of what it would do was never possible" in text for text in found.warnings)


def test_a_policy_that_never_agrees_with_the_log(deficient: Log) -> None:
    assert "none of the 600 logged choices" in str(diagnose(replace(deficient, probabilities=None), only(2)).refusal)


def test_too_few_rounds_and_too_few_rewards(make_log: MakeLog) -> None:
    small = diagnose(make_log(90), only(1, 90))
    assert "90 rounds tell as much about it as" in str(small.refusal)
    rare = np.zeros(600)
    rare[:3] = 1.0
    assert "rewarded rounds that speak about it count as" in str(diagnose(make_log(rewards=rare), UNIFORM).refusal)


def test_wrong_propensities_are_noticed(make_log: MakeLog) -> None:
    log = make_log(known=False)
    wrong = replace(log, propensities=log.propensities / 2)
    assert any("propensities look wrong" in text for text in diagnose(wrong, UNIFORM).warnings)
    assert not any("propensities" in text for text in diagnose(log, UNIFORM).warnings)
