"""Every Vowpal Wabbit learner behind one class. The only module that imports vowpalwabbit."""

import operator
import struct
import tempfile
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vowpalwabbit

from policies.base import UnreadableSnapshot, normalise, uniform
from policies.features import ACTION, CONTEXT, action_line, context_line
from policies.types import Action, Features, Pmf, RewardRange, TrainingExample

# Feature names are hashed whatever they look like; the ring holds parsed examples, and 16 take 1.2 MB instead of 8.8.
_ALWAYS = "--quiet --hash all --ring_size 16"
_HEADER = struct.Struct("<Q")  # examples learned, before Vowpal Wabbit's own bytes

MAX_PARSED = 256
"""Actions that a learner keeps parsed. Each takes about 32 kB."""

INTERACTIONS = {
    "default": f"--quadratic {CONTEXT}{ACTION}",
    "quadratic": f"--quadratic {CONTEXT}{ACTION} --quadratic {CONTEXT}{CONTEXT} --cubic {CONTEXT}{CONTEXT}{ACTION}",
    "ignore": "",
}
"""Which features are multiplied: context × variant; also context × context (× variant); none."""


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
        self._may_tie = "--regcbopt" in arguments
        self._remembers_label = False
        self.examples = 0
        if state is None:
            self._workspace = vowpalwabbit.Workspace(f"{_ALWAYS} {self.arguments}")
        else:
            # a bag draws how often it learns each example; how far it has drawn is kept in the model, as its seed
            self._load(state, f"--cb_explore_adf {arguments}" if "--bag " in arguments else self.arguments)
        self._parsed = _ParsedActions(self._workspace)

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        """(k,) Vowpal Wabbit's probabilities, validated and normalised; uniform before the first example.

        Actions are given in the order of their ids: what Vowpal Wabbit does with ties must not depend on the caller's.
        """
        if len(actions) == 1 or self.examples == 0:
            return uniform(len(actions))
        if self._remembers_label:
            self._workspace.predict(["shared |", "|"])
            self._remembers_label = False
        shared = context_line(context)
        if len(actions) > MAX_PARSED:
            order = _in_order_of_ids(actions)
            scores = self._workspace.predict([shared, *(action_line(actions[i]) for i in order)])
        else:
            order, parsed = self._parsed.get(actions)
            scores = self._predict(shared, parsed)
        raw = [0.0] * len(actions)
        for i, score in zip(order, _tied_alike(scores) if self._may_tie else scores, strict=True):
            raw[i] = score
        return normalise(raw)

    def _predict(self, shared: str, parsed: Sequence[Any]) -> list[float]:
        # what Workspace does in parse, predict and finish_example, without its wrappers: they take longer than all this
        line = self._workspace._parse(shared)
        try:
            self._workspace.predict_multi([*line, *parsed])
            scores: list[float] = line[0].get_action_scores()
            return scores
        finally:
            self._workspace._finish_example_multi_ex(line)

    def learn(self, examples: Iterable[TrainingExample]) -> None:
        # handing back a parsed action while Vowpal Wabbit remembers the label that it learned last ends the process
        self._parsed.clear()
        self._remembers_label = True
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

    def _load(self, state: bytes, arguments: str) -> None:
        if len(state) <= _HEADER.size:
            raise UnreadableSnapshot(f"{len(state)} bytes: expected a header of {_HEADER.size} and a model")
        with tempfile.TemporaryDirectory(prefix="elige-") as folder:
            path = Path(folder) / "model"
            path.write_bytes(state[_HEADER.size :])
            try:
                self._workspace = vowpalwabbit.Workspace(f"{_ALWAYS} {arguments} --initial_regressor {path}")
            except RuntimeError as error:
                reason = str(error).replace(str(path), "the snapshot")
                raise UnreadableSnapshot(f"Vowpal Wabbit refuses the model: {reason}") from error
        (self.examples,) = _HEADER.unpack_from(state)


def _tied_alike(scores: list[float]) -> list[float]:
    """The optimistic regcb gives 1 to each of those that tie: they share it. Anything else is left as it is."""
    ones = scores.count(1.0)
    if ones and ones + scores.count(0.0) == len(scores):
        return [score / ones for score in scores]
    return scores


def _in_order_of_ids(actions: Sequence[Action]) -> list[int]:
    return sorted(range(len(actions)), key=[action.id for action in actions].__getitem__)


@dataclass(slots=True)
class _Parsed:
    action: Action
    """The newest object that this line was asked for: most are the very same every time."""
    line: str
    example: Any


class _ParsedActions:
    """Action lines that were parsed before: parsing is most of a prediction, and actions are the same every time.

    Vowpal Wabbit never frees a parsed example that was not handed back, not even with its workspace.
    """

    def __init__(self, workspace: vowpalwabbit.Workspace) -> None:
        self._workspace = workspace
        self._known: dict[str, _Parsed] = {}
        self._last: tuple[Sequence[Action], list[int], list[Any]] = ((), [], [])
        weakref.finalize(self, _hand_back, workspace, self._known).atexit = False

    def get(self, actions: Sequence[Action]) -> tuple[list[int], list[Any]]:
        """The places of at most MAX_PARSED actions in the order of their ids, and the parsed lines in that order."""
        asked, order, parsed = self._last
        if len(asked) != len(actions) or not all(map(operator.is_, asked, actions)):
            order = _in_order_of_ids(actions)
            parsed = self._parse([actions[i] for i in order])
            self._last = (tuple(actions), order, parsed)
        return order, parsed

    def _parse(self, actions: Sequence[Action]) -> list[Any]:
        ids = {action.id for action in actions}
        if len(ids) < len(actions):
            raise ValueError(f"two actions have one id: {[action.id for action in actions][:20]}")
        if len(self._known.keys() | ids) > MAX_PARSED:
            self.clear()
        return [self._one(action) for action in actions]

    def _one(self, action: Action) -> Any:
        known = self._known.get(action.id)
        if known is not None and known.action is action:
            return known.example
        line = action_line(action)  # actions that are equal can have different lines: True == 1.0
        if known is None or known.line != line:
            if known is not None:  # the features of a variant are other ones now
                self._workspace._finish_example_multi_ex([self._known.pop(action.id).example])
            (example,) = self._workspace._parse(line)
            known = self._known[action.id] = _Parsed(action, line, example)
        known.action = action
        return known.example

    def clear(self) -> None:
        self._last = ((), [], [])
        _hand_back(self._workspace, self._known)


def _hand_back(workspace: vowpalwabbit.Workspace, known: dict[str, _Parsed]) -> None:
    for parsed in known.values():
        workspace._finish_example_multi_ex([parsed.example])
    known.clear()
