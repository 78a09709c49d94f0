"""Logs as Vowpal Wabbit's `--dsjson` reads them, and as Azure Personalizer kept them: one JSON object a line."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from policies.types import Action, RewardRange, Value
from simulator.logs.log import Log, Round
from simulator.sources.files import Source
from simulator.sources.tables import SHOWN, SourceError, read_time

SUM_SLACK = 1e-3
"""How far the probabilities may miss 1: they were written in single precision."""

DANGLING = "outcomes without their decision"
NOT_SHOWN = "decisions that were never activated"
REPEATED = "decisions written twice"


@dataclass(frozen=True, slots=True)
class Dsjson:
    """What a file said. `left_out`: how many lines of which kind hold no evidence.

    `changed`: variants whose features were not the same in all rounds. A `Log` keeps each round's own; where a variant
    can have features only once, as in a campaign, they are the last ones (`source.actions`).
    """

    source: Source
    left_out: Mapping[str, int]
    changed: tuple[str, ...]


def dsjson_log(path: str | Path, *, slot: str = "action", reward_range: RewardRange = RewardRange(0.0, 1.0)) -> Log:  # noqa: B008 frozen
    """The log of a dsjson file: `read_dsjson(path).source.log()`. Raises SourceError, LogError."""
    return read_dsjson(path, slot=slot, reward_range=reward_range).source.log()


def read_dsjson(
    path: str | Path,
    *,
    slot: str = "action",
    reward_range: RewardRange = RewardRange(0.0, 1.0),  # noqa: B008 frozen
) -> Dsjson:
    """A contextual bandit's log in dsjson.

    Of each decision: the actions are `c._multi`, called by `_tag`, else by `i.id` or `id`; what was chosen is
    `_label_Action` (from 1), its propensity `_label_probability`; `p` holds the probabilities of the actions that `a`
    lists (from 1). The reward is −`_label_cost`. The context is the rest of `c`: names of nested objects are joined
    by `_`, names that begin with `_` are left out, as Vowpal Wabbit does. Persons are unknown.

    Left out and counted: outcomes without a decision, decisions with `_skipLearn` (deferred and never activated), an
    EventId's second line. Raises SourceError with every bad line (the first 10 spelled out), of which a decision about
    several slots (`_slots`, `_outcomes`) is one; and for a log that was thinned out by more than one `pdrop`.
    """
    path = Path(path)
    rounds: list[Round] = []
    actions: dict[str, Action] = {}
    changed: set[str] = set()
    left_out: Counter[str] = Counter()
    seen: set[str] = set()
    thinned: set[float] = set()
    problems: list[str] = []
    count = 0
    for line, text in _lines(path):
        try:
            event = _object(text)
            if reason := _no_evidence(event, seen):
                left_out[reason] += 1
                continue
            one = _round(event, reward_range)
            thinned.add(float(event.get("pdrop", 0.0)))
        except (ValueError, KeyError, TypeError) as error:
            count += 1
            if len(problems) < SHOWN:
                problems.append(f"line {line}: {_told(error)}")
            continue
        rounds.append(one)
        for action in one.actions:
            if action.id in actions and actions[action.id].features != action.features:
                changed.add(action.id)
            actions[action.id] = action
    if count:
        raise SourceError(path, problems, count=count)
    if not rounds:
        raise SourceError(path, [f"no decision in it; {dict(left_out) or 'no line at all'}"])
    if len(thinned) > 1:
        shares = ", ".join(f"{share:g}" for share in sorted(thinned))
        raise SourceError(path, [f"pdrop: {shares}; a log thinned out unevenly is not the log of what was served"])
    source = Source(
        name=path.name,
        slot=slot,
        reward="reward",
        actions=tuple(actions.values()),
        rounds=tuple(rounds),
        reward_range=reward_range,
    )
    return Dsjson(source, dict(left_out), tuple(sorted(changed)))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line, text in enumerate(file, start=1):
                if text.strip():
                    yield line, text
    except FileNotFoundError as error:
        raise SourceError(path, ["no such file"]) from error
    except UnicodeDecodeError as error:
        raise SourceError(path, [f"byte {error.object[error.start]:#04x} is not UTF-8"]) from error


def _object(text: str) -> dict[str, Any]:
    event = json.loads(text)
    if not isinstance(event, dict):
        raise ValueError(f"{text.strip()[:60]!r}, expected a JSON object")
    return event


def _no_evidence(event: Mapping[str, Any], seen: set[str]) -> str | None:
    """Why a line is no decision to learn from; None if it is one."""
    if "c" not in event and "EventId" in event:
        return DANGLING
    if event.get("_skipLearn"):
        return NOT_SHOWN
    if (event_id := event.get("EventId")) is not None:
        if str(event_id) in seen:
            return REPEATED
        seen.add(str(event_id))
    return None


def _round(event: Mapping[str, Any], reward_range: RewardRange) -> Round:
    """Raises ValueError, KeyError, TypeError."""
    context = event["c"]
    if "_slots" in context or "_outcomes" in event:
        raise ValueError("several slots in one decision (ccb, slates): expected one, with _label_Action")
    actions = tuple(_action(raw) for raw in context["_multi"])
    chosen = int(event["_label_Action"]) - 1
    if not 0 <= chosen < len(actions):
        raise ValueError(f"_label_Action: {chosen + 1}, expected 1 to {len(actions)}, as there are actions in _multi")
    propensity = _number(event, "_label_probability")
    if not 0.0 < propensity <= 1.0:
        raise ValueError(f"_label_probability: {propensity}, expected a number in (0, 1]")
    probabilities = _probabilities(event, len(actions))
    if probabilities is not None:
        if abs(probabilities[chosen] - propensity) > SUM_SLACK:
            raise ValueError(f"_label_probability: {propensity}, but p gives that action {probabilities[chosen]:g}")
        propensity = probabilities[chosen]
    reward = 0.0 - _number(event, "_label_cost")
    if not reward_range.low <= reward <= reward_range.high:
        raise ValueError(
            f"_label_cost: {-reward:g}, which is a reward of {reward:g}, "
            f"expected one from {reward_range.low:g} to {reward_range.high:g} (reward_range)"
        )
    return Round(
        context=dict(_features("", {name: raw for name, raw in context.items() if name != "_multi"})),
        actions=actions,
        chosen=actions[chosen].id,
        propensity=propensity,
        reward=reward,
        time=read_time(str(event["Timestamp"])),
        probabilities=probabilities,
    )


def _probabilities(event: Mapping[str, Any], n: int) -> list[float] | None:
    """The pmf over the actions in their own order, in double precision; None where the line has none."""
    if "p" not in event:
        return None
    listed, told = [int(action) for action in event["a"]], [float(p) for p in event["p"]]
    if sorted(listed) != list(range(1, n + 1)) or len(told) != n:
        raise ValueError(f"a: {listed} with p: {told}, expected each of the {n} actions of _multi once")
    total = sum(told)
    if not all(p >= 0.0 for p in told) or not abs(total - 1.0) <= SUM_SLACK:
        raise ValueError(f"p: {told}, expected probabilities that sum to 1")
    by_action = dict(zip(listed, told, strict=True))
    return [by_action[action] / total for action in range(1, n + 1)]


def _action(raw: Mapping[str, Any]) -> Action:
    own = raw.get("i")  # where Personalizer put the id, beside a constant
    name = raw.get("_tag") or (own.get("id") if isinstance(own, Mapping) else None) or raw.get("id")
    if not name:
        raise ValueError(f"an action of _multi has no name: {json.dumps(raw)[:60]}, expected _tag, i.id or id")
    return Action(str(name), dict(_features("", {key: value for key, value in raw.items() if key not in ("i", "id")})))


def _features(prefix: str, raw: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    """Flat: {"User": [{"age": 3}, {"likes": ["a", "b"]}]} gives User_age, and User_likes as texts."""
    for name, value in raw.items():
        if not name.startswith("_"):
            yield from _feature(f"{prefix}_{name}" if prefix else name, value)


def _feature(name: str, value: Any) -> Iterator[tuple[str, Value]]:
    match value:
        case Mapping():
            yield from _features(name, value)
        case list() if value and all(isinstance(one, str) for one in value):
            yield name, tuple(value)
        case list():
            for place, one in enumerate(value):
                yield from _feature(name if isinstance(one, Mapping) else f"{name}_{place}", one)
        case bool() | str():
            yield name, value
        case int() | float():
            yield name, float(value)


def _number(event: Mapping[str, Any], name: str) -> float:
    number = float(event[name])
    if not isfinite(number):
        raise ValueError(f"{name}: {number}, expected a finite number")
    return number


def _told(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)
