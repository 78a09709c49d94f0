"""Drawing, exploring, normalising."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from policies.base import InvalidPmf, draw_point, normalise, sample, with_exploration

WEIGHTS = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20).filter(lambda weights: sum(weights) > 1e-6)


@given(WEIGHTS, st.floats(0.0, 1.0, exclude_max=True))
def test_an_impossible_action_is_never_drawn(weights: list[float], point: float) -> None:
    pmf = np.array(weights) / sum(weights)
    assert pmf[sample(pmf, point)] > 0.0


@given(WEIGHTS)
def test_an_action_owns_as_much_of_the_unit_interval_as_its_probability(weights: list[float]) -> None:
    pmf = np.array(weights) / sum(weights)
    ends = np.cumsum(pmf)
    for index in np.flatnonzero(pmf > 1e-9):
        assert sample(pmf, min(max(0.0, ends[index] - pmf[index] / 2), 1.0 - 1e-12)) == index


@pytest.mark.parametrize("point", [-0.1, 1.0, float("nan")])
def test_a_point_outside_the_unit_interval_is_refused(point: float) -> None:
    with pytest.raises(ValueError, match="expected a number in"):
        sample(np.array([1.0]), point)


def test_drawn_frequencies_agree_with_the_probabilities() -> None:
    pmf = np.array([0.5, 0.3, 0.15, 0.05])
    drawn = Counter(sample(pmf, draw_point(b"secret", f"decision-{i}", "headline")) for i in range(20_000))
    assert chisquare([drawn[i] for i in range(4)], 20_000 * pmf).pvalue > 0.001


def test_draws_depend_on_secret_decision_and_slot_alone() -> None:
    point = draw_point(b"secret", "d1", "headline")
    assert point == draw_point(b"secret", "d1", "headline")
    others = {draw_point(b"other", "d1", "headline"), draw_point(b"secret", "d2", "headline")}
    assert point not in others | {draw_point(b"secret", "d1", "cta")}


@given(WEIGHTS, st.floats(0.0, 1.0))
def test_exploration_leaves_a_distribution_and_gives_everyone_their_share(weights: list[float], share: float) -> None:
    pmf = np.array(weights) / sum(weights)
    mixed = with_exploration(pmf, share)
    assert mixed.sum() == pytest.approx(1.0, abs=1e-12)
    assert (mixed >= share / pmf.size - 1e-15).all()


def test_no_exploration_changes_nothing() -> None:
    pmf = np.array([1.0, 0.0])
    assert with_exploration(pmf, 0.0) is pmf


@pytest.mark.parametrize("raw", [[], [0.5, 0.4], [-8.0, 9.0], [1.0, 1.0], [float("nan"), 1.0], [float("inf"), 0.0]])
def test_what_is_no_distribution_is_refused(raw: list[float]) -> None:
    """All ones is what one of Vowpal Wabbit's options returns on ties, −8 what another does."""
    with pytest.raises(InvalidPmf, match="expected non-negative probabilities"):
        normalise(raw)


def test_rounding_is_repaired() -> None:
    assert normalise([0.333333, 0.333333, 0.333332]).sum() == pytest.approx(1.0, abs=1e-15)
