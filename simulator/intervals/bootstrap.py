"""The cluster bootstrap: persons are drawn again, with all their visits, and every ratio with its denominator."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from simulator.distributions import norm_isf
from simulator.intervals.clustered import Persons, numbered
from simulator.logs.log import Floats

DRAWS = 1_000
MOST_CELLS = 4_000
"""More persons than these are dealt to so many cells, at random and once, and cells are drawn: they are as independent
as the persons in them, and a million persons take as long as these."""
RESOLVED = 5.0
"""Draws beyond a quantile that is read off them; beyond it, it grows as the quantiles of a normal distribution do."""
BLOCK = 200


@dataclass(frozen=True, slots=True)
class Resampling:
    """How often each cell of persons was drawn in each draw, the same for all that is estimated on these rounds: what
    two estimates share is shared in every draw. counts: (DRAWS, C); cells: (n,) of each round.
    """

    counts: NDArray[np.uint16]
    cells: NDArray[np.int64]

    @classmethod
    def of(cls, persons: Persons, *, seed: int, draws: int = DRAWS) -> "Resampling":
        """persons: (n,) codes."""
        rng = np.random.default_rng((seed, 0xB007))
        codes = numbered(persons)
        many = int(codes.max()) + 1
        cells = codes
        if many > MOST_CELLS:
            cells, many = (rng.permutation(many) % MOST_CELLS)[codes], MOST_CELLS
        drawn = (np.bincount(rng.integers(many, size=many), minlength=many) for _ in range(draws))
        return cls(np.stack([one.astype(np.uint16) for one in drawn]), cells)

    def sums(self, column: Floats | None) -> Floats:
        """(C,) of each cell; of None, its rounds."""
        return np.bincount(self.cells, weights=column, minlength=self.counts.shape[1]).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Ratios:
    """A sum of ratios of sums over cells, Σ_j ΣN_j/ΣD_j: (C,) each."""

    resampling: Resampling
    pairs: tuple[tuple[Floats, Floats], ...]

    @classmethod
    def of(cls, resampling: Resampling, parts: Sequence[tuple[Floats, Floats | None]]) -> "Ratios":
        """parts: of each ratio the (n,) numerator and denominator, where None counts rounds."""
        return cls(resampling, tuple((resampling.sums(n), resampling.sums(d)) for n, d in parts))

    def minus(self, other: "Ratios") -> "Ratios":
        pairs = list(self.pairs)
        for numerator, denominator in other.pairs:
            for place, (n, d) in enumerate(pairs):
                if np.array_equal(d, denominator):
                    pairs[place] = (n - numerator, d)
                    break
            else:
                pairs.append((-numerator, denominator))
        return replace(self, pairs=tuple(pairs))

    def drawn(self) -> tuple[float, float, Floats, Floats]:
        """Value and standard error; and both, (DRAWS,), of each draw: by the delta method on its own sums."""
        columns = np.stack([*(n for n, _ in self.pairs), *(d for _, d in self.pairs)], axis=1)
        places = list(combinations_with_replacement(range(columns.shape[1]), 2))
        products = np.stack([columns[:, i] * columns[:, j] for i, j in places], axis=1)
        everything = np.concatenate([columns, products], axis=1)
        counts = self.resampling.counts
        blocks = [
            counts[start : start + BLOCK].astype(np.float64) @ everything for start in range(0, len(counts), BLOCK)
        ]
        sums = np.concatenate([everything.sum(axis=0, keepdims=True), *blocks])
        value, error = _of_sums(sums, columns.shape[1] // 2, places)
        return float(value[0]), float(error[0]), value[1:], error[1:]

    def limits(self, confidence: float) -> tuple[float, float]:
        """Percentile-t: value - t*·se, t* the quantiles of (value* - value)/se* over the draws. Efron 1981; Hall 1988.
        It is wider than the percentile and the BCa intervals, which miss far more often where few rounds carry most of
        the weight. Infinite where draws hold nothing to tell an error by.
        """
        value, error, t = self._studentised
        tail = (1.0 - confidence) / 2.0
        return value - _quantile(t, tail) * error, value + _quantile(-t, tail) * error

    @cached_property
    def _studentised(self) -> tuple[float, float, Floats]:
        """Value, standard error, and (value* - value)/se* of the draws that have one."""
        value, error, values, errors = self.drawn()
        away = (values - value)[~np.isnan(values)]
        rounding = 1e-12 * max(abs(value), error)
        t = np.select([away > rounding, away < -rounding], [np.inf, -np.inf], 0.0)
        told = errors[~np.isnan(values)]
        return value, error, np.divide(away, told, out=t, where=told > rounding)


def _of_sums(sums: Floats, ratios: int, places: list[tuple[int, int]]) -> tuple[Floats, Floats]:
    """Value and standard error from (m, p) sums of numerators, denominators and their products in pairs.

    ψ of a cell is Σ_j (N_j - v_j·D_j)/ΣD_j, linear in its columns; the error is √Σψ².
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # a draw without a denominator is none: NaN
        one_over = 1.0 / sums[:, ratios : 2 * ratios]
        each = sums[:, :ratios] * one_over
        weights = np.concatenate([one_over, -each * one_over], axis=1)
        squares = sum(
            (1.0 if i == j else 2.0) * weights[:, i] * weights[:, j] * sums[:, 2 * ratios + place]
            for place, (i, j) in enumerate(places)
        )
        return each.sum(axis=1), np.sqrt(np.maximum(squares, 0.0))


def _quantile(t: Floats, tail: float) -> float:
    """That of which a share of `tail` is greater."""
    resolved = max(tail, min(RESOLVED / t.size, 0.5))
    found = float(np.sort(t)[min(t.size - 1, int(np.ceil((1.0 - resolved) * (t.size + 1))) - 1)])
    return found if resolved == tail else found * norm_isf(tail) / norm_isf(resolved)
