"""Who may talk to whom: what security groups let through, on both sides.

A group without a rule for a packet drops it; what was let in may answer (Amazon VPC User Guide,
"Security group rules").
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from quorumshift.domain.doctor.network_facts import Placement, Rule, SecurityGroup, Subnet

_ANYWHERE = "0.0.0.0/0"
_ALL = ("-1", "tcp", "6")


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a connection: its security groups, and the addresses it has."""

    name: str
    groups: frozenset[str]
    cidrs: tuple[str, ...]


def side(name: str, placement: Placement, subnets: Mapping[str, Subnet]) -> Side:
    """Where a placement's ends are seen."""
    known = (subnets[one].cidr for one in placement.subnets if one in subnets and subnets[one].cidr)
    return Side(name, frozenset(placement.groups), tuple(known))


def closed(
    source: Side, target: Side, ports: Iterable[int], groups: Mapping[str, SecurityGroup]
) -> list[str]:
    """Which ports do not get through, a short sentence each; empty when all do."""
    found = []
    inbound = [rule for one in target.groups if one in groups for rule in groups[one].inbound]
    outbound = [rule for one in source.groups if one in groups for rule in groups[one].outbound]
    for port in sorted(set(ports)):
        if not lets_through(inbound, source, port):
            found.append(f"{port} not into {_who(target)}")
        if not lets_through(outbound, target, port):
            found.append(f"{port} not out of {_who(source)}")
    return found


def _who(end: Side) -> str:
    """The security groups of one end."""
    return ", ".join(sorted(end.groups))


def lets_through(rules: Sequence[Rule], peer: Side, port: int) -> bool:
    """Whether TCP on ``port`` may pass between us and ``peer``, whichever of its addresses it has.

    A prefix list counts as a yes: what is in it is not read.
    """
    fits = [rule for rule in rules if _concerns(rule, port)]
    if any(rule.groups & peer.groups or rule.lists for rule in fits):
        return True
    ranges = [cidr for rule in fits for cidr in rule.cidrs]
    if _ANYWHERE in ranges:
        return True
    return bool(peer.cidrs) and all(covered(cidr, ranges) for cidr in peer.cidrs)


def covered(cidr: str, ranges: Iterable[str]) -> bool:
    """Whether one of ``ranges`` holds the whole of ``cidr``."""
    network = ipaddress.ip_network(cidr)
    others = (ipaddress.ip_network(one, strict=False) for one in ranges)
    return any(
        network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type] # of one version
        for other in others
    )


def _concerns(rule: Rule, port: int) -> bool:
    return rule.protocol in _ALL and (rule.first == -1 or rule.first <= port <= rule.last)
