from elige.v1 import common_pb2 as _common_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CampaignState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CAMPAIGN_STATE_UNSPECIFIED: _ClassVar[CampaignState]
    CAMPAIGN_STATE_DRAFT: _ClassVar[CampaignState]
    CAMPAIGN_STATE_ACTIVE: _ClassVar[CampaignState]
    CAMPAIGN_STATE_PAUSED: _ClassVar[CampaignState]
    CAMPAIGN_STATE_KILLED: _ClassVar[CampaignState]
    CAMPAIGN_STATE_ARCHIVED: _ClassVar[CampaignState]

class VariantState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VARIANT_STATE_UNSPECIFIED: _ClassVar[VariantState]
    VARIANT_STATE_ACTIVE: _ClassVar[VariantState]
    VARIANT_STATE_PAUSED: _ClassVar[VariantState]
    VARIANT_STATE_PINNED: _ClassVar[VariantState]

class PutResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PUT_RESULT_UNSPECIFIED: _ClassVar[PutResult]
    PUT_RESULT_CREATED: _ClassVar[PutResult]
    PUT_RESULT_CHANGED: _ClassVar[PutResult]
    PUT_RESULT_UNCHANGED: _ClassVar[PutResult]
    PUT_RESULT_REFUSED: _ClassVar[PutResult]

class SnapshotState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SNAPSHOT_STATE_UNSPECIFIED: _ClassVar[SnapshotState]
    SNAPSHOT_STATE_SERVING: _ClassVar[SnapshotState]
    SNAPSHOT_STATE_KEPT: _ClassVar[SnapshotState]
    SNAPSHOT_STATE_THINNED: _ClassVar[SnapshotState]
    SNAPSHOT_STATE_REFUSED: _ClassVar[SnapshotState]
    SNAPSHOT_STATE_WITHDRAWN: _ClassVar[SnapshotState]
CAMPAIGN_STATE_UNSPECIFIED: CampaignState
CAMPAIGN_STATE_DRAFT: CampaignState
CAMPAIGN_STATE_ACTIVE: CampaignState
CAMPAIGN_STATE_PAUSED: CampaignState
CAMPAIGN_STATE_KILLED: CampaignState
CAMPAIGN_STATE_ARCHIVED: CampaignState
VARIANT_STATE_UNSPECIFIED: VariantState
VARIANT_STATE_ACTIVE: VariantState
VARIANT_STATE_PAUSED: VariantState
VARIANT_STATE_PINNED: VariantState
PUT_RESULT_UNSPECIFIED: PutResult
PUT_RESULT_CREATED: PutResult
PUT_RESULT_CHANGED: PutResult
PUT_RESULT_UNCHANGED: PutResult
PUT_RESULT_REFUSED: PutResult
SNAPSHOT_STATE_UNSPECIFIED: SnapshotState
SNAPSHOT_STATE_SERVING: SnapshotState
SNAPSHOT_STATE_KEPT: SnapshotState
SNAPSHOT_STATE_THINNED: SnapshotState
SNAPSHOT_STATE_REFUSED: SnapshotState
SNAPSHOT_STATE_WITHDRAWN: SnapshotState

class Campaign(_message.Message):
    __slots__ = ("name", "version", "number", "state", "source", "document", "policies", "variant_states", "snapshot", "snapshot_pinned", "created_at", "created_by")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    POLICIES_FIELD_NUMBER: _ClassVar[int]
    VARIANT_STATES_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_PINNED_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CREATED_BY_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    number: int
    state: CampaignState
    source: str
    document: _struct_pb2.Struct
    policies: _containers.RepeatedCompositeFieldContainer[_common_pb2.SlotPolicy]
    variant_states: _containers.RepeatedCompositeFieldContainer[VariantStatus]
    snapshot: str
    snapshot_pinned: bool
    created_at: _timestamp_pb2.Timestamp
    created_by: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., number: _Optional[int] = ..., state: _Optional[_Union[CampaignState, str]] = ..., source: _Optional[str] = ..., document: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., policies: _Optional[_Iterable[_Union[_common_pb2.SlotPolicy, _Mapping]]] = ..., variant_states: _Optional[_Iterable[_Union[VariantStatus, _Mapping]]] = ..., snapshot: _Optional[str] = ..., snapshot_pinned: bool = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., created_by: _Optional[str] = ...) -> None: ...

