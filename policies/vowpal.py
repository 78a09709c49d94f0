"""Every Vowpal Wabbit learner behind one class. The only module that imports vowpalwabbit."""

import operator
import tempfile
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vowpalwabbit

from policies.base import UnreadableSnapshot, normalise, uniform
from policies.features import ACTION, CONTEXT, action_line, context_line, numbers_of
from policies.packing import pack, unpack
from policies.scales import Scales
from policies.types import Action, Features, Pmf, RewardRange, TrainingExample

# Feature names are hashed whatever they look like; the ring holds parsed examples, and 16 take 1.2 MB instead of 8.8.
_ALWAYS = "--quiet --hash all --ring_size 16"

MAX_PARSED = 256
"""Actions that a learner keeps parsed, if no decision has more. Each takes about 32 kB."""

MAX_AT_ONCE = 2_048
"""Actions of one decision that are kept parsed; more are given to Vowpal Wabbit as text, every time."""

_MAX_RETIRED = 32
"""Parsed lines that wait to be handed back together, which costs a prediction."""

INTERACTIONS = {
    "default": f"--quadratic {CONTEXT}{ACTION}",
    "quadratic": f"--quadratic {CONTEXT}{ACTION} --quadratic {CONTEXT}{CONTEXT} --cubic {CONTEXT}{CONTEXT}{ACTION}",
    "ignore": "",
}
"""Which features are multiplied: context × variant; also context × context (× variant); none."""


def workspace(arguments: str) -> Any:
    """A Vowpal Wabbit of one's own, with these arguments beside those that all have."""
    return vowpalwabbit.Workspace(f"{_ALWAYS} {arguments}")


class VowpalLearner:
    """A contextual bandit with action-dependent features (`--cb_explore_adf`).

    Rewards become costs in [-1, 0] by the declared range: 0 is the worst, so that what was never tried looks no better
    than what was tried and failed, and exploration, not optimism, finds it. The range is never estimated.
    """

    def __init__(
        self,
        arguments: str,
        *,
        reward_range: RewardRange,
        seed: int,
        halves: bool = True,
        state: bytes | None = None,
    ) -> None:
        """`arguments` are Vowpal Wabbit's own; with `state`, the learner goes on from there. halves: of `context_line`.

        Raises UnreadableSnapshot when `state` was not written by `dump`, or under other arguments.
        """
        own = f"--cb_explore_adf {arguments} --random_seed {seed}"
        self.arguments = own if halves else f"--numbers value {own}"
        self._halves = halves
        self._range = reward_range
        self._may_tie = "--regcbopt" in arguments
        self.examples = 0
        self.scales = Scales()
        if state is None:
            self._workspace = workspace(own)
        else:
            # a bag draws how often it learns each example; how far it has drawn is kept in the model, as its seed
            self._load(state, f"--cb_explore_adf {arguments}" if "--bag " in arguments else own)
        self._parsed = _ParsedActions(self._workspace)

    def pmf(self, context: Features, actions: Sequence[Action]) -> Pmf:
        """(k,) Vowpal Wabbit's probabilities, validated and normalised; uniform before the first example.

        Actions are given in the order of their ids: what Vowpal Wabbit does with ties must not depend on the caller's.
        """
        if len(actions) == 1 or self.examples == 0:
            return uniform(len(actions))
        shared = context_line(context, self.scales, halves=self._halves)
        if len(actions) > MAX_AT_ONCE:
            order = _in_order_of_ids(actions)
            scores = self._predict("\n".join((shared, *(action_line(actions[i]) for i in order))), ())
        else:
            asked = self._parsed.get(actions)
            order, scores = asked.order, self._predict(shared, asked.ordered)
        raw = [0.0] * len(actions)
        for i, score in zip(order, _tied_alike(scores) if self._may_tie else scores, strict=True):
            raw[i] = score
        return normalise(raw)

    def _predict(self, text: str, parsed: Sequence[Any]) -> list[float]:
        # what Workspace does in parse, predict and finish_example, without its wrappers: they take longer than all this
        fresh = self._workspace._parse(text)
        try:
            self._workspace.predict_multi([*fresh, *parsed])
            scores: list[float] = fresh[0].get_action_scores()
            return scores
        finally:
            self._workspace._finish_example_multi_ex(fresh)

    def learn(self, examples: Iterable[TrainingExample]) -> None:
        known = list(examples)
        for example in known:
            self.scales.learn(numbers_of(example.context))
        # with nothing parsed before, so that the bytes depend on no cache
        self._parsed.clear()
        try:
            for example in known:
                self._learn(example)
        finally:
            self._parsed.clear()

    def _learn(self, example: TrainingExample) -> None:
        label = f"0:{-self._range.scaled(example.reward):.9g}:{example.propensity:.9g}"
        shared = context_line(example.context, self.scales, halves=self._halves)
        if len(example.actions) > MAX_AT_ONCE:
            lines = [action_line(action) for action in example.actions]
            lines[example.chosen] = f"{label} {lines[example.chosen]}"
            fresh = whole = self._workspace._parse("\n".join((shared, *lines)))
        else:
            known = self._parsed.get(example.actions).given
            # a label can't be taken off a parsed line: the chosen one is parsed for this example alone
            fresh = self._workspace._parse(f"{shared}\n{label} {known[example.chosen].line}")
            whole = [fresh[0], *(one.example for one in known)]
            whole[1 + example.chosen] = fresh[1]
        try:
            self._workspace.learn_multi(whole)
        finally:
            self._parsed.retire(fresh)
        self.examples += 1

    def dump(self) -> bytes:
        # Vowpal Wabbit writes and reads models by file name only
        with tempfile.TemporaryDirectory(prefix="elige-") as folder:
            path = Path(folder) / "model"
            self._workspace.save(str(path))
            document = {"examples": self.examples, "numbers": self.scales.document()}
            return pack(self.arguments, document, [path.read_bytes()])

    def _load(self, state: bytes, arguments: str) -> None:
        document, parts = unpack(state, self.arguments)
        try:
            [model] = parts
            self.examples = int(document["examples"])
            self.scales = Scales.from_document(document["numbers"])
        except (KeyError, TypeError, ValueError) as error:
            raise UnreadableSnapshot(f"{len(state)} bytes: expected a model and its numbers: {error!r}") from error
        with tempfile.TemporaryDirectory(prefix="elige-") as folder:
            path = Path(folder) / "model"
            path.write_bytes(model)
            try:
                self._workspace = workspace(f"{arguments} --initial_regressor {path}")
            except RuntimeError as error:
                reason = str(error).replace(str(path), "the snapshot")
                raise UnreadableSnapshot(f"Vowpal Wabbit refuses the model: {reason}") from error


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


