"""Which estimate is believed: what is not in the log counts, too."""

from dataclasses import replace

import numpy as np
import pytest

from simulator.estimators import Evidence, Method, estimates_of
from simulator.estimators.best import UNBIASED, errors_of
from simulator.intervals import Resampling
from simulator.intervals.clustered import Possible

NAMES = ["snips", "dm", "dr", "best"]


def blind() -> Evidence:
    """What the policy likes was shown once in 400 rounds, without a reward; the model says that it earns .3."""
    weights = np.zeros(400)
    weights[0], weights[1:41] = 180.0, 0.1
    predicted = np.full(400, 0.3)
    return Evidence(
        np.zeros(400), weights, np.full(400, 0.3), predicted, np.arange(400), Possible(170.0, 180.0, 0.0, 1.0)
    )


def test_a_log_that_may_have_missed_what_matters_is_not_believed() -> None:
    x = blind()
    found = estimates_of(["ips", "dm", "best"], x, Method())
    assert found["ips"].value == found["ips"].standard_error == 0.0, "nothing was seen, hence no noise"
    assert found["best"].note.startswith("dm: ")
    unknown = estimates_of(["ips", "dm", "best"], replace(x, possible=None), Method())
    assert unknown["best"].note.startswith("ips: "), "where nobody knows what was possible, what was seen has to do"


def test_one_unseen_event_counts_in_both_variances() -> None:
    """V + k², where k is the greatest that one event would have moved the estimate: weight · (1 - value) / n."""
    x = blind()
    found = estimates_of(["dr", "snips", "dm"], x, Method())
    eventless = {name: replace(one, up=0.0, down=0.0) for name, one in found.items()}
    told, seen = errors_of(found, x.persons), errors_of(eventless, x.persons)
    k = 170.0 / 400.0
    assert told["snips"].variance == pytest.approx(seen["snips"].variance + k**2)
    assert told["dm"].variance == seen["dm"].variance, "the model is asked, whatever was seen"
    distance = found["dm"].value - found["dr"].value
    noise = (distance**2 - seen["dm"].bias2) + (k * max(found["dr"].value, 1.0 - found["dr"].value)) ** 2
    assert told["dm"].bias2 == pytest.approx(max(0.0, distance**2 - noise))


def test_an_event_that_would_move_both_says_nothing_about_their_distance() -> None:
    x = blind()
    rewarded = replace(x, rewards=np.where(x.weights == 180.0, 1.0, 0.0))
    found = estimates_of(["ips", "snips"], rewarded, Method())
    bias2 = {
        up: errors_of({name: replace(one, up=up, down=0.0) for name, one in found.items()}, x.persons)["snips"].bias2
        for up in (0.0, 100.0)
    }
    assert bias2[100.0] == bias2[0.0] > 0.0


@pytest.mark.parametrize("interval", ["skewed", "normal", "bootstrap"])
def test_the_choice_does_not_depend_on_how_intervals_are_made(interval: str) -> None:
    x = blind()
    method = Method(interval, resampling=Resampling.of(x.persons, seed=0))
    best = estimates_of(NAMES, x, method)["best"]
    assert best.note == estimates_of(NAMES, x, Method())["best"].note
    assert best.interval == interval


def poor(name: str) -> Evidence:
    """Logs that hardly tell anything, or tell it without any noise."""
    n = 2 if name == "two rounds" else 60
    rows, one = np.arange(n), np.ones(n)
    rewards = {"one event": (rows == 3) * one, "all alike": one}.get(name, (rows % 3 == 1) * one)
    weights = {"as logged": one, "one weight": (rows == 4) * 60.0, "two rounds": 1.0 + rows}.get(name, 0.2 + rows % 5)
    q = one if name == "all alike" else 0.3 * one
    return Evidence(rewards, weights, q, q, rows, Possible(float(weights.max()), float(weights.max()), 0.0, 1.0))


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("name", ["as logged", "one event", "all alike", "one weight", "two rounds"])
def test_of_a_log_that_hardly_tells_the_choice_is_still_one_and_the_same(name: str, known: bool) -> None:
    x = poor(name) if known else replace(poor(name), possible=None)
    asked = [*UNBIASED[:8], "dm", "best"]
    found = estimates_of(asked, x, Method())
    for one in found.values():
        numbers = (one.value, one.standard_error, one.low, one.high, one.ess)
        assert np.isfinite(numbers).all(), one.estimator
        assert one.low <= one.value <= one.high, one.estimator
    again = estimates_of(asked[::-1], x, Method())
    assert (again["best"].value, again["best"].note) == (found["best"].value, found["best"].note)


def test_of_equally_good_ones_the_least_biased_is_believed() -> None:
    x = poor("all alike")
    found = estimates_of(["clipped_ips", "snips", "dm", "dr", "best"], replace(x, possible=None), Method())
    assert found["best"].note.startswith("dr: RMSE 0,"), "no error in any of them"
    assert found["clipped_ips"].note == "", "and nothing is cut for nothing"
