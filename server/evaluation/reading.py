"""From matured decisions, wherever they were kept, to what the simulator judges: the logs of slots, row by row the same
decisions, and beside them what no policy sees: labels, single metrics, the control group.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from policies.types import Value
from server.campaigns.learning import actions_of, seen_by_policy
from server.campaigns.model import Campaign
from server.errors import InvalidRequest
from server.evaluation.arrivals import arrival
from server.evaluation.where import Where, label_value
from server.outcomes import earn
from server.records import Decision, Group, Kind, Matured
from server.reward_anew import CHUNK, OutcomesOf
from server.store.counts import Counted
from simulator import Log, Page, Round, Trial
from simulator.logs.rounds import UNKNOWN

Floats = np.typing.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What was asked for of a campaign's log, n rounds.

    slots: one log each, in the order of the decision, aligned. rewards: (n,) of the whole decisions. labels: by name,
    of each round, None where it has none. metrics: by name, (n,). trial: everybody, with the control group; None where
    there is none. formula: by which decisions earned; empty where nobody knows. as_logged: the names of other slots.
    counted: what there was when it was read; None of a log that can't become less.
    """

    slots: tuple[Log, ...]
    rewards: Floats
    labels: Mapping[str, tuple[Value | None, ...]]
    metrics: Mapping[str, Floats]
    trial: Trial | None = None
    formula: str = ""
    as_logged: tuple[str, ...] = ()
    counted: Counted | None = None

    @property
    def page(self) -> Page | None:
        """All slots as one page; None for a single slot."""
        return Page(self.slots, self.rewards) if len(self.slots) > 1 else None

    def as_of(self, now: float) -> "Reading":
        """The same, knowing that it was read at `now`, unix seconds."""
        return replace(self, slots=tuple(log.as_of(now) for log in self.slots))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read. slots: names; none: all of the newest version. where: a CEL test, see `Where`. labels, metrics:
    names of what to have of each round. estimate: take decisions that were told without their propensity, and guess it.
    """

    slots: tuple[str, ...] = ()
    where: str | None = None
    labels: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    estimate: bool = False


def reading_of(log: Log, labels: Sequence[str] = ()) -> Reading:
    """A log that is all there is: no page, no metrics, and of no round a label."""
    unknown: tuple[Value | None, ...] = (None,) * len(log)
    return Reading((log,), log.rewards, dict.fromkeys(labels, unknown), {})


def read(
    rows: Iterable[Matured],
    newest: Campaign,
    versions: Callable[[int], Campaign],
    outcomes_of: OutcomesOf,
    wanted: Wanted,
    *,
    left_out: Callable[[int], None] = lambda decisions: None,
) -> Reading:
    """Decisions in which every one of the slots was drawn, or told with its propensity, and shown; of two of one moment
    the first stays the first. Those of the control group are in the trial alone, where those count as well that a
    policy was meant for and a default was shown instead. `left_out` hears how many were told without their propensity.

    Raises InvalidRequest for a slot or metric that there isn't, or when no decision is left; ExpressionError.
    """
    slots, valuing, where = prepared(newest, wanted)
    rounds: list[list[Round]] = [[] for _ in slots]
    rewards: list[float] = []
    arrivals: list[float] = []
    labels: list[list[Value | None]] = [[] for _ in wanted.labels]
    metrics: list[list[float]] = [[] for _ in valuing]
    trial = _TrialColumns(slots)
    unknown = found = 0
    for chunk in _chunks(rows):
        # what earned nothing but the default had no outcome that counts, unless by another metric
        told = [row for row in chunk if row.excluded is None and (valuing or row.reward != newest.reward.default)]
        happened = outcomes_of([row.decision.id for row in told])
        for row in chunk:
            made = _rounds(row, slots, newest, versions, estimate=wanted.estimate)
            if made is None:
                unknown += any(one.slot in slots and one.propensity is None for one in row.decision.choices)
            found += made is not None
            if where is not None and not where.holds(row):
                continue
            trial.add(row)
            if made is None or row.reward is None:
                continue
            for kept, one in zip(rounds, made, strict=True):
                kept.append(one)
            rewards.append(row.reward)
            arrivals.append(arrival(row.decision, happened.get(row.decision.id, ()), newest))
            for column, name in zip(labels, wanted.labels, strict=True):
                column.append(label_value(row.decision.labels.get(name)))
            for numbers, campaign in zip(metrics, valuing, strict=True):
                closes_at = row.decision.window_closes_at or row.matured_at
                anew = earn(campaign, row.decision.id, happened.get(row.decision.id, ()), closes_at=closes_at)
                numbers.append(_of(slots, anew.reward, anew.slot_rewards) or 0.0)
    if where is not None and found:
        where.check()
    if not rewards:
        raise InvalidRequest(_nothing(newest.campaign, wanted.where if found else None, found, unknown, len(slots)))
    if unknown:
        left_out(unknown)
    order = np.argsort([one.time for one in rounds[0]], kind="stable")  # as a log orders its rounds
    logs = (
        Log.from_rounds(
            kept,
            slot=name,
            default=newest.slots[name].default,
            name=newest.campaign,
            reward_range=newest.reward_range,
            estimate=wanted.estimate,
        )
        for name, kept in zip(slots, rounds, strict=True)
    )
    return Reading(
        slots=tuple(replace(log, arrivals=np.array(arrivals)[order]) for log in logs),
        rewards=np.array(rewards)[order],
        labels={name: tuple(column[i] for i in order) for name, column in zip(wanted.labels, labels, strict=True)},
        metrics={name: np.array(one)[order] for name, one in zip(wanted.metrics, metrics, strict=True)},
        trial=trial.finished(),
        formula=newest.reward.value,
        as_logged=tuple(slot for slot in newest.slots if slot not in slots),
    )


def prepared(newest: Campaign, wanted: Wanted) -> tuple[tuple[str, ...], list[Campaign], Where | None]:
    """The slots, the campaigns that value by each metric, and the test of the decisions.

    Raises InvalidRequest for a slot or metric that there isn't, ExpressionError.
    """
    slots = _slots(newest, wanted.slots)
    valuing = [_valued_by(newest, metric) for metric in wanted.metrics]
    return slots, valuing, Where(wanted.where, newest, slots[0]) if wanted.where else None


class _TrialColumns:
    """Rewards by intention to treat: everything decided by this campaign counts, however it came about."""

    def __init__(self, slots: Sequence[str]) -> None:
        self._slots = slots
        self._rewards: list[float] = []
        self._times: list[float] = []
        self._persons: list[str | None] = []
        self._control: list[bool] = []

    def add(self, row: Matured) -> None:
        decision = row.decision
        if row.reward is None or row.excluded is not None or any(one.kind is Kind.OBSERVED for one in decision.choices):
            return
        earned = row.reward if len(self._slots) > 1 else row.reward_of(self._slots[0])
        if earned is None:
            return
        self._rewards.append(earned)
        self._times.append(decision.at.timestamp())
        self._persons.append(decision.person)
        self._control.append(decision.group is Group.CONTROL)

    def finished(self) -> Trial | None:
        if not any(self._control):
            return None
        return Trial.of_rows(self._rewards, self._times, self._persons, self._control)


def _slots(newest: Campaign, asked: tuple[str, ...]) -> tuple[str, ...]:
    for name in asked:
        if name not in newest.slots:
            raise InvalidRequest(
                f"campaign {newest.campaign!r} has no slot {name!r}; it has: {', '.join(newest.slots)}"
            )
    return tuple(name for name in newest.slots if name in asked or not asked)


def _valued_by(newest: Campaign, metric: str) -> Campaign:
    """The campaign as if the reward of a decision were this metric, 0 without outcomes."""
    if metric not in newest.counted_metrics:
        known = ", ".join(newest.counted_metrics)
        raise InvalidRequest(f"campaign {newest.campaign!r} has no metric {metric!r} to judge by; it has: {known}")
    document = newest.document()
    document["reward"] = {**document["reward"], "value": metric, "default": 0.0, "range": [0.0, 1.0]}
    return Campaign.from_document(document)


def _chunks(rows: Iterable[Matured]) -> Iterator[list[Matured]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk


def _of(slots: Sequence[str], reward: float | None, own: Mapping[str, float]) -> float | None:
    """What a decision earned for these slots: a single one may have its own."""
    return own.get(slots[0], reward) if len(slots) == 1 else reward


def _rounds(
    row: Matured, slots: Sequence[str], newest: Campaign, versions: Callable[[int], Campaign], *, estimate: bool
) -> list[Round] | None:
    if row.decision.group is Group.CONTROL:
        return None
    made = [_round(row, slot, newest, versions, estimate=estimate) for slot in slots]
    return [one for one in made if one] if all(made) else None


def _round(
    row: Matured, slot: str, newest: Campaign, versions: Callable[[int], Campaign], *, estimate: bool
) -> Round | None:
    """A decision as a policy of the newest version would see it."""
    decision: Decision = row.decision
    for position, choice in enumerate(decision.choices):
        if choice.slot != slot:
            continue
        reward = row.reward_of(slot)
        unknown = choice.propensity is None
        if choice.kind is Kind.FALLBACK or (unknown and not estimate) or reward is None:
            return None
        return Round(
            context=seen_by_policy(newest, decision, position),
            actions=actions_of(versions(decision.version), choice, worded=newest.slots[slot].worded),
            chosen=choice.variant,
            propensity=UNKNOWN if choice.propensity is None else choice.propensity,
            reward=reward,
            time=decision.at.timestamp(),
            probabilities=choice.probabilities or None,
            person=decision.person,
        )
    return None


def _nothing(campaign: str, where: str | None, found: int, unknown: int, slots: int) -> str:
    if where:
        return f"{where!r} holds for none of the {found:,} decisions of campaign {campaign!r} in this period"
    if unknown:
        told = f"all {unknown:,} decisions of campaign {campaign!r} in this period were told without their propensity"
        return (
            f"{told}: what other policies would have earned can't be estimated from them, unless their propensities "
            "are (--estimate-propensities)"
        )
    every = " in which every slot was drawn and shown, and" if slots > 1 else ""
    hint = "; one slot alone may have some" if slots > 1 else ""
    period = f"campaign {campaign!r} has no decision in this period{every} whose reward window has closed"
    return f"{period}: nothing to evaluate{hint}"