@dataclass(frozen=True, slots=True)
class _Asked:
    """Actions with their parsed lines as they were given, and in the order of their ids."""

    actions: tuple[Action, ...]
    given: list[_Parsed]
    order: list[int]
    ordered: list[Any]


class _ParsedActions:
    """Action lines that were parsed before: parsing is most of the work, and actions are the same every time.

    Vowpal Wabbit never frees a parsed example that was not handed back, not even with its workspace.
    """

    def __init__(self, workspace: vowpalwabbit.Workspace) -> None:
        self._workspace = workspace
        self._known: dict[str, _Parsed] = {}
        self._retired: list[Any] = []
        self._room = MAX_PARSED
        self._last = _Asked((), [], [], [])
        weakref.finalize(self, _hand_back, workspace, self._known, self._retired).atexit = False

    def get(self, actions: Sequence[Action]) -> _Asked:
        """At most MAX_AT_ONCE actions, parsed. Raises ValueError when two have one id."""
        last = self._last
        if len(last.actions) != len(actions) or not all(map(operator.is_, last.actions, actions)):
            given, order = self._parse(actions), _in_order_of_ids(actions)
            last = self._last = _Asked(tuple(actions), given, order, [given[i].example for i in order])
        return last

    def _parse(self, actions: Sequence[Action]) -> list[_Parsed]:
        ids = {action.id for action in actions}
        if len(ids) < len(actions):
            raise ValueError(f"two actions have one id: {[action.id for action in actions][:20]}")
        self._room = max(self._room, len(actions))
        if len(self._known) + len(ids - self._known.keys()) > self._room:
            self.clear()
            self._room = max(MAX_PARSED, len(actions))
        return [self._one(action) for action in actions]

    def _one(self, action: Action) -> _Parsed:
        known = self._known.get(action.id)
        if known is not None and known.action is action:
            return known
        line = action_line(action)  # actions that are equal can have different lines: True == 1.0
        if known is None or known.line != line:
            if known is not None:  # the features of a variant are other ones now
                self.retire([known.example])
            (example,) = self._workspace._parse(line)
            known = self._known[action.id] = _Parsed(action, line, example)
        known.action = action
        return known

    def retire(self, examples: Iterable[Any]) -> None:
        """Parsed lines that nobody needs any more."""
        self._retired += examples
        if len(self._retired) >= _MAX_RETIRED:
            _hand_back(self._workspace, {}, self._retired)

    def clear(self) -> None:
        self._last = _Asked((), [], [], [])
        _hand_back(self._workspace, self._known, self._retired)


def _hand_back(workspace: vowpalwabbit.Workspace, known: dict[str, _Parsed], retired: list[Any]) -> None:
    """Vowpal Wabbit accounts for what is handed back as if it were the example it worked on last: after learning, fewer
    lines than were learned would end the process. Hence a prediction of nothing first, and its lines in front.
    """
    examples = [*(parsed.example for parsed in known.values()), *retired]
    known.clear()
    retired.clear()
    if examples:
        nothing = workspace._parse("shared |\n|")
        workspace.predict_multi(nothing)
        workspace._finish_example_multi_ex([*nothing, *examples])
