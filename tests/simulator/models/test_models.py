"""Any model of the rewards: nobody predicts themselves, it learns what there is to learn, and says how good it is."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from simulator import EvaluationError, Log, NoSupport, evaluate
from simulator.models import model_rewards, quality

MakeLog = Callable[..., Log]
TREE = DecisionTreeRegressor(min_samples_leaf=20, random_state=0)
CLASSES = DecisionTreeClassifier(min_samples_leaf=20, random_state=0)
MODELS = ["linear", "vw", TREE, CLASSES]
TRUTH = {"es": [0.2, 0.5, 0.3], "en": [0.4, 0.1, 0.3]}


def fitted(log: Log, model: Any) -> Any:
    return model_rewards(log, model, seed=0, progress=lambda done: None)


@pytest.mark.parametrize("model", MODELS)
def test_it_learns_what_each_audience_likes(make_log: MakeLog, model: Any) -> None:
    log = make_log(2_400)
    q = fitted(log, model)
    langs = np.array([context["lang"] for context in log.contexts])
    for lang, truth in TRUTH.items():
        assert q[langs == lang].mean(axis=0) == pytest.approx(truth, abs=0.09)
    assert "saves" in quality(log, q)


@pytest.mark.parametrize("model", MODELS)
def test_nobody_predicts_themselves(make_log: MakeLog, model: Any) -> None:
    """Whoever clicks always, and is known by name, must not be recognised."""
    persons = np.arange(240) // 4
    happy = persons % 2 == 0
    contexts = tuple({"name": f"n{person}", "number": float(person)} for person in persons)
    log = replace(make_log(240, persons=1), persons=persons, rewards=happy.astype(float), contexts=contexts)
    q = fitted(log, model)
    assert q[happy].mean() - q[~happy].mean() < 0.1
    with pytest.raises(NoSupport, match="240 rounds of 1 person"):
        fitted(make_log(240, persons=1), model)


@pytest.mark.parametrize("scale", [1.0, 40.0], ids=["clicks", "amounts"])
@pytest.mark.parametrize("model", ["linear", "vw", TREE])
def test_what_a_person_earned_moves_every_prediction_but_their_own(make_log: MakeLog, model: Any, scale: float) -> None:
    """Exactly: by nothing at all, whatever was fitted; and the same seed gives the same numbers."""
    log = make_log(240, persons=60)
    other = log.persons == log.persons[5]
    log = replace(log, rewards=scale * log.rewards)
    q = fitted(log, model)
    assert np.array_equal(q, fitted(log, model))
    changed = fitted(replace(log, rewards=np.where(other, scale - log.rewards, log.rewards)), model)
    assert np.array_equal(changed[other], q[other])
    assert not np.array_equal(changed[~other], q[~other])


def test_rewards_that_are_not_clicks(make_log: MakeLog) -> None:
    log = make_log(1_200)
    earned = replace(log, rewards=log.rewards * 40.0 - 10.0)
    for model in ("vw", TREE):
        q = fitted(earned, model)
        assert q.min() >= -10.0
        assert q.max() <= 30.0
        assert np.corrcoef(q[np.arange(1_200), log.chosen], log.rewards)[0, 1] > 0.1
    with pytest.raises(EvaluationError, match="a classifier, and the rewards are not only 0 and 1"):
        fitted(earned, CLASSES)


def test_zero_outside_the_eligible_actions_and_rewards_all_alike(make_log: MakeLog) -> None:
    eligible = np.tile([True, True, False], (300, 1))
    log = make_log(300, known=False, eligible=eligible, chosen=np.arange(300) % 2, rewards=np.ones(300))
    for model in ("linear", TREE):
        assert np.array_equal(fitted(log, model), np.where(eligible, 1.0, 0.0))


def test_how_good_it_is_is_said(make_log: MakeLog) -> None:
    log = make_log(1_000)
    truth = np.array([TRUTH[str(context["lang"])] for context in log.contexts])
    assert quality(log, truth).startswith("On people it was not fitted on, the model of the rewards saves 5.5%")
    assert "predicts no better than their mean" in quality(log, 1.0 - truth)
    money = replace(log, rewards=log.rewards * 3.0)
    assert "explains 100.0% of the variance of the rewards (R²)" in quality(money, money.rewards[:, None] * np.ones(3))


def test_an_evaluation_takes_any_of_them(make_log: MakeLog) -> None:
    log = make_log(1_500)
    for model in (*MODELS, LogisticRegression()):
        found = evaluate(log, model=model, estimators=["dr"])
        assert found.row("fixed:b").estimates["dr"].value == pytest.approx(0.3, abs=0.1)
        assert any("the model of the rewards" in note for note in found.notes)
    without = evaluate(log, model="none")
    assert without.estimators == ("ips", "snips")
    assert not any("the model of the rewards" in note for note in without.notes)
    with pytest.raises(EvaluationError, match="model 'trees': expected one of linear, vw, none, or a scikit-learn"):
        evaluate(log, model="trees")
    with pytest.raises(EvaluationError, match="or an estimator with parameters"):
        evaluate(log, model=DecisionTreeRegressor)
