"""Simulated headline tests, and the share of the possible gain."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench import upworthy
from bench.real_data import NoData
from bench.upworthy import REFERENCES, TRIAL, Gain, share, simulate
from policies.base import Learner
from policies.baselines import Fixed, Uniform
from policies.registry import PolicySpec, create
from policies.types import Action, RewardRange, TrainingExample

RATES = np.array([0.02, 0.1, 0.3])
VARIANTS = tuple(Action(f"package-{i}") for i in range(3))


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the archive is looked for: empty."""
    monkeypatch.setenv("ELIGE_SHARED", str(tmp_path))
    upworthy.tests.cache_clear()
    file = tmp_path / "data" / upworthy.FILE
    file.parent.mkdir(parents=True)
    yield file
    upworthy.tests.cache_clear()


def write(file: Path, rows: list[tuple[str, str, str, int, int]]) -> None:
    """Rows of test, week, headline, impressions, clicks."""
    names = ("clickability_test_id", "test_week", "headline", "impressions", "clicks", "eyecatcher_id", "excerpt")
    with gzip.open(file, "wt", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(names)
        writer.writerows((*row, "e", "x") for row in rows)


def test_sound_tests_are_read_with_equal_packages_as_one(archive: Path) -> None:
    write(
        archive,
        [
            *[("one", "201324", "A", 100, 10), ("one", "201324", "B", 100, 1), ("one", "201324", "A", 300, 10)],
            *[("first unsound", "201325", "A", 100, 10), ("first unsound", "201325", "B", 100, 20)],
            *[("last unsound", "201401", "A", 100, 10), ("last unsound", "201401", "B", 100, 20)],
            *[("two", "201402", "A", 100, 30), ("two", "201402", "B", 100, 40)],
            *[("nothing to gain", "201403", "A", 100, 30), ("nothing to gain", "201403", "B", 200, 60)],
        ],
    )
    assert sorted(sorted(rates.tolist()) for rates in upworthy.tests(10)) == [[0.01, 0.05], [0.3, 0.4]]


def test_without_the_archive_there_is_no_data(archive: Path) -> None:
    with pytest.raises(NoData, match=r"headlines\.csv\.gz; ELIGE_SHARED may name another folder"):
        upworthy.tests(10)


def test_uniform_gains_nothing_and_the_best_all_there_is() -> None:
    uniform = simulate(RATES, Uniform(), seed=1, impressions=1_000)
    best = simulate(RATES, Fixed("package-2", ""), seed=1, impressions=1_000)
    assert uniform.gained == pytest.approx(0.0, abs=1e-9)
    assert best.possible == uniform.possible == pytest.approx(1_000 * (0.3 - 0.14))
    assert best.gained == pytest.approx(best.possible)


def test_a_learner_gains_what_it_finds_out() -> None:
    def gained(rates: np.ndarray) -> float:
        learner = create(PolicySpec("thompson"), default="", reward_range=RewardRange())
        one = simulate(rates, learner, seed=1, impressions=3_000)
        return one.gained / one.possible

    assert gained(RATES) > 0.7
    assert gained(RATES[::-1]) > 0.7


def test_the_trial_keeps_its_winner_whatever_comes_after() -> None:
    trial, thompson = (make() for make in REFERENCES.values())
    assert isinstance(trial, Learner)

    def learn(variant: int, count: int, reward: float) -> None:
        assert isinstance(trial, Learner)
        trial.learn([TrainingExample({}, VARIANTS, np.full(3, 1 / 3), variant, reward)] * count)

    learn(0, TRIAL // 2, 0.0)
    learn(1, TRIAL // 2 - 1, 1.0)
    assert trial.pmf({}, VARIANTS).tolist() == [1 / 3] * 3
    learn(2, 1, 0.0)
    assert trial.pmf({}, VARIANTS).tolist() == [0.0, 1.0, 0.0]
    learn(1, 2 * TRIAL, 0.0)
    learn(2, 10, 1.0)
    assert trial.pmf({}, VARIANTS).tolist() == [0.0, 1.0, 0.0]
    assert thompson.pmf({}, VARIANTS).tolist() == [1 / 3] * 3


def test_the_share_counts_clicks_not_tests() -> None:
    value, error = share([Gain(0.0, 10.0), Gain(90.0, 90.0)] * 50)
    assert value == pytest.approx(0.9)
    # the ratio of two means: 9 is what a test adds to or takes from gained - share · possible, 50 the mean possible
    assert error == pytest.approx(9.0 / (50.0 * np.sqrt(100)), rel=0.1)
    assert share([Gain(5.0, 10.0)] * 50) == (0.5, 0.0)
