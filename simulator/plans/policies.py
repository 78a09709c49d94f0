"""A campaign's policy as a plan asks it: of sums where it learns from these alone, else as it went in a few runs of its
own. No context is known to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from policies.base import Learner
from policies.bounds import Bounds, bounded
from policies.features import escape
from policies.registry import PolicySpec, create, learns
from policies.tallies import Tallies, Tally, TallyLearner
from policies.types import Action, Pmf, RewardRange, TrainingExample
from policies.vowpal_menu import VOWPAL_MENU
from simulator.logs.log import Floats, Indices
from simulator.plans.planning import Rates, Shares

STAND_IN = PolicySpec("best_variant")
"""What other policies that look at the context come to, where the context says nothing."""

RUNS, DECISIONS, ASKED = 10, 6_000, 24
"""Of a learner that is run: how often, for how many decisions, and how often it is asked on the way."""

Bound = Callable[[Pmf], Pmf]


@dataclass(frozen=True, slots=True)
class PlannedPolicy:
    """shares: what is drawn from, explore share and bounds included. run: it is the policy itself in runs of its own,
    which go on as they ended. stand_in: who plays its part; empty for itself.
    """

    shares: Shares
    learns: bool
    run: bool = False
    stand_in: str = ""


def planned_policy(
    spec: PolicySpec,
    variants: Sequence[str],
    rates: Rates,
    *,
    default: str,
    explore: float,
    bounds: Bounds,
    reward_range: RewardRange,
    seed: int = 0,
) -> PlannedPolicy:
    """The policy over these variants, in the order of the rates.

    What never learns, and what learns from tallies alone (thompson, gaussian, best_variant), is asked itself, and
    forgets nothing, whatever its half-life. What Vowpal Wabbit learns is run: RUNS times DECISIONS rounds. STAND_IN
    stands for the others, auto among them. Raises PolicyError.
    """
    actions = tuple(Action(variant) for variant in variants)

    def drawn_from(pmf: Pmf) -> Pmf:
        return bounded(pmf, actions, explore=explore, bounds=bounds).pmf

    def built(spec: PolicySpec, state: bytes | None = None, seed: int = 0) -> Learner:
        learner = create(spec, default=default, reward_range=reward_range, seed=seed, state=state)
        assert isinstance(learner, Learner)
        return learner

    if not learns(spec):
        policy = create(spec, default=default, reward_range=reward_range)
        pmf = drawn_from(policy.pmf({}, actions))
        return PlannedPolicy(lambda learned: np.tile(pmf, (learned.shape[1], 1)), learns=False)
    if spec.name in VOWPAL_MENU:
        rng = np.random.default_rng(seed)
        ends = np.unique(np.geomspace(10 * len(variants), max(DECISIONS, 10 * len(variants)), ASKED).astype(np.intp))
        paths = np.array([_run(built(spec, seed=run), actions, rates, ends, drawn_from, rng) for run in range(RUNS)])

        def went(learned: Floats) -> Floats:
            runs = np.arange(learned.shape[1]) % RUNS
            return np.asarray(paths[runs, np.searchsorted(ends, learned[0].sum(axis=1) + 1e-6, side="right")])

        return PlannedPolicy(went, learns=True, run=True)
    itself = isinstance(built(spec), TallyLearner)
    asked = spec if itself else STAND_IN
    arguments = built(asked).arguments

    def tallied(counts: Floats, sums: Floats, squares: Floats) -> Floats:
        if not counts.any():
            return drawn_from(built(asked).pmf({}, actions))
        low, width = reward_range.low, reward_range.high - reward_range.low
        # inside the range each by itself; drawn together, they can be a little outside
        scaled = np.clip((sums - counts * low) / width, 0.0, counts)
        scaled_squares = np.clip((squares - 2.0 * low * sums + low**2 * counts) / width**2, 0.0, scaled)
        rows = zip(variants, counts.tolist(), scaled.tolist(), scaled_squares.tolist(), strict=True)
        tallies = Tallies.told({escape(variant): Tally(n, r, rr) for variant, n, r, rr in rows})
        return drawn_from(built(asked, tallies.dump(arguments)).pmf({}, actions))

    def each(learned: Floats) -> Floats:
        return np.array([tallied(*row) for row in zip(*learned, strict=True)])

    return PlannedPolicy(each, learns=True, stand_in="" if itself else STAND_IN.name)


def _run(
    learner: Learner,
    actions: tuple[Action, ...],
    rates: Rates,
    ends: Indices,
    drawn_from: Bound,
    rng: np.random.Generator,
) -> Floats:
    """(len(ends) + 1, K) what is drawn from at first, and after each of so many decisions, learned as they come."""
    means, deviations = rates.means, np.sqrt(rates.variances)
    path = [drawn_from(learner.pmf({}, actions))]
    for n in np.diff(ends, prepend=0):
        pmf = path[-1]
        chosen = rng.choice(len(actions), size=n, p=pmf)
        noise = rng.random(n) if rates.binary else rng.standard_normal(n)
        rewards = noise < means[chosen] if rates.binary else means[chosen] + deviations[chosen] * noise
        learner.learn(
            TrainingExample({}, actions, pmf, place, float(reward))
            for place, reward in zip(chosen.tolist(), rewards, strict=True)
        )
        path.append(drawn_from(learner.pmf({}, actions)))
    return np.array(path)
