"""Propensities that nobody kept."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from policies.types import Action
from simulator import Log, LogError, Round, evaluate
from simulator.logs.contexts import Contexts, Numbers
from simulator.logs.propensities import LEAST, _fit, _log_chances, least, remark, with_estimated
from simulator.logs.rounds import UNKNOWN

N = 4000


@pytest.fixture(scope="module")
def chosen_by_rule() -> dict[str, np.ndarray]:
    """Three variants, chosen by a softmax of a number and a text; the second is eligible in two rounds of three."""
    rng = np.random.default_rng(4)
    x, group = rng.normal(size=N), rng.integers(3, size=N)
    scores = np.stack([np.zeros(N), 0.8 * x, np.array([0.0, 1.0, -1.0])[group] - 0.5 * x], axis=1)
    eligible = np.ones((N, 3), dtype=bool)
    eligible[::3, 1] = False
    truth = np.where(eligible, np.exp(scores), 0.0)
    truth /= truth.sum(axis=1, keepdims=True)
    chosen = (rng.random(N)[:, None] > truth.cumsum(axis=1)).sum(axis=1)
    return {"x": x, "group": group, "eligible": eligible, "truth": truth, "chosen": chosen}


def contexts_of(given: dict[str, np.ndarray]) -> Contexts:
    return Contexts.of({"x": float(x), "group": "abc"[g]} for x, g in zip(given["x"], given["group"], strict=True))


def test_the_truth_is_recovered_whatever_was_eligible(chosen_by_rule: dict[str, np.ndarray]) -> None:
    given = chosen_by_rule
    found = with_estimated(
        np.full(N, UNKNOWN), contexts_of(given), given["eligible"], given["chosen"], np.arange(N) // 2
    )
    truth = given["truth"][np.arange(N), given["chosen"]]
    assert np.abs(found - truth).mean() < 0.02
    for variant in range(3):  # the weights of a fixed variant add up to the rounds in which it could be chosen
        weights = np.where(given["chosen"] == variant, 1.0 / found, 0.0)
        assert weights.sum() / given["eligible"][:, variant].sum() == pytest.approx(1.0, abs=0.05)


def test_what_is_known_stays_as_it_is_and_teaches_nothing(chosen_by_rule: dict[str, np.ndarray]) -> None:
    """Half of the log was drawn by us, always the first variant: the other half is estimated as if alone."""
    given = chosen_by_rule
    contexts, unknown = contexts_of(given), np.arange(N) % 2 == 1
    propensities = np.where(unknown, UNKNOWN, 0.125)
    chosen = np.where(unknown, given["chosen"], 0)
    found = with_estimated(propensities, contexts, given["eligible"], chosen, np.arange(N))
    assert set(found[~unknown]) == {0.125}
    rows = np.flatnonzero(unknown)
    alone = with_estimated(
        propensities[rows], contexts.take(rows), given["eligible"][rows], chosen[rows], np.arange(N)[rows]
    )
    np.testing.assert_array_equal(found[rows], alone)


def test_no_choice_of_a_person_is_predicted_from_that_person() -> None:
    """Contexts that name the person: only who saw the person's other choices could tell them."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(60), 10)
    chosen = rng.permutation(np.arange(60) % 2)[person]  # everybody always chooses the same
    contexts = Contexts.of({"who": f"p{one}"} for one in person)
    found = with_estimated(np.full(600, UNKNOWN), contexts, np.ones((600, 2), dtype=bool), chosen, person)
    assert np.abs(found - 0.5).max() < 0.2


