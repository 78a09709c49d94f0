from elige.v1 import common_pb2 as _common_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PolicyRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POLICY_ROLE_UNSPECIFIED: _ClassVar[PolicyRole]
    POLICY_ROLE_CANDIDATE: _ClassVar[PolicyRole]
    POLICY_ROLE_LOGGED: _ClassVar[PolicyRole]
    POLICY_ROLE_UNIFORM: _ClassVar[PolicyRole]
    POLICY_ROLE_FIXED: _ClassVar[PolicyRole]
    POLICY_ROLE_CONTROL: _ClassVar[PolicyRole]

class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEVERITY_UNSPECIFIED: _ClassVar[Severity]
    SEVERITY_GREEN: _ClassVar[Severity]
    SEVERITY_AMBER: _ClassVar[Severity]
    SEVERITY_RED: _ClassVar[Severity]
POLICY_ROLE_UNSPECIFIED: PolicyRole
POLICY_ROLE_CANDIDATE: PolicyRole
POLICY_ROLE_LOGGED: PolicyRole
POLICY_ROLE_UNIFORM: PolicyRole
POLICY_ROLE_FIXED: PolicyRole
POLICY_ROLE_CONTROL: PolicyRole
SEVERITY_UNSPECIFIED: Severity
SEVERITY_GREEN: Severity
SEVERITY_AMBER: Severity
SEVERITY_RED: Severity

class EvaluationResult(_message.Message):
    __slots__ = ("period", "decisions", "people", "exclusions", "policies", "estimates", "comparisons", "findings", "summary", "provenance", "notes", "trained", "grid", "replays")
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIONS_FIELD_NUMBER: _ClassVar[int]
    POLICIES_FIELD_NUMBER: _ClassVar[int]
    ESTIMATES_FIELD_NUMBER: _ClassVar[int]
    COMPARISONS_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    TRAINED_FIELD_NUMBER: _ClassVar[int]
    GRID_FIELD_NUMBER: _ClassVar[int]
    REPLAYS_FIELD_NUMBER: _ClassVar[int]
    period: _common_pb2.Period
    decisions: int
    people: int
    exclusions: _containers.RepeatedCompositeFieldContainer[Exclusion]
    policies: _containers.RepeatedCompositeFieldContainer[JudgedPolicy]
    estimates: _containers.RepeatedCompositeFieldContainer[Estimate]
    comparisons: _containers.RepeatedCompositeFieldContainer[Comparison]
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    summary: str
    provenance: _struct_pb2.Struct
    notes: _containers.RepeatedScalarFieldContainer[str]
    trained: _common_pb2.Period
    grid: GridResult
    replays: _containers.RepeatedCompositeFieldContainer[_struct_pb2.Struct]
    def __init__(self, period: _Optional[_Union[_common_pb2.Period, _Mapping]] = ..., decisions: _Optional[int] = ..., people: _Optional[int] = ..., exclusions: _Optional[_Iterable[_Union[Exclusion, _Mapping]]] = ..., policies: _Optional[_Iterable[_Union[JudgedPolicy, _Mapping]]] = ..., estimates: _Optional[_Iterable[_Union[Estimate, _Mapping]]] = ..., comparisons: _Optional[_Iterable[_Union[Comparison, _Mapping]]] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., summary: _Optional[str] = ..., provenance: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., notes: _Optional[_Iterable[str]] = ..., trained: _Optional[_Union[_common_pb2.Period, _Mapping]] = ..., grid: _Optional[_Union[GridResult, _Mapping]] = ..., replays: _Optional[_Iterable[_Union[_struct_pb2.Struct, _Mapping]]] = ...) -> None: ...

class GridResult(_message.Message):
    __slots__ = ("chosen", "period", "estimates", "comparisons")
    CHOSEN_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    ESTIMATES_FIELD_NUMBER: _ClassVar[int]
    COMPARISONS_FIELD_NUMBER: _ClassVar[int]
    chosen: str
    period: _common_pb2.Period
    estimates: _containers.RepeatedCompositeFieldContainer[Estimate]
    comparisons: _containers.RepeatedCompositeFieldContainer[Comparison]
    def __init__(self, chosen: _Optional[str] = ..., period: _Optional[_Union[_common_pb2.Period, _Mapping]] = ..., estimates: _Optional[_Iterable[_Union[Estimate, _Mapping]]] = ..., comparisons: _Optional[_Iterable[_Union[Comparison, _Mapping]]] = ...) -> None: ...

class Exclusion(_message.Message):
    __slots__ = ("reason", "decisions")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    reason: str
    decisions: int
    def __init__(self, reason: _Optional[str] = ..., decisions: _Optional[int] = ...) -> None: ...

