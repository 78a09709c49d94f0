"""Every world: what it draws is what it says."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from policies.types import Action, Features, Pmf
from simulator import Log, evaluate
from simulator.worlds import WORLDS, WorldError, best_value, pmf_of, true_value, world

N = 1_200


class Odd:
    """Two thirds on one variant, which depends on the context."""

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        place = sum(map(ord, str(sorted(context.items())))) % len(actions)
        pmf = np.full(len(actions), 1.0 / 3.0 / max(1, len(actions) - 1))
        pmf[place] = 2.0 / 3.0
        return pmf


@pytest.fixture(params=WORLDS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def columns(log: Log) -> list[object]:
    return [log.rewards.tolist(), log.chosen.tolist(), log.times.tolist(), log.persons.tolist(), list(log.contexts)]


def test_the_truth_is_what_a_policy_earns_that_decides(name: str) -> None:
    """The mean reward of a log that a policy made, beside its value on the contexts of that log."""
    known = world(name)
    log = known.log(N, policy=Odd(), seed=4)
    assert log.name == name
    expected = known.expected_rewards(log)
    assert expected.shape == log.eligible.shape
    surplus = log.rewards - expected[np.arange(N), log.chosen]
    sums = np.bincount(np.unique(log.persons, return_inverse=True)[1], weights=surplus)  # by person
    assert abs(surplus.sum()) <= 4.0 * np.sqrt(np.sum(sums**2))
    value = true_value(known, log, Odd())
    assert value == pytest.approx(float((expected * log.probabilities).sum(axis=1).mean()))
    assert value < best_value(known, log) == pytest.approx(float(expected.max(axis=1).mean()))


def test_propensities_are_those_of_the_policy(name: str) -> None:
    log = world(name).log(300, policy=Odd(), seed=1)
    np.testing.assert_allclose(log.probabilities, pmf_of(log, Odd()))
    np.testing.assert_allclose(log.propensities, pmf_of(log, Odd())[np.arange(300), log.chosen])
    uniform = world(name).log(300, seed=1)
    np.testing.assert_allclose(uniform.propensities, 1.0 / len(uniform.actions))


def test_the_seed_draws_the_log(name: str) -> None:
    known = world(name)
    assert columns(known.log(200, seed=2)) == columns(known.log(200, seed=2))
    assert columns(known.log(200, seed=2)) != columns(known.log(200, seed=3))


def test_a_part_of_a_log_has_the_truth_of_its_rounds(name: str) -> None:
    known = world(name)
    log = known.log(200, seed=2)
    late = log[log.times > log.times[120]]
    np.testing.assert_array_equal(known.expected_rewards(late), known.expected_rewards(log)[121:])


def test_somebody_can_be_better_than_the_best_fixed_variant(name: str) -> None:
    known = world(name)
    log = known.log(N, seed=1)
    expected = known.expected_rewards(log)
    assert best_value(known, log) > 1.04 * expected.mean(axis=0).max()


def test_an_evaluation_tells_truth_and_regret() -> None:
    known = world("segments")
    log = known.log(1_500, seed=1)
    found = evaluate(log, ["best_variant"], estimators=["snips"], truth=known.expected_rewards)
    judged = log[log.times > log.split(0.5)[0].times[-1]]
    expected = known.expected_rewards(judged)
    best = expected.max(axis=1).mean()
    assert found.row("logged").truth == pytest.approx(expected.mean())
    app = found.row("fixed:app")
    assert app.truth == pytest.approx(expected[:, 1].mean())
    assert app.regret == pytest.approx(best - expected[:, 1].mean())
    assert found.holds(app) is True
    assert found.holds(app) == (app.estimates["snips"].low <= app.truth <= app.estimates["snips"].high)
    rows = found.to_dict()["rows"]
    assert [row["truth"] for row in rows] == [row.truth for row in found.rows]  # type: ignore[attr-defined]
    plain = evaluate(log, estimators=["snips"])
    assert plain.row("fixed:app").truth is None
    assert plain.holds(plain.row("fixed:app")) is None


def test_no_such_world() -> None:
    with pytest.raises(WorldError, match="no world 'mars'; known: landing, newsletter, segments"):
        world("mars")


def test_every_world_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "worlds-and-plan.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line.startswith("| `") and line in _table()] == _table()


def _table() -> list[str]:
    return [f"| `{name}` | {entry.about} |" for name, entry in WORLDS.items()]
