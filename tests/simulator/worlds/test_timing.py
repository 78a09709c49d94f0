"""Worlds in which the time matters, at their times."""

from datetime import UTC, datetime

import numpy as np
import pytest

from policies.registry import PolicySpec, create
from policies.types import RewardRange
from simulator.worlds import SlotWorld, true_value
from simulator.worlds.timing import drifting, opened, seasonal, send_times


def fixed_value(known: SlotWorld, log: object, variant: str) -> float:
    policy = create(PolicySpec("fixed", {"variant": variant}), default=known.default, reward_range=RewardRange())
    return true_value(known, log, policy)  # type: ignore[arg-type]


def at(text: str) -> np.ndarray:
    return np.array([datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()])


def test_what_is_best_changes_at_its_time() -> None:
    known = drifting()
    assert known.changes_at is not None
    log = known.log(400, seed=0)
    before, after = log[log.times < known.changes_at], log[log.times >= known.changes_at]
    assert len(before) == 300  # three of four weeks
    for variant, early, late in (("coat", 0.18, 0.06), ("umbrella", 0.12, 0.12), ("swimsuit", 0.06, 0.18)):
        assert fixed_value(known, before, variant) == pytest.approx(early)
        assert fixed_value(known, after, variant) == pytest.approx(late)
        assert fixed_value(known, log, variant) == pytest.approx(0.75 * early + 0.25 * late)
    just = known.chances([{}, {}], np.array([known.changes_at - 1.0, known.changes_at]))
    assert just.argmax(axis=1).tolist() == [0, 2]


def test_the_seasons_are_those_of_the_clock() -> None:
    known = seasonal()
    log = known.log(28 * 24, seed=0)  # one each hour
    context = log.contexts[5 * 24 + 13]
    assert context == {"hour": 13.0, "weekday": "sat"}
    assert datetime.fromtimestamp(log.times[5 * 24 + 13], tz=UTC).strftime("%a %H") == "Sat 13"
    chances = known.chances([context, {"hour": 9.0, "weekday": "tue"}], np.zeros(2))
    assert chances[0] == pytest.approx(
        [0.02 + 0.2 * np.exp(-(4**2) / 12.5), 0.22, 0.02 + 0.2 * np.exp(-64 / 12.5), 0.16]
    )
    assert chances[1].argmax() == 0
    assert chances[1][3] == 0.04


def test_mail_is_read_by_the_clock_of_each_zone() -> None:
    known = send_times()
    hours = [float(action.id) for action in known.variants]
    for zone, text, shift in (
        ("Europe/Madrid", "2026-03-28T23:30", 1.0),
        ("Europe/Madrid", "2026-03-29T00:30", 2.0),  # summer time from this day on
        ("America/Mexico_City", "2026-03-29T00:30", -6.0),
        ("America/Argentina/Buenos_Aires", "2026-03-05T12:00", -3.0),
    ):
        (chances,) = known.chances([{"zone": zone}], at(text))
        np.testing.assert_allclose(chances, opened((np.array(hours) + shift) % 24.0))
    assert opened(np.array([8.0]))[0] == pytest.approx(0.22, abs=1e-6)
    assert opened(np.array([23.9]))[0] == pytest.approx(opened(np.array([0.1]))[0], abs=0.01)
