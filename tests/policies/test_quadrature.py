"""Probabilities of being the best: against closed forms, against adaptive quadrature, at the extremes."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from policies.base import InvalidPmf
from policies.quadrature import Betas, Floats, Normals, Students, Unknowns, chances_of_being_best


def arrays(*rows: tuple[float, ...]) -> list[Floats]:
    """One array for each parameter, from one row for each unknown."""
    return [np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)]


def brute_force(pdf: Callable[[float], Floats], cdf: Callable[[float], Floats], cuts: list[float]) -> Floats:
    """(k,) ∫ f_i Π_{j≠i} F_j between the first and the last cut, adaptively, piece by piece."""
    k = cdf(cuts[0]).size

    def integrand(x: float, i: int) -> float:
        return float(pdf(x)[i] * np.delete(cdf(x), i).prod())

    pieces = list(pairwise(cuts))
    options = {"epsabs": 1e-13, "epsrel": 1e-12, "limit": 500}
    return np.array(
        [sum(integrate.quad(integrand, *piece, args=(i,), **options)[0] for piece in pieces) for i in range(k)]
    )


@pytest.mark.parametrize(("a", "b", "c", "d"), [(1, 1, 1, 1), (3, 8, 4, 9), (31, 2000, 25, 1800), (1, 40, 200, 5000)])
def test_two_betas_by_their_closed_form(a: int, b: int, c: int, d: int) -> None:
    """P(Beta(c, d) > Beta(a, b)) = Σ_{i<c} B(a + i, b + d) / ((d + i) · B(1 + i, d) · B(a, b)). Miller 2015."""
    i = np.arange(c)
    terms = special.betaln(a + i, b + d) - np.log(d + i) - special.betaln(1 + i, d) - special.betaln(a, b)
    expected = float(np.exp(terms).sum())
    chances = chances_of_being_best(Betas(*arrays((a, b), (c, d))))
    np.testing.assert_allclose(chances, [1 - expected, expected], atol=1e-10)


@pytest.mark.parametrize(
    "rows",
    [((0.0, 1.0), (0.5, 2.0)), ((0.0, 1.0), (1e-3, 1e-4)), ((5.0, 0.1), (4.0, 0.3)), ((-1e3, 1e-3), (-1e3, 1.0))],
)
def test_two_normals_by_their_closed_form(rows: tuple[tuple[float, float], tuple[float, float]]) -> None:
    (m, s), (n, t) = rows
    expected = special.ndtr((m - n) / np.hypot(s, t))
    np.testing.assert_allclose(chances_of_being_best(Normals(*arrays(*rows))), [expected, 1 - expected], atol=1e-10)


def test_several_betas_by_brute_force() -> None:
    a, b = arrays((1, 1), (3, 1.5), (40.3, 60.2), (1, 9), (700, 1000))
    cuts = [0.0, 0.05, 0.1, 0.3, 0.38, 0.4, 0.41, 0.42, 0.45, 0.6, 0.9, 1.0]
    expected = brute_force(lambda x: stats.beta.pdf(x, a, b), lambda x: stats.beta.cdf(x, a, b), cuts)
    np.testing.assert_allclose(chances_of_being_best(Betas(a, b)), expected, atol=1e-9)


def test_several_normals_by_brute_force() -> None:
    mean, scale = arrays((0.0, 1.0), (1.0, 0.01), (0.98, 0.02), (-3.0, 5.0), (0.5, 0.3), (-9.0, 0.1))
    cuts = [-12.0, -9.0, -3.0, 0.0, 0.8, 0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.2, 2.0, 4.0, 10.0, 40.0]
    expected = brute_force(lambda x: stats.norm.pdf(x, mean, scale), lambda x: stats.norm.cdf(x, mean, scale), cuts)
    np.testing.assert_allclose(chances_of_being_best(Normals(mean, scale)), expected, atol=1e-9)


def test_several_students_by_brute_force() -> None:
    mean, scale, freedom = arrays((0.5, 0.3, 3), (0.02, 0.01, 10), (0.6, 0.001, 400), (0.61, 0.05, 12), (1.0, 0.2, 10))
    low, high = (stats.t.cdf(end, freedom, mean, scale) for end in (0.0, 1.0))
    cuts = [0.0, 0.02, 0.1, 0.5, 0.59, 0.598, 0.6, 0.602, 0.61, 0.65, 0.8, 0.95, 1.0]
    expected = brute_force(
        lambda x: stats.t.pdf(x, freedom, mean, scale) / (high - low),
        lambda x: (stats.t.cdf(x, freedom, mean, scale) - low) / (high - low),
        cuts,
    )
    np.testing.assert_allclose(chances_of_being_best(Students(mean, scale, freedom)), expected, atol=1e-9)


@pytest.mark.parametrize("k", [2, 3, 7, 100, 1000])
@pytest.mark.parametrize(
    "make",
    [
        lambda k: Betas(np.ones(k), np.ones(k)),
        lambda k: Betas(np.full(k, 1e6), np.full(k, 1e6)),
        lambda k: Normals(np.full(k, -7.0), np.full(k, 1e-4)),
        lambda k: Students(np.full(k, 0.5), np.full(k, 0.5), np.full(k, 3.0)),
        lambda k: Students(np.full(k, 1.0), np.full(k, 0.01), np.full(k, 10.0)),
    ],
)
def test_equal_unknowns_have_equal_chances(k: int, make: Callable[[int], Unknowns]) -> None:
    chances = chances_of_being_best(make(k))
    assert len(set(chances.tolist())) == 1
    assert chances.sum() == pytest.approx(1.0, abs=1e-12)


def test_a_thousand_unknowns_of_all_scales() -> None:
    """The largest of 999 equal ones has F^999; a narrow one beats it with probability F(x)^999."""
    k, x = 1000, 3.0
    mean, scale = np.zeros(k), np.ones(k)
    mean[0], scale[0] = x, 1e-9
    assert chances_of_being_best(Normals(mean, scale))[0] == pytest.approx(special.ndtr(x) ** (k - 1), abs=1e-9)
    rng = np.random.default_rng(3)
    chances = chances_of_being_best(Normals(rng.normal(size=k), 10.0 ** rng.uniform(-4, 0, k)))
    assert chances.sum() == pytest.approx(1.0, abs=1e-12)


def test_sharp_posteriors_that_differ_by_less_than_they_are_wide() -> None:
    """Beta(1e6, ·) is Normal for all that matters."""
    n, p = 2e6, np.array([0.5, 0.5002, 0.5004])
    a, b = p * n, (1 - p) * n
    as_normals = Normals(p, np.sqrt(p * (1 - p) / (n + 1)))
    np.testing.assert_allclose(chances_of_being_best(Betas(a, b)), chances_of_being_best(as_normals), atol=1e-6)


def test_what_cannot_win_has_no_chance_and_harms_nothing() -> None:
    chances = chances_of_being_best(Normals(*arrays((0.0, 1e-6), (1e6, 1e-6), (-1e6, 10.0))))
    np.testing.assert_allclose(chances, [0.0, 1.0, 0.0], atol=1e-12)


BETA = st.tuples(st.floats(1.0, 1e6), st.floats(1.0, 1e6))


@settings(deadline=None)
@given(st.lists(BETA, min_size=2, max_size=8))
def test_any_betas_sum_to_one_and_keep_the_order_of_shifted_copies(rows: list[tuple[float, float]]) -> None:
    """The raw sum is checked inside, to 1e-8; one more success never lowers a chance."""
    a, b = arrays(*rows)
    chances = chances_of_being_best(Betas(a, b))
    better = a.copy()
    better[0] += 1.0
    assert chances_of_being_best(Betas(better, b))[0] >= chances[0] - 1e-9


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_parameters_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(InvalidPmf):
        chances_of_being_best(Normals(np.array([0.0, bad]), np.array([1.0, 1.0])))
