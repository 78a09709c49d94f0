import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.features import numbers_of
from policies.scales import MAX_NUMBERS, Scales, squash
from policies.types import Value

NUMBER = st.floats(allow_nan=False, allow_infinity=False)


def scales(*values: Value) -> Scales:
    found = Scales()
    for value in values:
        found.learn(numbers_of({"n": value}))
    return found


@given(NUMBER, NUMBER)
def test_squash_keeps_order_and_sign(one: float, two: float) -> None:
    if one < two:
        assert squash(one) <= squash(two)
    assert squash(-one) == -squash(one)
    assert abs(squash(one)) < 710.0


def test_deviations_from_the_mean_of_squashed_values() -> None:
    values = [3.0, 500.0, -2.0, 0.0, 41.5]
    x = np.array([squash(value) for value in values])
    assert scales(*values).standard("n", 7.0) == pytest.approx((squash(7.0) - x.mean()) / x.std(ddof=1))


@given(st.lists(NUMBER, max_size=8), NUMBER)
def test_always_a_small_number(values: list[float], value: float) -> None:
    z = scales(*values).standard("n", value)
    assert z is None if not values else -5.0 <= z <= 5.0  # type: ignore[operator]


def test_a_constant_is_in_the_middle_and_what_differs_from_it_far_out() -> None:
    constant = scales(*[1.1] * 1_000)
    assert constant.standard("n", 1.1) == pytest.approx(0.0, abs=1e-6)
    assert constant.standard("n", 1.2) == 5.0


def test_only_finite_numbers_have_a_scale() -> None:
    assert scales(True, "7", (), math.nan, math.inf).seen == {}
    assert scales(7.0).standard("m", 7.0) is None


def test_so_many_keys_and_no_more() -> None:
    found = Scales()
    for i in range(MAX_NUMBERS + 5):
        found.learn([(str(i), 1.0)])
    assert len(found.seen) == MAX_NUMBERS
    assert found.standard(str(MAX_NUMBERS), 1.0) is None


def test_a_document_gives_equal_scales() -> None:
    found = scales(3.0, 8.0)
    assert Scales.from_document(found.document()).seen == found.seen
