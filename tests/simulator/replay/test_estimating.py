from dataclasses import replace

import numpy as np
import pytest

from policies.base import sample
from policies.types import TrainingExample
from simulator.asked import Asked
from simulator.intervals.clustered import numbered
from simulator.judging import part_of
from simulator.replay.estimating import curve, replayed_row, terms
from simulator.replay.record import PROGRESSIVE, REJECTION, SEQUENTIAL, Replaying
from simulator.replay.replaying import replay
from simulator.rows import REPLAYED
from tests.simulator.replay.conftest import ACTIONS, TRUTH, Greedy, truth_of

ASKED = Asked(("dr",), "dr", 0.95)
UNEVEN = {"es": [0.2, 0.3, 0.5], "en": [0.5, 0.3, 0.2]}


def all_of(log):
    return np.ones(len(log), dtype=bool)


def replayed(log, method, *, passes=1, seed=0, q=None, truth=None, **how):
    given = np.zeros(log.eligible.shape) if q is None else q
    asked = Replaying(method, passes=passes, **how)
    return replay(log, "greedy", lambda seed: Greedy(), given, asked, truth=truth, seed=seed)


def row(log, found, asked=ASKED):
    return found.row(part_of(log, np.zeros(log.eligible.shape), all_of(log), asked), asked)


def test_one_pass_of_rejection_is_the_mean_of_what_was_kept(known):
    log = known(600)
    found = replayed(log, REJECTION)
    kept = found.passages[0].kept
    (one,) = row(log, found).estimates.values()
    assert one.value == pytest.approx(log.rewards[kept].mean())
    assert one.ess == pytest.approx(kept.sum())
    assert one.standard_error == pytest.approx(log.rewards[kept].std() / np.sqrt(kept.sum()), rel=0.01)


def test_several_passes_are_averaged(known):
    log = known(600)
    both = replayed(log, REJECTION, passes=2)
    means = [log.rewards[one.kept].mean() for one in both.passages]
    assert means[0] != means[1]
    assert row(log, both).estimates["mean"].value == pytest.approx(np.mean(means))
    assert len(replayed(log, PROGRESSIVE, passes=2).passages) == 1, "nothing is drawn there"


def test_doubly_robust_by_hand(known):
    log = known(40, shares=UNEVEN)
    q = truth_of(log)
    found = replayed(log, SEQUENTIAL, q=q, every=10)
    (one,) = found.passages
    predicted = q[np.arange(40), log.chosen]
    per_round = one.expected + one.weights * (log.rewards - predicted)
    by_hand = sum(c * r for c, r in zip(one.rates, per_round, strict=True)) / sum(one.rates)
    told = terms(SEQUENTIAL, log, predicted, found.passages, all_of(log))
    assert told.scores.mean() == pytest.approx(by_hand)
    assert told.influence.sum() == pytest.approx(0.0, abs=1e-9)
    assert len(set(one.rates)) > 1, "or the rates would not matter"


@pytest.mark.parametrize(("method", "shares"), [(REJECTION, None), (REJECTION, UNEVEN), (SEQUENTIAL, UNEVEN)])
def test_the_value_of_a_learner_that_learns_online_lies_within(known, method, shares):
    """Over 40 logs, at most 5 of the 95 % intervals may miss what the learner's probabilities were truly worth; and the
    mean of the values is what the same learner earns online in as many rounds of its own.
    """
    missed, values, own = 0, [], []
    for seed in range(40):
        log = known(400, seed=seed, shares=shares)
        wrong_by_half = 0.5 * truth_of(log)
        found = replayed(log, method, seed=seed, q=wrong_by_half, truth=truth_of(log), every=20)
        (one,) = found.passages
        assert one.worth == pytest.approx(2.0 * one.expected)
        truth = found.truth()
        assert truth is not None
        told = row(log, found).estimates["mean"]
        missed += not told.low <= truth <= told.high
        values.append(told.value)
        own.append(int(one.kept.sum()))
    assert missed <= 5
    online = [_online(rounds, seed=1000 + seed) for seed, rounds in enumerate(own)]
    error = np.hypot(np.std(values), np.std(online)) / np.sqrt(len(own))
    assert np.mean(values) == pytest.approx(np.mean(online), abs=3 * error)


