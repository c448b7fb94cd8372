"""What was found of the network, as plain values; ids are AWS's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quorumshift.domain.doctor.finding import Look


@dataclass(frozen=True, slots=True)
class Placement:
    """Where tasks, functions or a load balancer stand."""

    subnets: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    public_ip: bool = False


@dataclass(frozen=True, slots=True)
class Subnet:
    """``cidr``: its IPv4 addresses; empty: IPv6 alone. ``way``: where its default route leads, an
    id of AWS's; empty: nowhere. ``outside``: the public addresses behind which it is seen, where
    they are known."""

    id: str
    vpc: str
    zone: str
    cidr: str
    way: str = ""
    outside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """What a security group lets through. ``first``, ``last``: ports, -1 for all. ``groups``,
    ``cidrs``: from whom, or to whom; ``lists``: ids of prefix lists, whose addresses are not read.
    """

    protocol: str
    first: int
    last: int
    groups: frozenset[str] = frozenset()
    cidrs: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """What may come in, and what may go out."""

    id: str
    vpc: str
    inbound: tuple[Rule, ...]
    outbound: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """``endpoints``: last parts of the names of the VPC's endpoints, ``ecr.api``. Each look is one
    at all that the configuration and the other facts name."""

    vpc: Look[str] = field(default_factory=Look)
    subnets: Look[Mapping[str, Subnet]] = field(default_factory=Look)
    groups: Look[Mapping[str, SecurityGroup]] = field(default_factory=Look)
    endpoints: Look[frozenset[str]] = field(default_factory=Look)
