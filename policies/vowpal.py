"""Every Vowpal Wabbit learner behind one class. The only module that imports vowpalwabbit."""

import struct
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import vowpalwabbit

from policies.base import normalise, uniform
from policies.features import ACTION, CONTEXT, action_line, context_line
from policies.types import Action, Features, Pmf, RewardRange, TrainingExample

# Feature names are hashed whatever they look like; the ring holds parsed examples, and 16 take 1.2 MB instead of 8.8.
_ALWAYS = "--quiet --hash all --ring_size 16"
_HEADER = struct.Struct("<Q")  # examples learned, before Vowpal Wabbit's own bytes

INTERACTIONS = {
    "default": f"--quadratic {CONTEXT}{ACTION}",
    "quadratic": f"--quadratic {CONTEXT}{ACTION} --quadratic {CONTEXT}{CONTEXT} --cubic {CONTEXT}{CONTEXT}{ACTION}",
    "ignore": "",
}
"""Which features are multiplied: context × variant; also context × context (× variant); none."""


class UnreadableSnapshot(ValueError):
    """The bytes are not a learner of this kind."""


class VowpalLearner:
    """A contextual bandit with action-dependent features (`--cb_explore_adf`).

    Rewards become costs in [-1, 0] by the declared range: 0 is the worst, so that what was never tried looks no better
    than what was tried and failed, and exploration, not optimism, finds it. The range is never estimated.
    """

    def __init__(self, arguments: str, *, reward_range: RewardRange, seed: int, state: bytes | None = None) -> None:
        """`arguments` are Vowpal Wabbit's own; with `state`, the learner goes on from there.

        Raises UnreadableSnapshot when `state` was not written by `dump`, or under other arguments.
        """
        self.arguments = f"--cb_explore_adf {arguments} --random_seed {seed}"
        self._range = reward_range
        self.examples = 0
        if state is None:
            self._workspace = vowpalwabbit.Workspace(f"{_ALWAYS} {self.arguments}")
        else:
            self._load(state)

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        """(k,) Vowpal Wabbit's probabilities, validated and normalised; uniform before the first example.

        Actions are given in the order of their ids: what Vowpal Wabbit does with ties must not depend on the caller's.
        """
        if len(actions) == 1 or self.examples == 0:
            return uniform(len(actions))
        order = sorted(range(len(actions)), key=lambda i: actions[i].id)
        raw = self._workspace.predict([context_line(context), *(action_line(actions[i]) for i in order)])
        pmf = np.empty(len(actions))
        pmf[order] = normalise(raw)
        return pmf

    def learn(self, examples: Iterable[TrainingExample]) -> None:
        for example in examples:
            lines = [action_line(action) for action in example.actions]
            cost = -self._range.scaled(example.reward)
            lines[example.chosen] = f"0:{cost:.9g}:{example.propensity:.9g} {lines[example.chosen]}"
            self._workspace.learn([context_line(example.context), *lines])
            self.examples += 1

    def dump(self) -> bytes:
        # Vowpal Wabbit writes and reads models by file name only
        with tempfile.TemporaryDirectory(prefix="elige-") as folder:
            path = Path(folder) / "model"
            self._workspace.save(str(path))
            return _HEADER.pack(self.examples) + path.read_bytes()

    def _load(self, state: bytes) -> None:
        if len(state) <= _HEADER.size:
            raise UnreadableSnapshot(f"{len(state)} bytes: expected a header of {_HEADER.size} and a model")
        with tempfile.TemporaryDirectory(prefix="elige-") as folder:
            path = Path(folder) / "model"
            path.write_bytes(state[_HEADER.size :])
            try:
                self._workspace = vowpalwabbit.Workspace(f"{_ALWAYS} {self.arguments} --initial_regressor {path}")
            except RuntimeError as error:
                reason = str(error).replace(str(path), "the snapshot")
                raise UnreadableSnapshot(f"Vowpal Wabbit refuses the model: {reason}") from error
        (self.examples,) = _HEADER.unpack_from(state)
