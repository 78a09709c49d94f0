from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from simulator import Finding, Log, Severity, diagnose, diagnose_policy
from simulator.diagnostics import Diagnostics
from simulator.estimators import effective_sample_size

MakeLog = Callable[..., Log]
SOUND = Diagnostics(
    n=10_000,
    support=1.0,
    support_exact=True,
    ess=4000.0,
    events=500.0,
    people=3000.0,
    max_weight=6.0,
    mean_weight=1.01,
    mean_weight_error=0.01,
    pareto_k=0.3,
    bounds=None,
)


def one(check: str, lang: str = "en", **changes: object) -> Finding:
    (found,) = (of for of in diagnose_policy(replace(SOUND, **changes), lang=lang) if of.check == check)  # type: ignore[arg-type]
    return found


def test_a_sound_policy_is_green_throughout() -> None:
    assert {found.severity for found in diagnose_policy(SOUND)} == {Severity.GREEN}
    assert all(found.do == "" for found in diagnose_policy(SOUND))


@pytest.mark.parametrize(
    ("check", "changes", "severity", "says"),
    [
        ("support", {"ess": 0.0, "bounds": (0.0, 1.0)}, "red", "None of the 10,000 logged choices is one that"),
        (
            "support",
            {"support": 0.9449, "bounds": (0.1, 0.2)},
            "red",
            "94.4 % of what it would do could have been seen in this log, at least 95 % is needed; "
            "its value lies between 0.1 and 0.2.",
        ),
        ("support", {"support": 0.951, "bounds": (0.1, 0.2)}, "amber", "4.9 % of what it would do was never possible"),
        (
            "support",
            {"support": 0.8, "support_exact": False, "mean_weight": 0.8, "bounds": (0.1, 0.4)},
            "red",
            "About 80.0 % of what it would do could have been seen",
        ),
        (
            "support",
            {"support": 0.9, "support_exact": False, "mean_weight": 0.9, "mean_weight_error": 0.03, "bounds": (0, 1)},
            "amber",
            "About 90.0 % of what it would do could have been seen in this log, by the weights",
        ),
        ("effective_sample", {"ess": 49.0}, "red", "10,000 rounds tell as much about it as 49 rounds of its own would"),
        ("effective_sample", {"ess": 999.0}, "amber", "10,000 rounds count as 999, one of them as 6."),
        ("events", {"events": 4.96}, "red", "count as 4.9; at least 5 are needed"),
        ("events", {"events": 29.97}, "amber", "they count as 29.9"),
        ("effective_sample", {"ess": 49.97}, "red", "about it as 49.9 rounds of its own would; at least 50 are needed"),
        ("support", {"support": 0.94999, "bounds": (0.1, 0.2)}, "red", "94.9 % of what it would do could have been"),
        ("events", {"events": 29.0}, "amber", "they count as 29.0"),
        ("people", {"people": 19.99}, "amber", "Few people speak about it (they count as 19.9): the interval may be"),
        ("people", {"people": 20.0}, "green", "The people who speak about it count as 20."),
        ("weight_tail", {"pareto_k": 0.71}, "amber", "Pareto k̂ 0.71, up to 0.7 is good"),
        ("weight_tail", {"pareto_k": 0.6, "n": 100}, "amber", "Pareto k̂ 0.6, up to 0.5 is good"),
        ("weight_tail", {"pareto_k": 4.2}, "amber", "Pareto k̂ > 1, up to 0.7 is good"),
        ("weight_tail", {"pareto_k": None}, "green", "have no tail"),
        ("mean_weight", {"mean_weight": 1.05}, "amber", "1.05 where 1 is expected: the logged propensities look wrong"),
        ("mean_weight", {"mean_weight": 1.05, "support": 0.9, "bounds": (0.0, 1.0)}, "green", "1.05 ± 0.01"),
        ("mean_weight", {"mean_weight": 0.96, "support": 0.96}, "green", "0.96 ± 0.01; 0.96 is expected"),
        ("mean_weight", {"mean_weight": 0.93, "support": 0.99}, "amber", "0.93 where 0.99 is expected"),
        (
            "mean_weight",
            {"mean_weight": 0.955, "support": 0.955, "support_exact": False},
            "amber",
            "where 1 is expected",
        ),
        (
            "mean_weight",
            {"mean_weight": 0.955, "support": 0.955, "support_exact": False, "pareto_k": 0.71},
            "green",
            "0.955 ± 0.01",
        ),
        (
            "mean_weight",
            {"mean_weight": 1.05, "support_exact": False, "pareto_k": 0.71},
            "amber",
            "1.05 where 1 is expected",
        ),
    ],
)
def test_thresholds(check: str, changes: dict[str, object], severity: str, says: str) -> None:
    found = one(check, **changes)
    assert found.severity == severity
    assert says in found.says
    assert (found.do == "") == (severity == "green")


