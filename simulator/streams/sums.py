"""What is kept of a log that is larger than memory: sums by cluster of people, from which every estimate follows.

Every estimate of `summed`, and every difference of two, is a mean whose influence is a sum of columns: 1, r, and of
each policy w, w·r, Σ_a π(a|x)·q(x, a), w·(r - q(x, chosen)). So that of the rounds nothing need be kept but the
sums of these columns by cluster, and the sums of their products two by two. Sums of pieces of a log are merged to those
of the whole: in any order and grouping, up to rounding; in one order, to the same bits.

A person is a cluster while there are at most `most` of them. When there are more, persons are hashed to so many
clusters. That is sound: people are independent of each other, so that the sums over disjoint sets of people are, too,
and the sandwich variance asks for no more than clusters that are independent. Its expectation stays the same; what is
lost is precision of the error itself, about 1/√(2 · most) of it (0.3 % at 65,536).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simulator.intervals.linear import Columns, Linear
from simulator.logs.log import Codes, Flags, Floats

MOST_CLUSTERS = 65_536

ONE, REWARD = 0, 1
WEIGHT, WEIGHTED, EXPECTED, CORRECTION = 0, 1, 2, 3
"""The columns of a policy: w, w·r, Σ_a π(a|x)·q(x, a), w·(r - q(x, chosen)). The last two only where there is a q."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """Some rounds, and what each of P policies would do in them. persons: (n,) codes that mean the same person in every
    piece of the log. rewarded: (n,) those whose reward is not the commonest. weights: (P, n). expected: (P, n)
    Σ_a π(a|x)·q(x, a), and predicted: (n,) q(x, chosen); None without a model.
    """

    persons: Codes
    times: Floats
    rewards: Floats
    rewarded: Flags
    weights: Floats
    expected: Floats | None = None
    predicted: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Of n rounds and P policies. keys: (G,) the persons, in order, or where they were `folded` the places of the
    clusters. totals: (G, c) of the columns. moments: (c, c). spans: the least and greatest time, and reward.

    Of each policy, (P,): heaviness: Σ E[w³ | x]; heaviest: the greatest weight that there could have been; never: Σ of
    its probability on what could not be logged; events: (2, P) Σw and Σw² over the rewarded rounds; greatest: (P, t)
    its greatest weights, from the greatest on; positive: how many weights are above 0.
    """

    n: int
    most: int
    keys: Codes
    folded: bool
    totals: Floats
    moments: Floats
    modelled: bool
    time_span: tuple[float, float]
    reward_span: tuple[float, float]
    heaviness: Floats
    heaviest: Floats
    never: Floats
    events: Floats
    greatest: Floats
    positive: Codes

    @property
    def clusters(self) -> int:
        """Those that have a round: persons, unless they were folded."""
        return int(np.count_nonzero(self.totals[:, ONE]))

    @property
    def columns(self) -> Columns:
        """For influences. Clusters without a round are none."""
        present = self.totals[:, ONE] > 0.0
        totals = self.totals if present.all() else self.totals[present]
        return Columns(self.n, totals, totals[:, ONE], self.moments)


def place_of(policy: int, column: int, *, modelled: bool) -> int:
    """Where the column of the policy is among all columns."""
    return 2 + policy * (4 if modelled else 2) + column


def sums_of(
    rounds: Rounds,
    *,
    heaviness: Sequence[tuple[float, float]],
    never: Sequence[float],
    most: int = MOST_CLUSTERS,
    tail: int = 0,
) -> Sums:
    """The sums of some rounds. heaviness: of each policy as `simulator.diagnostics.heaviness` tells; never: of each
    the sum of its probability on what could not be logged. tail: how many of the greatest weights to keep.
    """
    columns = _columns(rounds)
    keys, codes = np.unique(rounds.persons, return_inverse=True)
    totals = _totals(columns, codes.reshape(-1), keys.size)
    counted = np.where(rounds.rewarded, rounds.weights, 0.0)
    found = Sums(
        n=len(rounds.rewards),
        most=most,
        keys=keys,
        folded=False,
        totals=totals,
        moments=columns.T @ columns,
        modelled=rounds.expected is not None,
        time_span=(float(rounds.times.min()), float(rounds.times.max())),
        reward_span=(float(rounds.rewards.min()), float(rounds.rewards.max())),
        heaviness=np.array([cubes for cubes, _ in heaviness]),
        heaviest=np.array([greatest for _, greatest in heaviness]),
        never=np.asarray(never, dtype=np.float64),
        events=np.stack([counted.sum(axis=1), np.sum(counted**2, axis=1)]),
        greatest=_greatest(rounds.weights, tail),
        positive=np.count_nonzero(rounds.weights > 0.0, axis=1),
    )
    return _folded(found) if keys.size > most else found


