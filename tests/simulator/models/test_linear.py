from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from policies.types import Action
from simulator import Log, NoSupport
from simulator.logs.encoding import LEVELS, encode
from simulator.models.linear import cross_fitted

MakeLog = Callable[..., Log]


def test_learns_what_each_audience_likes(make_log: MakeLog) -> None:
    log = make_log(6000)
    q = cross_fitted(log)
    assert q.shape == (6000, 3)
    spanish = np.array([context["lang"] == "es" for context in log.contexts])
    assert q[spanish].mean(axis=0) == pytest.approx([0.2, 0.5, 0.3], abs=0.05)
    assert q[~spanish].mean(axis=0) == pytest.approx([0.4, 0.1, 0.3], abs=0.05)


def test_rewards_that_are_not_clicks_get_a_ridge(make_log: MakeLog) -> None:
    log = make_log(3000)
    scaled = replace(log, rewards=log.rewards * 40.0 - 10.0)
    q = cross_fitted(scaled)
    spanish = np.array([context["lang"] == "es" for context in log.contexts])
    assert q[spanish].mean(axis=0) == pytest.approx([-2.0, 10.0, 2.0], abs=2.5)
    assert q.min() >= -10.0
    assert q.max() <= 30.0


def test_nobody_predicts_themselves(make_log: MakeLog) -> None:
    """Whoever clicks always, and is known by name, must not be recognised."""
    n = 400
    persons = np.arange(n) // 4
    happy = persons % 2 == 0
    log = make_log(n, persons=1)
    log = replace(
        log,
        persons=persons,
        rewards=happy.astype(float),
        contexts=tuple({"name": f"n{person}"} for person in persons),
    )
    q = cross_fitted(log)
    assert abs(q[happy].mean() - q[~happy].mean()) < 0.05


def test_same_seed_same_numbers(make_log: MakeLog) -> None:
    log = make_log()
    assert np.array_equal(cross_fitted(log, seed=3), cross_fitted(log, seed=3))
    assert not np.array_equal(cross_fitted(log, seed=3), cross_fitted(log, seed=4))


def test_permuting_actions_permutes_the_model(make_log: MakeLog) -> None:
    log = make_log(300, probabilities=None)
    order = np.array([2, 0, 1])
    moved = replace(log, actions=tuple(log.actions[i] for i in order), chosen=np.argsort(order)[log.chosen])
    assert cross_fitted(moved) == pytest.approx(cross_fitted(log)[:, order], abs=1e-3)


def test_hostile_numbers_and_texts_are_only_features(make_log: MakeLog) -> None:
    values = (1e300, -1e300, 0.0, "a|b:c\nd", "", "😀", True, ("x", "y"), ())
    log = make_log()
    log = replace(log, contexts=tuple({"f": values[i % len(values)], f"n{i % 5}": 1.0} for i in range(600)))
    assert np.isfinite(cross_fitted(log)).all()


def test_variants_share_what_their_features_share(make_log: MakeLog) -> None:
    actions = (Action("a", {"kind": "warm"}), Action("b", {"kind": "warm"}), Action("c", {"kind": "cold"}))
    q = cross_fitted(make_log(actions=actions))
    assert q.shape == (600, 3)


def test_zero_outside_the_eligible_actions_and_constant_rewards(make_log: MakeLog) -> None:
    eligible = np.tile([True, True, False], (600, 1))
    log = make_log(known=False, eligible=eligible, chosen=np.arange(600) % 2, rewards=np.ones(600))
    assert np.array_equal(cross_fitted(log), np.where(eligible, 1.0, 0.0))


def test_one_person_can_not_be_crossed(make_log: MakeLog) -> None:
    with pytest.raises(NoSupport, match="600 rounds of 1 person"):
        cross_fitted(make_log(persons=1))


def test_encoding_keeps_the_commonest_texts() -> None:
    rows = [{"city": f"c{i // 2}" if i < 2 * LEVELS else f"rare{i}"} for i in range(3 * LEVELS)]
    columns = encode(rows).toarray()
    assert columns.shape[1] == 1 + LEVELS + 1, "the constant, the kept, the others"
    assert columns[:, -1].sum() == LEVELS