@pytest.mark.parametrize("p", [0.07, 0.3, 0.9])
@pytest.mark.parametrize(("check", "name", "n", "severity"), [
    ("events", "events", 5, "amber"),
    ("events", "events", 30, "green"),
    ("effective_sample", "ess", 50, "amber"),
    ("effective_sample", "ess", 1000, "green"),
])  # fmt: skip
def test_rounds_that_are_just_enough_are_enough_whatever_their_weight(
    check: str, name: str, n: int, severity: str, p: float
) -> None:
    """Five clicks are 4.999999999999999, if each has the weight 1/.07."""
    assert one(check, **{name: effective_sample_size(np.full(n, 1.0 / p))}).severity == severity


@pytest.mark.parametrize(("support", "severity"), [(0.95, "amber"), (1.0 - 1e-10, "green"), (0.9499, "red")])
def test_support_that_is_just_enough_is_enough(support: float, severity: str) -> None:
    assert one("support", support=support, bounds=(0.0, 1.0)).severity == severity
    assert one("support", support=support - 1e-15, bounds=(0.0, 1.0)).severity == severity


def test_in_spanish() -> None:
    found = one("support", "es", support=0.5, bounds=(0.1, 2500.0))
    assert found.says == (
        "En este registro se pudo ver el 50,0 % de lo que haría, y hace falta al menos el 95 %; "
        "su valor está entre 0,1 y 2.500."
    )


def test_numbers_come_with_the_sentence() -> None:
    assert one("support", support=0.5, bounds=(0.1, 0.7)).numbers == {"support": 0.5, "low": 0.1, "high": 0.7}
    assert one("weight_tail").numbers == {"pareto_k": 0.3, "good": 0.7}


def test_wrong_propensities_are_noticed(make_log: MakeLog) -> None:
    log = make_log(known=False)
    uniform = np.full((600, 3), 1 / 3)

    def said(of: Log) -> Finding:
        (found,) = (one for one in diagnose_policy(diagnose(of, uniform)) if one.check == "mean_weight")
        return found

    assert said(log).severity is Severity.GREEN
    assert said(replace(log, propensities=log.propensities / 2)).severity is Severity.AMBER


@pytest.mark.parametrize(("known", "rare", "check"), [(True, 1, "mean_weight"), (False, 0, "support")])
def test_the_error_of_the_mean_weight_is_that_of_persons(make_log: MakeLog, known: bool, rare: int, check: str) -> None:
    """20 people with 30 visits each see what was drawn once: the mean weight is that of 20 draws, and not of 600."""
    person, uniform = np.arange(600) // 30, np.full((600, 3), 1 / 3)
    pmf = np.where((person % 2 == 0)[:, None], [0.8, 0.1, 0.1], [0.2, 0.4, 0.4])
    chosen = np.array([0, 0, rare, 1])[person % 4]
    columns = {"chosen": chosen, "propensities": pmf[np.arange(600), chosen], "probabilities": pmf if known else None}
    log = make_log(600, persons=1, **columns)

    def log_of(persons: np.ndarray) -> Log:
        return replace(log, persons=persons)

    def said(persons: np.ndarray) -> tuple[float, Finding]:
        found = diagnose(log_of(persons), uniform)
        (told,) = (one for one in diagnose_policy(found) if one.check == check)
        return found.mean_weight_error, told

    error, told = said(person)
    weights = (1 / 3 / log.propensities)[::30]
    assert diagnose(log_of(person), uniform).people == pytest.approx(weights.sum() ** 2 / np.sum(weights**2))
    assert error == pytest.approx((1 / 3 / log.propensities)[::30].std(ddof=1) / np.sqrt(20))
    assert told.severity is (Severity.GREEN if known else Severity.AMBER)
    assert said(np.arange(600))[1].severity is (Severity.AMBER if known else Severity.RED)
    assert said(np.zeros(600, int))[0] == np.inf


def test_that_heavy_weights_are_missing_is_no_mistake_of_the_propensities(make_log: MakeLog) -> None:
    """b should be shown in one round of 50, and never was: in 100 rounds that is luck, in 10,000 it is not."""

    def said(n: int) -> Finding:
        one = np.ones(n)
        log = make_log(
            n, chosen=np.zeros(n, int), propensities=0.98 * one, probabilities=np.outer(one, [0.98, 0.02, 0.0])
        )
        found = diagnose(log, np.outer(one, [0.5, 0.5, 0.0]))
        assert found.mean_weight == pytest.approx(0.5 / 0.98)
        assert found.mean_weight_error == pytest.approx((0.5**3 / 0.98**2 + 0.5**3 / 0.02**2) ** 0.25 / n**0.5)
        (told,) = (one for one in diagnose_policy(found) if one.check == "mean_weight")
        return told

    assert said(100).severity is Severity.GREEN
    assert said(10_000).severity is Severity.AMBER