def merged(first: Sums, second: Sums) -> Sums:
    """The sums of both: of other rounds of the same log, for the same policies."""
    if second.folded and not first.folded:
        first, second = second, first
    if first.folded:
        keys, totals = first.keys, first.totals.copy()
        if second.folded:
            totals += second.totals
        else:
            _add_folded(totals, second)
    else:
        keys, codes = np.unique(np.concatenate([first.keys, second.keys]), return_inverse=True)
        codes = codes.reshape(-1)
        totals = np.zeros((keys.size, first.totals.shape[1]))
        totals[codes[: first.keys.size]] = first.totals
        totals[codes[first.keys.size :]] += second.totals
    tail = max(first.greatest.shape[1], second.greatest.shape[1])
    found = replace(
        first,
        n=first.n + second.n,
        keys=keys,
        totals=totals,
        moments=first.moments + second.moments,
        time_span=_span(first.time_span, second.time_span),
        reward_span=_span(first.reward_span, second.reward_span),
        heaviness=first.heaviness + second.heaviness,
        heaviest=np.maximum(first.heaviest, second.heaviest),
        never=first.never + second.never,
        events=first.events + second.events,
        greatest=_greatest(np.concatenate([first.greatest, second.greatest], axis=1), tail),
        positive=first.positive + second.positive,
    )
    return _folded(found) if not found.folded and keys.size > first.most else found


def form(sums: Sums, columns: Columns, policy: int, column: int) -> Linear:
    """A column of a policy, to make influences from. Raises ValueError for one that needs a model, without one."""
    if column >= EXPECTED and not sums.modelled:
        raise ValueError("these sums were made without a model of the rewards")
    return columns.form(place_of(policy, column, modelled=sums.modelled))


def mixed(keys: NDArray[np.int64], salt: int = 0) -> NDArray[np.uint64]:
    """Well mixed 64 bits of each key (splitmix64, Steele, Lea & Flood 2014); another salt gives others."""
    with np.errstate(over="ignore"):
        bits = keys.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15) * np.uint64(salt + 1)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        found: NDArray[np.uint64] = bits ^ (bits >> np.uint64(31))
    return found


def _columns(rounds: Rounds) -> Floats:
    """(n, c) the columns, each round contiguous: so are they summed by cluster."""
    rewards, weights = rounds.rewards, rounds.weights
    of_policies = [weights, weights * rewards]
    if rounds.expected is not None and rounds.predicted is not None:
        of_policies += [rounds.expected, weights * (rewards - rounds.predicted)]
    found = np.empty((len(rewards), 2 + len(of_policies) * len(weights)))
    found[:, ONE], found[:, REWARD] = 1.0, rewards
    for place, each in enumerate(of_policies):
        found[:, 2 + place :: len(of_policies)] = each.T  # policy by policy
    return found


def _totals(columns: Floats, codes: NDArray[np.intp], clusters: int) -> Floats:
    """(G, c) the sums of (n, c) columns by cluster, of which (n,) codes tell which one each row is in."""
    n = len(codes)
    found: Floats = sparse.csc_array((np.ones(n), codes, np.arange(n + 1)), shape=(clusters, n)) @ columns
    return found


def _folded(sums: Sums) -> Sums:
    """With the persons hashed to `most` clusters."""
    totals = np.zeros((sums.most, sums.totals.shape[1]))
    _add_folded(totals, sums)
    return replace(sums, keys=np.arange(sums.most, dtype=np.int64), folded=True, totals=totals)


def _add_folded(totals: Floats, sums: Sums) -> None:
    """Add the persons' sums to those of their clusters, (most, c)."""
    clusters = (mixed(sums.keys) % np.uint64(sums.most)).astype(np.intp)
    present, codes = np.unique(clusters, return_inverse=True)
    totals[present] += _totals(sums.totals, codes.reshape(-1), present.size)


def _greatest(weights: Floats, count: int) -> Floats:
    """(P, t) the greatest, from the greatest on; t is `count`, or how many there are."""
    kept = weights if weights.shape[1] <= count else np.partition(weights, weights.shape[1] - count)[:, -count:]
    return -np.sort(-kept) if count else weights[:, :0]


def _span(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    return min(first[0], second[0]), max(first[1], second[1])
