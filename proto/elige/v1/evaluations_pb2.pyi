from elige.v1 import common_pb2 as _common_pb2
from elige.v1 import decisions_pb2 as _decisions_pb2
from elige.v1 import estimates_pb2 as _estimates_pb2
from elige.v1 import log_pb2 as _log_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EvaluationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVALUATION_STATE_UNSPECIFIED: _ClassVar[EvaluationState]
    EVALUATION_STATE_QUEUED: _ClassVar[EvaluationState]
    EVALUATION_STATE_RUNNING: _ClassVar[EvaluationState]
    EVALUATION_STATE_DONE: _ClassVar[EvaluationState]
    EVALUATION_STATE_FAILED: _ClassVar[EvaluationState]
    EVALUATION_STATE_CANCELLED: _ClassVar[EvaluationState]

class ExplanationPart(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPLANATION_PART_UNSPECIFIED: _ClassVar[ExplanationPart]
    EXPLANATION_PART_RULES: _ClassVar[ExplanationPart]
    EXPLANATION_PART_POLICY: _ClassVar[ExplanationPart]
    EXPLANATION_PART_BOUNDS: _ClassVar[ExplanationPart]
    EXPLANATION_PART_DRAW: _ClassVar[ExplanationPart]

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_AGREES: _ClassVar[Verdict]
    VERDICT_DIFFERS: _ClassVar[Verdict]
    VERDICT_NOT_RECOMPUTABLE: _ClassVar[Verdict]
    VERDICT_NOT_APPLICABLE: _ClassVar[Verdict]
EVALUATION_STATE_UNSPECIFIED: EvaluationState
EVALUATION_STATE_QUEUED: EvaluationState
EVALUATION_STATE_RUNNING: EvaluationState
EVALUATION_STATE_DONE: EvaluationState
EVALUATION_STATE_FAILED: EvaluationState
EVALUATION_STATE_CANCELLED: EvaluationState
EXPLANATION_PART_UNSPECIFIED: ExplanationPart
EXPLANATION_PART_RULES: ExplanationPart
EXPLANATION_PART_POLICY: ExplanationPart
EXPLANATION_PART_BOUNDS: ExplanationPart
EXPLANATION_PART_DRAW: ExplanationPart
VERDICT_UNSPECIFIED: Verdict
VERDICT_AGREES: Verdict
VERDICT_DIFFERS: Verdict
VERDICT_NOT_RECOMPUTABLE: Verdict
VERDICT_NOT_APPLICABLE: Verdict

class StartEvaluationRequest(_message.Message):
    __slots__ = ("campaign", "period", "policies", "where", "estimators", "slots", "reward", "metrics", "by", "every", "train_share", "level", "force", "seed", "language", "request_id", "interval", "model", "replay", "learn_every", "grid", "estimate_propensities", "reward_low", "reward_high")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    POLICIES_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    ESTIMATORS_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    REWARD_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    EVERY_FIELD_NUMBER: _ClassVar[int]
    TRAIN_SHARE_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    REPLAY_FIELD_NUMBER: _ClassVar[int]
    LEARN_EVERY_FIELD_NUMBER: _ClassVar[int]
    GRID_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_PROPENSITIES_FIELD_NUMBER: _ClassVar[int]
    REWARD_LOW_FIELD_NUMBER: _ClassVar[int]
    REWARD_HIGH_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    period: _common_pb2.Period
    policies: _containers.RepeatedCompositeFieldContainer[_common_pb2.PolicySpec]
    where: str
    estimators: _containers.RepeatedScalarFieldContainer[str]
    slots: _containers.RepeatedScalarFieldContainer[str]
    reward: str
    metrics: _containers.RepeatedScalarFieldContainer[str]
    by: _containers.RepeatedScalarFieldContainer[str]
    every: _duration_pb2.Duration
    train_share: float
    level: float
    force: bool
    seed: int
    language: str
    request_id: str
    interval: str
    model: str
    replay: str
    learn_every: str
    grid: _containers.RepeatedScalarFieldContainer[str]
    estimate_propensities: bool
    reward_low: float
    reward_high: float
    def __init__(self, campaign: _Optional[str] = ..., period: _Optional[_Union[_common_pb2.Period, _Mapping]] = ..., policies: _Optional[_Iterable[_Union[_common_pb2.PolicySpec, _Mapping]]] = ..., where: _Optional[str] = ..., estimators: _Optional[_Iterable[str]] = ..., slots: _Optional[_Iterable[str]] = ..., reward: _Optional[str] = ..., metrics: _Optional[_Iterable[str]] = ..., by: _Optional[_Iterable[str]] = ..., every: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., train_share: _Optional[float] = ..., level: _Optional[float] = ..., force: bool = ..., seed: _Optional[int] = ..., language: _Optional[str] = ..., request_id: _Optional[str] = ..., interval: _Optional[str] = ..., model: _Optional[str] = ..., replay: _Optional[str] = ..., learn_every: _Optional[str] = ..., grid: _Optional[_Iterable[str]] = ..., estimate_propensities: bool = ..., reward_low: _Optional[float] = ..., reward_high: _Optional[float] = ...) -> None: ...

class Evaluation(_message.Message):
    __slots__ = ("id", "state", "progress", "stage", "request", "created_at", "started_at", "finished_at", "created_by", "error", "result")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    CREATED_BY_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    id: str
    state: EvaluationState
    progress: float
    stage: str
    request: StartEvaluationRequest
    created_at: _timestamp_pb2.Timestamp
    started_at: _timestamp_pb2.Timestamp
    finished_at: _timestamp_pb2.Timestamp
    created_by: str
    error: _common_pb2.Error
    result: _estimates_pb2.EvaluationResult
    def __init__(self, id: _Optional[str] = ..., state: _Optional[_Union[EvaluationState, str]] = ..., progress: _Optional[float] = ..., stage: _Optional[str] = ..., request: _Optional[_Union[StartEvaluationRequest, _Mapping]] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., started_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., finished_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., created_by: _Optional[str] = ..., error: _Optional[_Union[_common_pb2.Error, _Mapping]] = ..., result: _Optional[_Union[_estimates_pb2.EvaluationResult, _Mapping]] = ...) -> None: ...

class GetEvaluationRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ListEvaluationsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "campaign", "states")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    campaign: str
    states: _containers.RepeatedScalarFieldContainer[EvaluationState]
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., campaign: _Optional[str] = ..., states: _Optional[_Iterable[_Union[EvaluationState, str]]] = ...) -> None: ...

