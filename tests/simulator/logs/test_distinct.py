import numpy as np
import pytest

from simulator.logs.distinct import distinct


@pytest.mark.parametrize("values", [[], [7], [3, -1, 3, 2, -1], [0.5, 0.25, 0.5]])
def test_each_value_once_in_order(values: list[float]) -> None:
    assert distinct(np.array(values)).tolist() == sorted(set(values))
