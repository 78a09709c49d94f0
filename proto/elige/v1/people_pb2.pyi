from elige.v1 import common_pb2 as _common_pb2
from elige.v1 import log_pb2 as _log_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LinkStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LINK_STATUS_UNSPECIFIED: _ClassVar[LinkStatus]
    LINK_STATUS_LINKED: _ClassVar[LinkStatus]
    LINK_STATUS_ALREADY_LINKED: _ClassVar[LinkStatus]

class ErasureState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERASURE_STATE_UNSPECIFIED: _ClassVar[ErasureState]
    ERASURE_STATE_RETRAINING: _ClassVar[ErasureState]
    ERASURE_STATE_DONE: _ClassVar[ErasureState]
    ERASURE_STATE_FAILED: _ClassVar[ErasureState]
LINK_STATUS_UNSPECIFIED: LinkStatus
LINK_STATUS_LINKED: LinkStatus
LINK_STATUS_ALREADY_LINKED: LinkStatus
ERASURE_STATE_UNSPECIFIED: ErasureState
ERASURE_STATE_RETRAINING: ErasureState
ERASURE_STATE_DONE: ErasureState
ERASURE_STATE_FAILED: ErasureState

class Profile(_message.Message):
    __slots__ = ("person", "values", "version", "updated_at")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    person: str
    values: _struct_pb2.Struct
    version: int
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, person: _Optional[str] = ..., values: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., version: _Optional[int] = ..., updated_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PutProfilesRequest(_message.Message):
    __slots__ = ("profiles",)
    PROFILES_FIELD_NUMBER: _ClassVar[int]
    profiles: _containers.RepeatedCompositeFieldContainer[PutProfile]
    def __init__(self, profiles: _Optional[_Iterable[_Union[PutProfile, _Mapping]]] = ...) -> None: ...

class PutProfile(_message.Message):
    __slots__ = ("person", "values", "replace", "expected_version")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    REPLACE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    person: str
    values: _struct_pb2.Struct
    replace: bool
    expected_version: int
    def __init__(self, person: _Optional[str] = ..., values: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., replace: bool = ..., expected_version: _Optional[int] = ...) -> None: ...

class PutProfilesResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[PutProfileResult]
    def __init__(self, results: _Optional[_Iterable[_Union[PutProfileResult, _Mapping]]] = ...) -> None: ...

class PutProfileResult(_message.Message):
    __slots__ = ("version", "error")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    version: int
    error: _common_pb2.Error
    def __init__(self, version: _Optional[int] = ..., error: _Optional[_Union[_common_pb2.Error, _Mapping]] = ...) -> None: ...

class GetProfileRequest(_message.Message):
    __slots__ = ("person",)
    PERSON_FIELD_NUMBER: _ClassVar[int]
    person: str
    def __init__(self, person: _Optional[str] = ...) -> None: ...

class LinkPeopleRequest(_message.Message):
    __slots__ = ("links",)
    LINKS_FIELD_NUMBER: _ClassVar[int]
    links: _containers.RepeatedCompositeFieldContainer[Link]
    def __init__(self, links: _Optional[_Iterable[_Union[Link, _Mapping]]] = ...) -> None: ...

class Link(_message.Message):
    __slots__ = ("alias", "person")
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    alias: str
    person: str
    def __init__(self, alias: _Optional[str] = ..., person: _Optional[str] = ...) -> None: ...

class LinkPeopleResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[LinkResult]
    def __init__(self, results: _Optional[_Iterable[_Union[LinkResult, _Mapping]]] = ...) -> None: ...

class LinkResult(_message.Message):
    __slots__ = ("status", "error")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    status: LinkStatus
    error: _common_pb2.Error
    def __init__(self, status: _Optional[_Union[LinkStatus, str]] = ..., error: _Optional[_Union[_common_pb2.Error, _Mapping]] = ...) -> None: ...

class ExportPersonRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "person")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    person: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., person: _Optional[str] = ...) -> None: ...

class ExportPersonResponse(_message.Message):
    __slots__ = ("profile", "person_keys", "decisions", "next_page_token")
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    PERSON_KEYS_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    profile: Profile
    person_keys: _containers.RepeatedScalarFieldContainer[str]
    decisions: _containers.RepeatedCompositeFieldContainer[_log_pb2.DecisionRecord]
    next_page_token: str
    def __init__(self, profile: _Optional[_Union[Profile, _Mapping]] = ..., person_keys: _Optional[_Iterable[str]] = ..., decisions: _Optional[_Iterable[_Union[_log_pb2.DecisionRecord, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ErasePersonRequest(_message.Message):
    __slots__ = ("person", "erasure", "dry_run")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    ERASURE_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    person: str
    erasure: str
    dry_run: bool
    def __init__(self, person: _Optional[str] = ..., erasure: _Optional[str] = ..., dry_run: bool = ...) -> None: ...

class Erasure(_message.Message):
    __slots__ = ("id", "state", "decisions", "outcomes", "keys", "retrainings", "started_at", "finished_at", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    RETRAININGS_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    id: str
    state: ErasureState
    decisions: int
    outcomes: int
    keys: int
    retrainings: _containers.RepeatedCompositeFieldContainer[Retraining]
    started_at: _timestamp_pb2.Timestamp
    finished_at: _timestamp_pb2.Timestamp
    error: _common_pb2.Error
    def __init__(self, id: _Optional[str] = ..., state: _Optional[_Union[ErasureState, str]] = ..., decisions: _Optional[int] = ..., outcomes: _Optional[int] = ..., keys: _Optional[int] = ..., retrainings: _Optional[_Iterable[_Union[Retraining, _Mapping]]] = ..., started_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., finished_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_common_pb2.Error, _Mapping]] = ...) -> None: ...

class Retraining(_message.Message):
    __slots__ = ("campaign", "old_lineage", "new_lineage", "progress", "done")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    OLD_LINEAGE_FIELD_NUMBER: _ClassVar[int]
    NEW_LINEAGE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    old_lineage: str
    new_lineage: str
    progress: float
    done: bool
    def __init__(self, campaign: _Optional[str] = ..., old_lineage: _Optional[str] = ..., new_lineage: _Optional[str] = ..., progress: _Optional[float] = ..., done: bool = ...) -> None: ...