def test_a_single_eligible_variant_is_certain_and_the_rest_is_bounded() -> None:
    n = 1000
    eligible = np.ones((n, 2), dtype=bool)
    eligible[: n // 2, 1] = False
    chosen = np.zeros(n, dtype=np.intp)
    chosen[-1] = 1  # once in a thousand
    contexts = Contexts({}, n)
    found = with_estimated(np.full(n, UNKNOWN), contexts, eligible, chosen, np.arange(n))
    assert (found[: n // 2] == 1.0).all()
    assert found[-1] == LEAST
    assert least(np.ones((1, 2), dtype=bool)) == LEAST
    assert least(np.ones((1, 50), dtype=bool)) == 0.1 / 50
    text = remark(Log(
        actions=(Action("a"), Action("b")), contexts=contexts, eligible=eligible, chosen=chosen, propensities=found,
        probabilities=None, rewards=np.zeros(n), times=np.arange(n), persons=np.arange(n), propensities_estimated=True,
    ))  # fmt: skip
    assert "no hidden confounding" in text
    assert "None is believed below 0.01; 1 of 1,000 stands at that limit." in text


def test_one_person_tells_nothing() -> None:
    with pytest.raises(LogError, match="10 rounds of 1 person without a propensity: none can be estimated"):
        with_estimated(
            np.full(10, UNKNOWN), Contexts({}, 10), np.ones((10, 2), dtype=bool), np.arange(10) % 2, np.zeros(10)
        )


def test_rounds_of_which_some_are_unknown(make_log: Callable[..., Log]) -> None:
    """Estimated only when asked for, never with all probabilities, and said in every evaluation."""
    log = make_log(1200)
    rounds = [
        Round(
            context=context, actions=log.actions, chosen="abc"[place], reward=reward, time=time,
            propensity=p if row % 2 else UNKNOWN, probabilities=pmf if row % 2 else None, person=int(person),
        )
        for row, (context, place, reward, time, p, pmf, person) in enumerate(
            zip(log.contexts, log.chosen, log.rewards.tolist(), log.times.tolist(), log.propensities.tolist(),
                log.probabilities if log.probabilities is not None else (), log.persons, strict=True)
        )
    ]  # fmt: skip
    with pytest.raises(LogError, match=r"propensities: 600 of 1,200 rows, first row 0 has nan"):
        Log.from_rounds(rounds)
    guessed = Log.from_rounds(rounds, estimate=True)
    assert guessed.propensities_estimated
    assert guessed[:700].propensities_estimated, "a part of it is no more certain"
    assert guessed.probabilities is None
    np.testing.assert_array_equal(guessed.propensities[1::2], log.propensities[1::2])
    np.testing.assert_allclose(guessed.propensities, log.propensities, atol=0.1)
    assert any("no hidden confounding" in note for note in evaluate(guessed, estimators=["snips"]).notes)
    known = Log.from_rounds(rounds[1::2], estimate=True)
    assert not known.propensities_estimated, "nothing was to be estimated"
    assert known.probabilities is not None


def test_as_near_to_the_truth_as_the_reference(shared: Path) -> None:
    folder = shared / "reference" / "synth_estimated_pscore_balanced"
    with np.load(folder / "inputs.npz") as given:
        n, x, chosen, target = len(given["action"]), given["context"], given["action"], given["action_dist"]
        truth, theirs, rewards, q = given["pscore"], given["estimated_pscore"], given["reward"], given["q_hat"]
    contexts = Contexts({f"x{i}": Numbers(x[:, i].copy()) for i in range(x.shape[1])}, n)
    ours = with_estimated(
        np.full(n, UNKNOWN), contexts, np.ones((n, 5), dtype=bool), chosen.astype(np.intp), np.arange(n)
    )
    assert np.abs(ours - truth).mean() < np.abs(theirs - truth).mean()
    rows = np.arange(n)
    w = target[rows, chosen] / ours
    value = json.loads((folder / "expected.json").read_text())["ground_truth_in_sample"]
    assert np.sum(w * rewards) / w.sum() == pytest.approx(value, abs=0.005)
    dr = np.sum(target * q, axis=1) + w * (rewards - q[rows, chosen])
    assert dr.mean() == pytest.approx(value, abs=0.01)


def newton(x: np.ndarray, eligible: np.ndarray, chosen: np.ndarray, penalty: float) -> np.ndarray:
    """(n, K) chances by the penalised multinomial model among what was eligible, with its Hessian written out."""
    d, k = x.shape[1], eligible.shape[1]
    flat, strength = np.zeros(d * k), np.repeat(np.r_[0.0, np.full(d - 1, penalty)], k)
    for _ in range(30):
        chances = np.where(eligible, np.exp(x @ flat.reshape(d, k)), 0.0)
        chances /= chances.sum(axis=1, keepdims=True)
        gradient = (x.T @ (chances - np.eye(k)[chosen])).ravel() + strength * flat
        curvature = np.einsum("ij,jk->ijk", chances, np.eye(k)) - np.einsum("ij,ik->ijk", chances, chances)
        hessian = np.einsum("ia,ib,ijk->ajbk", x, x, curvature).reshape(d * k, d * k) + np.diag(strength)
        flat -= np.linalg.lstsq(hessian, gradient, rcond=None)[0]  # a level of the constants is left open
    return chances


@pytest.mark.parametrize("penalty", [1.0, 30.0])
def test_the_model_is_the_masked_multinomial_one(chosen_by_rule: dict[str, np.ndarray], penalty: float) -> None:
    given = {name: column[:300] for name, column in chosen_by_rule.items()}
    x = np.column_stack([np.ones(300), given["x"], given["group"] == 1])
    weights = _fit(sparse.csr_array(x), given["eligible"], given["chosen"], penalty)
    expected = newton(x, given["eligible"], given["chosen"], penalty)
    np.testing.assert_allclose(np.exp(_log_chances(x @ weights, given["eligible"])), expected, atol=1e-4)
