from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from simulator import Finding, Log, Severity
from simulator.checks.delay import reward_delay
from simulator.checks.wording import Voice

MakeLog = Callable[..., Log]


def said(log: Log) -> Finding:
    found = reward_delay(log, Voice())
    assert found is not None
    return found


def arriving(log: Log, mean: float) -> Log:
    """Rewards that come ever less, by the quantiles themselves; what is later than the window did not come."""
    rewarded = np.flatnonzero(log.rewards)
    came = -mean * np.log(1.0 - (np.arange(rewarded.size) + 0.5) / rewarded.size)
    arrivals, rewards = np.full(len(log), np.nan), log.rewards.copy()
    arrivals[rewarded] = np.where(came <= 1.0, came, np.nan)
    rewards[rewarded[came > 1.0]] = 0.0
    return log_with(log, arrivals, rewards)


def log_with(log: Log, arrivals: np.ndarray, rewards: np.ndarray) -> Log:
    return replace(log, arrivals=arrivals, rewards=rewards)


def test_a_window_that_cuts_much_off_is_amber(sound: MakeLog) -> None:
    rewards = (np.arange(2000) % 3 == 0).astype(float)
    log = sound("uniform", rewards=rewards)
    cut = said(arriving(log, 1.0))
    assert cut.severity is Severity.AMBER
    assert cut.numbers["late"] > 0.05
    assert "came in the last tenth of the reward window: more would have come later" in cut.says
    enough = said(arriving(log, 0.2))
    assert enough.severity is Severity.GREEN
    assert 0.1 < enough.numbers["half"] < 0.2


def test_what_counts_is_what_was_earned(sound: MakeLog) -> None:
    """A tenth of the rewarded rounds is late, and earns as much as all the others."""
    rewards, arrivals = np.zeros(2000), np.full(2000, np.nan)
    rewards[:100], arrivals[:100] = 1.0, 0.2
    rewards[:10], arrivals[:10] = 9.0, 0.95
    found = said(log_with(sound("uniform"), arrivals, rewards))
    assert found.numbers["late"] == 0.5


def test_a_single_late_reward_is_chance(sound: MakeLog) -> None:
    rewards, arrivals = np.zeros(2000), np.full(2000, np.nan)
    rewards[:40], arrivals[:40] = 1.0, 0.1
    arrivals[:2] = 0.99
    assert said(log_with(sound("uniform"), arrivals, rewards)).severity is Severity.GREEN


@pytest.mark.parametrize(
    ("late", "at", "rewarded", "amber"),
    [(6, 0.95, 200, True), (6, 0.95, 201, False), (5, 0.95, 100, True), (4, 0.95, 100, False), (6, 0.9, 100, False)],
)
def test_the_limits(sound: MakeLog, late: int, at: float, rewarded: int, amber: bool) -> None:
    """3 % of what was earned, at least 5 rewards, after nine tenths of the window."""
    rewards, arrivals = np.zeros(2000), np.full(2000, np.nan)
    rewards[:rewarded], arrivals[:rewarded] = 1.0, 0.1
    arrivals[:late] = at
    assert said(log_with(sound("uniform"), arrivals, rewards)).severity is (Severity.AMBER if amber else Severity.GREEN)


@pytest.mark.parametrize(("rewarded", "told"), [(29, False), (30, True)])
def test_few_rewards_tell_nothing(sound: MakeLog, rewarded: int, told: bool) -> None:
    rewards, arrivals = np.zeros(2000), np.full(2000, np.nan)
    rewards[:rewarded], arrivals[:rewarded] = 1.0, 0.95
    assert (reward_delay(log_with(sound("uniform"), arrivals, rewards), Voice()) is not None) == told


def test_nobody_told_when_rewards_came(sound: MakeLog) -> None:
    assert reward_delay(sound(), Voice()) is None
    assert reward_delay(log_with(sound(), np.full(2000, np.nan), sound().rewards), Voice()) is None
