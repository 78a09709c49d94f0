from elige.v1 import common_pb2 as _common_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DecisionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_KIND_UNSPECIFIED: _ClassVar[DecisionKind]
    DECISION_KIND_DRAWN: _ClassVar[DecisionKind]
    DECISION_KIND_REPEATED: _ClassVar[DecisionKind]
    DECISION_KIND_STICKY: _ClassVar[DecisionKind]
    DECISION_KIND_CONTROL: _ClassVar[DecisionKind]
    DECISION_KIND_OUTSIDE_ROLLOUT: _ClassVar[DecisionKind]
    DECISION_KIND_FALLBACK: _ClassVar[DecisionKind]
    DECISION_KIND_PINNED: _ClassVar[DecisionKind]
    DECISION_KIND_OBSERVED: _ClassVar[DecisionKind]
    DECISION_KIND_OPTED_OUT: _ClassVar[DecisionKind]

class Group(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GROUP_UNSPECIFIED: _ClassVar[Group]
    GROUP_POLICY: _ClassVar[Group]
    GROUP_CONTROL: _ClassVar[Group]
    GROUP_OUTSIDE_ROLLOUT: _ClassVar[Group]

class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_UNSPECIFIED: _ClassVar[Reason]
    REASON_DRAWN: _ClassVar[Reason]
    REASON_STICKY: _ClassVar[Reason]
    REASON_PINNED: _ClassVar[Reason]
    REASON_CONTROL: _ClassVar[Reason]
    REASON_HELD_OUT: _ClassVar[Reason]
    REASON_OUTSIDE_ROLLOUT: _ClassVar[Reason]
    REASON_OPTED_OUT: _ClassVar[Reason]
    REASON_OBSERVED: _ClassVar[Reason]
    REASON_NOTHING_ELIGIBLE: _ClassVar[Reason]
    REASON_CAMPAIGN_DRAFT: _ClassVar[Reason]
    REASON_CAMPAIGN_PAUSED: _ClassVar[Reason]
    REASON_CAMPAIGN_KILLED: _ClassVar[Reason]
    REASON_NO_SNAPSHOT: _ClassVar[Reason]
    REASON_POLICY_FAILED: _ClassVar[Reason]
    REASON_STORE_SLOW: _ClassVar[Reason]

class RefusalReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REFUSAL_REASON_UNSPECIFIED: _ClassVar[RefusalReason]
    REFUSAL_REASON_EXCLUDED: _ClassVar[RefusalReason]
    REFUSAL_REASON_RULE: _ClassVar[RefusalReason]
    REFUSAL_REASON_RULE_FAILED: _ClassVar[RefusalReason]
    REFUSAL_REASON_PAUSED: _ClassVar[RefusalReason]
    REFUSAL_REASON_OTHER_PINNED: _ClassVar[RefusalReason]
    REFUSAL_REASON_TOTAL_CAP: _ClassVar[RefusalReason]
    REFUSAL_REASON_PERSON_CAP: _ClassVar[RefusalReason]
    REFUSAL_REASON_SCHEDULE: _ClassVar[RefusalReason]
    REFUSAL_REASON_SEND_DEADLINE: _ClassVar[RefusalReason]
    REFUSAL_REASON_QUIET_HOURS: _ClassVar[RefusalReason]
    REFUSAL_REASON_HOUR_FULL: _ClassVar[RefusalReason]
    REFUSAL_REASON_EARLIER_SLOT: _ClassVar[RefusalReason]

class ActivateStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTIVATE_STATUS_UNSPECIFIED: _ClassVar[ActivateStatus]
    ACTIVATE_STATUS_ACTIVATED: _ClassVar[ActivateStatus]
    ACTIVATE_STATUS_ALREADY_ACTIVE: _ClassVar[ActivateStatus]
    ACTIVATE_STATUS_PENDING: _ClassVar[ActivateStatus]
    ACTIVATE_STATUS_EXPIRED: _ClassVar[ActivateStatus]

class RewardStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REWARD_STATUS_UNSPECIFIED: _ClassVar[RewardStatus]
    REWARD_STATUS_ACCEPTED: _ClassVar[RewardStatus]
    REWARD_STATUS_PENDING: _ClassVar[RewardStatus]
    REWARD_STATUS_LATE: _ClassVar[RewardStatus]
    REWARD_STATUS_DUPLICATE: _ClassVar[RewardStatus]
DECISION_KIND_UNSPECIFIED: DecisionKind
DECISION_KIND_DRAWN: DecisionKind
DECISION_KIND_REPEATED: DecisionKind
DECISION_KIND_STICKY: DecisionKind
DECISION_KIND_CONTROL: DecisionKind
DECISION_KIND_OUTSIDE_ROLLOUT: DecisionKind
DECISION_KIND_FALLBACK: DecisionKind
DECISION_KIND_PINNED: DecisionKind
DECISION_KIND_OBSERVED: DecisionKind
DECISION_KIND_OPTED_OUT: DecisionKind
GROUP_UNSPECIFIED: Group
GROUP_POLICY: Group
GROUP_CONTROL: Group
GROUP_OUTSIDE_ROLLOUT: Group
REASON_UNSPECIFIED: Reason
REASON_DRAWN: Reason
REASON_STICKY: Reason
REASON_PINNED: Reason
REASON_CONTROL: Reason
REASON_HELD_OUT: Reason
REASON_OUTSIDE_ROLLOUT: Reason
REASON_OPTED_OUT: Reason
REASON_OBSERVED: Reason
REASON_NOTHING_ELIGIBLE: Reason
REASON_CAMPAIGN_DRAFT: Reason
REASON_CAMPAIGN_PAUSED: Reason
REASON_CAMPAIGN_KILLED: Reason
REASON_NO_SNAPSHOT: Reason
REASON_POLICY_FAILED: Reason
REASON_STORE_SLOW: Reason
REFUSAL_REASON_UNSPECIFIED: RefusalReason
REFUSAL_REASON_EXCLUDED: RefusalReason
REFUSAL_REASON_RULE: RefusalReason
REFUSAL_REASON_RULE_FAILED: RefusalReason
REFUSAL_REASON_PAUSED: RefusalReason
REFUSAL_REASON_OTHER_PINNED: RefusalReason
REFUSAL_REASON_TOTAL_CAP: RefusalReason
REFUSAL_REASON_PERSON_CAP: RefusalReason
REFUSAL_REASON_SCHEDULE: RefusalReason
REFUSAL_REASON_SEND_DEADLINE: RefusalReason
REFUSAL_REASON_QUIET_HOURS: RefusalReason
REFUSAL_REASON_HOUR_FULL: RefusalReason
REFUSAL_REASON_EARLIER_SLOT: RefusalReason
ACTIVATE_STATUS_UNSPECIFIED: ActivateStatus
ACTIVATE_STATUS_ACTIVATED: ActivateStatus
ACTIVATE_STATUS_ALREADY_ACTIVE: ActivateStatus
ACTIVATE_STATUS_PENDING: ActivateStatus
ACTIVATE_STATUS_EXPIRED: ActivateStatus
REWARD_STATUS_UNSPECIFIED: RewardStatus
REWARD_STATUS_ACCEPTED: RewardStatus
REWARD_STATUS_PENDING: RewardStatus
REWARD_STATUS_LATE: RewardStatus
REWARD_STATUS_DUPLICATE: RewardStatus

class DecideRequest(_message.Message):
    __slots__ = ("campaign", "person", "context", "labels", "time_zone", "request_id", "slots", "slot_options", "defer_activation", "activation_ttl", "send_deadline", "opted_out", "dry_run", "want_probabilities", "want_refusals")
    class SlotOptionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: SlotOptions
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[SlotOptions, _Mapping]] = ...) -> None: ...
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    SLOT_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    DEFER_ACTIVATION_FIELD_NUMBER: _ClassVar[int]
    ACTIVATION_TTL_FIELD_NUMBER: _ClassVar[int]
    SEND_DEADLINE_FIELD_NUMBER: _ClassVar[int]
    OPTED_OUT_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    WANT_PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    WANT_REFUSALS_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    person: str
    context: _struct_pb2.Struct
    labels: _struct_pb2.Struct
    time_zone: str
    request_id: str
    slots: _containers.RepeatedScalarFieldContainer[str]
    slot_options: _containers.MessageMap[str, SlotOptions]
    defer_activation: bool
    activation_ttl: _duration_pb2.Duration
    send_deadline: _timestamp_pb2.Timestamp
    opted_out: bool
    dry_run: bool
    want_probabilities: bool
    want_refusals: bool
    def __init__(self, campaign: _Optional[str] = ..., person: _Optional[str] = ..., context: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., labels: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., time_zone: _Optional[str] = ..., request_id: _Optional[str] = ..., slots: _Optional[_Iterable[str]] = ..., slot_options: _Optional[_Mapping[str, SlotOptions]] = ..., defer_activation: bool = ..., activation_ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., send_deadline: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., opted_out: bool = ..., dry_run: bool = ..., want_probabilities: bool = ..., want_refusals: bool = ...) -> None: ...

