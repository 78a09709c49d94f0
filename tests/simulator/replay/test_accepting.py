import numpy as np
import pytest

from policies.types import TrainingExample
from simulator.replay.accepting import RECENT, Progressive, Rejection, Sequential, rate_of
from tests.simulator.replay.conftest import ACTIONS

PI = np.array([0.7, 0.2, 0.1])
LOGGED = np.array([0.1, 0.3, 0.6])


class Always:
    def __init__(self, pmf):
        self.shares = pmf

    def pmf(self, context, actions):
        return self.shares


def rounds(n, *, probabilities=LOGGED, seed=0):
    drawn = np.random.default_rng(seed).choice(3, p=probabilities, size=n)
    return [TrainingExample({}, ACTIONS, probabilities, int(chosen), 0.0) for chosen in drawn]


def kept_shares(acceptance, log):
    kept = [one.chosen for one in log if acceptance.keeps(PI, one)]
    return np.bincount(kept, minlength=3) / len(kept), len(kept) / len(log)


@pytest.mark.parametrize("known", [True, False])
def test_what_is_kept_is_distributed_as_the_policy_itself_would_choose(known):
    log = rounds(20_000)
    first = Sequential(np.random.default_rng(2), cut=0.0, known=known, first=log[:RECENT], learner=Always(PI))
    assert first.rate == pytest.approx(1 / 7)
    for acceptance, rate in ((Rejection(np.random.default_rng(1), least=0.1), 0.1), (first, 1 / 7)):
        shares, kept = kept_shares(acceptance, log)
        assert kept == pytest.approx(rate, abs=0.01)
        assert shares == pytest.approx(PI, abs=0.025)


def test_in_a_uniform_log_a_round_is_kept_when_the_learners_own_draw_is_what_was_logged():
    log = rounds(3_000, probabilities=np.full(3, 1 / 3))
    shares, kept = kept_shares(Rejection(np.random.default_rng(1), least=1 / 3), log)
    assert kept == pytest.approx(1 / 3, abs=0.02)
    assert shares == pytest.approx(PI, abs=0.04)


def test_the_rate_follows_the_learner():
    log = rounds(RECENT)
    one = Sequential(np.random.default_rng(0), cut=0.0, known=True, first=log, learner=Always(LOGGED))
    assert one.rate == 1.0, "a learner that does as was done keeps everything"
    assert all(one.keeps(LOGGED, row) for row in log)
    one.learned(Always(PI))
    assert one.rate == pytest.approx(1 / 7)


def test_the_rate_is_set_by_recent_rounds_and_not_by_all():
    early, late = np.array([0.01, 0.01, 0.98]), np.full(3, 1 / 3)
    acceptance = Sequential(
        np.random.default_rng(0), cut=0.0, known=True, first=rounds(RECENT, probabilities=early), learner=Always(PI)
    )
    assert acceptance.rate == pytest.approx(1 / 70)
    for row in rounds(RECENT, probabilities=late):
        acceptance.keeps(PI, row)
    acceptance.learned(Always(PI))
    assert acceptance.rate == pytest.approx(1 / 2.1)


def test_what_the_log_could_not_show_does_not_count():
    never = np.array([0.0, 0.5, 0.5])
    log = [TrainingExample({}, ACTIONS, never, 1, 0.0)]
    found = Sequential(np.random.default_rng(0), cut=0.0, known=True, first=log, learner=Always(PI))
    assert found.rate == 1.0
    nothing = Sequential(
        np.random.default_rng(0), cut=0.0, known=True, first=log, learner=Always(np.array([1.0, 0.0, 0.0]))
    )
    assert not any(nothing.keeps(np.array([1.0, 0.0, 0.0]), row) for row in log)


def test_rates():
    ratios, shares = np.array([0.5, 7.0, 2.0]), np.array([0.6, 0.1, 0.3])
    assert rate_of(ratios, shares, 0.0) == pytest.approx(1 / 7)
    assert rate_of(ratios, shares, 0.09) == pytest.approx(1 / 7)
    assert rate_of(ratios, shares, 0.11) == pytest.approx(1 / 2), "a tenth may be cut"
    assert rate_of(ratios, shares, 0.5) == 1.0, "never more than all"
    assert rate_of(np.array([]), np.array([]), 0.1) == 1.0


def test_progressively_all_is_kept():
    assert all(Progressive().keeps(PI, row) for row in rounds(10))