class VariantStatus(_message.Message):
    __slots__ = ("slot", "variant", "state")
    SLOT_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    slot: str
    variant: str
    state: VariantState
    def __init__(self, slot: _Optional[str] = ..., variant: _Optional[str] = ..., state: _Optional[_Union[VariantState, str]] = ...) -> None: ...

class PutCampaignRequest(_message.Message):
    __slots__ = ("source", "file_name", "first_line", "expected_version", "dry_run", "initial_state")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    FIRST_LINE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    INITIAL_STATE_FIELD_NUMBER: _ClassVar[int]
    source: str
    file_name: str
    first_line: int
    expected_version: int
    dry_run: bool
    initial_state: CampaignState
    def __init__(self, source: _Optional[str] = ..., file_name: _Optional[str] = ..., first_line: _Optional[int] = ..., expected_version: _Optional[int] = ..., dry_run: bool = ..., initial_state: _Optional[_Union[CampaignState, str]] = ...) -> None: ...

class PutCampaignResponse(_message.Message):
    __slots__ = ("result", "campaign", "mistakes")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    MISTAKES_FIELD_NUMBER: _ClassVar[int]
    result: PutResult
    campaign: Campaign
    mistakes: _containers.RepeatedCompositeFieldContainer[Mistake]
    def __init__(self, result: _Optional[_Union[PutResult, str]] = ..., campaign: _Optional[_Union[Campaign, _Mapping]] = ..., mistakes: _Optional[_Iterable[_Union[Mistake, _Mapping]]] = ...) -> None: ...

class Mistake(_message.Message):
    __slots__ = ("line", "column", "field", "value", "expected", "message")
    LINE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    line: int
    column: int
    field: str
    value: str
    expected: str
    message: str
    def __init__(self, line: _Optional[int] = ..., column: _Optional[int] = ..., field: _Optional[str] = ..., value: _Optional[str] = ..., expected: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class GetCampaignRequest(_message.Message):
    __slots__ = ("campaign", "version")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    version: int
    def __init__(self, campaign: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class ListCampaignsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "states", "versions_of")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_OF_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    states: _containers.RepeatedScalarFieldContainer[CampaignState]
    versions_of: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., states: _Optional[_Iterable[_Union[CampaignState, str]]] = ..., versions_of: _Optional[str] = ...) -> None: ...