class SlotOptions(_message.Message):
    __slots__ = ("exclude", "candidates")
    EXCLUDE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    exclude: _containers.RepeatedScalarFieldContainer[str]
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    def __init__(self, exclude: _Optional[_Iterable[str]] = ..., candidates: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ...) -> None: ...

class Candidate(_message.Message):
    __slots__ = ("id", "content", "features")
    ID_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    id: str
    content: _struct_pb2.Struct
    features: _struct_pb2.Struct
    def __init__(self, id: _Optional[str] = ..., content: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., features: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("decision_id", "campaign", "version", "choices", "policy", "snapshot", "group", "reason", "kind", "origin_decision_id", "superseded_by", "window_closes_at", "refusals", "ignored_context")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_BY_FIELD_NUMBER: _ClassVar[int]
    WINDOW_CLOSES_AT_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    IGNORED_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    campaign: str
    version: int
    choices: _containers.RepeatedCompositeFieldContainer[Choice]
    policy: str
    snapshot: str
    group: Group
    reason: Reason
    kind: DecisionKind
    origin_decision_id: str
    superseded_by: str
    window_closes_at: _timestamp_pb2.Timestamp
    refusals: _containers.RepeatedCompositeFieldContainer[Refusal]
    ignored_context: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, decision_id: _Optional[str] = ..., campaign: _Optional[str] = ..., version: _Optional[int] = ..., choices: _Optional[_Iterable[_Union[Choice, _Mapping]]] = ..., policy: _Optional[str] = ..., snapshot: _Optional[str] = ..., group: _Optional[_Union[Group, str]] = ..., reason: _Optional[_Union[Reason, str]] = ..., kind: _Optional[_Union[DecisionKind, str]] = ..., origin_decision_id: _Optional[str] = ..., superseded_by: _Optional[str] = ..., window_closes_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., refusals: _Optional[_Iterable[_Union[Refusal, _Mapping]]] = ..., ignored_context: _Optional[_Iterable[str]] = ...) -> None: ...

