from collections.abc import Callable
from dataclasses import replace

import numpy as np

from simulator import Log, Severity, diagnose_log

MakeLog = Callable[..., Log]


def said(log: Log, check: str, lang: str = "en") -> str:
    return next((f"{one.severity}: {one.says}" for one in diagnose_log(log, lang=lang) if one.check == check), "")


def test_what_a_log_says_of_itself(sound: MakeLog) -> None:
    log = sound()
    assert said(log, "duplicates") == "green: No round repeats another one."
    repeated = replace(log, duplicates=30)
    assert said(repeated, "duplicates") == "amber: 30 of 2,000 rounds (1.50 %) repeat another one."
    assert said(log, "estimated_propensities") == ""
    guessed = replace(log, probabilities=None, propensities_estimated=True)
    assert said(guessed, "estimated_propensities").startswith("amber: The propensities were estimated from the choices")


def test_times_that_have_not_been_yet_are_red(sound: MakeLog) -> None:
    log = sound()
    assert said(log.as_of(float(log.times[-1])), "future") == ""
    late = log.as_of(float(log.times[-11]))
    assert said(late, "future") == "red: 10 of 2,000 rounds are later than now; the last is of 1970-01-02T09:19:00Z."
    assert said(late, "future", "es").startswith("red: 10 de 2.000 decisiones son posteriores a ahora")


def test_rewards_that_are_all_alike_are_red(sound: MakeLog) -> None:
    log = sound(rewards=np.full(2000, 0.5))
    assert said(log, "rewards").startswith("red: All 2,000 rounds have the reward 0.5: no policy can be told")
    rewards = np.zeros(2000)
    rewards[:7] = 1.0
    assert said(sound(rewards=rewards), "rewards") == (
        "green: 7 of 2,000 rounds have a reward other than the commonest, 0."
    )


def test_the_worst_comes_first(sound: MakeLog) -> None:
    log = replace(sound(rewards=np.zeros(2000)), duplicates=1)
    assert [one.severity for one in diagnose_log(log)][:3] == [Severity.RED, Severity.AMBER, Severity.GREEN]
