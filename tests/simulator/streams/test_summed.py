"""Sums tell the same numbers as the rounds themselves: estimates, differences, comparisons, verdicts, diagnostics."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

import numpy as np
import pytest

from simulator import Estimate, Log, NoSupport
from simulator.asked import Asked
from simulator.comparisons import compare
from simulator.diagnostics import diagnose, earned_range, heaviness, possible, weights
from simulator.estimators import ESTIMATORS, Evidence, difference, expectation, mean
from simulator.intervals.clustered import Possible, numbered, p_value
from simulator.logs.log import Floats
from simulator.rows import LOGGED, SPEC, Period, Row
from simulator.streams.summed import NOBODY, SUMMED, Evident, diagnostics, earned, ips, tail_needed, within
from simulator.streams.sums import Rounds, Sums, merged, sums_of
from simulator.verdict import verdict

MakeLog = Callable[..., Log]

POLICIES = ("uniform", "spread", "greedy")


def targets_of(log: Log) -> list[Floats]:
    """Three policies of very different weights."""
    rng = np.random.default_rng(5)
    greedy = np.eye(3)[np.where([context["lang"] == "es" for context in log.contexts], 1, 0)]
    return [np.full((len(log), 3), 1 / 3), rng.dirichlet(np.ones(3), size=len(log)), 0.02 / 3 + 0.98 * greedy]


def model_of(log: Log) -> Floats:
    return np.random.default_rng(6).uniform(log.rewards.min(), log.rewards.max(), size=(len(log), 3))


def summed(log: Log, targets: Sequence[Floats], q: Floats | None, rows: slice, **options: int) -> Sums:
    part, pmfs = log[rows], [target[rows] for target in targets]
    values, counts = np.unique(log.rewards, return_counts=True)
    unlogged = part.probabilities <= 0.0 if part.probabilities is not None else None
    return sums_of(
        Rounds(
            persons=part.persons,
            times=part.times,
            rewards=part.rewards,
            rewarded=part.rewards != values[np.argmax(counts)],
            weights=np.array([weights(part, pmf) for pmf in pmfs]),
            expected=None if q is None else np.array([expectation(pmf, q[rows]) for pmf in pmfs]),
            predicted=None if q is None else q[rows][np.arange(len(part)), part.chosen],
        ),
        heaviness=[heaviness(part, pmf) for pmf in pmfs],
        never=[0.0 if unlogged is None else float(pmf[unlogged].sum()) for pmf in pmfs],
        **{"tail": tail_needed(len(log)), **options},
    )


def evidence_of(log: Log, target: Floats, q: Floats) -> Evidence:
    return Evidence(
        rewards=log.rewards,
        weights=weights(log, target),
        expected=expectation(target, q),
        predicted=q[np.arange(len(log)), log.chosen],
        persons=numbered(log.persons),
        possible=possible(log, target),
    )


def evident(sums: Sums, log: Log) -> dict[str, Evident]:
    columns = sums.columns
    return {name: Evident(sums, columns, place, *earned_range(log)) for place, name in enumerate(POLICIES)}


def numbers(found: Estimate) -> dict[str, object]:
    return {name: getattr(found, name) for name in found.__slots__ if name != "influence"}


def same(first: Estimate, second: Estimate) -> None:
    told, expected = numbers(first), numbers(second)
    for name, value in expected.items():
        assert told[name] == (pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value), name


@pytest.fixture(params=["clicks", "amounts", "propensities only", "some never logged"])
def log(request: pytest.FixtureRequest, make_log: MakeLog) -> Log:
    clicks = make_log(1500, persons=400)
    if request.param == "amounts":
        return replace(clicks, rewards=clicks.rewards * np.random.default_rng(1).normal(50.0, 9.0, size=1500) - 10.0)
    if request.param == "propensities only":
        return replace(clicks, probabilities=None)
    if request.param == "some never logged":
        probabilities = np.tile([0.7, 0.3, 0.0], (1500, 1))
        chosen = np.arange(1500) % 2
        return make_log(
            1500, persons=400, probabilities=probabilities, chosen=chosen, propensities=probabilities[0][chosen]
        )
    return clicks


@pytest.fixture
def whole(log: Log) -> Sums:
    """Of pieces of unequal size, merged neither in order nor one after the other."""
    targets, q = targets_of(log), model_of(log)
    first, second, third = (summed(log, targets, q, rows) for rows in (np.s_[:100], np.s_[100:1100], np.s_[1100:]))
    return merged(third, merged(first, second))


def test_every_estimate_and_its_interval(log: Log, whole: Sums) -> None:
    q = model_of(log)
    for target, x in zip(targets_of(log), evident(whole, log).values(), strict=True):
        for name, estimator in SUMMED.items():
            same(estimator(x, 0.9), ESTIMATORS[name].of(evidence_of(log, target, q), 0.9))


def test_what_was_earned(log: Log, whole: Sums) -> None:
    low, high = earned_range(log)
    expected = mean(log.rewards, numbered(log.persons), possible=Possible(1.0, 1.0, low, high))
    same(earned(whole, (low, high), 0.95), within(expected, (low, high)))


def test_every_difference_and_how_surprising_it_is(log: Log, whole: Sums) -> None:
    q, persons = model_of(log), numbered(log.persons)
    known = {
        name: ESTIMATORS["dr"].of(evidence_of(log, target, q), 0.95)
        for name, target in zip(POLICIES, targets_of(log), strict=True)
    }
    told = {name: SUMMED["dr"](x, 0.95) for name, x in evident(whole, log).items()}
    for first in POLICIES:
        for second in POLICIES:
            expected = difference(known[first], known[second], persons, confidence=0.99)
            found = difference(told[first], told[second], NOBODY, confidence=0.99)
            if first != second:
                same(found, expected)
                surprise = [
                    p_value(one.value, one.influence, who, up=one.up, down=one.down)
                    for one, who in ((found, NOBODY), (expected, persons))
                ]
                assert surprise[0] == pytest.approx(surprise[1], abs=1e-8)


def test_comparisons_and_verdict_are_the_same_sentences(log: Log, whole: Sums) -> None:
    q, persons, bounds = model_of(log), numbered(log.persons), earned_range(log)
    served = mean(log.rewards, persons, possible=Possible(1.0, 1.0, *bounds))

    def rows(logged: Estimate, estimates: Sequence[Estimate]) -> list[Row]:
        period = Period(0.0, 1.0, len(log))
        judged = [
            Row(name, SPEC, {"dr": found}, None, None, None, period)
            for name, found in zip(POLICIES, estimates, strict=True)
        ]
        return [Row(LOGGED, LOGGED, {"mean": logged}, None, None, None, period), *judged]

    known = rows(served, [ESTIMATORS["dr"].of(evidence_of(log, t, q), 0.95) for t in targets_of(log)])
    told = rows(earned(whole, bounds, 0.95), [SUMMED["dr"](x, 0.95) for x in evident(whole, log).values()])
    asked = Asked(("dr",), "dr", 0.95, "es")
    assert verdict(told, NOBODY, asked) == verdict(known, persons, asked)
    for one, other in zip(compare(told, NOBODY, asked), compare(known, persons, asked), strict=True):
        assert one.sentence == other.sentence
        assert one.p_value == pytest.approx(other.p_value, abs=1e-8)


def test_diagnostics(log: Log, whole: Sums) -> None:
    for target, x in zip(targets_of(log), evident(whole, log).values(), strict=True):
        expected = asdict(diagnose(log, target))
        for name, value in asdict(diagnostics(x, exact=log.probabilities is not None)).items():
            assert value == (pytest.approx(expected[name], rel=1e-9) if value is not None else expected[name]), name


def test_without_a_model_and_without_weight(make_log: MakeLog) -> None:
    log = make_log(300)
    never = np.tile([0.0, 0.0, 1.0], (300, 1))
    log = replace(log, chosen=np.zeros(300, dtype=int), probabilities=None)
    x = Evident(summed(log, [never], None, np.s_[:]), summed(log, [never], None, np.s_[:]).columns, 0, 0.0, 1.0)
    with pytest.raises(NoSupport, match="0 of 300 logged choices"):
        ips(x, 0.95)
    with pytest.raises(ValueError, match="without a model of the rewards"):
        SUMMED["dm"](x, 0.95)
