from collections.abc import Callable

import numpy as np
import pytest

from policies.types import Action
from simulator import Log, Round
from simulator.curves import calibration, tail

MakeLog = Callable[..., Log]


def test_a_tail_counts_what_weighs_at_least_so_much() -> None:
    weights = np.array([0.0, 0.3, 1.0, 1.5, 2.0, 5.0, 5.0, 0.0])
    points = dict(tail(weights))
    assert points == {0.25: 6 / 8, 0.5: 5 / 8, 1.0: 5 / 8, 2.0: 3 / 8, 4.0: 2 / 8, 5.0: 2 / 8}
    assert tail(np.zeros(3)) == ()
    assert tail(np.array([4.0, 1e-9]))[-1] == (4.0, 0.5)


def logged(power: float, n: int, *, seed: int = 3) -> Log:
    """Logged probabilities that differ from round to round; what was truly drawn from was these to a power."""
    rng = np.random.default_rng(seed)
    actions = (Action("a"), Action("b"), Action("c"))
    said = rng.dirichlet(np.ones(3), size=n)
    true = said**power
    true /= true.sum(axis=1, keepdims=True)
    chosen = [int(rng.choice(3, p=row)) for row in true]
    return Log.from_rounds(
        Round({}, actions, actions[c].id, float(p[c]), 0.0, time=float(i), probabilities=tuple(p))
        for i, (c, p) in enumerate(zip(chosen, said, strict=True))
    )


def test_sound_propensities_are_on_the_diagonal_and_bent_ones_are_not() -> None:
    sound = calibration(logged(1.0, 3_000))
    bent = calibration(logged(2.0, 3_000))
    assert sum(one.n for one in sound) == 9_000
    assert sum(not one.low <= one.seen <= one.high for one in sound) <= 1
    assert sum(not one.low <= one.seen <= one.high for one in bent) >= len(bent) // 2
    assert bent[0].seen < bent[0].said, "what was said to be rare was rarer still"
    assert sum(one.said * one.n for one in sound) == pytest.approx(3_000)


def test_what_is_not_known_is_not_drawn(make_log: MakeLog) -> None:
    log = make_log()
    assert calibration(log)
    unknown = Log(
        actions=log.actions,
        contexts=log.contexts,
        eligible=log.eligible,
        chosen=log.chosen,
        propensities=log.propensities,
        probabilities=None,
        rewards=log.rewards,
        times=log.times,
        persons=log.persons,
    )
    assert calibration(unknown) == ()
