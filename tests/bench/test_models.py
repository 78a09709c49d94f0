"""The benchmark of models of the rewards, on a small log; what it measures at length is in the documentation."""

import numpy as np
import pytest

from bench import models
from bench.models import BOOSTED, LINEAR, MODELS, NONE, VW, fitted, measure, one_log, policies
from simulator.estimators import ips
from simulator.worlds import world


def test_the_best_is_what_is_judged_and_every_variant() -> None:
    good, *fixed = policies(np.array([[0.1, 0.3], [0.4, 0.2]]))
    assert good == pytest.approx(np.array([[0.05, 0.95], [0.95, 0.05]]))
    assert [one[0].tolist() for one in fixed] == [[1.0, 0.0], [0.0, 1.0]]


def test_without_a_model_dr_is_ips_and_dm_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "MODELS", (NONE, LINEAR))
    told, seconds = one_log("drifting", 400, 3)
    log = world("drifting").log(400, seed=3)
    truths = world("drifting").expected_rewards(log).mean(axis=0)
    for variant, truth in enumerate(truths):
        robust, _, direct = told[0, 1 + variant]
        plain = ips(log.rewards, 3.0 * (log.chosen == variant), log.persons)
        assert robust + truth == pytest.approx(plain.value)
        assert direct == pytest.approx(-truth)
    assert (seconds > 0.0).all()


def test_boosted_trees_for_clicks_and_for_amounts() -> None:
    assert type(fitted(BOOSTED, world("drifting").log(50))).__name__ == "HistGradientBoostingClassifier"
    assert type(fitted(BOOSTED, world("rare").log(2_000))).__name__ == "HistGradientBoostingRegressor"
    assert fitted(VW, world("drifting").log(50)) == VW


def test_a_row_for_each_world_and_model(monkeypatch: pytest.MonkeyPatch) -> None:
    found = (np.ones((4, 3, 3)), np.array([0.0, 2.0, 20.0, 30.0]))
    half = (np.concatenate([np.ones((1, 3, 3)), np.full((3, 3, 3), 0.5)]), np.array([0.0, 2.0, 40.0, 30.0]))
    monkeypatch.setattr(models, "spread", lambda task, cells: [found if seed == 0 else half for _, _, seed in cells])
    table = measure(2, 10, ("landing",))
    assert [row[0] for row in table.rows] == [f"landing, {model}" for model in MODELS]
    assert table.rows[0] == ("landing, none", "1.00", "1.00", "", "")
    assert table.rows[2] == ("landing, vw", "0.79", "0.75", "0.79", "15.0")
