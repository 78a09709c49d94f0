"""The default: several policies learn the same log, are judged on it before they learn it, and the best one serves.

Contextual learners earn more where the context matters, and less than the best single variant where rewards are rare
and noisy. Which of the two a campaign is, its own log tells: by progressive doubly robust validation (judge.py).
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from policies.base import Learner, Policy, UnreadableSnapshot, normalise, uniform
from policies.features import escape
from policies.judge import Difference, Floats, Judge, doubly_robust
from policies.packing import pack, unpack
from policies.tallies import Tallies, decay_of
from policies.types import Action, Features, Pmf, RewardRange, TrainingExample
from policies.writing import WRITINGS

Build = Callable[[bytes | None], Policy]
"""A policy, from its state where it has one."""


@dataclass(frozen=True, slots=True)
class Words:
    """What it says of its policies: which serves, what another earned more a decision, how often that is shown."""

    serves: str
    earned: str
    shown: str
    not_shown: str


WORDS: Mapping[str, Words] = {
    "en": Words(
        serves="{policy} serves, the best of those judged on {n} decisions",
        earned="{mean} ± {half} a decision",
        shown="shown in {share}",
        not_shown="not shown",
    ),
    "es": Words(
        serves="sirve {policy}, la mejor de las que se juzgaron con {n} decisiones",
        earned="{mean} ± {half} por decisión",
        shown="se muestra en el {share}",
        not_shown="no se muestra",
    ),
}


@dataclass(frozen=True, slots=True)
class Rival:
    """One of the policies that are judged, the favourite among them.

    doubt: by how many standard errors it has to be ahead of what serves, beside the head start. 0 is for a policy that
    is known to do no harm: of two that the log can't tell apart it is the one to serve.

    shown: whether it keeps a share while it does not serve. What is always one variant needs none: how much that earns
    the explore share tells.
    """

    build: Build
    doubt: float = 1.0
    shown: bool = True


BLOCK = 100
"""The most examples that are judged before they are learned, by the learners as they were before all of them."""


class AutoLearner:
    """A favourite, which serves from the start, and its rivals, one of which takes over once it has earned more.

    In their order, a rival takes the place of what serves where it gained more than a head start: h standard deviations
    of the gain on one decision, spread over √(n · effective) decisions. Hence it shrinks as the log grows, and more
    slowly for a rival that does other things than what is served. The evidence decides in the end.

    What does not serve keeps a small share until its gain is below zero beyond doubt, so that it can be judged on
    decisions of its own: without, its importance weights would have no bound.

    shares: (m,), of the m policies called `names`.
    """

    def __init__(
        self,
        rivals: Mapping[str, Rival],
        *,
        reward_range: RewardRange,
        judging: float = 0.02,
        head_start: float = 10.0,
        half_life: float = 0.0,
        state: bytes | None = None,
    ) -> None:
        """The first of `rivals` is the favourite. With `state`, goes on from there. Raises UnreadableSnapshot.

        judging: the share of all policies together that do not serve. head_start: h. half_life: after how many
        decisions one counts half as much in judging; 0 for never.
        """
        self._range = reward_range
        self._judging, self._head_start, self._decay = judging, head_start, decay_of(half_life)
        self._own_arguments = f"auto --judging {judging!r} --head_start {head_start!r}"
        if half_life:
            self._own_arguments += f" --half_life {half_life!r}"
        self.names = tuple(rivals)
        self.tallies = Tallies(half_life=half_life)
        self.judge = Judge(len(rivals))
        parts: Sequence[bytes | None] = [None] * len(rivals)
        if state is not None:
            parts = self._load(state)
        self.policies = tuple(one.build(part) for one, part in zip(rivals.values(), parts, strict=True))
        self._rivals = tuple(rivals.values())
        self.shares = self._shared()

    @property
    def arguments(self) -> str:
        """Its own, and on further lines those of the learners that it judges."""
        learners = (
            f"{name}: {one.arguments}"
            for name, one in zip(self.names, self.policies, strict=True)
            if isinstance(one, Learner)
        )
        return "\n".join((self._own_arguments, *learners))

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        """(k,) uniform before the first example."""
        if len(actions) == 1 or self.tallies.examples == 0:
            return uniform(len(actions))
        pmf = np.zeros(len(actions))
        for share, policy in zip(self.shares, self.policies, strict=True):
            if share:
                pmf += share * policy.pmf(context, actions)
        return normalise(pmf)

    def learn(self, examples: Iterable[TrainingExample]) -> None:
        waiting = iter(examples)
        while block := list(islice(waiting, max(1, min(BLOCK, self.tallies.examples // 10)))):
            for example in block:
                self._judge(example)
            for policy in self.policies:
                if isinstance(policy, Learner):
                    policy.learn(block)
            for example in block:
                self.tallies.add(escape(example.actions[example.chosen].id), None, self._range.scaled(example.reward))
        self.shares = self._shared()

    def _judge(self, example: TrainingExample) -> None:
        mean = self.tallies.mean()
        tallies = [self.tallies.of(escape(action.id)) for action in example.actions]
        earned = doubly_robust(
            np.array([(mean + tally.r) / (1.0 + tally.n) for tally in tallies]),
            chosen=example.chosen,
            propensity=example.propensity,
            reward=self._range.scaled(example.reward),
        )
        self.judge.add(
            [policy.pmf(example.context, example.actions) for policy in self.policies],
            earned,
            chosen=example.chosen,
            propensity=example.propensity,
            # the n-th decision counts as n: what a learner was early on should soon be forgiven (or forgotten)
            decay=min(self._decay, self.judge.decisions / (self.judge.decisions + 1.0)),
        )

    def findings(self, lang: str = "en") -> Sequence[str]:
        """Which policy serves, and how much more or less than it each other one earned, with the half-width of 95 %."""
        serving, told, writing = int(np.argmax(self.shares)), WORDS[lang], WRITINGS[lang]
        lines = [told.serves.format(policy=self.names[serving], n=writing.whole(self.judge.decisions))]
        width = self._range.high - self._range.low
        for i, name in enumerate(self.names):
            if i != serving:
                gain = self.judge.difference(i, serving)
                mean, half = writing.signed(gain.mean * width, 4), writing.number(gain.half_width() * width)
                share = told.shown.format(share=writing.cell(self.shares[i], 1)) if self.shares[i] else told.not_shown
                lines.append(f"{name}: {told.earned.format(mean=mean, half=half)}, {share}")
        return lines

    def _shared(self) -> Floats:
        """(m,) the share of each policy."""
        serving = self._best()
        shares = np.zeros(len(self.names))
        for i in range(len(self.names)):
            gain = self.judge.difference(i, serving)
            if i != serving and self._rivals[i].shown and gain.mean + gain.half_width() > 0.0:
                shares[i] = self._judging / (len(self.names) - 1)
        shares[serving] = 1.0 - shares.sum()
        return shares

    def _best(self) -> int:
        best = 0
        for i, rival in enumerate(self._rivals[1:], start=1):
            gain = self.judge.difference(i, best)
            if gain.effective and gain.mean > self._handicap(gain) + rival.doubt * gain.standard_error:
                best = i
        return best

    def _handicap(self, gain: Difference) -> float:
        return self._head_start * math.sqrt(gain.variance / (gain.n * gain.effective))

    def dump(self) -> bytes:
        states = [policy.dump() if isinstance(policy, Learner) else b"" for policy in self.policies]
        return pack(self._own_arguments, {"judge": self.judge.document()}, [self.tallies.dump("auto"), *states])

    def _load(self, state: bytes) -> list[bytes | None]:
        document, parts = unpack(state, self._own_arguments)
        try:
            tallies, *states = parts
            self.judge = Judge.read(document["judge"], policies=len(self.names))
        except (KeyError, TypeError, ValueError) as error:
            raise UnreadableSnapshot(f"{self._own_arguments!r}: expected sums, found others: {error!r}") from error
        self.tallies.load(tallies, "auto")
        if len(states) != len(self.names):
            raise UnreadableSnapshot(f"{self._own_arguments!r}: {len(states)} states: expected {len(self.names)}")
        return [state or None for state in states]
