"""Columns: what a context becomes; missing is not zero; numbers far out; the bound."""

import math

import numpy as np
import pytest

from policies.columns import MAX_COLUMNS, MAX_SQUARED, Columns
from policies.types import Features


def learned(contexts: list[Features]) -> tuple[Columns, np.ndarray]:
    """The columns, and their standardised values for these contexts, (n, d)."""
    columns = Columns()
    for now, context in enumerate(contexts, 1):
        columns.learn(context, decay=1.0, now=now)
    x = np.zeros((len(contexts), len(columns.place)))
    for row, context in enumerate(contexts):
        index, values = columns.known(context)
        x[row, index] = values
    return columns, x @ columns.standardising(x.T @ x).T


def test_a_context_becomes_columns() -> None:
    context: Features = {"n": 7.0, "flag": False, "texts": ("b", "a b", "b"), "t": "x=y", "bad": math.nan}
    columns, _ = learned([context])
    assert list(columns.place) == ["", "flag=false", "t=x%3Dy", "texts=a%20b", "texts=b", "n", "n:square"]


def test_a_number_and_its_square_have_mean_0_and_variance_1() -> None:
    values = 1e6 + np.random.default_rng(1).gamma(2.0, size=50)
    columns, z = learned([{"n": value} for value in values])
    for name in ("n", "n:square"):
        assert z[:, columns.place[name]].mean() == pytest.approx(0.0, abs=1e-6)
        assert z[:, columns.place[name]].std() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("first", [{}, {"n": 4.0}])
def test_missing_is_the_mean_and_says_so(first: Features) -> None:
    columns, z = learned([first, {"n": 0.0}, {}, {"n": 4.0}, {"n": 5.0}])
    zero, missing = z[1], z[2]
    assert missing[columns.place["n"]] == pytest.approx(0.0)
    assert missing[columns.place["n:square"]] == pytest.approx(0.0)
    assert zero[columns.place["n"]] < -0.5
    side = "n:missing" if first else "n:present"
    assert missing[columns.place[side]] != zero[columns.place[side]]


def test_a_number_that_never_varies_is_0() -> None:
    columns, z = learned([{"n": 0.1}] * 20)
    np.testing.assert_array_equal(z[:, columns.place["n"]], np.zeros(20))
    np.testing.assert_array_equal(z[:, columns.place["n:square"]], np.zeros(20))


def test_one_number_far_out_does_not_hide_the_others() -> None:
    values = [float(i % 5) for i in range(100)]
    columns, z = learned([{"n": value} for value in [*values, 1e300, *values]])
    assert z[:100, columns.place["n"]].std() > 0.7


def test_columns_are_bounded() -> None:
    contexts: list[Features] = [{f"k{i}": float(i) for i in range(200)}, {"t": "x"}]
    columns, _ = learned(contexts)
    assert len(columns.place) <= MAX_COLUMNS
    assert len(columns.squares()) == MAX_SQUARED
    for key, number in columns.numbers.items():
        assert number.always == (f"{key}:missing" in columns.place)
