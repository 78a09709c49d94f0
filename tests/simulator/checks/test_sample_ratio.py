from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bench.checks import lost
from policies.types import Action
from simulator import Log, Severity, diagnose_log, ratio_of_counts
from simulator.checks.sample_ratio import ratio_of, sample_ratio
from simulator.checks.wording import Voice

MakeLog = Callable[..., Log]


def test_counts_are_held_against_shares() -> None:
    found = ratio_of_counts([3052, 3033, 3092])
    assert found.p_value == pytest.approx(stats.chisquare([3052, 3033, 3092]).pvalue, rel=1e-12)
    assert (found.worst, found.observed, found.expected) == (2, 3092, 3059)
    uneven = ratio_of_counts([700, 310], [0.7, 0.3])
    assert uneven.p_value == pytest.approx(stats.chisquare([700, 310], [707, 303]).pvalue, rel=1e-12)
    assert ratio_of_counts([5000, 5500]).p_value < 1e-5
    assert ratio_of_counts([350, 200, 100], [0.7, 0.2, 0.1]).worst == 0, "it lost a half; the others only seem to gain"


@pytest.mark.parametrize(
    ("counts", "shares", "says"),
    [
        ([10], None, "at least 2 variants"),
        ([0, 0], None, "at least 2 variants"),
        ([-1, 5], None, "at least 2 variants"),
        ([1, 5], [0.5, 0.6], "a sum of 1"),
        ([1, 5], [1.0], "expected 2 positive numbers"),
    ],
)
def test_what_are_no_counts(counts: list[float], shares: list[float] | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ratio_of_counts(counts, shares)


def test_a_log_of_one_pmf_is_its_counts(sound: MakeLog) -> None:
    log = sound("shares")
    counts = np.bincount(log.chosen)
    expected = ratio_of_counts(counts.tolist(), [0.7, 0.2, 0.07, 0.03])
    assert ratio_of(log) == expected
    assert ratio_of(replace(log, probabilities=None)) == expected, "propensities that are shares are as good"
    split = (Action("a", {"words": 1.0}), Action("b"), Action("a", {"words": 2.0}), Action("d"))
    merged = ratio_of(replace(log, actions=split, default=None))
    assert merged == ratio_of_counts([counts[0] + counts[2], counts[1], counts[3]], [0.77, 0.2, 0.03])


@pytest.mark.parametrize("kind", ["uniform", "shares", "contextual", "repeated", "learning"])
def test_lost_rounds_are_found(sound: MakeLog, kind: str) -> None:
    for seed in range(3):
        log = sound(kind, seed=seed, n=4000)
        found = sample_ratio(lost(log, 0.25, seed), Voice())
        assert found is not None
        assert found.severity is Severity.RED, (kind, seed)
        assert "what is in the log is not what was drawn" in found.says
        assert abs(found.numbers["observed"] / found.numbers["expected"] - 1.0) > 0.02


def test_persons_who_were_drawn_once_are_not_many_draws(sound: MakeLog) -> None:
    """A few come very often and see the same each time: by visits that would be a mismatch, by persons it is none."""
    rng = np.random.default_rng(5)
    visits = rng.geometric(0.02, size=400)
    persons = np.repeat(np.arange(400), visits)
    luck = rng.random(400)
    n = persons.size
    pmf = np.tile([0.25, 0.25, 0.25, 0.25], (n, 1))
    log = sound("uniform", n=n, persons=persons, chosen=(luck * 4).astype(int)[persons], probabilities=pmf)
    blind = ratio_of(replace(log, persons=np.arange(n)))
    assert blind is not None
    assert blind.p_value < 1e-4
    found = ratio_of(log)
    assert found is not None
    assert found.p_value > 0.01


def test_a_tiny_mismatch_of_a_long_log_is_amber(sound: MakeLog) -> None:
    n, actions = 60_000, (Action("a"), Action("b"))
    halves = {"probabilities": np.full((n, 2), 0.5), "propensities": np.full(n, 0.5)}
    chosen = (np.arange(n) >= n / 2 + 550).astype(int)
    log = sound("uniform", n=n, actions=actions, eligible=np.ones((n, 2), dtype=bool), chosen=chosen, **halves)
    found = sample_ratio(log, Voice())
    assert found is not None
    assert found.numbers["p_value"] < 1e-4
    assert found.severity is Severity.AMBER


@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_what_two_variants_are_off_is_that_of_the_rarer(sound: MakeLog, order: list[int], again: bool) -> None:
    """.885 and .115 for .9 and .1: of no weight to the one, and seven in a hundred of the other's value. Which of them
    the log names first says nothing.
    """
    n = 20_000
    pmf = np.tile(np.array([0.9, 0.1])[order], (n, 1))
    chosen = np.argsort(order)[(np.arange(n) % 200 >= 177).astype(int)]
    log = sound(
        "uniform",
        n=n,
        actions=(Action("a"), Action("b")),
        eligible=np.ones((n, 2), dtype=bool),
        chosen=chosen,
        propensities=pmf[np.arange(n), chosen],
        probabilities=pmf,
        persons=np.arange(n) % 10_000 if again else np.arange(n),
    )
    found = sample_ratio(log, Voice())
    assert found is not None
    assert found.severity is Severity.RED
    assert (found.numbers["observed"], found.numbers["expected"]) == pytest.approx((0.115, 0.1))


def test_rare_variants_are_taken_together(sound: MakeLog) -> None:
    n, rare = 2000, 40
    pmf = np.tile(np.r_[0.9, np.full(rare, 0.1 / rare)], (n, 1))
    more = {
        "actions": tuple(Action(str(place)) for place in range(rare + 1)),
        "eligible": np.ones((n, rare + 1), dtype=bool),
        "probabilities": pmf,
        "default": None,
    }
    never = sound("uniform", n=n, chosen=np.zeros(n, dtype=int), propensities=np.full(n, 0.9), **more)
    found = sample_ratio(never, Voice())
    assert found is not None
    assert found.severity is Severity.RED, "each is expected 5 times, all of them 200 times"


def test_what_can_not_be_checked_is_not(sound: MakeLog) -> None:
    assert ratio_of(sound("propensities")) is None
    fixed = np.tile([1.0, 0.0, 0.0, 0.0], (2000, 1))
    alone = sound("uniform", probabilities=fixed, chosen=np.zeros(2000, dtype=int), propensities=np.ones(2000))
    assert ratio_of(alone) is None
    guessed = replace(sound("shares"), probabilities=None, propensities_estimated=True)
    assert ratio_of(guessed) is None


def test_in_spanish(sound: MakeLog) -> None:
    found = diagnose_log(lost(sound("shares"), 0.5, 1), lang="es")
    assert found[0].severity is Severity.RED
    assert found[0].says.startswith("'a' se eligió en el 5")
    assert "lo registrado no es lo que se sorteó" in found[0].says
