"""Quantiles and tails of the usual distributions, from scipy.special: importing scipy.stats takes as long as judging a
small log, and every server and every command would wait for it.
"""

from scipy import special


def norm_isf(tail: float) -> float:
    """What a standard normal variable exceeds with probability `tail`."""
    return -float(special.ndtri(tail))


def norm_sf(x: float) -> float:
    """The probability that a standard normal variable exceeds `x`."""
    return float(special.ndtr(-x))


def t_isf(tail: float, df: float) -> float:
    """What Student's t with `df` degrees of freedom exceeds with probability `tail`."""
    return -float(special.stdtrit(df, tail))


def t_sf(x: float, df: float) -> float:
    """The probability that Student's t with `df` degrees of freedom exceeds `x`."""
    return float(special.stdtr(df, -x))


def f_isf(tail: float, df: float) -> float:
    """What Fisher's F with 1 and `df` degrees of freedom exceeds with probability `tail`: it is the square of t."""
    return t_isf(tail / 2.0, df) ** 2


def chi2_sf(x: float, df: float) -> float:
    """The probability that χ² with `df` degrees of freedom exceeds `x`."""
    return float(special.chdtrc(df, x))


def gamma_ppf(probability: float, shape: float, *, scale: float) -> float:
    """What a gamma variable of this shape and scale stays below with this probability."""
    return float(special.gammaincinv(shape, probability)) * scale
