"""Replays as rows of an evaluation."""

import json
from datetime import timedelta

import numpy as np
import pytest

from policies.types import RewardRange
from simulator import EvaluationError, Replaying, evaluate, render, to_html, to_json
from simulator.replay.choosing import method_for
from simulator.replay.replaying import replay
from tests.simulator.replay.conftest import Greedy, truth_of

UNEVEN = {"es": [0.2, 0.3, 0.5], "en": [0.5, 0.3, 0.2]}


def test_a_replayed_learner_stands_beside_the_yardsticks_on_the_same_rounds(known):
    log = known(900)
    found = evaluate(log, ["squarecb", "fixed:b"], replay=Replaying(every=50), estimators=["snips"])
    assert found.trained is None
    assert {row.n for row in found.rows} == {900}
    assert [(row.name, row.role) for row in found.rows[-1:]] == [("squarecb", "replayed")]
    row = found.row("squarecb")
    assert row.note.startswith("replayed by rejection, 2")
    assert row.note.endswith("of 900 rounds its own (the mean of 3 passes), learning every 50 of them")
    estimate = row.estimates["mean"]
    assert 0.3 < estimate.low < estimate.value < estimate.high < 0.65
    assert found.comparisons[0].policy == "squarecb"
    assert "'squarecb' earns" in found.comparisons[0].sentence
    lines = _lines(found)
    assert any("'squarecb' earns" in line for line in lines)
    assert any(line.startswith("squarecb as it learned, by rejection: every eligible variant") for line in lines)
    assert any("had other people come first" in line for line in lines)
    assert "squarecb as it learned" in to_html(found)
    (told,) = json.loads(to_json(found))["replays"]
    assert (told["policy"], told["method"], told["n"], len(told["curve"])) == ("squarecb", "rejection", 900, 10)
    assert told["why"] == "every eligible variant was equally probable, in every round"
    assert told["curve"][0]["start"] == "1970-01-01T00:00:00Z"
    assert told["curve"][-1]["so_far"][0] == pytest.approx(estimate.value)


def _lines(found):
    from rich.console import Console

    console = Console(width=200)
    with console.capture() as captured:
        console.print(render(found))
    return captured.get().splitlines()


def test_learners_know_nothing_of_each_other_and_the_log_stays_as_it_is(known):
    log = known(400, shares=UNEVEN)
    before = [dict(context) for context in log.contexts], log.rewards.copy(), log.probabilities.copy()
    how = Replaying("dr", every=20, passes=2)
    both = evaluate(log, ["thompson:by=lang", "epsilon"], replay=how, estimators=["dr"], force=True)
    turned = evaluate(log, ["epsilon", "thompson:by=lang"], replay=how, estimators=["dr"], force=True)
    alone = evaluate(log, ["epsilon"], replay=how, estimators=["dr"], force=True)
    for name in ("thompson:by=lang", "epsilon"):
        assert both.row(name).estimates == turned.row(name).estimates
    assert alone.row("epsilon").estimates == both.row("epsilon").estimates
    assert [dict(context) for context in log.contexts] == before[0]
    assert np.array_equal(log.rewards, before[1])
    assert np.array_equal(log.probabilities, before[2])


def test_another_seed_is_another_draw(known):
    log = known(600)
    values = [
        evaluate(log, ["thompson"], replay=Replaying(passes=1), seed=seed, estimators=["snips"])
        .row("thompson")
        .estimates["mean"]
        .value
        for seed in (0, 0, 1)
    ]
    assert values[0] == values[1] != values[2]


def test_late_rewards_make_a_learner_earn_less(known):
    log = known(900)
    worth = [
        evaluate(log, ["thompson:by=lang"], replay=Replaying(every=20, delay=delay), estimators=["snips"])
        .row("thompson:by=lang")
        .estimates["mean"]
        .value
        for delay in (0.0, 800 * 60.0)
    ]
    assert worth[0] > worth[1] + 0.1
    assert worth[1] == pytest.approx(0.3, abs=0.06), "it never knew anything but in the last ninth"


