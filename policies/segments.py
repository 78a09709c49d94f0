"""Segments as a feature: of any learner, and as all that the policy `segments` knows of a person.

The learner sees the number of the person's segment as a text like any other, under a name that no declared key has.
Thompson sampling by that key is the policy `segments`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from policies.base import Learner, Policy, Telling
from policies.entries import Given, Rule, whole
from policies.packing import pack, unpack
from policies.portraits import describe, sentence
from policies.segmentation import MAX_SEGMENTS, Segmentation
from policies.tallies import TallyLearner, segment_of
from policies.thompson import gaussian, thompson
from policies.types import Action, Features, Pmf, RewardRange, TrainingExample

SEGMENT = "elige.segment"
"""The feature. No declared key is called so: declared names hold no dot."""

AS_FEATURE: dict[str, Rule] = {"segments": whole(0, MAX_SEGMENTS, 0)}
"""The parameter of a learner that can see segments. 0: it sees none."""

MODELS: dict[str, Callable[..., TallyLearner]] = {"thompson": thompson, "gaussian": gaussian}
"""What `segments` may sample from in each segment."""

Build = Callable[[bytes | None], Learner]
"""A learner, from nothing or from its state."""


class Segmented:
    """A learner that also sees in which segment a person is, and the segmentation that says so.

    A context is learned under the segment that it had before it was counted. Before there are any segments, the feature
    is missing.
    """

    def __init__(self, build: Build, *, k: int, seed: int = 0, state: bytes | None = None) -> None:
        """With `state`, both go on from there. Raises UnreadableSnapshot."""
        self._packed_as = f"--segments {k}"
        if state is None:
            self.learner, self.segmentation = build(None), Segmentation(k, seed=seed)
        else:
            document, inner = unpack(state, self._packed_as)
            self.segmentation = Segmentation.from_document(document, k, seed=seed)
            self.learner = build(b"".join(inner))
        self.arguments = f"{self._packed_as} {self.learner.arguments}"

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        """(k,) the learner's probabilities for a context that has its segment."""
        return self.learner.pmf(self._seen(context), actions)

    def learn(self, examples: Iterable[TrainingExample]) -> None:
        self.learner.learn(self._counted(examples))

    def _counted(self, examples: Iterable[TrainingExample]) -> Iterator[TrainingExample]:
        for example in examples:
            yield replace(example, context=self._seen(example.context))
            if self.segmentation.add(example.context) and isinstance(self.learner, TallyLearner):
                # numbers are never used again: without this, tallies of segments that are gone would pile up
                self.learner.tallies.keep({segment_of(label) for label in self.segmentation.labels})

    def _seen(self, context: Features) -> Features:
        label = self.segmentation.label(context)
        if label is not None:
            return {**context, SEGMENT: label}
        return {key: value for key, value in context.items() if key != SEGMENT}

    def findings(self, lang: str = "en") -> Sequence[str]:
        """What distinguishes the people of each segment, and what the learner found."""
        own = [sentence(portrait, lang) for portrait in describe(self.segmentation)]
        return [*own, *self.learner.findings(lang)] if isinstance(self.learner, Telling) else own

    def dump(self) -> bytes:
        return pack(self._packed_as, self.segmentation.document(), [self.learner.dump()])


def segments(
    *,
    k: int,
    reward_range: RewardRange,
    model: str = "thompson",
    half_life: float = 0.0,
    seed: int = 0,
    state: bytes | None = None,
) -> Segmented:
    """Thompson sampling in each of up to k segments. A variant's prior there is what it earns everywhere; a segment
    that is new has nothing else. Raises UnreadableSnapshot.
    """

    def build(inner: bytes | None) -> Learner:
        return MODELS[model](reward_range=reward_range, by=SEGMENT, half_life=half_life, state=inner)

    return Segmented(build, k=k, seed=seed, state=state)


def seeing_segments(build: Callable[[Given], Policy]) -> Callable[[Given], Policy]:
    """The same line of the menu, with the parameter of AS_FEATURE."""

    def segmented(given: Given) -> Policy:
        def learner(state: bytes | None) -> Learner:
            built = build(replace(given, state=state))
            assert isinstance(built, Learner)
            return built

        k = int(given.number("segments"))
        return Segmented(learner, k=k, seed=given.seed, state=given.state) if k else build(given)

    return segmented