class JudgedPolicy(_message.Message):
    __slots__ = ("label", "role", "policy", "arguments", "findings", "note")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    label: str
    role: PolicyRole
    policy: _common_pb2.PolicySpec
    arguments: _containers.RepeatedCompositeFieldContainer[_common_pb2.SlotPolicy]
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    note: str
    def __init__(self, label: _Optional[str] = ..., role: _Optional[_Union[PolicyRole, str]] = ..., policy: _Optional[_Union[_common_pb2.PolicySpec, _Mapping]] = ..., arguments: _Optional[_Iterable[_Union[_common_pb2.SlotPolicy, _Mapping]]] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., note: _Optional[str] = ...) -> None: ...

class Estimate(_message.Message):
    __slots__ = ("policy", "estimator", "slot", "metric", "segment", "period", "decisions", "people", "effective_sample_size", "support", "largest_weight", "value", "refusal", "note")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    ESTIMATOR_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_SAMPLE_SIZE_FIELD_NUMBER: _ClassVar[int]
    SUPPORT_FIELD_NUMBER: _ClassVar[int]
    LARGEST_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    policy: str
    estimator: str
    slot: str
    metric: str
    segment: str
    period: _common_pb2.Period
    decisions: int
    people: int
    effective_sample_size: float
    support: float
    largest_weight: float
    value: Quantity
    refusal: EstimateRefusal
    note: str
    def __init__(self, policy: _Optional[str] = ..., estimator: _Optional[str] = ..., slot: _Optional[str] = ..., metric: _Optional[str] = ..., segment: _Optional[str] = ..., period: _Optional[_Union[_common_pb2.Period, _Mapping]] = ..., decisions: _Optional[int] = ..., people: _Optional[int] = ..., effective_sample_size: _Optional[float] = ..., support: _Optional[float] = ..., largest_weight: _Optional[float] = ..., value: _Optional[_Union[Quantity, _Mapping]] = ..., refusal: _Optional[_Union[EstimateRefusal, _Mapping]] = ..., note: _Optional[str] = ...) -> None: ...

class Quantity(_message.Message):
    __slots__ = ("value", "low", "high", "level", "method", "standard_error", "forced")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    STANDARD_ERROR_FIELD_NUMBER: _ClassVar[int]
    FORCED_FIELD_NUMBER: _ClassVar[int]
    value: float
    low: float
    high: float
    level: float
    method: str
    standard_error: float
    forced: bool
    def __init__(self, value: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., level: _Optional[float] = ..., method: _Optional[str] = ..., standard_error: _Optional[float] = ..., forced: bool = ...) -> None: ...

class EstimateRefusal(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Comparison(_message.Message):
    __slots__ = ("policy", "against", "estimator", "slot", "metric", "segment", "difference", "refusal", "p_value", "sentence", "relative", "more_decisions")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    AGAINST_FIELD_NUMBER: _ClassVar[int]
    ESTIMATOR_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    SENTENCE_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_FIELD_NUMBER: _ClassVar[int]
    MORE_DECISIONS_FIELD_NUMBER: _ClassVar[int]
    policy: str
    against: str
    estimator: str
    slot: str
    metric: str
    segment: str
    difference: Quantity
    refusal: EstimateRefusal
    p_value: float
    sentence: str
    relative: Quantity
    more_decisions: int
    def __init__(self, policy: _Optional[str] = ..., against: _Optional[str] = ..., estimator: _Optional[str] = ..., slot: _Optional[str] = ..., metric: _Optional[str] = ..., segment: _Optional[str] = ..., difference: _Optional[_Union[Quantity, _Mapping]] = ..., refusal: _Optional[_Union[EstimateRefusal, _Mapping]] = ..., p_value: _Optional[float] = ..., sentence: _Optional[str] = ..., relative: _Optional[_Union[Quantity, _Mapping]] = ..., more_decisions: _Optional[int] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("check", "severity", "message", "advice", "numbers", "slot", "metric", "segment", "period")
    CHECK_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ADVICE_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    check: str
    severity: Severity
    message: str
    advice: str
    numbers: _struct_pb2.Struct
    slot: str
    metric: str
    segment: str
    period: _common_pb2.Period
    def __init__(self, check: _Optional[str] = ..., severity: _Optional[_Union[Severity, str]] = ..., message: _Optional[str] = ..., advice: _Optional[str] = ..., numbers: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., slot: _Optional[str] = ..., metric: _Optional[str] = ..., segment: _Optional[str] = ..., period: _Optional[_Union[_common_pb2.Period, _Mapping]] = ...) -> None: ...
