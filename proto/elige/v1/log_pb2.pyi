from elige.v1 import decisions_pb2 as _decisions_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ActivationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTIVATION_STATE_UNSPECIFIED: _ClassVar[ActivationState]
    ACTIVATION_STATE_ACTIVE: _ClassVar[ActivationState]
    ACTIVATION_STATE_WAITING: _ClassVar[ActivationState]
    ACTIVATION_STATE_EXPIRED: _ClassVar[ActivationState]
ACTIVATION_STATE_UNSPECIFIED: ActivationState
ACTIVATION_STATE_ACTIVE: ActivationState
ACTIVATION_STATE_WAITING: ActivationState
ACTIVATION_STATE_EXPIRED: ActivationState

class DecisionRecord(_message.Message):
    __slots__ = ("decision", "decided_at", "person_key", "context", "labels", "activation", "activated_at", "outcomes", "reward", "sequence", "matured_at", "erased")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    PERSON_KEY_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    ACTIVATION_FIELD_NUMBER: _ClassVar[int]
    ACTIVATED_AT_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    REWARD_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    MATURED_AT_FIELD_NUMBER: _ClassVar[int]
    ERASED_FIELD_NUMBER: _ClassVar[int]
    decision: _decisions_pb2.Decision
    decided_at: _timestamp_pb2.Timestamp
    person_key: str
    context: _struct_pb2.Struct
    labels: _struct_pb2.Struct
    activation: ActivationState
    activated_at: _timestamp_pb2.Timestamp
    outcomes: _containers.RepeatedCompositeFieldContainer[Outcome]
    reward: float
    sequence: int
    matured_at: _timestamp_pb2.Timestamp
    erased: bool
    def __init__(self, decision: _Optional[_Union[_decisions_pb2.Decision, _Mapping]] = ..., decided_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., person_key: _Optional[str] = ..., context: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., labels: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., activation: _Optional[_Union[ActivationState, str]] = ..., activated_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., outcomes: _Optional[_Iterable[_Union[Outcome, _Mapping]]] = ..., reward: _Optional[float] = ..., sequence: _Optional[int] = ..., matured_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., erased: bool = ...) -> None: ...

class Outcome(_message.Message):
    __slots__ = ("metric", "value", "at", "received_at", "slot", "key", "late")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    metric: str
    value: float
    at: _timestamp_pb2.Timestamp
    received_at: _timestamp_pb2.Timestamp
    slot: str
    key: str
    late: bool
    def __init__(self, metric: _Optional[str] = ..., value: _Optional[float] = ..., at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., received_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., slot: _Optional[str] = ..., key: _Optional[str] = ..., late: bool = ...) -> None: ...
