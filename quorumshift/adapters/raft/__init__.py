"""Raft adapters: how each kind of service is asked about its cluster, and told to change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from quorumshift.adapters.raft.etcd import EtcdRaft
from quorumshift.adapters.raft.snaketron.dialect import DIALECT as SNAKETRON
from quorumshift.domain.errors import InvalidConfiguration
from quorumshift.domain.policy import Dialect
from quorumshift.ports import RaftControl, Registry
from quorumshift.settings import Settings


def _etcd(settings: Settings, _registry: Registry | None) -> RaftControl:
    return EtcdRaft(client_port=settings.raft_port, peer_port=settings.raft_peer_port)


def _snaketron(settings: Settings, registry: Registry | None) -> RaftControl:
    # gRPC is loaded where it is spoken only: other services' functions start without it.
    from quorumshift.adapters.raft.snaketron.control import SnaketronRaft

    return SnaketronRaft(port=settings.raft_port, registry=registry)


DIALECTS: Mapping[str, Callable[[Settings, Registry | None], RaftControl]] = {
    "etcd": _etcd,
    "snaketron": _snaketron,
}


_CAN: Mapping[str, Dialect] = {"etcd": EtcdRaft.dialect, "snaketron": SNAKETRON}

T = TypeVar("T")


def raft_control(settings: Settings, registry: Registry | None = None) -> RaftControl:
    """The adapter that ``settings.dialect`` names. ``registry``: where the service's nodes
    register themselves, for a dialect that needs it.

    Raises ``InvalidConfiguration`` when there is none of that name.
    """
    return _named(settings.dialect, DIALECTS)(settings, registry)


def dialect(name: str) -> Dialect:
    """What the adapter of that name can do. Raises ``InvalidConfiguration``."""
    return _named(name, _CAN)


def _named(name: str, known: Mapping[str, T]) -> T:
    if name not in known:
        raise InvalidConfiguration(
            f"Raft dialect {name!r} is not known; allowed: {', '.join(sorted(known))}. "
            "Correct it in quorumshift.toml and deploy the stack"
        )
    return known[name]