class ListCampaignsResponse(_message.Message):
    __slots__ = ("campaigns", "next_page_token")
    CAMPAIGNS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    campaigns: _containers.RepeatedCompositeFieldContainer[Campaign]
    next_page_token: str
    def __init__(self, campaigns: _Optional[_Iterable[_Union[Campaign, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DiffCampaignRequest(_message.Message):
    __slots__ = ("campaign", "from_version", "to_version", "to_source")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    FROM_VERSION_FIELD_NUMBER: _ClassVar[int]
    TO_VERSION_FIELD_NUMBER: _ClassVar[int]
    TO_SOURCE_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    from_version: int
    to_version: int
    to_source: str
    def __init__(self, campaign: _Optional[str] = ..., from_version: _Optional[int] = ..., to_version: _Optional[int] = ..., to_source: _Optional[str] = ...) -> None: ...

class DiffCampaignResponse(_message.Message):
    __slots__ = ("changes", "relearned_slots")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    RELEARNED_SLOTS_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    relearned_slots: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., relearned_slots: _Optional[_Iterable[str]] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("field", "before", "after")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    field: str
    before: _struct_pb2.Value
    after: _struct_pb2.Value
    def __init__(self, field: _Optional[str] = ..., before: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., after: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ...) -> None: ...

class SetCampaignStateRequest(_message.Message):
    __slots__ = ("campaign", "state", "expected_version")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    state: CampaignState
    expected_version: int
    def __init__(self, campaign: _Optional[str] = ..., state: _Optional[_Union[CampaignState, str]] = ..., expected_version: _Optional[int] = ...) -> None: ...

class SetVariantStateRequest(_message.Message):
    __slots__ = ("campaign", "slot", "variant", "state", "expected_version")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    slot: str
    variant: str
    state: VariantState
    expected_version: int
    def __init__(self, campaign: _Optional[str] = ..., slot: _Optional[str] = ..., variant: _Optional[str] = ..., state: _Optional[_Union[VariantState, str]] = ..., expected_version: _Optional[int] = ...) -> None: ...

class Snapshot(_message.Message):
    __slots__ = ("id", "campaign", "version", "lineage", "trained_from", "trained_through", "examples", "created_at", "slots", "size_bytes", "packages", "state", "state_detail")
    class PackagesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LINEAGE_FIELD_NUMBER: _ClassVar[int]
    TRAINED_FROM_FIELD_NUMBER: _ClassVar[int]
    TRAINED_THROUGH_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    PACKAGES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_DETAIL_FIELD_NUMBER: _ClassVar[int]
    id: str
    campaign: str
    version: int
    lineage: str
    trained_from: int
    trained_through: int
    examples: int
    created_at: _timestamp_pb2.Timestamp
    slots: _containers.RepeatedCompositeFieldContainer[SlotSnapshot]
    size_bytes: int
    packages: _containers.ScalarMap[str, str]
    state: SnapshotState
    state_detail: str
    def __init__(self, id: _Optional[str] = ..., campaign: _Optional[str] = ..., version: _Optional[int] = ..., lineage: _Optional[str] = ..., trained_from: _Optional[int] = ..., trained_through: _Optional[int] = ..., examples: _Optional[int] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., slots: _Optional[_Iterable[_Union[SlotSnapshot, _Mapping]]] = ..., size_bytes: _Optional[int] = ..., packages: _Optional[_Mapping[str, str]] = ..., state: _Optional[_Union[SnapshotState, str]] = ..., state_detail: _Optional[str] = ...) -> None: ...

class SlotSnapshot(_message.Message):
    __slots__ = ("slot", "policy", "arguments", "examples", "progressive_loss", "size_bytes")
    SLOT_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    PROGRESSIVE_LOSS_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    slot: str
    policy: str
    arguments: str
    examples: int
    progressive_loss: float
    size_bytes: int
    def __init__(self, slot: _Optional[str] = ..., policy: _Optional[str] = ..., arguments: _Optional[str] = ..., examples: _Optional[int] = ..., progressive_loss: _Optional[float] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class ListSnapshotsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "campaign", "lineage")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    LINEAGE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    campaign: str
    lineage: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., campaign: _Optional[str] = ..., lineage: _Optional[str] = ...) -> None: ...

class ListSnapshotsResponse(_message.Message):
    __slots__ = ("snapshots", "next_page_token")
    SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    snapshots: _containers.RepeatedCompositeFieldContainer[Snapshot]
    next_page_token: str
    def __init__(self, snapshots: _Optional[_Iterable[_Union[Snapshot, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RollBackRequest(_message.Message):
    __slots__ = ("campaign", "snapshot", "pin", "unpin", "expected_version")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    PIN_FIELD_NUMBER: _ClassVar[int]
    UNPIN_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    snapshot: str
    pin: bool
    unpin: bool
    expected_version: int
    def __init__(self, campaign: _Optional[str] = ..., snapshot: _Optional[str] = ..., pin: bool = ..., unpin: bool = ..., expected_version: _Optional[int] = ...) -> None: ...

class PromotePolicyRequest(_message.Message):
    __slots__ = ("campaign", "slot", "policy", "evaluation", "at_least", "force", "expected_version", "dry_run")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    EVALUATION_FIELD_NUMBER: _ClassVar[int]
    AT_LEAST_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    slot: str
    policy: _common_pb2.PolicySpec
    evaluation: str
    at_least: float
    force: bool
    expected_version: int
    dry_run: bool
    def __init__(self, campaign: _Optional[str] = ..., slot: _Optional[str] = ..., policy: _Optional[_Union[_common_pb2.PolicySpec, _Mapping]] = ..., evaluation: _Optional[str] = ..., at_least: _Optional[float] = ..., force: bool = ..., expected_version: _Optional[int] = ..., dry_run: bool = ...) -> None: ...

class PromotePolicyResponse(_message.Message):
    __slots__ = ("promoted", "checks", "campaign")
    PROMOTED_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    promoted: bool
    checks: _containers.RepeatedCompositeFieldContainer[PromotionCheck]
    campaign: Campaign
    def __init__(self, promoted: bool = ..., checks: _Optional[_Iterable[_Union[PromotionCheck, _Mapping]]] = ..., campaign: _Optional[_Union[Campaign, _Mapping]] = ...) -> None: ...

class PromotionCheck(_message.Message):
    __slots__ = ("name", "passed", "message")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    name: str
    passed: bool
    message: str
    def __init__(self, name: _Optional[str] = ..., passed: bool = ..., message: _Optional[str] = ...) -> None: ...
