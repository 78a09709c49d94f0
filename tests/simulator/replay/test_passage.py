from datetime import timedelta

import numpy as np
import pytest

from simulator import EvaluationError
from simulator.replay.accepting import Progressive, Rejection
from simulator.replay.passage import Pace, go_through
from tests.simulator.replay.conftest import Greedy, truth_of


def through(log, learner, *, every=10, delay=0.0, acceptance=None, as_logged=True):
    known = log.times + delay
    return go_through(log, learner, acceptance or Progressive(), Pace(every, known), truth_of(log), as_logged=as_logged)


def test_a_learner_learns_in_batches_and_is_asked_before(known):
    log = known(35)
    learner = Greedy()
    found = through(log, learner)
    assert [len(call) for call in learner.calls] == [10, 10, 10], "the last rounds have nobody to serve after them"
    assert found.learned == 30
    assert found.kept.all()
    assert found.weights[:10] == pytest.approx(np.ones(10)), "nothing is known before the first batch"
    assert set(np.round(found.weights[10:], 9)) <= {2.7, 0.15}
    learned = [one for call in learner.calls for one in call]
    assert [one.reward for one in learned] == log.rewards[:30].tolist()


def test_a_period_is_a_batch_too(known):
    learner = Greedy()
    through(known(35), learner, every=timedelta(minutes=12))
    assert [len(call) for call in learner.calls] == [12, 12]


def test_a_reward_is_learned_only_once_it_is_known(known):
    """A round a minute, a batch after every round: with a delay of half an hour, the first is learned by the 31st."""
    log = known(60)
    at_once, late = Greedy(), Greedy()
    early = through(log, at_once, every=1)
    found = through(log, late, every=1, delay=30 * 60.0)
    assert early.weights[1] != pytest.approx(1.0)
    assert found.weights[:30] == pytest.approx(np.ones(30))
    assert found.weights[30] != pytest.approx(1.0)
    assert found.learned == 30
    early_rewards, late_rewards = ([one.reward for call in one.calls for one in call] for one in (at_once, late))
    assert late_rewards == early_rewards[:30]


def test_rewards_are_learned_in_the_order_in_which_they_become_known(known):
    log = known(40)
    delays = np.where(np.arange(40) % 2 == 0, 600.0, 0.0)
    learner = Greedy()
    through(log, learner, every=20, delay=delays)
    (call,) = learner.calls
    known_at = log.times + delays
    expected = sorted((row for row in range(20) if known_at[row] <= log.times[20]), key=lambda row: known_at[row])
    assert len(expected) == 16
    assert [(one.chosen, one.reward) for one in call] == [(log.chosen[row], log.rewards[row]) for row in expected]


def test_what_a_learner_did_not_bring_about_it_never_sees(known):
    log = known(300)
    learner = Greedy()
    found = through(log, learner, acceptance=Rejection(np.random.default_rng(0), least=1 / 3), as_logged=False)
    assert 70 < found.kept.sum() < 130
    learned = [one for call in learner.calls for one in call]
    kept = np.flatnonzero(found.kept)[: len(learned)]
    assert [one.reward for one in learned] == log.rewards[kept].tolist()
    # learned under the probabilities that would have been served, not those of the log
    assert [one.propensity for one in learned] == pytest.approx((found.weights / 3)[kept].tolist())


def test_what_could_not_be_seen_is_counted(known):
    log = known(20, shares={"es": [0.0, 0.5, 0.5], "en": [0.5, 0.0, 0.5]})
    found = through(log, Greedy())
    assert found.unseen[:10] == pytest.approx(np.full(10, 1 / 3))


def test_a_defective_learner_is_named(known):
    class Broken(Greedy):
        def pmf(self, context, actions):
            return np.array([0.5, 0.5])

    with pytest.raises(EvaluationError, match=r"policy 'greedy', round 0: expected 3 probabilities"):
        through(known(10), Broken())
