"""Lift over the control group: an experiment's plain difference, by person, beside and corrected with the others."""

from collections.abc import Callable

import numpy as np
import pytest

from policies.types import RewardRange
from simulator import Log, Page, Trial, evaluate, evaluate_page
from simulator.comparisons import holm
from simulator.lift import MIN_ROUNDS, lifted

MakeLog = Callable[..., Log]


def trial_of(treated: list[float], control: list[float], *, visits: int = 1) -> Trial:
    """Each person comes so many times in a row."""
    rewards = np.array([*treated, *control], dtype=np.float64)
    n = rewards.size
    return Trial(rewards, np.linspace(0.0, 60.0 * (n - 1), n), np.arange(n) // visits, np.arange(n) >= len(treated))


def test_the_difference_of_two_means_with_the_error_of_each() -> None:
    rng = np.random.default_rng(1)
    treated, control = rng.normal(1.3, 1.0, 400), rng.normal(1.0, 2.0, 100)
    row, pair = lifted(trial_of([*treated], [*control]), reward_range=RewardRange(-9.0, 9.0), confidence=0.95)
    assert pair is not None
    assert (row.name, row.role, row.n, pair.name, pair.against) == ("control", "control", 100, "logged", "control")
    assert row.estimates["mean"].value == pytest.approx(control.mean())
    assert (row.estimates["mean"].n, row.estimates["mean"].clusters) == (100, 100)
    assert pair.gain.value == pytest.approx(treated.mean() - control.mean())
    of_treated, of_control = treated.var(ddof=1) / 400, control.var(ddof=1) / 100
    assert pair.gain.standard_error == pytest.approx(np.sqrt(of_treated + of_control), rel=0.005)  # Welch
    assert row.estimates["mean"].standard_error == pytest.approx(np.sqrt(of_control), rel=0.005)
    assert pair.relative is not None
    assert pair.relative.value == pytest.approx(treated.mean() / control.mean() - 1.0)


def test_visits_of_one_person_are_one() -> None:
    rng = np.random.default_rng(2)
    persons = rng.integers(2, size=200).astype(float)
    same = np.repeat(persons, 5)
    once = lifted(trial_of([*persons[:120]], [*persons[120:]]), reward_range=RewardRange(), confidence=0.95)[1]
    often = lifted(trial_of([*same[:600]], [*same[600:]], visits=5), reward_range=RewardRange(), confidence=0.95)[1]
    assert once is not None
    assert often is not None
    assert often.gain.value == pytest.approx(once.gain.value)
    assert often.gain.standard_error == pytest.approx(once.gain.standard_error), "not √5 less"


def test_somebody_who_makes_most_of_the_control_group_is_no_proof() -> None:
    """Of 600 persons four come 200 times, and one of them is in the control group of 260 decisions; 300 trials."""
    persons = np.repeat(np.arange(600), [200] * 4 + [2] * 596)
    control = (persons == 0) | (persons >= 570)
    held, rng = 0, np.random.default_rng(3)
    for _ in range(300):
        eager = rng.choice([0.5, 1.5], size=600)[persons]
        clicks = (rng.random(persons.size) < 0.1 * eager).astype(float)
        trial = Trial(clicks, np.arange(float(persons.size)), persons, control)
        pair = lifted(trial, reward_range=RewardRange(), confidence=0.95)[1]
        assert pair is not None
        held += pair.gain.low <= 0.0 <= pair.gain.high
    assert held >= 0.93 * 300


def test_intervals_hold_the_true_lift_of_rare_clicks() -> None:
    """6 % against 3 %, a tenth in the control group, 60 trials."""
    held, seeds = 0, range(60)
    for seed in seeds:
        rng = np.random.default_rng(seed)
        control = np.arange(2000) % 10 == 0
        clicks = (rng.random(2000) < np.where(control, 0.03, 0.06)).astype(float)
        trial = Trial(clicks, np.arange(2000.0), np.arange(2000), control)
        pair = lifted(trial, reward_range=RewardRange(), confidence=0.95)[1]
        assert pair is not None
        held += pair.gain.low <= 0.03 <= pair.gain.high
    assert held >= 0.9 * len(seeds)


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [
        ("en", "What was served earns 100 % more than the control group (95 %: 73 % to 126 %)."),
        ("es", "Lo que se mostró gana un 100 % más que el grupo de control (95 %: de 73 % a 126 %)."),
    ],
)
def test_it_stands_beside_and_is_corrected_with_the_others(make_log: MakeLog, lang: str, sentence: str) -> None:
    log = make_log()
    treated, control = [1.0] * 1200 + [0.0] * 1800, [1.0] * 200 + [0.0] * 800
    trial = trial_of(treated, control)
    within = Trial(trial.rewards, np.linspace(log.times[0], log.times[-1], 4000), trial.persons, trial.control)
    found = evaluate(log, trial=within, lang=lang, estimators=["ips"])
    plain = evaluate(log, lang=lang, estimators=["ips"])
    assert [row.name for row in found.rows] == ["logged", "control", *[row.name for row in plain.rows[1:]]]
    assert found.row("control").estimates["mean"].value == 0.2
    assert found.lift is not None
    assert found.lift.sentence == sentence
    assert found.lift is found.comparisons[-1]
    assert found.lift.difference.value == pytest.approx(0.2)
    assert plain.lift is None
    assert (found.verdict, found.best()) == (plain.verdict, plain.best())
    assert len(found.comparisons) == len(plain.comparisons) + 1
    raised = [after.p_value >= before.p_value for before, after in zip(plain.comparisons, found.comparisons)]  # noqa: B905
    assert all(raised)
    assert found.to_dict()["lift"] == found.to_dict()["comparisons"][-1]  # type: ignore[index]


