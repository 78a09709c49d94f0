"""What may be asked for together, and that every estimate says how its interval was made."""

from collections.abc import Callable

import numpy as np
import pytest

from simulator import EvaluationError, Log, evaluate
from simulator.estimators import INTERVALS, Evidence, Method, check_names, difference, doubt, estimates_of, headline_of
from simulator.estimators.best import errors_of
from simulator.intervals import Resampling
from simulator.intervals.clustered import Possible

MakeLog = Callable[..., Log]


def seen(n: int = 500, seed: int = 1) -> Evidence:
    rng = np.random.default_rng(seed)
    shown = rng.random(n) < 0.3
    weights = np.where(shown, 0.8 / 0.3, 0.2 / 0.7)
    rewards = (rng.random(n) < np.where(shown, 0.5, 0.2)).astype(float)
    model = np.where(shown, 0.5, 0.2)
    return Evidence(rewards, weights, np.full(n, 0.44), model, np.arange(n) // 2, Possible(2.7, 2.7, 0.0, 1.0))


def method(x: Evidence, interval: str, confidence: float = 0.95) -> Method:
    return Method(interval, confidence, Resampling.of(x.persons, seed=0) if interval == "bootstrap" else None)


@pytest.mark.parametrize("interval", INTERVALS)
def test_every_estimate_has_its_interval_and_says_which(interval: str) -> None:
    x = seen()
    found = estimates_of(check_names(["ips", "snips", "dm", "dr"], interval), x, method(x, interval))
    for name, one in found.items():
        assert one.interval == ("normal" if (name, interval) == ("dm", "skewed") else interval)
        assert one.low <= one.value <= one.high
        assert one.low <= 0.44 + 1e-9
        assert one.high >= 0.44 - 1e-9
    wider = estimates_of(list(found), x, method(x, interval, 0.999))
    for name, one in found.items():
        assert wider[name].low <= one.low <= one.high <= wider[name].high


@pytest.mark.parametrize("interval", INTERVALS)
def test_differences_are_by_the_same_method_and_their_doubt_fits_them(interval: str) -> None:
    x = seen()
    first = estimates_of(["ips"], x, method(x, interval))["ips"]
    again = estimates_of(["ips"], x, method(x, interval))["ips"]
    none = difference(first, again, x.persons)
    assert none.interval == interval
    assert none.value == 0.0
    assert doubt(none, x.persons) == 1.0
    served = Evidence(x.rewards, np.ones(500), x.expected, x.predicted, x.persons, Possible(1.0, 1.0, 0.0, 1.0))
    gap = difference(first, estimates_of(["ips"], served, method(served, interval))["ips"], x.persons)
    p = doubt(gap, x.persons)
    assert (p < 0.05) == (gap.low > 0.0 or gap.high < 0.0)
    if 1e-6 < p < 0.99:
        at = difference(
            estimates_of(["ips"], x, method(x, interval, 1.0 - p))["ips"],
            estimates_of(["ips"], served, method(served, interval))["ips"],
            x.persons,
            confidence=1.0 - p,
        )
        assert min(abs(at.low), abs(at.high)) == pytest.approx(0.0, abs=2e-3)


def test_the_usual_ones_that_have_no_such_interval_are_left_out_and_others_refused() -> None:
    usual = ("ips", "snips", "dm", "dr")
    assert check_names(usual, "skewed") == usual
    assert check_names(usual, "anytime") == ("ips",)
    assert check_names(usual, "skewed", model=False) == ("ips", "snips")
    assert check_names(["best"], "likelihood") == ("ips", "snips", "best")
    with pytest.raises(ValueError, match="estimator 'sndr' has no anytime interval: these have: ips, clipped_ips"):
        check_names(["ips", "sndr"], "anytime")
    with pytest.raises(ValueError, match="estimator 'dr' needs a model of the rewards"):
        check_names(["dr"], "skewed", model=False)
    with pytest.raises(ValueError, match=r"interval 'exact': expected one of skewed, normal, .*, anytime$"):
        check_names(usual, "exact")
    with pytest.raises(ValueError, match="no estimator"):
        check_names([], "skewed")
    assert headline_of(["dm", "mips:tone", "ips"]) == "ips"
    assert headline_of(["dr", "best"]) == "best"


def test_an_evaluation_says_how_its_numbers_were_made(make_log: MakeLog) -> None:
    found = evaluate(make_log(), interval="likelihood")
    assert found.estimators == ("ips", "snips")
    told = found.to_dict()["rows"][1]["estimates"]["snips"]  # type: ignore[index]
    assert told["interval"] == "likelihood"
    gain = found.row("fixed:b").gain
    assert gain is not None
    assert gain.interval == "likelihood"
    served = found.row("logged").estimates["mean"]
    assert served.interval == "likelihood"
    assert found.comparisons[0].relative is None
    learned = evaluate(make_log(), ["epsilon"], interval="anytime")
    assert any("at this look alone" in note for note in learned.notes)
    with pytest.raises(EvaluationError, match="estimator 'mips': the variants have no features"):
        evaluate(make_log(), estimators=["mips"])
    with pytest.raises(EvaluationError, match="this log knows only the propensity"):
        evaluate(make_log(known=False), estimators=["kernel:hour"])


def test_the_best_is_the_least_biased_unless_another_agrees_and_varies_less() -> None:
    x = seen()
    found = estimates_of(["ips", "snips", "dm", "best"], x, Method())
    assert found["best"].value == found["dm"].value, "the model is the truth"
    assert found["best"].note.startswith("dm: RMSE ")
    assert (found["best"].low, found["best"].high) == (found["ips"].low, found["ips"].high)
    agreed = errors_of({name: found[name] for name in ("ips", "snips")}, x.persons)["snips"]
    assert found["snips"].value != found["ips"].value
    assert agreed.bias2 == 0.0, "they are apart by no more than noise"
    wrong = Evidence(x.rewards, x.weights, x.expected + 0.4, x.predicted, x.persons, x.possible)
    doubted = estimates_of(["ips", "snips", "dm", "best"], wrong, Method())
    assert doubted["best"].note.startswith("snips: RMSE ")
    errors = errors_of({name: doubted[name] for name in ("dm", "ips")}, x.persons)
    assert list(errors) == ["ips", "dm"]
    assert errors["ips"].bias2 == 0.0
    assert errors["dm"].root == pytest.approx(0.4, rel=0.2)
