"""Headline tests of Upworthy, run again: how much of what the best headline would have gained does a policy gain?

The Upworthy Research Archive (Matias, Munger, Le Quere and Ebersole 2021) holds how often each package of headline,
image and excerpt was shown and clicked. These click rates are taken as the truth, and readers are simulated who click
with them. They scatter more than the true ones did, being counts, so that differences here are somewhat larger.
"""

import csv
import gzip
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from bench.cells import spread
from bench.figures import Figures
from bench.real_data import real_data
from policies.base import Learner, Policy, sample, uniform
from policies.quadrature import Betas, chances_of_being_best
from policies.registry import PolicySpec, create
from policies.tallies import Tallies, TallyLearner
from policies.types import Action, Pmf, RewardRange, TrainingExample

FILE = "upworthy/headlines.csv.gz"
UNSOUND = ("201325", "201401")
"""The first and the last week, as YYYYWW with weeks from Monday, in which readers were not assigned at random: by the
archive's authors from 25 June 2013 to 10 January 2014."""
TESTS = 60
IMPRESSIONS = 20_000
"""Readers of each test."""
SEGMENT = 100
"""Readers who are served by what was learned from those before them."""
TRIAL = 4_000
"""Readers of the A/B test that is a reference: all packages alike, and to all others only its winner."""
RESAMPLES = 2_000
"""Of the bootstrap over tests."""
_AT_ONCE = 10  # tests of one piece of work

Floats = NDArray[np.float64]


@lru_cache(maxsize=1)
def tests(count: int) -> tuple[Floats, ...]:
    """The click rates of the packages of so many sound tests: a committed sample, in a fixed order. Raises NoData."""
    packages: dict[str, dict[tuple[str, ...], list[int]]] = {}
    with gzip.open(real_data(FILE), "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if UNSOUND[0] <= row["test_week"] <= UNSOUND[1]:
                continue
            package = (row["headline"], row["eyecatcher_id"], row["excerpt"])
            shown = packages.setdefault(row["clickability_test_id"], {}).setdefault(package, [0, 0])
            shown[0] += int(row["impressions"])
            shown[1] += int(row["clicks"])
    rates = [np.array([clicks / n for n, clicks in of_test.values()]) for _, of_test in sorted(packages.items())]
    able = [one for one in rates if one.max() > one.min()]  # else there is nothing to gain
    rng = np.random.default_rng(0)
    # the packages, too: the archive lists winners first more often than chance would, and a policy may start there
    return tuple(rng.permutation(able[i]) for i in rng.permutation(len(able))[:count])


@dataclass(frozen=True, slots=True)
class Gain:
    """Expected clicks of one test beyond those of uniform: by the probabilities that were served, and at most."""

    gained: float
    possible: float


def simulate(rates: Floats, policy: Policy, *, seed: int, impressions: int = IMPRESSIONS) -> Gain:
    """One test. Every policy meets the same readers: the same draw points, and the same wish to click."""
    variants = tuple(Action(f"package-{i}") for i in range(rates.size))
    rng = np.random.default_rng(seed)
    points, wishes = rng.random(impressions), rng.random(impressions)
    served = 0.0
    for start in range(0, impressions, SEGMENT):
        pmf = policy.pmf({}, variants)
        readers = range(start, min(start + SEGMENT, impressions))
        served += float(pmf @ rates) * len(readers)
        if isinstance(policy, Learner):
            chosen = [sample(pmf, points[reader]) for reader in readers]
            clicks = (float(wishes[reader] < rates[i]) for reader, i in zip(readers, chosen, strict=True))
            policy.learn([TrainingExample({}, variants, pmf, i, r) for i, r in zip(chosen, clicks, strict=True)])
    alike = float(rates.mean()) * impressions
    return Gain(served - alike, float(rates.max()) * impressions - alike)


class _Trial(TallyLearner):
    """An A/B test: all alike for the first readers, then only what won among these. It learns nothing more."""

    def learn(self, examples: Iterable[TrainingExample]) -> None:
        super().learn(islice(examples, TRIAL - self.tallies.examples))


def _winner(tallies: Tallies, variants: Sequence[str], segment: str | None) -> Pmf:
    if tallies.examples < TRIAL:
        return uniform(len(variants))
    shown, clicked, _ = np.array([tallies.of(variant) for variant in variants]).T
    rates = clicked / np.maximum(shown, 1.0)
    best = rates == rates.max()
    return np.asarray(best / best.sum())


def _beta(tallies: Tallies, variants: Sequence[str], segment: str | None) -> Pmf:
    """Thompson sampling as the textbooks have it: every click rate is Beta(1, 1) beforehand."""
    shown, clicked, _ = np.array([tallies.of(variant) for variant in variants]).T
    return chances_of_being_best(Betas(1.0 + clicked, 1.0 + shown - clicked))


REFERENCES: dict[str, Callable[[], Policy]] = {
    f"A/B test on {TRIAL / IMPRESSIONS:.0%}, then its winner": lambda: _Trial(
        "trial", _winner, reward_range=RewardRange()
    ),
    "Thompson sampling, Beta(1, 1)": lambda: TallyLearner("beta", _beta, reward_range=RewardRange()),
}
"""What a policy is compared with, beside uniform, whose share is 0."""


def _built(policy: str) -> Policy:
    if reference := REFERENCES.get(policy):
        return reference()
    return create(PolicySpec.parse(policy), default="package-0", reward_range=RewardRange())


def gains(policy: str, count: int, start: int, stop: int) -> list[Gain]:
    """Those of the tests from `start` to `stop` of a sample of so many."""
    return [simulate(rates, _built(policy), seed=start + i) for i, rates in enumerate(tests(count)[start:stop])]


def share(found: Sequence[Gain]) -> tuple[float, float]:
    """The share of the possible gain over all tests, and its standard error by a bootstrap over tests."""
    gained, possible = np.array([(one.gained, one.possible) for one in found]).T
    again = np.random.default_rng(0).integers(len(found), size=(RESAMPLES, len(found)))
    resampled = gained[again].sum(axis=1) / possible[again].sum(axis=1)
    return float(gained.sum() / possible.sum()), float(resampled.std(ddof=1))


def measure(policies: Sequence[str], count: int = TESTS) -> Figures:
    """Policies in rows, REFERENCES among them where they are asked for. Raises NoData."""
    count = len(tests(count))
    cells = [
        (policy, count, start, min(start + _AT_ONCE, count))
        for policy in policies
        for start in range(0, count, _AT_ONCE)
    ]
    found: dict[str, list[Gain]] = {policy: [] for policy in policies}
    for (policy, *_), part in zip(cells, spread(gains, cells), strict=True):
        found[policy] += part
    shares = {policy: share(of_policy) for policy, of_policy in found.items()}
    return Figures(
        title=(
            f"upworthy: share of the possible gain over uniform ± standard error, {count} tests of {IMPRESSIONS:,} "
            f"readers, learning every {SEGMENT}"
        ),
        header=("policy", "share of the possible gain"),
        rows=tuple((policy, f"{100 * value:.1f} ± {100 * error:.1f} %") for policy, (value, error) in shares.items()),
        document={
            policy: {"share": value, "standard_error": error, "gained": [one.gained for one in found[policy]]}
            for policy, (value, error) in shares.items()
        },
    )
