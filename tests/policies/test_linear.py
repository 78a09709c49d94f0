"""Linear Thompson sampling: the posterior is ridge regression, once; forgetting, bytes, and what it earns."""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from scipy import special
from sklearn.linear_model import Ridge

from policies.base import UnreadableSnapshot, uniform
from policies.linear import MAX_VARIANTS, LinearLearner
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


def trained(examples: Iterable[TrainingExample], *, ridge: float = 0.0, half_life: float = 0.0) -> LinearLearner:
    learner = LinearLearner(reward_range=UNIT, ridge=ridge, half_life=half_life)
    learner.learn(examples)
    return learner


def design(learner: LinearLearner, examples: Iterable[TrainingExample]) -> np.ndarray:
    """(n, d) the contexts of the examples in the learner's columns."""
    listed = list(examples)
    x = np.zeros((len(listed), len(learner.columns.place)))
    for row, example in enumerate(listed):
        index, values = learner.columns.known(example.context)
        x[row, index] = values
    return x


def pmfs(learner: LinearLearner) -> np.ndarray:
    return np.array([learner.pmf(example.context, ACTIONS) for example in rows(20, seed=5)])


@pytest.mark.parametrize("ridge", [0.1, 1.0, 20.0])
def test_weights_are_ridge_regression_on_standardised_numbers(ridge: float) -> None:
    """scikit-learn's Ridge on what the mean leaves, with the constant scaled so that its penalty is 1."""
    examples = rows(300)
    learner = trained(examples, ridge=ridge)
    orders = np.array([float(str(example.context["orders"])) for example in examples])
    spain = np.array([example.context["country"] == "ES" for example in examples])
    z = (orders - orders.mean()) / orders.std()
    q = z * z
    x = np.c_[np.full(300, math.sqrt(ridge)), spain, ~spain, z, (q - q.mean()) / q.std()]
    y = np.array([UNIT.scaled(example.reward) for example in examples])
    start = (1 + y.sum()) / (2 + y.size)
    fitted, row = learner.fitted()
    raw = design(learner, examples)
    for chosen, action in enumerate(ACTIONS):
        mine = np.array([example.chosen == chosen for example in examples])
        own = Ridge(alpha=ridge, fit_intercept=False).fit(x[mine], y[mine] - start)
        np.testing.assert_allclose(raw @ fitted.weights[row[action.id]], start + own.predict(x), atol=1e-9)
    np.testing.assert_allclose(raw @ fitted.weights[-1], start, atol=1e-9)  # a new variant


@pytest.mark.parametrize(("factor", "shift"), [(1e-6, 0.0), (1e4, 0.0), (1.0, 1e6), (-3.0, 50.0)])
def test_scale_and_origin_of_numbers_change_nothing(factor: float, shift: float) -> None:
    def moved(example: TrainingExample) -> TrainingExample:
        orders = float(str(example.context["orders"])) * factor + shift
        return replace(example, context={**example.context, "orders": orders})

    there = trained(map(moved, rows(200)))
    found = [there.pmf(moved(example).context, ACTIONS) for example in rows(20, seed=5)]
    np.testing.assert_allclose(found, pmfs(trained(rows(200))), atol=1e-6)


def test_noise_is_what_the_regressions_leave_unexplained() -> None:
    """Rewards scatter by .1 around a linear function."""
    fitted, _ = trained(rows(3000)).fitted()
    assert fitted.noise == pytest.approx(0.01, rel=0.1)


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


def test_shares_are_the_cube_of_the_probability_of_the_highest_score() -> None:
    learner = trained(rows(9))
    context: Features = {"country": "ES", "orders": 3.0, "unknown": "thing"}
    index, values = learner.columns.known(context)
    fitted, row = learner.fitted()
    x = np.zeros(fitted.weights.shape[1])
    x[index] = values
    mean = [fitted.weights[row[name]] @ x for name in "ab"]
    variance = fitted.noise * sum(x @ fitted.spread[row[name]] @ x for name in "ab")
    best = special.ndtr((mean[0] - mean[1]) / math.sqrt(variance))
    assert 0.01 < best < 0.99
    assert learner.pmf(context, ACTIONS)[0] == pytest.approx(best**3 / (best**3 + (1 - best) ** 3), abs=1e-9)


def test_forgetting_weighs_examples() -> None:
    """A variant that was not chosen for a while fades as the others do."""
    examples, half_life = rows(60), 10.0
    examples += [TrainingExample({"country": "ES"}, ACTIONS, uniform(2), 1, 0.5)] * 5
    learner = trained(examples, half_life=half_life)
    mine = np.array([example.chosen == 0 for example in examples])
    weight = mine * 0.5 ** ((len(examples) - 1 - np.arange(len(examples))) / half_life)
    x, y = design(learner, examples), np.array([UNIT.scaled(example.reward) for example in examples])
    own = learner.moments["a"]
    own = own.faded(0.5 ** ((len(examples) - own.after) / half_life))
    d = own.rx.size
    np.testing.assert_allclose(own.xx, (x.T * weight @ x)[:d, :d], atol=1e-9)
    np.testing.assert_allclose(own.rx, (weight * y @ x)[:d], atol=1e-9)
    assert (own.n, own.rr) == pytest.approx((weight.sum(), weight @ y**2))


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
        lambda state: state.replace(b'linear"', b'linear --ridge 2.0"'),
        lambda state: state.replace(b'"columns":["",', b'"places":['),
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


def test_only_the_variants_chosen_last_are_kept() -> None:
    learner = trained(
        TrainingExample({}, (Action(f"v{i}"), Action("other")), np.array([0.5, 0.5]), 0, 1.0)
        for i in range(MAX_VARIANTS + 10)
    )
    assert list(learner.moments) == [f"v{i}" for i in range(10, MAX_VARIANTS + 10)]


def test_asking_in_between_changes_no_choice_of_ridge() -> None:
    asked, left = LinearLearner(reward_range=UNIT), LinearLearner(reward_range=UNIT)
    for row in rows(60):
        asked.learn([row])
        asked.pmf(row.context, row.actions)
        left.learn([row])
    assert asked.dump() == left.dump()