class Choice(_message.Message):
    __slots__ = ("slot", "variant", "content", "propensity", "send_at", "probabilities", "policy", "reason", "kind")
    SLOT_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    PROPENSITY_FIELD_NUMBER: _ClassVar[int]
    SEND_AT_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    slot: str
    variant: str
    content: _struct_pb2.Struct
    propensity: float
    send_at: _timestamp_pb2.Timestamp
    probabilities: _containers.RepeatedCompositeFieldContainer[VariantProbability]
    policy: str
    reason: Reason
    kind: DecisionKind
    def __init__(self, slot: _Optional[str] = ..., variant: _Optional[str] = ..., content: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., propensity: _Optional[float] = ..., send_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., probabilities: _Optional[_Iterable[_Union[VariantProbability, _Mapping]]] = ..., policy: _Optional[str] = ..., reason: _Optional[_Union[Reason, str]] = ..., kind: _Optional[_Union[DecisionKind, str]] = ...) -> None: ...

class VariantProbability(_message.Message):
    __slots__ = ("variant", "probability")
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    variant: str
    probability: float
    def __init__(self, variant: _Optional[str] = ..., probability: _Optional[float] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("slot", "variant", "reason", "detail")
    SLOT_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    slot: str
    variant: str
    reason: RefusalReason
    detail: str
    def __init__(self, slot: _Optional[str] = ..., variant: _Optional[str] = ..., reason: _Optional[_Union[RefusalReason, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class BatchDecideRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[DecideRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[DecideRequest, _Mapping]]] = ...) -> None: ...

class BatchDecideResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[DecideResult]
    def __init__(self, results: _Optional[_Iterable[_Union[DecideResult, _Mapping]]] = ...) -> None: ...

class DecideResult(_message.Message):
    __slots__ = ("decision", "error")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    decision: Decision
    error: _common_pb2.Error
    def __init__(self, decision: _Optional[_Union[Decision, _Mapping]] = ..., error: _Optional[_Union[_common_pb2.Error, _Mapping]] = ...) -> None: ...

class ActivateRequest(_message.Message):
    __slots__ = ("decision_id", "at", "slots")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    at: _timestamp_pb2.Timestamp
    slots: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, decision_id: _Optional[str] = ..., at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., slots: _Optional[_Iterable[str]] = ...) -> None: ...

class ActivateResponse(_message.Message):
    __slots__ = ("status", "window_closes_at")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WINDOW_CLOSES_AT_FIELD_NUMBER: _ClassVar[int]
    status: ActivateStatus
    window_closes_at: _timestamp_pb2.Timestamp
    def __init__(self, status: _Optional[_Union[ActivateStatus, str]] = ..., window_closes_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class BatchActivateRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[ActivateRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[ActivateRequest, _Mapping]]] = ...) -> None: ...

class BatchActivateResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ActivateResult]
    def __init__(self, results: _Optional[_Iterable[_Union[ActivateResult, _Mapping]]] = ...) -> None: ...

class ActivateResult(_message.Message):
    __slots__ = ("answer", "error")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    answer: ActivateResponse
    error: _common_pb2.Error
    def __init__(self, answer: _Optional[_Union[ActivateResponse, _Mapping]] = ..., error: _Optional[_Union[_common_pb2.Error, _Mapping]] = ...) -> None: ...

class RewardRequest(_message.Message):
    __slots__ = ("decision_id", "person", "campaign", "slot", "metric", "value", "at", "key")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    decision_id: str
    person: str
    campaign: str
    slot: str
    metric: str
    value: float
    at: _timestamp_pb2.Timestamp
    key: str
    def __init__(self, decision_id: _Optional[str] = ..., person: _Optional[str] = ..., campaign: _Optional[str] = ..., slot: _Optional[str] = ..., metric: _Optional[str] = ..., value: _Optional[float] = ..., at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., key: _Optional[str] = ...) -> None: ...

class RewardResponse(_message.Message):
    __slots__ = ("status", "decision_id", "learned_at")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    LEARNED_AT_FIELD_NUMBER: _ClassVar[int]
    status: RewardStatus
    decision_id: str
    learned_at: _timestamp_pb2.Timestamp
    def __init__(self, status: _Optional[_Union[RewardStatus, str]] = ..., decision_id: _Optional[str] = ..., learned_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class BatchRewardRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[RewardRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[RewardRequest, _Mapping]]] = ...) -> None: ...

class BatchRewardResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[RewardResult]
    def __init__(self, results: _Optional[_Iterable[_Union[RewardResult, _Mapping]]] = ...) -> None: ...

class RewardResult(_message.Message):
    __slots__ = ("answer", "error")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    answer: RewardResponse
    error: _common_pb2.Error
    def __init__(self, answer: _Optional[_Union[RewardResponse, _Mapping]] = ..., error: _Optional[_Union[_common_pb2.Error, _Mapping]] = ...) -> None: ...

class ObserveDecisionRequest(_message.Message):
    __slots__ = ("campaign", "person", "context", "labels", "time_zone", "request_id", "at", "choices")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    person: str
    context: _struct_pb2.Struct
    labels: _struct_pb2.Struct
    time_zone: str
    request_id: str
    at: _timestamp_pb2.Timestamp
    choices: _containers.RepeatedCompositeFieldContainer[ObservedChoice]
    def __init__(self, campaign: _Optional[str] = ..., person: _Optional[str] = ..., context: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., labels: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., time_zone: _Optional[str] = ..., request_id: _Optional[str] = ..., at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., choices: _Optional[_Iterable[_Union[ObservedChoice, _Mapping]]] = ...) -> None: ...

class ObservedChoice(_message.Message):
    __slots__ = ("slot", "variant", "propensity", "eligible", "candidates", "send_at")
    SLOT_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    PROPENSITY_FIELD_NUMBER: _ClassVar[int]
    ELIGIBLE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    SEND_AT_FIELD_NUMBER: _ClassVar[int]
    slot: str
    variant: str
    propensity: float
    eligible: _containers.RepeatedScalarFieldContainer[str]
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    send_at: _timestamp_pb2.Timestamp
    def __init__(self, slot: _Optional[str] = ..., variant: _Optional[str] = ..., propensity: _Optional[float] = ..., eligible: _Optional[_Iterable[str]] = ..., candidates: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ..., send_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
