import math

import numpy as np
import pytest

from policies.judge import Judge, anytime_half_width, doubly_robust


def test_doubly_robust_is_right_on_average_whatever_the_model_says() -> None:
    truth, propensities = np.array([0.1, 0.7, 0.4]), np.array([0.2, 0.5, 0.3])
    for model in (np.zeros(3), truth, np.array([5.0, -2.0, 0.4])):
        mean = sum(
            p * doubly_robust(model, chosen=i, propensity=p, reward=truth[i]) for i, p in enumerate(propensities)
        )
        np.testing.assert_allclose(mean, truth, atol=1e-12)


def test_doubly_robust_leaves_the_model_as_it_is() -> None:
    model = np.array([0.5, 0.5])
    assert doubly_robust(model, chosen=0, propensity=0.25, reward=1.0).tolist() == [2.5, 0.5]
    assert model.tolist() == [0.5, 0.5]


def test_the_anytime_interval_holds_at_every_look() -> None:
    rng = np.random.default_rng(3)
    looks = np.arange(20, 20_001, 20)
    half = np.array([anytime_half_width(1.0, float(n)) for n in looks])
    missed = fixed = 0
    for _ in range(300):
        means = np.abs(np.cumsum(rng.normal(size=20_000))[looks - 1] / looks)
        missed += bool((means > half).any())
        fixed += bool((means > 1.96 / np.sqrt(looks)).any())
    assert missed / 300 <= 0.05
    assert fixed / 300 > 0.3  # what an interval for one look would do


def test_the_anytime_interval_is_narrowest_where_it_is_tuned() -> None:
    tuned = anytime_half_width(1.0, 500.0, tuned_for=500.0)
    assert tuned == min(anytime_half_width(1.0, 500.0, tuned_for=n) for n in (100.0, 400.0, 500.0, 600.0, 2_000.0))
    assert 1.96 / math.sqrt(500) < tuned < 3.2 / math.sqrt(500)


def judged(n: int, *, decay: float = 1.0) -> tuple[Judge, np.ndarray, np.ndarray]:
    """A judge, what each of three policies would have earned (n, 3), and the importance weights (n, 3)."""
    rng = np.random.default_rng(5)
    judge, values, ratios = Judge(3), [], []
    for _ in range(n):
        pmfs = rng.dirichlet(np.ones(4), size=3)
        earned, chosen, propensity = rng.normal(size=4), int(rng.integers(4)), float(rng.uniform(0.1, 1.0))
        judge.add(list(pmfs), earned, chosen=chosen, propensity=propensity, decay=decay)
        values.append(pmfs @ earned)
        ratios.append(pmfs[:, chosen] / propensity)
    return judge, np.array(values), np.array(ratios)


@pytest.mark.parametrize("decay", [1.0, 0.9])
def test_sums_are_those_of_all_decisions(decay: float) -> None:
    judge, values, ratios = judged(50, decay=decay)
    weights = decay ** np.arange(49, -1, -1.0)
    gaps = values[:, 2] - values[:, 0]
    mean = np.average(gaps, weights=weights)
    found = judge.difference(2, 0)
    assert found.mean == pytest.approx(mean)
    assert found.variance == pytest.approx(np.average((gaps - mean) ** 2, weights=weights))
    assert found.n == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    assert found.standard_error == pytest.approx(math.sqrt(found.variance / found.n))
    effective = (weights @ ratios) ** 2 / (weights @ ratios**2)
    assert found.effective == pytest.approx(min(effective[0], effective[2]))
    assert judge.decisions == 50


def test_nothing_is_known_before_the_first_decision() -> None:
    nothing = Judge(2).difference(0, 1)
    assert (nothing.mean, nothing.effective) == (0.0, 0.0)
    assert nothing.standard_error == nothing.half_width() == math.inf


def test_a_document_gives_an_equal_judge() -> None:
    judge, _, _ = judged(20, decay=0.99)
    read = Judge.read(judge.document(), policies=3)
    for one in (judge, read):
        one.add([np.full(2, 0.5)] * 3, np.array([1.0, 0.0]), chosen=0, propensity=0.5)
    assert read.document() == judge.document()
    assert read.difference(0, 1) == judge.difference(0, 1)


def test_another_document_is_refused() -> None:
    with pytest.raises(ValueError, match=r"means of shape \(3,\): expected \(2,\)"):
        Judge.read(judged(5)[0].document(), policies=2)
    with pytest.raises(KeyError, match="decisions"):
        Judge.read({}, policies=2)
