"""Linear Thompson sampling: every variant with the probability that its expected reward is the highest.

The expected reward of a variant is linear in the context. Each variant has a posterior of its own, independent of the
others', so the score of each in a given context is one Normal, and the probability of the highest is exact. Agrawal and
Goyal 2013, "Thompson sampling for contextual bandits with linear payoffs".
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from policies.base import UnreadableSnapshot, uniform
from policies.features import escape, squash
from policies.quadrature import Floats, Normals, chances_of_being_best
from policies.tallies import decay_of, read_state
from policies.types import Action, Features, Pmf, RewardRange, TrainingExample

MAX_COLUMNS = 256
"""Features that have a weight: the first ones seen. A variant takes at most half a megabyte, twice while it serves."""


def columns(context: Features) -> Iterator[tuple[str, float]]:
    """Name and value of what a context has: 1 for a text, a flag, each text of a list; a number squashed.

    A number of 0 is a column of its own, since it has to differ from a missing one. The first column is the constant.
    """
    yield "", 1.0
    for name in sorted(context):
        key, value = escape(name), context[name]
        if isinstance(value, str):
            yield f"{key}={escape(value)}", 1.0
        elif isinstance(value, bool):
            yield f"{key}={'true' if value else 'false'}", 1.0
        elif isinstance(value, tuple):
            yield from ((f"{key}={text}", 1.0) for text in sorted({escape(item) for item in value}))
        elif value == 0.0:
            yield f"{key}=0", 1.0
        elif math.isfinite(value):
            yield key, squash(value)


@dataclass(slots=True)
class Moments:
    """Of some examples, as they counted after one of them: Σ x xᵀ (d, d), Σ r x (d,), Σ r² and their weight n."""

    xx: Floats
    rx: Floats
    rr: float = 0.0
    n: float = 0.0
    after: int = 0

    def add(self, index: Sequence[int], x: Floats, reward: float, *, decay: float, now: int) -> None:
        """Count one more example, the `now`-th, of which these columns are not 0."""
        grown = max(index) + 1 - self.rx.size
        if grown > 0:
            self.xx, self.rx = np.pad(self.xx, (0, grown)), np.pad(self.rx, (0, grown))
        if decay < 1.0:
            left = decay ** (now - self.after)
            self.xx *= left
            self.rx *= left
            self.rr, self.n = self.rr * left, self.n * left
        self.xx[np.ix_(index, index)] += np.outer(x, x)
        self.rx[index] += reward * x
        self.rr += reward * reward
        self.n += 1.0
        self.after = now


def no_examples() -> Moments:
    return Moments(np.zeros((0, 0)), np.zeros(0))


@dataclass(frozen=True, slots=True)
class Fit:
    """Bayesian ridge regressions of v variants, and last that of one without examples, under one noise variance.

    weights (v + 1, d); spread (v + 1, d, d): the posterior covariance of the weights, divided by the noise.
    """

    row: dict[str, int]
    weights: Floats
    spread: Floats
    noise: float

    def scores(self, index: Sequence[int], x: Floats, variants: Sequence[str]) -> Normals:
        """The expected scaled reward of each variant where these columns have the values x and all others 0."""
        rows = np.array([self.row.get(variant, -1) for variant in variants])
        mean = self.weights[rows[:, None], index] @ x
        spread = self.spread[rows[:, None, None], np.array(index)[:, None], index]
        return Normals(mean, np.sqrt(self.noise * np.einsum("kij,i,j->k", spread, x, x)))


def fit(pooled: Moments, moments: dict[str, Moments], *, ridge: float) -> Fit:
    """Of each variant: precision (ridge · I + Σ x xᵀ) / noise, mean (ridge · I + Σ x xᵀ)⁻¹ (ridge · w₀ + Σ r x).

    The prior is w₀, the same regression on the examples of all variants, whose own prior is the mean reward alone: what
    a context changes for every variant alike is learned from all of them. noise: what the regressions leave
    unexplained, over the degrees of freedom that they leave, with one more of variance 1/4.
    """
    d = pooled.rx.size
    start = np.zeros(d)
    start[0] = (1.0 + pooled.rx[0]) / (2.0 + pooled.n)
    [common], _, _ = _regressions([pooled], start, ridge=ridge)
    each = [*moments.values(), no_examples()]
    weights, spread, unexplained = _regressions(each, common, ridge=ridge)
    used = (d - ridge * np.trace(spread, axis1=1, axis2=2)).sum()
    noise = (0.25 + unexplained) / (1.0 + max(0.0, sum(one.n for one in each) - used))
    return Fit({variant: row for row, variant in enumerate(moments)}, weights, spread, noise)


def _regressions(each: Sequence[Moments], prior: Floats, *, ridge: float) -> tuple[Floats, Floats, float]:
    """Weights (v, d), (ridge · I + Σ x xᵀ)⁻¹ (v, d, d), and the sum of the squared residuals of all."""
    d = prior.size
    xx, rx = np.zeros((len(each), d, d)), np.zeros((len(each), d))
    for row, one in enumerate(each):
        xx[row, : one.rx.size, : one.rx.size] = one.xx
        rx[row, : one.rx.size] = one.rx
    spread = np.asarray(np.linalg.inv(xx + ridge * np.eye(d)), dtype=np.float64)
    weights = np.einsum("vij,vj->vi", spread, rx + ridge * prior)
    squares = np.einsum("vi,vij,vj->v", weights, xx, weights) - 2.0 * np.einsum("vi,vi->v", weights, rx)
    left = squares + np.array([one.rr for one in each])
    return weights, spread, float(np.maximum(left, 0.0).sum())


class LinearLearner:
    """The regressions of one slot. They are solved when first asked after learning."""

    def __init__(
        self, *, reward_range: RewardRange, ridge: float = 1.0, half_life: float = 0.0, state: bytes | None = None
    ) -> None:
        """With `state`, the learner goes on from there. Raises UnreadableSnapshot."""
        self.arguments = f"linear --ridge {ridge!r}" + (f" --half_life {half_life!r}" if half_life else "")
        self._range = reward_range
        self._ridge = ridge
        self._decay = decay_of(half_life)
        self.examples = 0
        self.columns: dict[str, int] = {}
        self.pooled = no_examples()
        self.moments: dict[str, Moments] = {}
        self._fit: Fit | None = None
        if state is not None:
            self._load(state)

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        """(k,) uniform before the first example."""
        if len(actions) == 1 or self.examples == 0:
            return uniform(len(actions))
        # sums and products round by their order, which must not be the caller's
        order = sorted(range(len(actions)), key=lambda i: actions[i].id)
        index, x = self._known(context)
        scores = self.fitted().scores(index, x, [escape(actions[i].id) for i in order])
        pmf = np.empty(len(actions))
        pmf[order] = chances_of_being_best(scores)
        return pmf

    def fitted(self) -> Fit:
        """The regressions on everything learned so far."""
        if self._fit is None:
            self._fit = fit(
                self._now(self.pooled), {key: self._now(one) for key, one in self.moments.items()}, ridge=self._ridge
            )
        return self._fit

    def _now(self, moments: Moments) -> Moments:
        left = self._decay ** (self.examples - moments.after)
        if left == 1.0:
            return moments
        return Moments(moments.xx * left, moments.rx * left, moments.rr * left, moments.n * left, self.examples)

    def _known(self, context: Features) -> tuple[list[int], Floats]:
        found = [(self.columns[name], value) for name, value in columns(context) if name in self.columns]
        return [column for column, _ in found], np.array([value for _, value in found])

    def learn(self, examples: Iterable[TrainingExample]) -> None:
        for example in examples:
            self.examples += 1
            for name, _ in columns(example.context):
                if name not in self.columns and len(self.columns) < MAX_COLUMNS:
                    self.columns[name] = len(self.columns)
            index, x = self._known(example.context)
            reward = self._range.scaled(example.reward)
            own = self.moments.setdefault(escape(example.actions[example.chosen].id), no_examples())
            for moments in (self.pooled, own):
                moments.add(index, x, reward, decay=self._decay, now=self.examples)
        self._fit = None

    def dump(self) -> bytes:
        """The moments, in the order in which variants and columns came: sums over them round alike after loading."""
        document = {
            "arguments": self.arguments,
            "examples": self.examples,
            "columns": list(self.columns),
            "pooled": _written(self.pooled),
            "variants": [[variant, *_written(one)] for variant, one in self.moments.items()],
        }
        return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)

    def _load(self, state: bytes) -> None:
        read = read_state(state, self.arguments)
        try:
            self.examples = int(read["examples"])
            self.columns = {str(name): column for column, name in enumerate(read["columns"])}
            self.pooled = _read(*read["pooled"], most=len(self.columns))
            self.moments = {str(row[0]): _read(*row[1:], most=len(self.columns)) for row in read["variants"]}
        except (KeyError, TypeError, ValueError) as error:
            raise UnreadableSnapshot(f"{self.arguments!r}: expected moments, and found others: {error!r}") from error


def _written(moments: Moments) -> list[object]:
    """Σ x xᵀ is symmetric to the bit: its upper half says it all."""
    upper = moments.xx[np.triu_indices(moments.rx.size)]
    return [moments.after, moments.n, moments.rr, moments.rx, upper]


def _read(after: int, n: float, rr: float, rx: list[float], upper: list[float], *, most: int) -> Moments:
    d = len(rx)
    if d > most:
        raise ValueError(f"{d} columns: expected at most {most}")
    xx = np.zeros((d, d))
    xx[np.triu_indices(d)] = upper
    xx.T[np.triu_indices(d)] = upper
    return Moments(xx, np.array(rx, dtype=np.float64), float(rr), float(n), int(after))
