"""Thompson sampling: conjugate updates by hand, segments, forgetting, bytes, and what it earns."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from scipy import stats

from policies.base import Learner, UnreadableSnapshot, uniform
from policies.tallies import MAX_SEGMENTS, TallyLearner, segment_of
from policies.thompson import beta_posterior, flattest_beta, gaussian, student_posterior, thompson
from policies.types import Action, Features, RewardRange, TrainingExample, Value

UNIT = RewardRange()
A, B = Action("a"), Action("b")


def seen(variant: Action, reward: float, context: Features | None = None) -> TrainingExample:
    return TrainingExample(context or {}, (A, B), uniform(2), (A, B).index(variant), reward)


def trained(rows: Iterable[TrainingExample], **options: object) -> TallyLearner:
    learner = thompson(**{"reward_range": UNIT, "state": None, **options})  # type: ignore[arg-type]
    learner.learn(rows)
    return learner


def test_the_prior_is_uniform_and_then_the_flattest_with_the_mean_of_all() -> None:
    assert flattest_beta(0.5) == (1.0, 1.0)
    assert flattest_beta(0.2) == (1.0, 4.0)
    assert flattest_beta(0.75) == pytest.approx((3.0, 1.0))


def test_successes_and_failures_are_counted() -> None:
    """Of six examples two succeed: the mean of all is (1 + 2) / (2 + 6) = 3/8, its prior Beta(1, 5/3)."""
    tallies = trained([seen(A, 1.0), *[seen(A, 0.0)] * 3, seen(B, 1.0), seen(B, 0.0)]).tallies
    assert beta_posterior(tallies, "a", None) == pytest.approx((1 + 1, 5 / 3 + 3))
    assert beta_posterior(tallies, "b", None) == pytest.approx((1 + 1, 5 / 3 + 1))
    assert beta_posterior(tallies, "new", None) == pytest.approx((1, 5 / 3))


def test_a_reward_between_the_ends_is_a_fraction_of_a_success() -> None:
    learner = trained([seen(A, 7.0)], reward_range=RewardRange(-20.0, 20.0))
    assert learner.tallies.of("a") == pytest.approx((1.0, 0.675, 0.675**2))
    prior = flattest_beta(1.675 / 3)
    assert beta_posterior(learner.tallies, "a", None) == pytest.approx((prior[0] + 0.675, prior[1] + 0.325))


def test_the_pmf_is_the_probability_of_being_the_best() -> None:
    learner = trained([*[seen(A, 1.0)] * 3, *[seen(A, 0.0)] * 5, *[seen(B, 1.0)] * 5, *[seen(B, 0.0)] * 3])
    a, b = (stats.beta(*beta_posterior(learner.tallies, name, None)) for name in "ab")
    x = np.linspace(0.0, 1.0, 200_001)
    best = np.trapezoid(a.pdf(x) * b.cdf(x), x)
    np.testing.assert_allclose(learner.pmf({}, [A, B]), [best, 1 - best], atol=1e-8)


def test_normal_inverse_gamma_by_hand() -> None:
    """The prior has the mean 1/2 of (0, 1, .25, .75), weight 1 and shape 5; its variance is that within variants."""
    learner = trained([seen(A, 0.25), seen(A, 0.75)])
    assert learner.tallies.mean() == pytest.approx(0.5)
    assert learner.tallies.variance() == pytest.approx((0.25 + 0.125) / (1 + 1))
    mean, scale, freedom = student_posterior(learner.tallies, "a", None, variance=0.1875)
    shape, rate = 5 + 2 / 2, 5 * 0.1875 + 0.125 / 2
    assert (mean, scale, freedom) == pytest.approx((0.5, math.sqrt(rate / (shape * 3)), 2 * shape))
    # far from the prior's mean, the gap counts as well: κ n (x̄ - m)² / (2 (κ + n))
    mean, scale, _ = student_posterior(trained([seen(A, 1.0)] * 4).tallies, "a", None, variance=0.05)
    assert mean == pytest.approx((5 / 6 + 4) / 5)
    rate = 5 * 0.05 + 4 / 5 * (1 - 5 / 6) ** 2 / 2
    assert scale == pytest.approx(math.sqrt(rate / (7 * 5)))


def test_a_segment_has_its_own_posterior_around_what_holds_everywhere() -> None:
    rows = [seen(A, 1.0, {"country": "ES"}), seen(A, 0.0, {"country": "PT"}), seen(B, 1.0, {"country": "PT"})]
    learner = trained(rows, by="country")
    everywhere = beta_posterior(learner.tallies, "a", None)
    prior = flattest_beta(everywhere[0] / sum(everywhere))
    spain = segment_of("ES")
    assert beta_posterior(learner.tallies, "a", spain) == pytest.approx((prior[0] + 1, prior[1]))
    variance = learner.tallies.variance()
    pooled = student_posterior(learner.tallies, "a", None, variance=variance)
    mean, _, freedom = student_posterior(learner.tallies, "a", spain, variance=variance)
    assert (mean, freedom) == pytest.approx(((pooled[0] + 1) / 2, 11.0))


def test_who_belongs_to_no_segment_gets_what_holds_everywhere() -> None:
    rows = [seen(A, 1.0, {"country": "ES"}), seen(B, 0.0, {"country": "PT"}), seen(A, 0.0), seen(B, 1.0)]
    learner, pooled = trained(rows, by="country"), trained(rows)
    lists: Features = {"country": ("ES", "PT")}
    for context in ({}, {"country": math.nan}, lists):
        np.testing.assert_array_equal(learner.pmf(context, [A, B]), pooled.pmf({}, [A, B]))
    assert learner.pmf({"country": "ES"}, [A, B])[0] > pooled.pmf({}, [A, B])[0]


def test_text_flag_and_number_are_different_segments() -> None:
    values: list[Value] = ["true", True, "1.0", 1.0, False, "", "2", 2.0, "a b", "a\tb", "\ud800"]
    assert len({segment_of(value) for value in values}) == len(values)
    assert segment_of(0.0) == segment_of(-0.0)
    assert segment_of(3) == segment_of(3.0)


def test_segments_are_bounded() -> None:
    learner = trained((seen(A, 1.0, {"page": str(i)}) for i in range(MAX_SEGMENTS + 1)), by="page")
    assert learner.tallies.of("a", segment_of("0") or "").n == 1.0
    assert learner.tallies.of("a", segment_of(str(MAX_SEGMENTS)) or "").n == 0.0
    assert learner.tallies.of("a").n == MAX_SEGMENTS + 1


def random_rows(n: int, *, seed: int = 5, rates: Sequence[float] = (0.3, 0.6)) -> list[TrainingExample]:
    rng = np.random.default_rng(seed)
    countries = rng.choice(["ES", "PT"], n)
    chosen = rng.integers(2, size=n)
    return [
        seen((A, B)[i], float(rng.random() < rates[i]) * 0.9, {"country": str(country)})
        for i, country in zip(chosen, countries, strict=True)
    ]


def test_forgetting_is_a_sum_with_weights() -> None:
    rows, half_life = random_rows(300), 40.0
    tallies = trained(rows, by="country", half_life=half_life).tallies
    weights = 0.5 ** ((len(rows) - 1 - np.arange(len(rows))) / half_life)
    reward = np.array([row.reward for row in rows])
    of_a = np.array([row.chosen == 0 for row in rows])
    in_spain = np.array([row.context["country"] == "ES" for row in rows])
    for key, mask in (((), of_a | True), (("a",), of_a), (("a", "=ES"), of_a & in_spain)):
        w, r = weights[mask], reward[mask]
        np.testing.assert_allclose(tallies.of(*key), [w.sum(), w @ r, w @ r**2], rtol=1e-12)


def test_forgetting_follows_a_change() -> None:
    rows = [*random_rows(2000, rates=(0.2, 0.6)), *random_rows(300, rates=(0.6, 0.2))]
    assert trained(rows).pmf({}, [A, B]).argmax() == 1
    assert trained(rows, half_life=100).pmf({}, [A, B]).argmax() == 0


@pytest.mark.parametrize("make", [thompson, gaussian])
def test_new_variants_are_explored_and_paused_ones_remembered(make: type[TallyLearner]) -> None:
    learner = make(reward_range=UNIT, state=None)  # type: ignore[call-arg, arg-type]
    learner.learn(random_rows(400))
    new = Action("new")
    with_new = learner.pmf({}, [A, B, new])
    assert 0.05 < with_new[2] < 0.6
    before = learner.pmf({}, [A, B])
    learner.learn(TrainingExample({}, (A, new), uniform(2), 1, 0.0) for _ in range(50))  # `b` is paused
    assert learner.pmf({}, [A, B, new])[2] < 0.01
    np.testing.assert_allclose(learner.pmf({}, [A, B]), before, atol=0.05)


def test_bytes_do_not_depend_on_where_learning_stopped() -> None:
    rows = random_rows(60)
    whole = trained(rows, by="country", half_life=20).dump()
    part = trained(rows[:31], by="country", half_life=20).dump()
    assert trained(rows[31:], by="country", half_life=20, state=part).dump() == whole


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"{}",
        b"[1]",
        b"\x00\xff",
        b'{"arguments": "thompson"}',
        b'{"arguments": "thompson", "examples": 1, "tallies": [[1]]}',
        b'{"arguments": "thompson --by country", "examples": 0, "tallies": []}',
        b'{"arguments": "gaussian", "examples": 0, "tallies": []}',
    ],
)
def test_foreign_bytes_are_refused(state: bytes) -> None:
    with pytest.raises(UnreadableSnapshot):
        thompson(reward_range=UNIT, state=state)


def test_a_shared_answer_can_not_be_changed() -> None:
    pmf = trained([seen(A, 1.0)]).pmf({}, [A, B])
    with pytest.raises(ValueError, match="read-only"):
        pmf[0] = 1.0


def earned(learner: Learner, means: Sequence[float], *, rounds: int, batch: int, scatter: float, seed: int) -> float:
    """Mean true reward a round, learning after every batch. `scatter` 0 makes rewards of 0 and 1."""
    rng = np.random.default_rng(seed)
    actions = tuple(Action(str(i)) for i in range(len(means)))
    total = 0.0
    for _ in range(rounds // batch):
        pmf = learner.pmf({}, actions)
        total += float(pmf @ np.array(means)) * batch
        rows = []
        for i in rng.choice(len(means), size=batch, p=pmf):
            reward = rng.normal(means[i], scatter) if scatter else float(rng.random() < means[i])
            rows.append(TrainingExample({}, actions, pmf, int(i), reward))
        learner.learn(rows)
    return total / rounds


@pytest.mark.parametrize("seed", range(4))
def test_clicks_are_gained(seed: int) -> None:
    """Uniform gains nothing of the way from the average to the best."""
    means = [0.05, 0.06, 0.04, 0.1, 0.05]
    learner = thompson(reward_range=UNIT, state=None)
    gained = earned(learner, means, rounds=6000, batch=20, scatter=0.0, seed=seed) - np.mean(means)
    assert gained > 0.65 * (max(means) - np.mean(means))


@pytest.mark.parametrize("seed", range(4))
def test_amounts_that_scatter_little_are_told_apart_sooner_by_gaussian(seed: int) -> None:
    means = [0.5, 0.52, 0.54, 0.56]
    counting = earned(thompson(reward_range=UNIT, state=None), means, rounds=600, batch=10, scatter=0.03, seed=seed)
    measuring = earned(gaussian(reward_range=UNIT, state=None), means, rounds=600, batch=10, scatter=0.03, seed=seed)
    assert measuring > 0.552 > counting
