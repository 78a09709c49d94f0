"""What evaluations, plans and diagnoses answer: frozen records with the words of the contract, explained field by field
in `elige/v1/evaluations.proto` and `estimates.proto`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from elige.client.records import Content


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its interval. standard_error: None where the method has none."""

    value: float
    low: float
    high: float
    level: float
    method: str
    standard_error: float | None
    forced: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one policy would have earned a decision, by one estimator: a `value`, or else a `refusal` that says why not,
    with its `reason` in short.

    slot, metric, segment: empty for the whole decision, the reward, everybody. since, until: None for the whole period.
    note: what the estimator chose, how the policy was judged here.
    """

    policy: str
    estimator: str
    slot: str
    metric: str
    segment: str
    since: datetime | None
    until: datetime | None
    decisions: int
    people: int
    effective_sample_size: float
    support: float
    largest_weight: float
    value: Quantity | None
    reason: str
    refusal: str
    note: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two policies on the same decisions. p_value: corrected for the number of comparisons. relative: the difference as
    a share of what `against` earned; more_decisions: about how many would show it; None where that is not known.
    """

    policy: str
    against: str
    estimator: str
    slot: str
    metric: str
    segment: str
    difference: Quantity | None
    refusal: str
    p_value: float | None
    sentence: str
    relative: Quantity | None
    more_decisions: int | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. severity: `green`, `amber` or `red`; advice: what to do, empty if nothing. slot,
    metric, segment, since, until: of which part of the log; empty, None: of all of it.
    """

    check: str
    severity: str
    message: str
    advice: str
    numbers: Content
    slot: str
    metric: str
    segment: str
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class JudgedPolicy:
    """A policy in a result. role: `candidate`, `logged`, `uniform`, `fixed` or `control`; note: how it was judged where
    that is not plain. arguments: by slot, its exact configuration, defaults included; of one that was asked for.
    """

    label: str
    role: str
    note: str
    findings: tuple[Finding, ...]
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GridResult:
    """Specifications among which one was chosen. estimates, comparisons: of the decisions since … until, which chose it
    and judge nothing else.
    """

    chosen: str
    since: datetime | None
    until: datetime | None
    estimates: tuple[Estimate, ...]
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """What an evaluation found. policies: each with its role: `candidate`, `logged`, `uniform`, `fixed`, `control`.

    exclusions: decisions that were not judged, by why. judged: the policies in full. trained_since, trained_until: what
    learners named by specification were trained on. grid: among which the policy was chosen; replays: how each replayed
    learner went through the log, as `elige evaluate --json` tells it.
    """

    since: datetime | None
    until: datetime | None
    decisions: int
    people: int
    exclusions: Mapping[str, int]
    policies: Mapping[str, str]
    estimates: tuple[Estimate, ...]
    comparisons: tuple[Comparison, ...]
    findings: tuple[Finding, ...]
    summary: str
    provenance: Content
    notes: tuple[str, ...]
    judged: tuple[JudgedPolicy, ...]
    trained_since: datetime | None
    trained_until: datetime | None
    grid: GridResult | None
    replays: tuple[Content, ...]

    def estimate(
        self, policy: str, estimator: str = "dr", *, slot: str = "", metric: str = "", segment: str = ""
    ) -> Estimate:
        """The estimate of a policy over the whole period. What was truly earned has the estimator `mean`. Raises
        KeyError with what there is.
        """
        wanted = (policy, estimator, slot, metric, segment)
        whole = [one for one in self.estimates if one.since is None]
        for one in whole:
            if (one.policy, one.estimator, one.slot, one.metric, one.segment) == wanted:
                return one
        known = sorted({(one.policy, one.estimator) for one in whole})
        raise KeyError(f"no estimate {wanted}; there are, of policies by estimators: {known}")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation. state: `queued`, `running`, `done`, `failed` or `cancelled`; request: what was asked, as the
    contract's JSON has it. error, error_code: what ended it if it failed, in words and as the name of a gRPC status:
    `FAILED_PRECONDITION` where this log can't answer. result: None unless it is done, and in lists.
    """

    id: str
    state: str
    progress: float
    stage: str
    request: Content
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    created_by: str
    error: str
    error_code: str
    result: EvaluationResult | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was checked of a campaign, the worst first. severity: the worst of all."""

    severity: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class PlanPoint:
    """What to expect by one moment. power: the probability that the difference has been found by then."""

    after: timedelta
    decisions: int
    power: float
    gain: Quantity


@dataclass(frozen=True, slots=True)
class Plan:
    """Whether, and when, the traffic suffices. None where the horizon is too near."""

    decisions_needed: int | None
    time_needed: timedelta | None
    points: tuple[PlanPoint, ...]
    assumptions: Content
    summary: str
