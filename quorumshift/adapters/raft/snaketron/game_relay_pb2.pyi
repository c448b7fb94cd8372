from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Empty(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RaftStatusResponse(_message.Message):
    __slots__ = ("is_leader", "leader_id", "leader_addr", "current_term", "last_log_index", "last_applied", "node_id", "members", "members_confirmed", "open_connections")
    IS_LEADER_FIELD_NUMBER: _ClassVar[int]
    LEADER_ID_FIELD_NUMBER: _ClassVar[int]
    LEADER_ADDR_FIELD_NUMBER: _ClassVar[int]
    CURRENT_TERM_FIELD_NUMBER: _ClassVar[int]
    LAST_LOG_INDEX_FIELD_NUMBER: _ClassVar[int]
    LAST_APPLIED_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_CONFIRMED_FIELD_NUMBER: _ClassVar[int]
    OPEN_CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    is_leader: bool
    leader_id: str
    leader_addr: str
    current_term: int
    last_log_index: int
    last_applied: int
    node_id: str
    members: _containers.RepeatedCompositeFieldContainer[RaftMember]
    members_confirmed: bool
    open_connections: int
    def __init__(self, is_leader: bool = ..., leader_id: _Optional[str] = ..., leader_addr: _Optional[str] = ..., current_term: _Optional[int] = ..., last_log_index: _Optional[int] = ..., last_applied: _Optional[int] = ..., node_id: _Optional[str] = ..., members: _Optional[_Iterable[_Union[RaftMember, _Mapping]]] = ..., members_confirmed: bool = ..., open_connections: _Optional[int] = ...) -> None: ...

class RaftMember(_message.Message):
    __slots__ = ("node_id", "grpc_addr", "is_learner")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    GRPC_ADDR_FIELD_NUMBER: _ClassVar[int]
    IS_LEARNER_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    grpc_addr: str
    is_learner: bool
    def __init__(self, node_id: _Optional[str] = ..., grpc_addr: _Optional[str] = ..., is_learner: bool = ...) -> None: ...

class JoinAsLearnerRequest(_message.Message):
    __slots__ = ("node_id", "grpc_addr")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    GRPC_ADDR_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    grpc_addr: str
    def __init__(self, node_id: _Optional[str] = ..., grpc_addr: _Optional[str] = ...) -> None: ...

class JoinAsLearnerResponse(_message.Message):
    __slots__ = ("accepted", "reason")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    accepted: bool
    reason: str
    def __init__(self, accepted: bool = ..., reason: _Optional[str] = ...) -> None: ...

class PromotionRequest(_message.Message):
    __slots__ = ("node_id",)
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    def __init__(self, node_id: _Optional[str] = ...) -> None: ...

class PromotionResponse(_message.Message):
    __slots__ = ("promoted", "reason")
    PROMOTED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    promoted: bool
    reason: str
    def __init__(self, promoted: bool = ..., reason: _Optional[str] = ...) -> None: ...

class RemovalRequest(_message.Message):
    __slots__ = ("node_id",)
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    def __init__(self, node_id: _Optional[str] = ...) -> None: ...

class RemovalResponse(_message.Message):
    __slots__ = ("removed", "reason")
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    removed: bool
    reason: str
    def __init__(self, removed: bool = ..., reason: _Optional[str] = ...) -> None: ...

class LeadershipTransferRequest(_message.Message):
    __slots__ = ("node_id",)
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    def __init__(self, node_id: _Optional[str] = ...) -> None: ...

class LeadershipTransferResponse(_message.Message):
    __slots__ = ("transferred", "reason")
    TRANSFERRED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    transferred: bool
    reason: str
    def __init__(self, transferred: bool = ..., reason: _Optional[str] = ...) -> None: ...
