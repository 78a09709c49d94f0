"""Linear Thompson sampling: every variant with the probability that its expected reward is the highest, sharpened.

The expected reward of a variant is linear in the context. Each variant has a posterior of its own, independent of the
others', so the score of each in a given context is one Normal, and the probability of the highest is exact. Agrawal and
Goyal 2013, "Thompson sampling for contextual bandits with linear payoffs".
"""

from collections.abc import Iterable, Sequence

import numpy as np
import orjson

from policies.base import UnreadableSnapshot, uniform
from policies.columns import Columns, Number
from policies.features import escape
from policies.quadrature import Floats, chances_of_being_best
from policies.ridge import Fit, Moments, Penalty, Stack, fit, most_likely, no_examples, stacked
from policies.tallies import decay_of, read_state
from policies.types import Action, Features, Pmf, RewardRange, TrainingExample

_POWER = 3
"""Shares follow this power of the chance of being best. A regression of many columns is unsure of each variant for
long, and Thompson sampling, the first power, pays for it: where the context decides everything, and where nothing.
"""

_GROWN = 1.05
"""By how much the examples have to grow before the ridge is chosen again. It takes as long as ten solutions."""

MAX_VARIANTS = 256
"""Variants that have a regression: those chosen last. A campaign whose texts come and go has had thousands."""


class LinearLearner:
    """The regressions of one slot. They are solved when first asked after learning."""

    def __init__(
        self, *, reward_range: RewardRange, ridge: float = 0.0, half_life: float = 0.0, state: bytes | None = None
    ) -> None:
        """With `state`, the learner goes on from there. Raises UnreadableSnapshot."""
        self.arguments = "linear" + "".join(
            f" --{name} {value!r}" for name, value in (("ridge", ridge), ("half_life", half_life)) if value
        )
        self._range = reward_range
        self._choose = not ridge
        self.penalty = Penalty(ridge)
        self._chosen_after = 0
        self._decay = decay_of(half_life)
        self.examples = 0
        self.columns = Columns()
        self.moments: dict[str, Moments] = {}
        self._fit: tuple[Fit, dict[str, int]] | None = None
        if state is not None:
            self._load(state)

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        """(k,) uniform before the first example."""
        if len(actions) == 1 or self.examples == 0:
            return uniform(len(actions))
        # sums and products round by their order, which must not be the caller's
        order = sorted(range(len(actions)), key=lambda i: actions[i].id)
        fitted, row = self.fitted()
        rows = [row.get(escape(actions[i].id), -1) for i in order]
        chances = chances_of_being_best(fitted.scores(rows, *self.columns.known(context))) ** _POWER
        pmf = np.empty(len(actions))
        pmf[order] = chances / chances.sum()
        return pmf

    def fitted(self) -> tuple[Fit, dict[str, int]]:
        """The regressions on everything learned so far, the last one without examples, and the row of each variant."""
        if self._fit is None:
            stack, to = self._stack()
            found = fit(stack, self.penalty, squares=self.columns.squares()).mapped(to)
            self._fit = found, {variant: row for row, variant in enumerate(self.moments)}
        return self._fit

    def _stack(self) -> tuple[Stack, Floats]:
        """The moments of standardised columns, as they count now, and the map that standardises."""
        faded = [one.faded(self._decay ** (self.examples - one.after)) for one in self.moments.values()]
        stack = stacked([*faded, no_examples()], len(self.columns.place))
        to = self.columns.standardising(stack.xx.sum(axis=0))
        return stack.mapped(to), to

    def learn(self, examples: Iterable[TrainingExample]) -> None:
        for example in examples:
            self.examples += 1
            index, x = self.columns.learn(example.context, decay=self._decay, now=self.examples)
            own = self.moments.setdefault(escape(example.actions[example.chosen].id), no_examples())
            reward = self._range.scaled(example.reward)
            own.add(index, x, reward, decay=self._decay, now=self.examples)
            if len(self.moments) > MAX_VARIANTS:
                del self.moments[min(self.moments, key=lambda variant: self.moments[variant].after)]
        self._fit = None
        if self._choose and self.examples > _GROWN * self._chosen_after:
            stack, _ = self._stack()
            self.penalty = most_likely(stack, squares=self.columns.squares())
            self._chosen_after = self.examples

    def dump(self) -> bytes:
        """The moments, in the order in which variants and columns came: sums over them round alike after loading."""
        document = {
            "arguments": self.arguments,
            "examples": self.examples,
            "penalty": [*self.penalty, self._chosen_after],
            "columns": list(self.columns.place),
            "numbers": [[key, *_fields(number)] for key, number in self.columns.numbers.items()],
            "variants": [[variant, *_written(one)] for variant, one in self.moments.items()],
        }
        return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)

    def _load(self, state: bytes) -> None:
        read = read_state(state, self.arguments)
        try:
            self.examples = int(read["examples"])
            ridge, squares, self._chosen_after = read["penalty"]
            self.penalty = Penalty(float(ridge), bool(squares))
            numbers = {str(row[0]): Number(*row[1:]) for row in read["numbers"]}
            self.columns = Columns([str(name) for name in read["columns"]], numbers)
            d = len(self.columns.place)
            self.moments = {str(row[0]): _read(*row[1:], most=d) for row in read["variants"]}
        except (KeyError, TypeError, ValueError) as error:
            raise UnreadableSnapshot(f"{self.arguments!r}: expected moments, and found others: {error!r}") from error


def _fields(number: Number) -> list[object]:
    return [number.origin, number.always, number.n, number.u, number.uu, number.after]


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
