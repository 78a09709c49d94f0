"""A real e-mail campaign, sent at random: what policies earn that were trained on half of it, judged on the other half.

Kevin Hillstrom's MineThatData challenge: of 64,000 customers a third each got an e-mail with men's wear, one with
women's wear, or none. The reward is whether they visited the shop in the next two weeks, or what they spent there.
"""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import islice

import numpy as np

from bench.cells import spread
from bench.figures import Figures
from bench.real_data import real_data
from policies.base import Learner
from policies.registry import PolicySpec, create
from policies.types import Action, Features, RewardRange
from simulator.diagnostics import weights
from simulator.estimators import Estimate, difference, dr, expectation
from simulator.logs.contexts import Contexts
from simulator.logs.log import Floats, Log
from simulator.models.linear import cross_fitted

FILE = "hillstrom/hillstrom.csv"
SPLITS = 5
"""Ways to halve the customers; the seed of each is its number."""
SEGMENT = 1_000
"""Examples learned in one call."""
RANGES = {"visit": RewardRange(0.0, 1.0), "spend": RewardRange(0.0, 500.0)}
"""The rewards, and the range declared for each."""
NO_MAIL = "No E-Mail"
VARIANTS = tuple(Action(name) for name in (NO_MAIL, "Mens E-Mail", "Womens E-Mail"))
FIXED = tuple(f"fixed:{action.id}" for action in VARIANTS)

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Measured:
    """A mean reward, or a difference of two, with half the width of its 95 % interval."""

    value: float
    half: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One policy on one split. `gains`: how much more it earned than each of FIXED, paired by customer."""

    earned: Measured
    gains: tuple[Measured, ...]


@lru_cache(maxsize=1)
def _rows() -> list[Row]:
    with real_data(FILE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def log_of(rows: Sequence[Row], reward: str) -> Log:
    """These customers in this order, as decided by drawing one of three alike."""
    ids = [action.id for action in VARIANTS]
    n, k = len(rows), len(ids)
    return Log(
        actions=VARIANTS,
        contexts=Contexts.of(map(_context, rows)),
        eligible=np.ones((n, k), dtype=bool),
        chosen=np.array([ids.index(row["segment"]) for row in rows]),
        propensities=np.full(n, 1.0 / k),
        probabilities=np.full((n, k), 1.0 / k),
        rewards=np.array([float(row[reward]) for row in rows]),
        times=np.arange(n, dtype=np.float64),
        persons=np.arange(n),
        default=NO_MAIL,
        name=f"hillstrom {reward}",
        reward_range=RANGES[reward],
        timed=False,
    )


def _context(row: Row) -> Features:
    """What was known before the e-mail. `history_segment` is left out: it is `history` in ranges."""
    numbers = {name: float(row[name]) for name in ("recency", "history")}
    flags = {name: row[name] == "1" for name in ("mens", "womens", "newbie")}
    return {**numbers, **flags, "zip_code": row["zip_code"], "channel": row["channel"]}


@dataclass(frozen=True, eq=False)
class Split:
    """Half to learn from, half to judge on. q: (n, K), a reward model of the latter. fixed: what FIXED earn there."""

    trained: Log
    judged: Log
    q: Floats
    fixed: tuple[Estimate, ...]


@lru_cache(maxsize=1)  # a process is given the policies of one split after another
def split(reward: str, seed: int) -> Split:
    """Raises NoData."""
    rows = _rows()
    order = np.random.default_rng(seed).permutation(len(rows))
    half = len(rows) // 2
    trained, judged = (log_of([rows[i] for i in part], reward) for part in (order[:half], order[half:]))
    q = cross_fitted(judged, seed=seed)
    always = np.eye(len(VARIANTS))
    fixed = tuple(_earned(judged, q, np.tile(row, (len(judged), 1))) for row in always)
    return Split(trained, judged, q, fixed)


def _earned(log: Log, q: Floats, target: Floats) -> Estimate:
    predicted = q[np.arange(len(log)), log.chosen]
    return dr(log.rewards, weights(log, target), expectation(target, q), predicted, log.persons)


def judge(reward: str, seed: int, policy: str) -> Judged:
    """Train the policy on one half of a split, in segments, and estimate what it earns on the other."""
    given = split(reward, seed)
    built = create(PolicySpec.parse(policy), default=NO_MAIL, reward_range=RANGES[reward], seed=seed)
    if isinstance(built, Learner):
        examples = given.trained.examples()
        while segment := list(islice(examples, SEGMENT)):
            built.learn(segment)
    target = np.array([built.pmf(context, VARIANTS) for context in given.judged.contexts])
    earned = _earned(given.judged, given.q, target)
    gains = (difference(earned, fixed, given.judged.persons) for fixed in given.fixed)
    return Judged(_measured(earned), tuple(map(_measured, gains)))


def _measured(estimate: Estimate) -> Measured:
    return Measured(estimate.value, (estimate.high - estimate.low) / 2.0)


def mean(measured: Sequence[Measured]) -> Measured:
    """Over splits. The half-width is theirs on average, not divided by √splits: they share customers."""
    return Measured(float(np.mean([one.value for one in measured])), float(np.mean([one.half for one in measured])))


def measure(policies: Sequence[str], splits: int = SPLITS) -> Figures:
    """Policies in rows, each variant alone first; for each reward what was earned, and how much more that is than what
    the best variant alone earned. Raises NoData.
    """
    real_data(FILE)
    named = tuple(dict.fromkeys((*FIXED, *policies)))
    cells = [(reward, seed, policy) for reward in RANGES for seed in range(splits) for policy in named]
    found = dict(zip(cells, spread(judge, cells), strict=True))
    header, columns, document = ["policy"], [list(named)], {}
    for reward in RANGES:
        judged = {policy: [found[reward, seed, policy] for seed in range(splits)] for policy in named}
        earned = {policy: mean([one.earned for one in judged[policy]]) for policy in named}
        best = max(range(len(FIXED)), key=lambda i: earned[FIXED[i]].value)
        gains = {policy: mean([one.gains[best] for one in judged[policy]]) for policy in named}
        digits = 4 if reward == "visit" else 3
        header += [reward, f"less {FIXED[best]}"]
        columns += [
            [_text(one[policy], digits, sign) for policy in named] for one, sign in ((earned, ""), (gains, "+"))
        ]
        document[reward] = {
            policy: {"earned": asdict(earned[policy]), "gain": asdict(gains[policy])} for policy in named
        }
    return Figures(
        title=f"hillstrom: doubly robust mean reward ± half of the 95 % interval, {splits} splits",
        header=tuple(header),
        rows=tuple(zip(*columns, strict=True)),
        document=document,
    )


def _text(one: Measured, digits: int, sign: str) -> str:
    value = round(one.value, digits) + 0.0  # no -0.000
    return f"{value:{sign}.{digits}f} ± {one.half:.{digits}f}"
