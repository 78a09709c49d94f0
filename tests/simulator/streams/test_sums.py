"""Sums of pieces: merged in any order and grouping they are those of the whole, and people may share clusters."""

from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.intervals.clustered import clustered
from simulator.intervals.linear import Linear
from simulator.logs.log import Floats
from simulator.streams.sums import ONE, REWARD, WEIGHTED, Rounds, Sums, form, merged, mixed, sums_of


def rounds_of(n: int, *, persons: int, seed: int = 0) -> Rounds:
    """Rewards that persons share in part, and one policy."""
    rng = np.random.default_rng(seed)
    who = rng.integers(persons, size=n)
    rewards = rng.normal(size=persons)[who] + rng.normal(size=n)
    return Rounds(
        persons=who,
        times=np.arange(n, dtype=np.float64),
        rewards=rewards,
        rewarded=rewards > 1.0,
        weights=rng.exponential(size=(1, n)),
    )


def taken(rounds: Rounds, rows: slice) -> Rounds:
    return Rounds(
        persons=rounds.persons[rows],
        times=rounds.times[rows],
        rewards=rounds.rewards[rows],
        rewarded=rounds.rewarded[rows],
        weights=rounds.weights[:, rows],
    )


def summed(rounds: Rounds, most: int = 10_000) -> Sums:
    weights = rounds.weights[0]
    return sums_of(
        rounds, heaviness=[(float(np.sum(weights**3)), float(weights.max()))], never=[0.25], most=most, tail=20
    )


def alike(first: Sums, second: Sums) -> None:
    for name in first.__slots__:
        one, other = getattr(first, name), getattr(second, name)
        assert one == pytest.approx(other, rel=1e-12), name


@given(
    cuts=st.lists(st.integers(1, 399), min_size=1, max_size=6, unique=True),
    seed=st.integers(0, 5),
    most=st.sampled_from([8, 60, 10_000]),
)
@settings(deadline=None, max_examples=40)
def test_merging_is_associative_and_commutative(cuts: list[int], seed: int, most: int) -> None:
    """Whether persons stay themselves, are folded on the way, or at once."""
    rounds = rounds_of(400, persons=100)
    ends = [0, *sorted(cuts), 400]
    pieces = [summed(taken(rounds, slice(a, b)), most) for a, b in pairwise(ends)]
    forward = reduce(merged, pieces)
    shuffled = [pieces[place] for place in np.random.default_rng(seed).permutation(len(pieces))]
    alike(forward, reduce(lambda later, earlier: merged(earlier, later), shuffled))
    never = 0.25 * len(pieces)
    at_once = summed(rounds, most)
    assert forward.never.tolist() == [never]
    assert forward.totals == pytest.approx(at_once.totals, rel=1e-9)
    assert forward.folded == at_once.folded == (most < 100)
    assert forward.greatest.tolist() == at_once.greatest.tolist() == [sorted(rounds.weights[0])[:-21:-1]]
    assert (forward.n, forward.time_span, forward.reward_span) == (400, at_once.time_span, at_once.reward_span)


def test_a_person_is_in_one_cluster_in_every_piece() -> None:
    rounds = rounds_of(4_000, persons=3_000)
    apart = [summed(taken(rounds, slice(start, start + 500)), 64) for start in range(0, 4_000, 500)]
    assert all(piece.folded for piece in apart)
    cluster_of = mixed(rounds.persons) % np.uint64(64)
    counts = np.bincount(cluster_of.astype(np.intp), minlength=64)
    assert reduce(merged, apart).totals[:, ONE].tolist() == counts.tolist()


def influence(sums: Sums) -> Linear:
    """Of IPS."""
    columns = sums.columns
    scores = form(sums, columns, 0, WEIGHTED)
    return scores - scores.sum() / sums.n * columns.form(ONE)


def test_folded_people_give_the_same_variance() -> None:
    """Over 200 logs of 2,000 persons, the squared error from 128 clusters is that from the persons, in the mean; in a
    single log it is off by about 1/√(2 · 128), as is said.
    """
    ratios = []
    for seed in range(200):
        rounds = rounds_of(4_000, persons=2_000, seed=seed)
        errors = [
            clustered(0.0, influence(sums).influence(), rounds.persons, confidence=0.95).standard_error
            for sums in (summed(rounds), summed(rounds, 128))
        ]
        ratios.append(errors[1] / errors[0])
    assert np.mean(np.square(ratios)) == pytest.approx(1.0, abs=0.03)
    assert np.std(ratios) == pytest.approx(1.0 / np.sqrt(2 * 128), rel=0.25)


def test_folded_people_cover_the_truth() -> None:
    """The mean reward is 0: of 400 intervals at 90 %, about 40 leave it out, and so they do with 32 clusters."""
    missed = {10_000: 0, 32: 0}
    for seed in range(400):
        rounds = rounds_of(900, persons=300, seed=1_000 + seed)
        for most in missed:
            sums = summed(rounds, most)
            columns = sums.columns
            value = columns.form(REWARD).sum() / sums.n
            residuals = columns.form(REWARD) - value * columns.form(ONE)
            found = clustered(value, residuals.influence(), rounds.persons, confidence=0.9)
            missed[most] += not found.low <= 0.0 <= found.high
    assert 25 <= missed[10_000] <= 60
    assert 25 <= missed[32] <= 60


def test_a_linear_form_does_what_an_influence_must() -> None:
    rounds = rounds_of(500, persons=70)
    sums = summed(rounds)
    columns = sums.columns
    w_r, r = form(sums, columns, 0, WEIGHTED), columns.form(REWARD)
    plain: Floats = rounds.weights[0] * rounds.rewards
    found = (np.float64(2.0) * w_r - r * 3.0) / 4.0 + r
    expected = (2.0 * plain - rounds.rewards * 3.0) / 4.0 + rounds.rewards
    assert len(found) == 500
    assert found.sum() == pytest.approx(expected.sum())
    assert found.sum_of_squares() == pytest.approx(np.sum(expected**2))
    assert found.by_cluster() == pytest.approx(np.bincount(rounds.persons, weights=expected))


def test_well_mixed_bits() -> None:
    """Neighbours fall anywhere, and other salts elsewhere."""
    keys = np.arange(-5_000, 5_000)
    places = (mixed(keys) % np.uint64(16)).astype(int)
    assert np.bincount(places, minlength=16) == pytest.approx(625, abs=120)
    assert np.unique(mixed(keys)).size == 10_000
    agree = np.mean(places == (mixed(keys, 1) % np.uint64(16)).astype(int))
    assert agree == pytest.approx(1 / 16, abs=0.02)
