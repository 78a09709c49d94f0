"""Views: the same policies on some of the rounds, or by another number, as if there were nothing else."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from simulator import By, EvaluationError, Log, evaluate
from simulator.groups import MIN_ROUNDS
from simulator.views import MAX_STRETCHES

MakeLog = Callable[..., Log]
DAY = 86_400.0


def test_each_stretch_of_time_is_judged_alone(make_log: MakeLog) -> None:
    log = make_log(1040, times=np.arange(1040) * 180.0 + 20 * 3600)  # from 20:00 on, to the end of the third day
    found = evaluate(log, every=timedelta(days=1))
    (view,) = found.views
    assert (view.kind, view.key) == ("time", "1d")
    days = ["1970-01-01", "1970-01-02", "1970-01-03"]
    assert [group.name for group in view.groups] == days
    assert [group.n for group in view.groups] == [80, 480, 480]
    assert view.groups[0].refusal == f"too few rounds: 80; at least {MIN_ROUNDS} are needed"
    alone = evaluate(log[80:560])
    for row, other in zip(view.groups[1].rows, alone.rows, strict=True):
        assert row.period == other.period
        for name in row.estimates.keys() - {"dm", "dr"}:
            assert row.estimates[name] == other.estimates[name]
    assert found.rows == evaluate(log).rows, "a view changes nothing for the whole"


def test_stretches_start_at_midnight_and_say_their_length(make_log: MakeLog) -> None:
    log = make_log(900, times=np.arange(900) * 60.0 + DAY + 3 * 3600)
    hours = evaluate(log, every=timedelta(hours=4), estimators=["ips"]).views[0]
    assert (hours.key, [group.name for group in hours.groups]) == (
        "4h",
        [f"1970-01-02T{hour:02}:00:00Z" for hour in (0, 4, 8, 12, 16)],
    )
    assert evaluate(log, every=timedelta(minutes=450), estimators=["ips"]).views[0].key == "7h30m"


def test_stretches_that_can_not_be_told(make_log: MakeLog) -> None:
    with pytest.raises(EvaluationError, match="has no times, only an order"):
        evaluate(make_log(timed=False), every=timedelta(days=1))
    with pytest.raises(EvaluationError, match=f"150 stretches of 1m in 0.104 days: expected at most {MAX_STRETCHES}"):
        evaluate(make_log(150 * 4, times=np.arange(600) * 15.0), every=timedelta(minutes=1))
    with pytest.raises(EvaluationError, match="at least 1 minute"):
        evaluate(make_log(), every=timedelta(seconds=30))


def test_a_metric_is_judged_as_if_it_were_the_reward(make_log: MakeLog) -> None:
    log = make_log(1500)
    revenue = np.where(log.rewards > 0.0, np.arange(1500) % 7, 0.0)
    found = evaluate(log, metrics={"revenue": revenue, "click": log.rewards, "refund": np.zeros(1500)})
    (view,) = found.views
    assert (view.kind, view.key) == ("metric", "")
    by_name = {group.name: group for group in view.groups}
    assert by_name["click"].rows == found.rows
    as_reward = evaluate(replace(log, rewards=revenue))
    assert by_name["revenue"].rows[0].estimates["mean"].value == pytest.approx(revenue.mean())
    for row, other in zip(by_name["revenue"].rows, as_reward.rows, strict=True):
        assert {name: one.value for name, one in row.estimates.items()} == {
            name: one.value for name, one in other.estimates.items()
        }
    assert "have the reward 0" in str(by_name["refund"].refusal)
    assert by_name["refund"].rows == ()


def test_metrics_and_labels_follow_the_judged_period(make_log: MakeLog) -> None:
    """A learner halves the log: what stands beside each round must be halved alike."""
    log = make_log(1600)
    late = (np.arange(1600) >= 800).astype(float)
    sends = By.of_rounds("send", ["old" if i < 800 else f"new{i % 2}" for i in range(1600)])
    found = evaluate(log, ["epsilon"], estimators=["ips"], metrics={"late": late + log.rewards}, by=sends)
    assert found.views[0].groups[0].rows[0].estimates["mean"].value == pytest.approx(1.0 + log.rewards[800:].mean())
    assert {group.name: group.n for group in found.groups} == {"new0": 400, "new1": 400}
    assert found.by == "send"


def test_several_keys_are_several_views(make_log: MakeLog) -> None:
    log = make_log()
    lang = By("lang", lambda context: context["lang"])
    half = By.of_rounds("half", [i < 300 for i in range(600)])
    found = evaluate(log, by=[lang, half], estimators=["ips"])
    assert (found.by, {group.name for group in found.groups}) == ("lang", {"es", "en"})
    (view,) = found.views
    assert (view.kind, view.key, {group.name: group.n for group in view.groups}) == (
        "group",
        "half",
        {"yes": 300, "no": 300},
    )
    assert found.groups == evaluate(log, by=lang, estimators=["ips"]).groups
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (plain["by"], plain["views"][0]["key"], len(plain["views"][0]["groups"])) == ("lang", "half", 2)


def test_a_key_is_asked_for_by_its_name(make_log: MakeLog) -> None:
    log = make_log()
    lang = By("lang", lambda context: context["lang"])
    named, given = evaluate(log, by="lang", estimators=["ips"]), evaluate(log, by=lang, estimators=["ips"])
    assert (named.by, named.groups) == ("lang", given.groups)
    several = evaluate(log, by=["lang", By.of_rounds("half", [i < 300 for i in range(600)])], estimators=["ips"])
    assert (several.groups, several.views[0].key) == (given.groups, "half")
    with pytest.raises(EvaluationError, match="no context of this log has a key 'country'; there are: lang"):
        evaluate(log, by="country")


def test_what_does_not_fit_the_log(make_log: MakeLog) -> None:
    with pytest.raises(EvaluationError, match="groups by 'send': 3 values, expected one a round: 600"):
        evaluate(make_log(), by=By.of_rounds("send", ["x"] * 3))
    for values in ([1.0], [np.nan] * 600):
        with pytest.raises(EvaluationError, match="metric 'm': expected one finite number a round, 600 of them"):
            evaluate(make_log(), metrics={"m": values})
