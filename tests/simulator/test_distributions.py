"""Quantiles and tails: those of scipy.stats, without importing it."""

import subprocess
import sys

import pytest
from scipy import stats

from simulator.distributions import chi2_sf, f_isf, gamma_ppf, norm_isf, norm_sf, t_isf, t_sf

TAILS = (1e-9, 0.001, 0.025, 0.5, 0.9)
DEGREES = (1, 2, 7, 100, 100_000)


@pytest.mark.parametrize("tail", TAILS)
def test_quantiles(tail: float) -> None:
    assert norm_isf(tail) == pytest.approx(stats.norm.isf(tail), rel=1e-9)
    for df in DEGREES:
        assert t_isf(tail, df) == pytest.approx(stats.t.isf(tail, df), rel=1e-6)
        assert f_isf(tail, df) == pytest.approx(stats.f.isf(tail, 1, df), rel=1e-6)
        assert gamma_ppf(tail, df / 3.0, scale=2.5) == pytest.approx(stats.gamma.ppf(tail, df / 3.0, scale=2.5))


@pytest.mark.parametrize("x", [0.0, 0.3, 2.0, 9.0])
def test_tails(x: float) -> None:
    assert norm_sf(x) == pytest.approx(stats.norm.sf(x))
    assert norm_sf(-x) == pytest.approx(stats.norm.sf(-x))
    for df in DEGREES:
        assert t_sf(x, df) == pytest.approx(stats.t.sf(x, df))
        assert chi2_sf(x, df) == pytest.approx(stats.chi2.sf(x, df))


def test_what_is_slow_to_import_is_imported_where_it_is_needed() -> None:
    code = "import sys, simulator; print({'scipy.stats', 'sklearn', 'pandas'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