def _online(n, *, seed, every=20):
    """What the learner is truly worth while it learns, on average over n rounds of its own."""
    rng, learner = np.random.default_rng(seed), Greedy()
    worth, waiting = [], []
    for _ in range(n):
        if len(waiting) == every:
            learner.learn(waiting)
            waiting = []
        lang = str(rng.choice(["es", "en"]))
        pmf = learner.pmf({"lang": lang}, ACTIONS)
        worth.append(float(pmf @ TRUTH[lang]))
        drawn = sample(pmf, rng.random())
        click = float(rng.random() < TRUTH[lang][drawn])
        waiting.append(TrainingExample({"lang": lang}, ACTIONS, pmf, drawn, click))
    return float(np.mean(worth))


def test_a_part_of_the_rounds_is_told_by_itself(known):
    log = known(900)
    found = replayed(log, REJECTION)
    members = np.array([context["lang"] == "es" for context in log.contexts])
    part = part_of(log, np.zeros(log.eligible.shape), members, ASKED)
    kept = found.passages[0].kept & members
    assert found.row(part, ASKED).estimates["mean"].value == pytest.approx(log.rewards[kept].mean())


def test_what_a_log_can_not_tell_is_refused_unless_forced(known):
    log = known(100)
    found = replayed(log, REJECTION)
    refused = row(log, found)
    assert refused.role == REPLAYED
    assert refused.estimates == {}
    assert refused.refusal is not None
    assert "the rounds that speak about it count as 3" in refused.refusal
    forced = row(log, found, replace(ASKED, force=True))
    assert forced.forced
    assert forced.estimates["mean"].value == pytest.approx(log.rewards[found.passages[0].kept].mean())

    unseen = known(600, shares={"es": [0.0, 0.5, 0.5], "en": [0.5, 0.5, 0.0]})
    refusal = row(unseen, replayed(unseen, SEQUENTIAL)).refusal
    assert refusal is not None
    assert "of what it would do on its way could have been seen in this log; at least 95% is needed" in refusal

    rare = known(600, rewards=(np.arange(600) % 200 == 0).astype(float))
    refusal = row(rare, replayed(rare, REJECTION)).refusal
    assert refusal is not None
    assert refusal.startswith("the rewarded rounds that speak about it count as")

    nothing = replace(found, passages=[replace(found.passages[0], kept=np.zeros(100, dtype=bool))])
    assert row(log, nothing, replace(ASKED, force=True)).refusal == (
        "not one round of this log is what the learner would have done"
    )


def test_the_curve_tells_how_it_learned(known):
    log = known(1200)
    found = replayed(log, REJECTION, passes=3, every=40)
    told = curve(REJECTION, log, found.predicted, numbered(log.persons), found.passages, confidence=0.95)
    assert [one.n for one in told] == [120] * 10
    assert told[0].start == log.times[0]
    assert told[-1].end == log.times[-1]
    assert sum(one.used for one in told) == pytest.approx(np.mean([one.kept.sum() for one in found.passages]))
    first, last = told[0], told[-1]
    assert first.value is not None
    assert last.value is not None
    assert last.so_far is not None
    assert first.value[0] < 0.45 < last.value[0], "it begins by knowing nothing"
    assert last.so_far[0] == pytest.approx(row(log, found).estimates["mean"].value)
    assert first.so_far == first.value
    assert last.so_far[1] < last.so_far[0] < last.so_far[2]


def test_a_stretch_that_tells_nothing_says_so(known):
    log = known(60)
    found = replayed(log, REJECTION)
    kept = np.arange(60) >= 30
    told = curve(REJECTION, log, found.predicted, log.persons, [replace(found.passages[0], kept=kept)], confidence=0.95)
    assert told[0].value is None
    assert told[-1].value is not None


def test_the_truth_is_that_of_the_rounds_that_count(known):
    log = known(400, shares=UNEVEN)
    for method in (REJECTION, SEQUENTIAL):
        found = replayed(log, method, truth=truth_of(log), passes=2, every=20)
        counts = [one.kept if method == REJECTION else one.rates for one in found.passages]
        by_hand = [np.average(one.worth, weights=count) for one, count in zip(found.passages, counts, strict=True)]
        assert found.truth() == pytest.approx(np.mean(by_hand))
    nothing = replace(found.passages[0], kept=np.zeros(400, dtype=bool))
    assert replace(found, method=REJECTION, passages=[nothing]).truth() is None


def test_a_row_is_that_of_its_policy(known):
    log = known(600)
    found = replayed(log, PROGRESSIVE)
    part = part_of(log, np.zeros(log.eligible.shape), all_of(log), ASKED)
    told = replayed_row(part, "mine", PROGRESSIVE, found.predicted, found.passages, ASKED)
    assert (told.name, told.role, told.n) == ("mine", REPLAYED, 600)
    assert told.gain is not None
    assert told.gain.value == pytest.approx(told.estimates["mean"].value - log.rewards.mean())