def test_the_log_says_how_it_can_be_replayed(known):
    assert method_for(known(300), "auto")[0] == "rejection"
    assert method_for(known(3000, shares=UNEVEN), "auto") == (
        "dr",
        "the logged propensities differ, from 0.2 to 0.5",
    )
    method, why = method_for(known(300, shares=UNEVEN), "auto")
    assert method == "progressive"
    assert why == (
        "the log's rare choices, of propensity 0.2, would leave a learner about 60 of 300 rounds of its own; "
        "at least 200 are needed"
    )
    assert method_for(known(300), "dr") == ("dr", "as asked")
    told = known(300, probabilities=None)
    assert method_for(told, "auto")[0] == "rejection"
    fewer = np.ones((300, 3), dtype=bool)
    fewer[::2, 2] = False
    even = fewer / fewer.sum(axis=1, keepdims=True)
    chosen = np.zeros(300, dtype=int)
    mixed = known(300, eligible=fewer, probabilities=even, chosen=chosen, propensities=even[:, 0])
    assert method_for(mixed, "auto")[0] != "rejection", "rounds of many variants would be kept less often"


def test_what_can_not_be_replayed_is_said(known):
    log = known(300)
    with pytest.raises(EvaluationError, match=r"nothing to replay: none of \['fixed:a'\] is a policy that learns"):
        evaluate(log, ["fixed:a"], replay=Replaying())
    with pytest.raises(EvaluationError, match="interval 'anytime': a replay has none but 'skewed'"):
        evaluate(log, ["thompson"], replay=Replaying(), interval="anytime")
    order = known(300, times=np.arange(300.0), timed=False)
    with pytest.raises(EvaluationError, match="has no times; expected a number of rounds"):
        evaluate(order, ["thompson"], replay=Replaying(every=timedelta(hours=1)))
    with pytest.raises(ValueError, match=r"replay 'rejct': expected one of auto, rejection, dr, progressive"):
        Replaying("rejct")
    with pytest.raises(ValueError, match="every 0: expected at least one decision"):
        Replaying(every=0)
    with pytest.raises(ValueError, match="passes 0"):
        Replaying(passes=0)
    with pytest.raises(ValueError, match="cut 1"):
        Replaying(cut=1.0)
    with pytest.raises(ValueError, match=r"delay of shape \(2,\): expected one number, or one for each of 300 rounds"):
        evaluate(log, ["thompson"], replay=Replaying(delay=np.zeros(2)))
    with pytest.raises(ValueError, match=r"delay -1\.0: expected seconds"):
        evaluate(log, ["thompson"], replay=Replaying(delay=-1.0))


def test_the_campaigns_range_of_rewards_is_the_learners(known):
    log = known(400, reward_range=RewardRange(0.0, 5.0))
    found = evaluate(log, ["thompson"], replay=Replaying(), estimators=["snips"])
    assert found.row("thompson").estimates["mean"].high < 1.0


@pytest.mark.parametrize("method", ["rejection", "dr", "progressive"])
def test_every_pass_begins_with_a_learner_that_has_learned_nothing(known, method):
    made = []

    def fresh(seed):
        made.append((seed, Greedy()))
        return made[-1][1]

    log = known(400, shares=UNEVEN)
    found = replay(log, "greedy", fresh, np.zeros((400, 3)), Replaying(method, passes=2, every=20), seed=5)
    assert {seed for seed, _ in made} == ({5} if method == "progressive" else {5, 6})
    learned = [sum(map(len, one.calls)) for _, one in made]
    assert [count for count in learned if count] == [one.learned for one in found.passages]
    assert all(one.learned > 20 for one in found.passages)


def test_beside_a_replay_stands_the_truth_where_it_is_known(known):
    log = known(600)
    found = evaluate(log, ["thompson:by=lang"], replay=Replaying(), estimators=["snips"], truth=truth_of)
    row = found.row("thompson:by=lang")
    assert row.truth is not None
    assert 0.3 < row.truth < 0.6
    assert row.regret == pytest.approx(0.6 - row.truth)
    assert row.estimates["mean"].low < row.truth < row.estimates["mean"].high