def test_the_correction_counts_the_lift() -> None:
    assert holm([0.01, 0.04]) == [0.02, 0.04]


def test_only_the_judged_period_counts(make_log: MakeLog) -> None:
    """A learner is judged on the later half; so is the control group."""
    log = make_log(1200)
    n = 1200
    control = np.arange(n) % 4 == 0
    rewards = np.where(np.arange(n) < 600, 1.0, np.where(control, 0.25, 0.5))
    rewards += np.where(np.arange(n) % 8 < 4, 0.01, -0.01)
    found = evaluate(log, ["epsilon"], estimators=["ips"], trial=Trial(rewards, log.times, np.arange(n), control))
    assert found.lift is not None
    assert found.lift.difference.value == pytest.approx(0.25, abs=0.01)
    assert found.row("control").period.start >= found.period.start
    assert found.row("control").n == 150


def test_too_few_of_either_group_are_refused(make_log: MakeLog) -> None:
    log = make_log()
    few = trial_of([1.0] * 500, [0.0, 1.0] * 20)
    row, pair = lifted(few, reward_range=RewardRange(), confidence=0.95)
    assert pair is None
    assert (
        row.refusal == f"40 decisions of the control group in this period; at least {MIN_ROUNDS} are needed for a lift"
    )
    alone = Trial(np.ones(200), np.arange(200.0), np.r_[np.arange(100), np.full(100, 7)], np.arange(200) >= 100)
    assert "are of one person" in str(lifted(alone, reward_range=RewardRange(), confidence=0.95)[0].refusal)
    found = evaluate(log, trial=few, estimators=["ips"])
    assert found.lift is None
    assert found.row("control").refusal == row.refusal
    assert [one.policy for one in found.comparisons] == ["uniform", "fixed:a", "fixed:b", "fixed:c"]
    none = trial_of([1.0] * 500, [])
    assert [row.name for row in evaluate(log, trial=none, estimators=["ips"]).rows] == [
        row.name for row in evaluate(log, estimators=["ips"]).rows
    ]


def test_on_a_page_too(make_log: MakeLog) -> None:
    log = make_log()
    page = Page((log, make_log(slot="second")))
    trial = trial_of([1.0, 0.0] * 200, [0.0, 0.0, 1.0, 0.0] * 50)
    found = evaluate_page(page, trial=trial, estimators=["ips"])
    assert found.lift is not None
    assert found.lift.difference.value == pytest.approx(0.25)


def test_columns_of_one_length() -> None:
    with pytest.raises(ValueError, match="expected as many in each"):
        Trial(np.ones(3), np.ones(3), np.arange(3), np.zeros(2, dtype=bool))
    trial = Trial.of_rows(
        [1.0, 0.0, 1.0, 0.0], [1.0, 2.0, 3.0, 4.0], ["a", None, "a", None], [False, True, False, True]
    )
    assert trial.persons.tolist() == [0, -2, 0, -4]
