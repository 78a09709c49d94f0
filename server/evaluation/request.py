"""What is asked of a campaign's log: the same from the command line, from a call, and from what was stored."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from policies.registry import PolicySpec, check
from server.durations import iso_duration, parse_duration
from server.errors import InvalidRequest
from server.evaluation.learners import check_learning
from server.evaluation.reading import Wanted
from server.evaluation.snapshots import SNAPSHOT
from server.reward_anew import OtherReward
from simulator import LANGUAGES, MODELS, USUAL, check_names, slot_specs
from simulator.asked import check_asked

MAX_SEED = 2**53
"""The largest that provenance, which is JSON, can tell exactly."""
LEARN_EVERY = "100"
"""Decisions of its own, after which a learner that is replayed learns."""


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """Which decisions, which policies, and how they are judged.

    slot: None for all of them, as a page where there are several. slots: at least two of more, as a page, the others
    as they were logged. since, until: only decisions from then on, before
    then. policies: specifications as in a campaign file, on a page also by slot, `SLOT=SPEC + SLOT=SPEC`, or
    `snapshot:NUMBER`. where: a CEL test over context, labels, `group` and `version`. reward: what decisions earn, other
    than they did. by: keys of context or labels, or `segment`; every: stretches of this length; metrics: declared
    ones, to judge by beside the reward. train_share: the first part of the log, on which learners named by
    specification are trained. interval, model: how intervals are made, and the model of the rewards. force: numbers
    although a finding is red. replay: how learners are replayed, in place of being trained first; learn_every: so many
    decisions of their own, or a time. grid: specifications with alternatives, of which one is chosen and judged.
    estimate_propensities: of decisions that were told without theirs, in place of leaving them out. Raises
    InvalidRequest, PolicyError for what can't be asked of any log.
    """

    campaign: str
    slot: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    policies: tuple[str, ...] = ()
    where: str | None = None
    reward: OtherReward | None = None
    by: tuple[str, ...] = ()
    every: timedelta | None = None
    metrics: tuple[str, ...] = ()
    estimators: tuple[str, ...] = USUAL
    interval: str = "skewed"
    model: str = "linear"
    train_share: float = 0.5
    confidence: float = 0.95
    seed: int = 0
    lang: str = "en"
    force: bool = False
    replay: str | None = None
    learn_every: str = LEARN_EVERY
    grid: tuple[str, ...] = ()
    estimate_propensities: bool = False
    slots: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.lang not in LANGUAGES:
            raise InvalidRequest(f"language {self.lang!r}: expected one of {', '.join(LANGUAGES)}")
        try:
            check_asked(self.confidence, self.lang)
            check_names(self.estimators, self.interval, model=self.model != "none")
        except ValueError as error:
            raise InvalidRequest(str(error)) from error
        if self.model not in MODELS:
            raise InvalidRequest(f"model {self.model!r}: expected one of {', '.join(MODELS)}")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise InvalidRequest(
                f"since {self.since.isoformat()} is not before until {self.until.isoformat()}: the period is empty"
            )
        if self.slots and (self.slot is not None or len(self.slots) < 2 or len(set(self.slots)) < len(self.slots)):
            asked = [*((self.slot,) if self.slot else ()), *self.slots]
            raise InvalidRequest(f"slots {asked}: expected none, one, or several that differ")
        if not 0 <= self.seed <= MAX_SEED:
            raise InvalidRequest(f"seed {self.seed}: expected 0 to {MAX_SEED}")
        if self.replay is None and self.learn_every != LEARN_EVERY:
            raise InvalidRequest(f"learn_every {self.learn_every!r}: expected together with replay")
        check_learning(self.replay, self.learn_every, self.grid)
        if self.grid and self.metrics:  # which of them should choose?
            raise InvalidRequest("a grid is chosen by the reward: ask for metrics of the chosen policy by itself")
        if self.every is not None and self.every < timedelta(minutes=1):
            raise InvalidRequest(f"every {self.every}: expected at least 1 minute")
        if not 0.0 < self.train_share < 1.0:
            raise InvalidRequest(f"train_share {self.train_share}: expected a number between 0 and 1")
        for spec in self.policies:  # before a long log is read for nothing
            if not spec.startswith(SNAPSHOT):
                for one in (slot_specs(spec) or {"": spec}).values():
                    check(PolicySpec.parse(one))

    def document(self) -> dict[str, Any]:
        """For JSON; `from_document` gives an equal request back. All of it: computed again by a later version, what was
        not said means what it meant.
        """
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "EvaluationRequest":
        """What it lacks is as usual. Raises InvalidRequest for a document of a newer version, or one that was
        damaged.
        """
        unknown = sorted(set(document) - {field.name for field in fields(cls)})
        if unknown:
            raise InvalidRequest(f"a stored evaluation asks for {unknown}, which this version does not know")
        read: dict[str, Any] = dict(document)
        for name in ("policies", "grid", "estimators", "by", "metrics", "slots"):
            if name in read:
                read[name] = tuple(read[name])
        if read.get("every") is not None:
            read["every"] = parse_duration(read["every"])
        for name in ("since", "until"):
            if read.get(name) is not None:
                read[name] = datetime.fromisoformat(read[name])
        if read.get("reward") is not None:
            bounds = read["reward"]["range"]
            read["reward"] = OtherReward(read["reward"]["value"], tuple(bounds) if bounds else None)
        return cls(**read)


def wanted_by(request: EvaluationRequest) -> Wanted:
    """What it needs of a log."""
    return Wanted(
        slots_asked(request),
        request.where,
        labels=request.by,
        metrics=request.metrics,
        estimate=request.estimate_propensities,
    )


def slots_asked(request: EvaluationRequest) -> tuple[str, ...]:
    """By name; empty for all of them."""
    return request.slots if request.slot is None else (request.slot,)


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return iso_duration(value)
        case OtherReward():
            return {"value": value.value, "range": list(value.range) if value.range else None}
        case tuple():
            return list(value)
    return value
