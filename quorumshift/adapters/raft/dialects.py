"""What each kind of service's Raft can do, told without loading what speaks to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from quorumshift.adapters.raft.snaketron.dialect import DIALECT as SNAKETRON
from quorumshift.adapters.raft.snaketron.dialect import ENVIRONMENT
from quorumshift.domain.errors import InvalidConfiguration
from quorumshift.domain.policy import Dialect

T = TypeVar("T")

ETCD = Dialect(
    name="etcd",
    learners_at_a_time=1,
    leadership_transfer=True,
    removal=True,
    joins_need_every_voter=True,
)

_CAN: Mapping[str, Dialect] = {"etcd": ETCD, "snaketron": SNAKETRON}
_NEEDS: Mapping[str, Mapping[str, str]] = {"snaketron": ENVIRONMENT}


def dialect(name: str) -> Dialect:
    """What the adapter of that name can do. Raises ``InvalidConfiguration``."""
    return named(name, _CAN)


def environment(name: str) -> Mapping[str, str]:
    """Variables, with their values, that the dialect's nodes need to leave the votes to us."""
    return _NEEDS.get(name, {})


def named(name: str, known: Mapping[str, T]) -> T:
    """What belongs to the dialect of that name. Raises ``InvalidConfiguration``."""
    if name not in known:
        raise InvalidConfiguration(
            f"Raft dialect {name!r} is not known; allowed: {', '.join(sorted(known))}. "
            "Correct it in quorumshift.toml and deploy the stack"
        )
    return known[name]
