"""Subnets with their ways out, security groups and endpoints, by the ids that others named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from quorumshift.adapters.aws.client import every
from quorumshift.adapters.aws.doctor.looking import Clients, look
from quorumshift.domain.doctor.finding import Look
from quorumshift.domain.doctor.network_facts import (
    NetworkFacts,
    Placement,
    Rule,
    SecurityGroup,
    Subnet,
)

_DEFAULT = ("0.0.0.0/0", "::/0")
_LEADS_TO = (
    *("NatGatewayId", "GatewayId", "TransitGatewayId", "NetworkInterfaceId", "InstanceId"),
    *(
        "VpcPeeringConnectionId",
        "EgressOnlyInternetGatewayId",
        "LocalGatewayId",
        "CarrierGatewayId",
    ),
    "CoreNetworkArn",
)
_SERVICE = re.compile(r"amazonaws\.[a-z0-9-]+\.(.+)")
_NONE = ("InvalidSubnetID.NotFound", "InvalidGroup.NotFound", "InvalidVpcID.NotFound")


def network(
    clients: Clients,
    vpc: str,
    places: Iterable[Placement],
    subnets: Iterable[str],
    groups: Iterable[str],
) -> NetworkFacts:
    """All that ``places`` name, and the ids that the configuration adds to them; those that do not
    exist are left out. ``vpc``: the one of the configuration, if it gives one."""
    all_places = tuple(places)
    wanted = {*subnets, *(one for place in all_places for one in place.subnets)}
    guards = {*groups, *(one for place in all_places for one in place.groups)}
    found = _subnets(clients, wanted) if wanted else Look()
    known = {one.vpc for one in (found.value or {}).values()} | ({vpc} if vpc else set())
    return NetworkFacts(
        vpc=look(lambda: _vpc(clients, vpc), *_NONE) if vpc else Look(),
        subnets=found,
        groups=look(lambda: _groups(clients, guards), *_NONE) if guards else Look(),
        endpoints=look(lambda: _endpoints(clients, known)) if known else Look(),
    )


def _vpc(clients: Clients, vpc: str) -> str:
    return str(clients("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["VpcId"])


def _by(name: str, values: Iterable[str]) -> list[dict[str, Any]]:
    """A filter; unlike a list of ids, it leaves out what does not exist."""
    return [{"Name": name, "Values": sorted(values)}]


def _all(clients: Clients, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
    return every(getattr(clients("ec2"), operation), key, "NextToken", **arguments)


def _subnets(clients: Clients, ids: set[str]) -> Look[Mapping[str, Subnet]]:
    def ask() -> Mapping[str, Subnet] | None:
        found = list(_all(clients, "describe_subnets", "Subnets", Filters=_by("subnet-id", ids)))
        if not found:
            return None
        ways = _ways(clients, {str(one["VpcId"]) for one in found})
        nat = {way for way in ways.values() if way.startswith("nat-")}
        outside = _outside(clients, nat)
        read = (_subnet(one, ways, outside) for one in found)
        return {one.id: one for one in read}

    return look(ask, *_NONE)


def _subnet(
    found: Mapping[str, Any], ways: Mapping[str, str], outside: Mapping[str, tuple[str, ...]]
) -> Subnet:
    """A subnet without a table of its own has its VPC's main one."""
    vpc = str(found["VpcId"])
    way = ways.get(str(found["SubnetId"]), ways.get(vpc, ""))
    return Subnet(
        id=str(found["SubnetId"]),
        vpc=vpc,
        zone=str(found["AvailabilityZone"]),
        cidr=str(found.get("CidrBlock") or ""),
        way=way,
        outside=outside.get(way, ()),
    )


def _ways(clients: Clients, vpcs: set[str]) -> dict[str, str]:
    """Subnet, or VPC for its main table → where the default route leads."""
    tables = _all(clients, "describe_route_tables", "RouteTables", Filters=_by("vpc-id", vpcs))
    ways: dict[str, str] = {}
    for table in tables:
        way = _default(table.get("Routes") or ())
        for one in table.get("Associations") or ():
            place = one.get("SubnetId") or (table["VpcId"] if one.get("Main") else "")
            if place:
                ways[str(place)] = way
    return ways


def _default(routes: Iterable[Mapping[str, Any]]) -> str:
    for route in routes:
        if route.get("DestinationCidrBlock") in _DEFAULT and route.get("State") != "blackhole":
            return next((str(route[key]) for key in _LEADS_TO if route.get(key)), "")
    return ""


def _outside(clients: Clients, gateways: set[str]) -> dict[str, tuple[str, ...]]:
    if not gateways:
        return {}
    found = _all(clients, "describe_nat_gateways", "NatGateways", NatGatewayIds=sorted(gateways))
    return {
        str(one["NatGatewayId"]): tuple(
            address["PublicIp"]
            for address in one.get("NatGatewayAddresses") or ()
            if address.get("PublicIp")
        )
        for one in found
    }


def _groups(clients: Clients, ids: set[str]) -> Mapping[str, SecurityGroup] | None:
    found = _all(
        clients, "describe_security_groups", "SecurityGroups", Filters=_by("group-id", ids)
    )
    return {
        str(one["GroupId"]): SecurityGroup(
            id=str(one["GroupId"]),
            vpc=str(one["VpcId"]),
            inbound=tuple(_rule(rule) for rule in one.get("IpPermissions") or ()),
            outbound=tuple(_rule(rule) for rule in one.get("IpPermissionsEgress") or ()),
        )
        for one in found
    } or None


def _rule(found: Mapping[str, Any]) -> Rule:
    cidrs = [one["CidrIp"] for one in found.get("IpRanges") or ()]
    cidrs += [one["CidrIpv6"] for one in found.get("Ipv6Ranges") or ()]
    return Rule(
        protocol=str(found["IpProtocol"]),
        first=int(found.get("FromPort", -1)),
        last=int(found.get("ToPort", -1)),
        groups=frozenset(one["GroupId"] for one in found.get("UserIdGroupPairs") or ()),
        cidrs=tuple(cidrs),
        lists=tuple(one["PrefixListId"] for one in found.get("PrefixListIds") or ()),
    )


def _endpoints(clients: Clients, vpcs: set[str]) -> frozenset[str]:
    """``com.amazonaws.us-east-1.ecr.api`` → ``ecr.api``."""
    found = _all(clients, "describe_vpc_endpoints", "VpcEndpoints", Filters=_by("vpc-id", vpcs))
    names = (_SERVICE.search(str(one["ServiceName"])) for one in found if _is_up(one))
    return frozenset(name[1] for name in names if name)


def _is_up(endpoint: Mapping[str, Any]) -> bool:
    return str(endpoint.get("State")).lower() == "available"