class ListEvaluationsResponse(_message.Message):
    __slots__ = ("evaluations", "next_page_token")
    EVALUATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    evaluations: _containers.RepeatedCompositeFieldContainer[Evaluation]
    next_page_token: str
    def __init__(self, evaluations: _Optional[_Iterable[_Union[Evaluation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CancelEvaluationRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class WatchEvaluationRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ExplainDecisionRequest(_message.Message):
    __slots__ = ("decision_id",)
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    def __init__(self, decision_id: _Optional[str] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("record", "agrees", "slots")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    AGREES_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    record: _log_pb2.DecisionRecord
    agrees: bool
    slots: _containers.RepeatedCompositeFieldContainer[SlotExplanation]
    def __init__(self, record: _Optional[_Union[_log_pb2.DecisionRecord, _Mapping]] = ..., agrees: bool = ..., slots: _Optional[_Iterable[_Union[SlotExplanation, _Mapping]]] = ...) -> None: ...

class SlotExplanation(_message.Message):
    __slots__ = ("slot", "logged_variant", "recomputed_variant", "logged_draw_point", "recomputed_draw_point", "variants", "checks", "policy")
    SLOT_FIELD_NUMBER: _ClassVar[int]
    LOGGED_VARIANT_FIELD_NUMBER: _ClassVar[int]
    RECOMPUTED_VARIANT_FIELD_NUMBER: _ClassVar[int]
    LOGGED_DRAW_POINT_FIELD_NUMBER: _ClassVar[int]
    RECOMPUTED_DRAW_POINT_FIELD_NUMBER: _ClassVar[int]
    VARIANTS_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    slot: str
    logged_variant: str
    recomputed_variant: str
    logged_draw_point: float
    recomputed_draw_point: float
    variants: _containers.RepeatedCompositeFieldContainer[VariantExplanation]
    checks: _containers.RepeatedCompositeFieldContainer[ExplanationCheck]
    policy: _common_pb2.SlotPolicy
    def __init__(self, slot: _Optional[str] = ..., logged_variant: _Optional[str] = ..., recomputed_variant: _Optional[str] = ..., logged_draw_point: _Optional[float] = ..., recomputed_draw_point: _Optional[float] = ..., variants: _Optional[_Iterable[_Union[VariantExplanation, _Mapping]]] = ..., checks: _Optional[_Iterable[_Union[ExplanationCheck, _Mapping]]] = ..., policy: _Optional[_Union[_common_pb2.SlotPolicy, _Mapping]] = ...) -> None: ...

class VariantExplanation(_message.Message):
    __slots__ = ("variant", "logged_eligible", "recomputed_eligible", "refusal", "policy_probability", "logged_probability", "recomputed_probability")
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    LOGGED_ELIGIBLE_FIELD_NUMBER: _ClassVar[int]
    RECOMPUTED_ELIGIBLE_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    POLICY_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    LOGGED_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    RECOMPUTED_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    variant: str
    logged_eligible: bool
    recomputed_eligible: bool
    refusal: _decisions_pb2.Refusal
    policy_probability: float
    logged_probability: float
    recomputed_probability: float
    def __init__(self, variant: _Optional[str] = ..., logged_eligible: bool = ..., recomputed_eligible: bool = ..., refusal: _Optional[_Union[_decisions_pb2.Refusal, _Mapping]] = ..., policy_probability: _Optional[float] = ..., logged_probability: _Optional[float] = ..., recomputed_probability: _Optional[float] = ...) -> None: ...

class ExplanationCheck(_message.Message):
    __slots__ = ("part", "verdict", "detail")
    PART_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    part: ExplanationPart
    verdict: Verdict
    detail: str
    def __init__(self, part: _Optional[_Union[ExplanationPart, str]] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class ListDecisionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "campaign", "person", "period", "kinds", "where")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    campaign: str
    person: str
    period: _common_pb2.Period
    kinds: _containers.RepeatedScalarFieldContainer[_decisions_pb2.DecisionKind]
    where: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., campaign: _Optional[str] = ..., person: _Optional[str] = ..., period: _Optional[_Union[_common_pb2.Period, _Mapping]] = ..., kinds: _Optional[_Iterable[_Union[_decisions_pb2.DecisionKind, str]]] = ..., where: _Optional[str] = ...) -> None: ...

class ListDecisionsResponse(_message.Message):
    __slots__ = ("decisions", "next_page_token")
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[_log_pb2.DecisionRecord]
    next_page_token: str
    def __init__(self, decisions: _Optional[_Iterable[_Union[_log_pb2.DecisionRecord, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DiagnoseRequest(_message.Message):
    __slots__ = ("campaign", "period", "language")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    period: _common_pb2.Period
    language: str
    def __init__(self, campaign: _Optional[str] = ..., period: _Optional[_Union[_common_pb2.Period, _Mapping]] = ..., language: _Optional[str] = ...) -> None: ...

class DiagnoseResponse(_message.Message):
    __slots__ = ("severity", "findings")
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    severity: _estimates_pb2.Severity
    findings: _containers.RepeatedCompositeFieldContainer[_estimates_pb2.Finding]
    def __init__(self, severity: _Optional[_Union[_estimates_pb2.Severity, str]] = ..., findings: _Optional[_Iterable[_Union[_estimates_pb2.Finding, _Mapping]]] = ...) -> None: ...

class PlanRequest(_message.Message):
    __slots__ = ("campaign", "difference", "decisions_per_day", "mean_reward", "reward_deviation", "policy", "level", "power", "horizon", "seed", "language")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_PER_DAY_FIELD_NUMBER: _ClassVar[int]
    MEAN_REWARD_FIELD_NUMBER: _ClassVar[int]
    REWARD_DEVIATION_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    POWER_FIELD_NUMBER: _ClassVar[int]
    HORIZON_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    difference: float
    decisions_per_day: float
    mean_reward: float
    reward_deviation: float
    policy: _common_pb2.PolicySpec
    level: float
    power: float
    horizon: _duration_pb2.Duration
    seed: int
    language: str
    def __init__(self, campaign: _Optional[str] = ..., difference: _Optional[float] = ..., decisions_per_day: _Optional[float] = ..., mean_reward: _Optional[float] = ..., reward_deviation: _Optional[float] = ..., policy: _Optional[_Union[_common_pb2.PolicySpec, _Mapping]] = ..., level: _Optional[float] = ..., power: _Optional[float] = ..., horizon: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., seed: _Optional[int] = ..., language: _Optional[str] = ...) -> None: ...

class PlanResponse(_message.Message):
    __slots__ = ("decisions_needed", "time_needed", "points", "assumptions", "summary")
    DECISIONS_NEEDED_FIELD_NUMBER: _ClassVar[int]
    TIME_NEEDED_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    ASSUMPTIONS_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    decisions_needed: int
    time_needed: _duration_pb2.Duration
    points: _containers.RepeatedCompositeFieldContainer[PlanPoint]
    assumptions: _struct_pb2.Struct
    summary: str
    def __init__(self, decisions_needed: _Optional[int] = ..., time_needed: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., points: _Optional[_Iterable[_Union[PlanPoint, _Mapping]]] = ..., assumptions: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., summary: _Optional[str] = ...) -> None: ...

class PlanPoint(_message.Message):
    __slots__ = ("after", "decisions", "power", "gain")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    POWER_FIELD_NUMBER: _ClassVar[int]
    GAIN_FIELD_NUMBER: _ClassVar[int]
    after: _duration_pb2.Duration
    decisions: int
    power: float
    gain: _estimates_pb2.Quantity
    def __init__(self, after: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., decisions: _Optional[int] = ..., power: _Optional[float] = ..., gain: _Optional[_Union[_estimates_pb2.Quantity, _Mapping]] = ...) -> None: ...
