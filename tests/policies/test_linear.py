"""Linear Thompson sampling: the posterior is ridge regression, once; forgetting, bytes, and what it earns."""

import math
from collections.abc import Iterable

import numpy as np
import pytest
from scipy import special
from sklearn.linear_model import Ridge

from policies.base import UnreadableSnapshot, uniform
from policies.linear import MAX_COLUMNS, LinearLearner, columns
from policies.types import Action, Features, RewardRange, TrainingExample

UNIT = RewardRange()
ACTIONS = (Action("a"), Action("b"))


def rows(n: int, *, seed: int = 2) -> list[TrainingExample]:
    """`a` earns more in ES and with more orders, `b` elsewhere."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        country, orders, chosen = str(rng.choice(["ES", "PT"])), float(rng.integers(1, 9)), int(rng.integers(2))
        mean = 0.3 + 0.2 * ((country == "ES") == (chosen == 0)) + 0.05 * np.log1p(orders) * (chosen == 0)
        context: Features = {"country": country, "orders": orders}
        found.append(TrainingExample(context, ACTIONS, uniform(2), chosen, float(rng.normal(mean, 0.1))))
    return found


def trained(examples: Iterable[TrainingExample], *, ridge: float = 1.0, half_life: float = 0.0) -> LinearLearner:
    learner = LinearLearner(reward_range=UNIT, ridge=ridge, half_life=half_life)
    learner.learn(examples)
    return learner


def design(learner: LinearLearner, examples: Iterable[TrainingExample]) -> np.ndarray:
    """(n, d) the contexts of the examples in the learner's columns."""
    x = np.zeros((len(list(examples)), len(learner.columns)))
    for row, example in enumerate(examples):
        for name, value in columns(example.context):
            x[row, learner.columns[name]] = value
    return x


def test_a_context_becomes_columns() -> None:
    context: Features = {
        "n": 9999.0,
        "zero": 0.0,
        "flag": False,
        "texts": ("b", "a b", "b"),
        "t": "x=y",
        "bad": math.nan,
    }
    assert list(columns(context)) == [
        ("", 1.0),
        ("flag=false", 1.0),
        ("n", pytest.approx(math.log(10_000))),
        ("t=x%3Dy", 1.0),
        ("texts=a%20b", 1.0),
        ("texts=b", 1.0),
        ("zero=0", 1.0),
    ]


@pytest.mark.parametrize("ridge", [0.1, 1.0, 20.0])
def test_weights_are_ridge_regression_around_that_of_all_variants(ridge: float) -> None:
    """scikit-learn's Ridge, whose prior is 0, on what the prior leaves unexplained."""
    examples = rows(300)
    learner = trained(examples, ridge=ridge)
    x, y = design(learner, examples), np.array([UNIT.scaled(example.reward) for example in examples])
    start = np.zeros(x.shape[1])
    start[0] = (1 + y.sum()) / (2 + y.size)
    common = start + Ridge(alpha=ridge, fit_intercept=False).fit(x, y - x @ start).coef_
    for chosen, action in enumerate(ACTIONS):
        mine = np.array([example.chosen == chosen for example in examples])
        own = Ridge(alpha=ridge, fit_intercept=False).fit(x[mine], y[mine] - x[mine] @ common).coef_
        np.testing.assert_allclose(learner.fitted().weights[learner.fitted().row[action.id]], common + own, atol=1e-9)
    np.testing.assert_allclose(learner.fitted().weights[-1], common, atol=1e-9)  # a new variant


def test_spread_is_the_inverse_of_the_precision_and_the_prior_counts_once() -> None:
    examples = rows(200)
    learner = trained(examples, ridge=3.0)
    fitted = learner.fitted()
    x = design(learner, [example for example in examples if example.chosen == 0])
    precision = 3.0 * np.eye(x.shape[1]) + x.T @ x
    np.testing.assert_allclose(fitted.spread[fitted.row["a"]] @ precision, np.eye(x.shape[1]), atol=1e-9)
    np.testing.assert_allclose(fitted.spread[-1], np.eye(x.shape[1]) / 3.0)


def test_noise_is_what_the_regressions_leave_unexplained() -> None:
    """Rewards scatter by .1 around a linear function."""
    assert trained(rows(3000)).fitted().noise == pytest.approx(0.01, rel=0.1)


def test_weights_use_up_degrees_of_freedom() -> None:
    """Squared residuals over n - trace(hat matrix), with one more degree of variance 1/4."""
    examples = rows(30)
    learner = trained(examples)
    fitted = learner.fitted()
    squares, left = 0.25, 1.0
    for chosen, action in enumerate(ACTIONS):
        mine = [example for example in examples if example.chosen == chosen]
        x, y = design(learner, mine), np.array([UNIT.scaled(example.reward) for example in mine])
        squares += float(((y - x @ fitted.weights[fitted.row[action.id]]) ** 2).sum())
        left += y.size - np.trace(x @ np.linalg.inv(np.eye(x.shape[1]) + x.T @ x) @ x.T)
    assert fitted.noise == pytest.approx(squares / left, rel=1e-9)


