"""k-means: as cheap as scikit-learn's, with no empty cluster, from as many centres as there are places."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from policies.kmeans import best_start, lloyd, means, spread_out, squared_distances


def points(n: int = 600, *, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corners = np.array([[0, 0, 0], [3, 0, 0], [0, 3, 0], [0, 0, 3], [3, 3, 3]])
    return corners[rng.integers(5, size=n)] + rng.normal(size=(n, 3))


@pytest.mark.parametrize("k", [2, 5, 12])
def test_as_cheap_as_the_reference(k: int) -> None:
    x = points()
    reference = KMeans(k, n_init=10, random_state=0).fit(x)
    found = best_start(x, k, rng=np.random.default_rng(3), starts=10)
    assert found.cost <= 1.01 * reference.inertia_
    # where Lloyd's steps end from the same centres, the reference's end as well
    begin = spread_out(x, k, rng=np.random.default_rng(4))
    same = KMeans(k, init=begin, n_init=1, tol=0.0, algorithm="lloyd").fit(x)
    np.testing.assert_allclose(lloyd(x, begin).centres, same.cluster_centers_, atol=1e-9)


def test_every_point_is_nearest_to_its_own_centre() -> None:
    x = points()
    centres, labels, cost = best_start(x, 6, rng=np.random.default_rng(0), starts=1)
    distances = ((x[:, None] - centres) ** 2).sum(axis=2)
    np.testing.assert_array_equal(distances.argmin(axis=1), labels)
    assert cost == pytest.approx(distances.min(axis=1).sum())
    np.testing.assert_allclose(means(x, labels), centres)
    np.testing.assert_allclose(squared_distances(x, centres), distances, atol=1e-12)


def test_equal_points_are_one_place() -> None:
    x = np.array([[0.1, 0.7]] * 5 + [[0.3, 0.2]] * 3)
    assert len(spread_out(x, 4, rng=np.random.default_rng(0))) == 2
    assert best_start(x, 4, rng=np.random.default_rng(0), starts=2).cost == pytest.approx(0.0)


def test_centres_to_begin_with_stay_first() -> None:
    x = points()
    begin = x[:2] + 0.5
    found = spread_out(x, 4, rng=np.random.default_rng(0), begin=begin)
    np.testing.assert_array_equal(found[:2], begin)
    assert len(found) == 4


def test_a_centre_without_points_is_left_out() -> None:
    x = points(100)
    found = lloyd(x, np.array([[0.0, 0.0, 0.0], [50.0, 0.0, 0.0], [3.0, 3.0, 3.0]]))
    assert len(found.centres) == 2
    assert set(found.labels) == {0, 1}
