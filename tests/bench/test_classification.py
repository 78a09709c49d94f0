"""What the table of classification sets holds."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from bench import classification, plain_vw
from bench.classification import PLAIN, TOLD, _told, earned, measure
from policies.types import Action
from simulator.worlds.classification import Problem, problem


def in_turn(task: Callable[..., object], cells: Sequence[tuple[Any, ...]]) -> list[object]:
    return [task(*cell) for cell in cells]


def test_a_policy_that_learns_earns_more_than_uniform_and_full_information_more_than_that() -> None:
    uniform, learned, told = (earned("iris", policy, 0) for policy in ("uniform", "linear", TOLD))
    assert uniform + 0.1 < learned < told
    assert earned("iris", "linear", 0) == learned


def test_full_information_knows_no_row_before_it_was_asked() -> None:
    # right by chance alone; a classifier that had seen these rows would know them all
    rng = np.random.default_rng(0)
    x, right = rng.normal(size=(80, 60)), rng.integers(2, size=80)
    assert 0.3 < _told(Problem(x, ({},) * 80, right, (Action("a"), Action("b"))), 0) < 0.7


def test_rows_are_policies_as_asked_and_columns_sets_with_their_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classification, "SETS", ("wine", "iris"))
    monkeypatch.setattr(classification, "spread", in_turn)
    monkeypatch.setattr(classification, "earned", lambda name, policy, shuffle: len(name) + shuffle / 10)
    monkeypatch.setattr(plain_vw, "earned", lambda name, setting, shuffle: (setting == len(name)) + shuffle / 10)
    figures = measure(["thompson", PLAIN, "uniform"], 2)
    assert figures.header == ("policy", "wine (0.90)", "iris (0.81)")
    assert figures.rows == (
        ("thompson", "4.050 ± 0.050", "4.050 ± 0.050"),
        (PLAIN, "1.050 ± 0.050", "1.050 ± 0.050"),
        ("uniform", "4.050 ± 0.050", "4.050 ± 0.050"),
    )
    assert figures.document["iris"][PLAIN] == [1.0, 1.1]


def test_plain_vowpal_wabbit_learns_under_one_setting_or_another() -> None:
    rewards = [plain_vw.earned("iris", setting, 0) for setting in range(len(plain_vw.SETTINGS))]
    assert max(rewards) > 0.7
    assert len(set(rewards)) > 4


def test_numbers_are_written_as_vowpal_wabbit_reads_them() -> None:
    x = problem("iris").x
    as_is, standardised, in_ranges, logarithmic = (
        {setting.written.__name__: setting.written for setting in plain_vw.SETTINGS}[name](x)[0]
        for name in ("_as_is", "_standardised", "_in_ranges", "_logarithmic")
    )
    assert as_is == "f0:5.1 f1:3.5 f2:1.4 f3:0.2"
    assert standardised == "f0:-0.900681 f1:1.019 f2:-1.34023 f3:-1.31544"
    assert in_ranges == "f0=1 f1=6 f2=0 f3=0"
    assert logarithmic == "f0:1.80829 f1:1.50408 f2:0.875469 f3:0.182322"