def test_the_order_of_many_variants_changes_no_bit() -> None:
    rng = np.random.default_rng(8)
    actions = tuple(Action(f"v{i}") for i in range(40))
    learner = trained(
        TrainingExample({"n": float(rng.normal())}, actions, uniform(40), int(rng.integers(40)), float(rng.random()))
        for _ in range(400)
    )
    order = rng.permutation(40)
    pmf = learner.pmf({"n": 0.5}, actions)
    np.testing.assert_array_equal(learner.pmf({"n": 0.5}, [actions[i] for i in order]), pmf[order])


def test_the_pmf_is_the_probability_of_the_highest_score() -> None:
    learner = trained(rows(9))
    context: Features = {"country": "ES", "orders": 3.0, "unknown": "thing"}
    x = np.zeros(len(learner.columns))
    for name, value in columns(context):
        if name in learner.columns:
            x[learner.columns[name]] = value
    fitted = learner.fitted()
    mean = fitted.weights[:2] @ x
    variance = fitted.noise * np.array([x @ fitted.spread[row] @ x for row in (0, 1)])
    by_row = {row: name for name, row in fitted.row.items()}
    best = special.ndtr((mean[0] - mean[1]) / math.sqrt(variance.sum()))
    first = [action.id for action in ACTIONS].index(by_row[0])
    assert 0.01 < best < 0.99
    assert learner.pmf(context, ACTIONS)[first] == pytest.approx(best, abs=1e-9)


def test_forgetting_is_a_regression_with_weights() -> None:
    examples, half_life = rows(250), 60.0
    learner = trained(examples, half_life=half_life)
    learner.learn([TrainingExample({}, ACTIONS, uniform(2), 1, 0.5)] * 5)  # `a` ages as well
    examples += [TrainingExample({}, ACTIONS, uniform(2), 1, 0.5)] * 5
    x, y = design(learner, examples), np.array([UNIT.scaled(example.reward) for example in examples])
    weight = 0.5 ** ((len(examples) - 1 - np.arange(len(examples))) / half_life)
    start = np.zeros(x.shape[1])
    start[0] = (1 + weight @ y) / (2 + weight.sum())
    common = start + Ridge(alpha=1.0, fit_intercept=False).fit(x, y - x @ start, sample_weight=weight).coef_
    mine = np.array([example.chosen == 0 for example in examples])
    own = Ridge(alpha=1.0, fit_intercept=False).fit(x[mine], y[mine] - x[mine] @ common, sample_weight=weight[mine])
    fitted = learner.fitted()
    np.testing.assert_allclose(fitted.weights[fitted.row["a"]], common + own.coef_, atol=1e-9)


def test_columns_are_bounded() -> None:
    def page(i: int) -> TrainingExample:
        return TrainingExample({"page": str(i)}, ACTIONS, uniform(2), i % 2, 0.5)

    learner = trained(page(i) for i in range(MAX_COLUMNS + 50))
    assert len(learner.columns) == MAX_COLUMNS
    np.testing.assert_array_equal(learner.pmf({"page": str(MAX_COLUMNS + 9)}, ACTIONS), learner.pmf({}, ACTIONS))


@pytest.mark.parametrize("half_life", [0.0, 30.0])
def test_bytes_do_not_depend_on_where_learning_stopped(half_life: float) -> None:
    examples = rows(80)
    part = trained(examples[:37], half_life=half_life).dump()
    resumed = LinearLearner(reward_range=UNIT, half_life=half_life, state=part)
    resumed.learn(examples[37:])
    assert resumed.dump() == trained(examples, half_life=half_life).dump()


@pytest.mark.parametrize(
    "change",
    [
        lambda state: b"",
        lambda state: state.replace(b"linear", b"other"),
        lambda state: state.replace(b"--ridge 1", b"--ridge 2"),
        lambda state: state.replace(b'"columns":["",', b'"columns":['),
        lambda state: state.replace(b'"variants":[[', b'"variants":[[1,'),
        lambda state: state[:-10],
    ],
)
def test_foreign_bytes_are_refused(change: "type[bytes]") -> None:
    state = change(trained(rows(20)).dump())
    with pytest.raises(UnreadableSnapshot):
        LinearLearner(reward_range=UNIT, state=state)


@pytest.mark.parametrize("seed", range(3))
def test_what_each_kind_of_person_likes_is_found(seed: int) -> None:
    """Three variants, each liked in one of three countries: .3 there, .1 elsewhere; at least half of the way to .3."""
    rng = np.random.default_rng(seed)
    actions = tuple(Action(name) for name in "abc")
    learner = LinearLearner(reward_range=UNIT)
    total, rounds = 0.0, 3000
    batch: list[TrainingExample] = []
    for i in range(rounds):
        country = int(rng.integers(3))
        context: Features = {"country": str(country), "noise": float(rng.normal())}
        means = np.where(np.arange(3) == country, 0.3, 0.1)
        pmf = learner.pmf(context, actions)
        total += float(pmf @ means)
        chosen = int(rng.choice(3, p=pmf))
        batch.append(TrainingExample(context, actions, pmf, chosen, float(rng.random() < means[chosen])))
        if i % 50 == 49:
            learner.learn(batch)
            batch = []
    average = (0.3 + 0.1 + 0.1) / 3
    assert total / rounds - average > 0.5 * (0.3 - average)
