"""Raft adapters: how each kind of service is asked about its cluster, and told to change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from quorumshift.adapters.raft.etcd import EtcdRaft
from quorumshift.domain.errors import InvalidConfiguration
from quorumshift.domain.policy import Dialect
from quorumshift.ports import RaftControl
from quorumshift.settings import Settings


def _etcd(settings: Settings) -> RaftControl:
    return EtcdRaft(client_port=settings.raft_port, peer_port=settings.raft_peer_port)


DIALECTS: Mapping[str, Callable[[Settings], RaftControl]] = {"etcd": _etcd}


_CAN: Mapping[str, Dialect] = {"etcd": EtcdRaft.dialect}

T = TypeVar("T")


def raft_control(settings: Settings) -> RaftControl:
    """The adapter that ``settings.dialect`` names.

    Raises ``InvalidConfiguration`` when there is none of that name.
    """
    return _named(settings.dialect, DIALECTS)(settings)


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
