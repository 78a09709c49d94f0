"""Worlds that differ in who comes."""

import numpy as np
import pytest

from simulator.intervals.clustered import clustered
from simulator.worlds.people import EAGER, RELUCTANT, VISITS, repeat_visitors, segments


def test_each_segment_has_a_headline_of_its_own() -> None:
    known = segments()
    kinds = [{"member": member, "device": device} for member in (True, False) for device in ("phone", "desk")]
    chances = known.chances(kinds, np.zeros(4))
    assert sorted(chances.argmax(axis=1).tolist()) == [0, 1, 2, 3]
    assert np.sort(chances, axis=1)[:, -2:].tolist() == [[0.05, 0.25]] * 4


def test_some_come_often_and_are_eager_and_nobody_can_see_it() -> None:
    assert EAGER[0] + RELUCTANT[0] == pytest.approx(1.0)
    assert EAGER[0] * EAGER[1] + RELUCTANT[0] * RELUCTANT[1] == pytest.approx(1.0)
    known = repeat_visitors()
    log = known.log(6_000, seed=0)
    visits = np.bincount(log.persons)
    assert set(visits.tolist()) == {VISITS}
    by_person = np.bincount(log.persons, weights=log.rewards) / VISITS
    # eager persons earn 8.5 times as much: their means scatter far more than those of visits that are independent
    assert by_person.var() > 1.5 * log.rewards.var() / VISITS
    surplus = log.rewards - log.rewards.mean()
    errors = [
        clustered(0.0, surplus, codes, confidence=0.95).standard_error for codes in (log.persons, np.arange(6_000))
    ]
    assert errors[0] > 1.2 * errors[1]
