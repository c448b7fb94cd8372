"""The adapter that a service's settings name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from quorumshift.adapters.raft.dialects import named
from quorumshift.ports import RaftControl, Registry
from quorumshift.settings import Settings


def _etcd(settings: Settings, _registry: Registry | None) -> RaftControl:
    from quorumshift.adapters.raft.etcd import EtcdRaft

    return EtcdRaft(client_port=settings.raft_port, peer_port=settings.raft_peer_port)


def _snaketron(settings: Settings, registry: Registry | None) -> RaftControl:
    # gRPC is loaded where it is spoken only: other services' functions start without it.
    from quorumshift.adapters.raft.snaketron.control import SnaketronRaft

    return SnaketronRaft(port=settings.raft_port, registry=registry)


DIALECTS: Mapping[str, Callable[[Settings, Registry | None], RaftControl]] = {
    "etcd": _etcd,
    "snaketron": _snaketron,
}


def raft_control(settings: Settings, registry: Registry | None = None) -> RaftControl:
    """The adapter that ``settings.dialect`` names. ``registry``: where the service's nodes
    register themselves, for a dialect that needs it.

    Raises ``InvalidConfiguration`` when there is none of that name.
    """
    return named(settings.dialect, DIALECTS)(settings, registry)
