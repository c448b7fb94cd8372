"""Raft adapters: how each kind of service is asked about its cluster, and told to change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from quorumshift.adapters.raft.etcd import EtcdRaft
from quorumshift.domain.errors import InvalidConfiguration
from quorumshift.ports import RaftControl
from quorumshift.settings import Settings


def _etcd(settings: Settings) -> RaftControl:
    return EtcdRaft(client_port=settings.raft_port, peer_port=settings.raft_peer_port)


DIALECTS: Mapping[str, Callable[[Settings], RaftControl]] = {"etcd": _etcd}


def raft_control(settings: Settings) -> RaftControl:
    """The adapter that ``settings.dialect`` names.

    Raises ``InvalidConfiguration`` when there is none of that name.
    """
    make = DIALECTS.get(settings.dialect)
    if make is None:
        raise InvalidConfiguration(
            f"Raft dialect {settings.dialect!r} is not known; allowed: "
            f"{', '.join(sorted(DIALECTS))}. Correct it in quorumshift.toml and deploy the stack"
        )
    return make(settings)
