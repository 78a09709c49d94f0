"""A first look at a large log."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from simulator import LogError
from simulator.streams import survey
from simulator.streams.sums import mixed
from simulator.streams.survey import Survey, both, check_order


def looked(persons: range, *, start: float = 0.0, end: float = 1.0, rewards: dict[float, int] | None = None) -> Survey:
    n = len(persons)
    return Survey(
        n=n,
        ids=frozenset("ab"),
        total=1.0,
        rewarded=1,
        rewards=Counter(rewards or {0.0: n - 1, 1.0: 1}),
        hashes=np.sort(mixed(np.array(persons)))[: survey.SKETCH],
        spans=((n, start, end),),
    )


def test_persons_are_counted_once_wherever_they_are() -> None:
    found = both(both(looked(range(100)), looked(range(50, 150))), looked(range(20)))
    assert found.persons == 150
    assert (found.n, found.total, found.rewarded) == (220, 3.0, 3)


def test_many_persons_are_counted_by_a_sketch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its error is about 1/√k: with k = 4,096, 1.6 %."""
    monkeypatch.setattr(survey, "SKETCH", 4_096)
    parts = [looked(range(start, start + 10_000)) for start in range(0, 90_000, 5_000)]
    found = parts[0]
    for part in parts[1:]:
        found = both(found, part)
    assert found.persons == pytest.approx(95_000, rel=0.05)
    assert found.hashes.size == 4_096


def test_the_commonest_reward_survives_many_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Amounts that are all different, and nothing at all as the commonest."""
    monkeypatch.setattr(survey, "MOST_VALUES", 50)
    found = looked(range(2))
    for part in range(20):
        amounts = {1.0 + part * 30 + place: 1 for place in range(30)}
        found = both(found, looked(range(40), rewards={0.0: 10, **amounts}))
    assert found.commonest == 0.0
    assert len(found.rewards) <= 100
    assert replace(found, rewards=Counter({2.0: 5, 1.0: 5})).commonest == 1.0, "of several the least"


def test_order_is_asked_of_every_part() -> None:
    early, late = looked(range(10), start=0.0, end=60.0), looked(range(10), start=60.0, end=120.0)
    check_order("log", both(early, late), column="at")
    says = "near row 10: from 1970-01-01T00:02:00Z to 1970-01-01T00:00:00Z; expected rows in the order of column 'at'"
    with pytest.raises(LogError, match=says):
        check_order("log", both(late, early), column="at")
