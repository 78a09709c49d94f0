import numpy as np
import pytest
from scipy import stats

from simulator.checks.sample_ratio import Ratio
from simulator.checks.sums import LEAST_VARIANCE, p_values, standard_errors, worst_of


def spread(total: float, n: int = 400) -> np.ndarray:
    return np.full(n, total / n)


def test_several_sums_are_corrected_by_holm() -> None:
    terms = [(spread(30.0), 100.0), (spread(25.0), 100.0), (spread(0.0), LEAST_VARIANCE / 2)]
    first, second = (2.0 * stats.norm.sf(z) for z in (3.0, 2.5))
    assert p_values(standard_errors(terms, None)) == [pytest.approx(2.0 * first), pytest.approx(second), None]


def test_what_one_sum_shows_of_the_persons_holds_for_all() -> None:
    """100 persons with 4 visits each, all alike. The second sum happens to cancel out within each person."""
    persons = np.repeat(np.arange(100), 4)
    luck = np.where(np.arange(100) % 2, 1.0, -1.0)
    together, apart = luck[persons], np.tile([1.0, -1.0, 1.0, -1.0], 100) + 0.0
    apart[:20] += 1.0
    alone = p_values(standard_errors([(apart, 400.0)], persons))[0]
    beside = p_values(standard_errors([(apart, 400.0), (together, 400.0)], persons))[0]
    assert alone == pytest.approx(2.0 * stats.norm.sf(20.0 / np.sqrt(400.0)))
    effect = (4.0**2 * 5 + 4.0**2 * 100) / 800.0
    assert beside == pytest.approx(min(1.0, 2.0 * 2.0 * stats.norm.sf(20.0 / np.sqrt(400.0 * effect))))


def test_too_few_persons_for_so_many_visits_are_not_tested() -> None:
    persons = np.repeat([0, 1, 2, 3, 4], 80)
    assert standard_errors([(np.where(persons % 2, 1.0, -1.0), 400.0)], persons) == [None]


def test_the_worst_is_what_is_surely_far_off_and_else_the_surest() -> None:
    surest, far, luck = (
        Ratio(1e-30, 0, 885.0, 900.0, 12.0),
        Ratio(1e-9, 1, 57.0, 50.0, 6.5),
        Ratio(0.5, 2, 9.0, 5.0, 1.5),
    )
    assert worst_of([surest, far, luck], far=0.02) is far
    assert worst_of([surest, luck], far=0.02) is surest
    assert worst_of([surest, far, luck], far=0.2) is surest
