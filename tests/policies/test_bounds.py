"""Shares inside bounds: exact, proportional, the same in any order, and told where they can't be kept."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from policies.base import with_exploration
from policies.bounds import Bounded, bounded, project
from policies.types import Action, Pmf

PAIR = st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)).map(sorted)
ROW = st.tuples(
    st.one_of(st.just(0.0), st.floats(0.0, 1.0), st.sampled_from([1e-300, 1e-150, 1e-9])),
    st.one_of(PAIR, st.sampled_from([[0.0, 1.0], [0.1, 0.1], [0.0, 0.0], [0.2, 1.0]])),
)
ROWS = st.lists(ROW, min_size=1, max_size=7).filter(lambda rows: sum(weight for weight, _ in rows) > 1e-6)
WEIGHT = st.floats(0.01, 1.0)
PART = st.one_of(st.floats(0.0, 1.0), st.sampled_from([0.0, 1.0]))
FEASIBLE = st.lists(
    st.tuples(st.one_of(WEIGHT, st.sampled_from([0.0, 1e-9])), WEIGHT, PART, PART), min_size=1, max_size=5
).filter(lambda rows: any(row[0] for row in rows))
EXPLORE = st.sampled_from([0.0, 0.02, 0.3, 1.0])
Rows = list[tuple[float, list[float]]]
Feasible = list[tuple[float, float, float, float]]


def arrays(rows: Rows) -> tuple[Pmf, Pmf, Pmf]:
    weights, pairs = np.array([weight for weight, _ in rows]), np.array([pair for _, pair in rows])
    return weights / math.fsum(weights), pairs[:, 0], pairs[:, 1]


def feasible(rows: Feasible) -> tuple[Pmf, Pmf, Pmf]:
    """A pmf, and bounds on either side of another distribution."""
    weights, inside, down, up = np.array(rows).T
    inside = inside / math.fsum(inside)
    return weights / math.fsum(weights), inside * down, inside + (1.0 - inside) * up


def projected(pmf: ArrayLike, low: ArrayLike, high: ArrayLike, explore: float = 0.0) -> Bounded:
    lowest, highest = np.asarray(low).tolist(), np.asarray(high).tolist()
    return project(np.asarray(pmf), explore=explore, lowest=lowest, highest=highest)


@given(ROWS, EXPLORE)
def test_the_result_is_a_distribution_inside_the_bounds_that_can_be_kept(rows: Rows, explore: float) -> None:
    pmf, low, high = arrays(rows)
    result, note = projected(pmf, low, high, explore=explore)
    assert abs(math.fsum(result) - 1.0) < 1e-12
    assert (result >= 0.0).all()
    if math.fsum(low) <= 1.0 <= math.fsum(high):
        assert (result >= low - 1e-9).all()
        assert (result <= high + 1e-9).all()
        if not note:
            assert (result >= explore / pmf.size - 1e-9).all()
    else:
        assert note or abs(math.fsum(low) - 1.0) < 1e-8 or abs(math.fsum(high) - 1.0) < 1e-8


@given(FEASIBLE)
def test_those_that_stand_at_no_bound_keep_their_proportions(rows: Feasible) -> None:
    """The conditions of Karush, Kuhn and Tucker for the least relative entropy: one factor for all that are free, no
    smaller for those held up, and no greater for those held down."""
    pmf, low, high = feasible(rows)
    result, _ = projected(pmf, low, high)
    shown = pmf > 0.0
    if math.fsum(np.where(shown, high, low)) <= 1.0 + 1e-9:
        assert result[shown] == pytest.approx(high[shown], abs=1e-8)
        return
    assert result[~shown] == pytest.approx(low[~shown], abs=1e-15)
    factor = result[shown] / pmf[shown]
    rising, falling = factor[result[shown] > low[shown]], factor[result[shown] < high[shown]]
    if rising.size and falling.size:
        assert rising.max() <= falling.min() * (1.0 + 1e-9)


@given(FEASIBLE)
def test_projecting_again_changes_nothing(rows: Feasible) -> None:
    pmf, low, high = feasible(rows)
    assume(math.fsum(low) < 1.0 < math.fsum(high))  # where they sum to 1, they are divided by their rounded sum
    once, _ = projected(pmf, low, high)
    assert projected(once, low, high).pmf.tolist() == once.tolist()


@given(ROWS, EXPLORE)
def test_bounds_that_hold_already_change_nothing(rows: Rows, explore: float) -> None:
    pmf, _, _ = arrays(rows)
    mixed = with_exploration(pmf, explore)
    result, note = projected(pmf, mixed * 0.9, np.minimum(1.0, mixed * 1.1 + 0.01), explore=explore)
    assert result.tolist() == mixed.tolist()
    assert not note


@given(ROWS, EXPLORE, st.data())
def test_permuting_the_actions_permutes_the_result_to_the_bit(rows: Rows, explore: float, data: st.DataObject) -> None:
    pmf, low, high = arrays(rows)
    order = np.array(data.draw(st.permutations(range(pmf.size))))
    plain = projected(pmf, low, high, explore=explore)
    permuted = projected(pmf[order], low[order], high[order], explore=explore)
    assert permuted.pmf.tolist() == plain.pmf[order].tolist()
    assert permuted.note == plain.note


def by_brute_force(pmf: Pmf, low: Pmf, high: Pmf) -> Pmf:
    """Try for every variant whether it stands at its minimum, at its maximum, or at neither: the closest that fits."""
    best, least = None, math.inf
    for states in product(("low", "high", "free"), repeat=pmf.size):
        at = np.array(states)
        result = np.where(at == "low", low, high)
        free = at == "free"
        if free.any():
            result[free] = pmf[free] * (1.0 - result[~free].sum()) / pmf[free].sum()
        if abs(result.sum() - 1.0) > 1e-9 or (result < low - 1e-9).any() or (result > high + 1e-9).any():
            continue
        positive = result > 0.0
        distance = float((result[positive] * np.log(result[positive] / pmf[positive])).sum())
        if distance < least:
            best, least = result, distance
    assert best is not None
    return best


@settings(max_examples=40, deadline=None)  # 3^k combinations each
@given(FEASIBLE)
def test_it_is_what_trying_everything_finds(rows: Feasible) -> None:
    pmf, low, high = feasible([(max(row[0], 0.001), *row[1:]) for row in rows])
    result, _ = projected(pmf, low, high)
    np.testing.assert_allclose(result, by_brute_force(pmf, low, high), atol=1e-7)


def test_an_example_by_hand() -> None:
    """`a` is held down to .5 and `d` up to .1: b and c share the remaining .4 as 2 to 1."""
    result, note = projected([0.7, 0.2, 0.1, 0.0], [0.0, 0.0, 0.0, 0.1], [0.5, 1.0, 1.0, 1.0])
    assert result == pytest.approx([0.5, 0.4 * 2 / 3, 0.4 / 3, 0.1], abs=1e-15)
    assert note == ""


def test_what_a_policy_never_shows_gets_what_the_others_can_not_take() -> None:
    result, note = projected([1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.3], [0.4, 1.0, 0.05, 1.0])
    assert result == pytest.approx([0.4, 0.25, 0.05, 0.3], abs=1e-15)
    assert note == ""


def test_what_is_all_but_never_shown_counts_as_never_shown() -> None:
    assert projected([1.0, 5e-324], [0.0, 0.0], [0.5, 1.0]).pmf.tolist() == [0.5, 0.5]


def test_minima_that_do_not_fit_are_scaled_down() -> None:
    result, note = projected([1.0, 0.0], [0.9, 0.6], [1.0, 1.0], explore=0.1)
    assert result == pytest.approx([0.6, 0.4], abs=1e-15)
    assert note == "the minimum shares of the 2 eligible variants sum to 1.5: scaled down to 1"


def test_maxima_that_do_not_fit_are_scaled_up() -> None:
    result, note = projected([1.0, 0.0], [0.0, 0.0], [0.1, 0.3])
    assert result == pytest.approx([0.25, 0.75], abs=1e-15)
    assert note == "the maximum shares of the 2 eligible variants sum to 0.4: scaled up to 1"
    assert projected([1.0, 0.0], [0.0, 0.0], [0.0, 0.0]).pmf.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("share", [0.1, 0.7, 1 / 3])
def test_rounding_is_no_reason(share: float) -> None:
    n = round(1 / share)
    rest = [1.0 - n * share] if abs(1.0 - n * share) > 1e-12 else []
    parts = [*[share] * n, *rest]
    pmf = [1.0, *[0.0] * (len(parts) - 1)]
    result, note = projected(pmf, parts, parts)
    assert result == pytest.approx(parts, abs=1e-15)
    assert note == ""


def test_the_explore_share_is_kept_under_bounds() -> None:
    result, note = projected([1.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, 0.0], [1.0] * 4, explore=0.2)
    assert result == pytest.approx([0.4, 0.5, 0.05, 0.05], abs=1e-15)
    assert note == ""


def test_a_maximum_wins_over_the_explore_share() -> None:
    result, note = projected([1.0, 0.0, 0.0, 0.0], [0.0] * 4, [1.0, 0.0, 0.01, 1.0], explore=0.2)
    assert result == pytest.approx([0.99 * 0.85 / 0.9, 0.0, 0.01, 0.99 * 0.05 / 0.9], abs=1e-15)
    assert note == "2 of 4 variants get less than the explore share's 0.05: their maximum is lower"


def test_minima_win_over_the_explore_share() -> None:
    """Only .1 is left for two variants that were to explore .3 each: each gets half of it."""
    result, note = projected([1.0, 0.0, 0.0], [0.0, 0.9, 0.0], [1.0] * 3, explore=0.9)
    assert result == pytest.approx([0.05, 0.9, 0.05], abs=1e-15)
    assert note == "minimum shares and explore share sum to 1.5: the explore share gave way"


def test_bounds_are_of_variants_and_others_have_none() -> None:
    actions = [Action("a"), Action("new"), Action("b")]
    bounds = {"a": (0.0, 0.25), "b": (0.5, 1.0), "gone": (0.9, 0.9)}
    result, _ = bounded(np.array([0.8, 0.1, 0.1]), actions, explore=0.0, bounds=bounds)
    assert result == pytest.approx([0.25, 0.25, 0.5], abs=1e-15)


@pytest.mark.parametrize("explore", [0.0, 0.3])
def test_without_bounds_only_the_explore_share_counts(explore: float) -> None:
    pmf = np.array([0.7, 0.3])
    result, note = bounded(pmf, [Action("a"), Action("b")], explore=explore, bounds={})
    assert result.tolist() == with_exploration(pmf, explore).tolist()
    assert note == ""


def test_a_thousand_variants() -> None:
    rng = np.random.default_rng(3)
    pmf = rng.dirichlet(np.full(1000, 0.1))
    result, note = projected(pmf, np.full(1000, 1e-4), np.full(1000, 0.003), explore=0.02)
    assert note == ""
    assert abs(math.fsum(result) - 1.0) < 1e-12
    assert result.min() >= 1e-4
    assert result.max() <= 0.003
