"""VPC, subnets, ways out, and who may talk to whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from quorumshift.domain.doctor.expected import Expected
from quorumshift.domain.doctor.facts import Facts
from quorumshift.domain.doctor.finding import Group, Ledger, because, listed
from quorumshift.domain.doctor.network_facts import Placement, SecurityGroup, Subnet
from quorumshift.domain.doctor.routes import Side, closed, lets_through, side
from quorumshift.domain.doctor.stage import Stage

LEAST_ZONES = 3
"""So that no zone holds a majority of three evenly spread voters."""
ENDPOINTS = frozenset(
    {
        *("application-autoscaling", "codedeploy", "ecr.api", "ecr.dkr", "ecs"),
        *("elasticloadbalancing", "logs", "monitoring", "s3", "secretsmanager", "states"),
    }
)
"""What tasks (image, secrets, log) and functions ask, where nothing leads to the internet."""
_INTERNET_GATEWAY = "igw-"


def network(expected: Expected, facts: Facts, stage: Stage) -> Group:
    """The group ``network``."""
    ledger = Ledger("network")
    places = _places(expected, facts)
    if not places:
        why = stage.service or because("neither service nor functions nor load balancer are known")
        ledger.skip(why, "VPC", "zones", "ways out", "security groups")
        return ledger.group()
    _vpc(ledger, expected, facts)
    subnets = ledger.found(
        facts.network.subnets,
        "subnets",
        "there are none",
        "correct adopt.private_subnets, or deploy the stack again",
    )
    if subnets is None:
        ledger.skip(because("the subnets are not known"), "zones", "ways out")
    else:
        standing = {one for place in places.values() for one in place.subnets}
        _there(ledger, "subnets", standing | {*expected.adopted.subnets}, subnets)
        _addresses(ledger, standing | {*expected.adopted.subnets}, subnets)
        _zones(ledger, places, subnets)
        for name in ("tasks", "functions"):
            if name in places:
                _way_out(ledger, facts, name, places[name], subnets)
    named = any(place.groups for place in places.values())
    groups = ledger.found(
        facts.network.groups,
        "security groups",
        "there are none",
        "correct adopt's security groups, or deploy the stack again",
        "" if named else stage.service or because("nothing names one"),
    )
    if groups is not None:
        guards = {one for place in places.values() for one in place.groups}
        _there(ledger, "security groups", guards | {*expected.adopted.groups}, groups)
    if groups is None or subnets is None:
        ledger.skip(because("not all that is involved is known"), *(n for n, *_ in _WAYS))
    else:
        _ways(ledger, expected, facts, places, subnets, groups)
    return ledger.group()


def _places(expected: Expected, facts: Facts) -> dict[str, Placement]:
    """Where each side stands: as it is found, else as ``[adopt]`` says it shall."""
    adopted = expected.adopted
    places: dict[str, Placement] = {}
    if adopted.private_subnets:
        for name, group in (
            ("tasks", adopted.tasks_security_group),
            ("functions", adopted.functions_security_group),
        ):
            places[name] = Placement(adopted.private_subnets, (group,) if group else ())
    primary = facts.service.value.primary if facts.service.value else None
    if primary is not None:
        places["tasks"] = primary.placement
    observe = facts.functions.get(expected.observe)
    if observe is not None and observe.value and observe.value.placement:
        places["functions"] = observe.value.placement
    if facts.balancer.value is not None:
        places["load balancer"] = facts.balancer.value.placement
    return places


def _vpc(ledger: Ledger, expected: Expected, facts: Facts) -> None:
    adopted, subnets = expected.adopted.vpc, facts.network.subnets.value or {}
    if adopted:
        fix = "correct adopt.vpc; `aws ec2 describe-vpcs` lists them"
        if ledger.found(facts.network.vpc, "VPC", f"there is no {adopted}", fix) is None:
            return
    vpcs = {one.vpc for one in subnets.values()}
    vpcs |= {one.vpc for one in (facts.network.groups.value or {}).values()}
    if facts.balancer.value is not None:
        vpcs.add(facts.balancer.value.vpc)
    if vpcs or adopted:
        ledger.that(
            vpcs <= {adopted} if adopted else len(vpcs) == 1,
            "VPC",
            listed(vpcs) or adopted,
            f"subnets, security groups and load balancer must be in {adopted or 'one VPC'}: "
            "correct [adopt]",
        )


def _there(ledger: Ledger, name: str, wanted: set[str], found: Mapping[str, object]) -> None:
    """Add an NG for ids that are named and do not exist."""
    if missing := wanted - found.keys():
        ledger.ng(
            name, f"there is no {listed(missing)}", "correct [adopt], or deploy the stack again"
        )


def _addresses(ledger: Ledger, wanted: set[str], found: Mapping[str, Subnet]) -> None:
    """Add an NG for subnets in which nobody has an IPv4 address."""
    if without := listed(one for one in wanted & found.keys() if not found[one].cidr):
        ledger.ng(
            "addresses",
            f"IPv6 alone in {without}",
            "take subnets with IPv4, or with both: nodes are asked, and know each other, by their "
            "IPv4 addresses",
        )


def _zones(ledger: Ledger, places: Mapping[str, Placement], subnets: Mapping[str, Subnet]) -> None:
    tasks = places.get("tasks")
    if tasks is None:
        ledger.skip(because("nobody knows where the tasks stand"), "zones")
        return
    zones = {subnets[one].zone for one in tasks.subnets if one in subnets}
    ledger.that(
        len(zones) >= LEAST_ZONES,
        "zones",
        f"tasks in {listed(zones) or 'none'}",
        f"give the tasks subnets in {LEAST_ZONES} zones: with {len(zones)}, the loss of one can "
        "take the majority of the voters",
    )


def _way_out(
    ledger: Ledger, facts: Facts, who: str, place: Placement, subnets: Mapping[str, Subnet]
) -> None:
    """Tasks pull images and read secrets; functions ask AWS. A function has no public address, so
    no internet gateway serves it (AWS Lambda Developer Guide, "Enable internet access for
    VPC-connected Lambda functions")."""
    name = f"way out of {who}"
    mine = [subnets[one] for one in place.subnets if one in subnets]
    public = place.public_ip and who == "tasks"
    without = [
        one.id
        for one in mine
        if not one.way or (one.way.startswith(_INTERNET_GATEWAY) and not public)
    ]
    if not without:
        ledger.ok(name, f"through {listed(one.way for one in mine)}")
        return
    endpoints = facts.network.endpoints
    if endpoints.unknown:
        ledger.skip(endpoints.unknown, name)
        return
    lacking = ENDPOINTS - (endpoints.value or frozenset())
    ledger.that(
        not lacking,
        name,
        "through the VPC's endpoints"
        if not lacking
        else f"{listed(without)} leads nowhere, and there is no endpoint for {listed(lacking)}",
        "route 0.0.0.0/0 of these subnets to a NAT gateway (an internet gateway serves only what "
        "has a public address), or add the VPC endpoints",
    )


_WAYS = (
    ("load balancer → tasks", "load balancer", "tasks"),
    ("functions → tasks", "functions", "tasks"),
    ("tasks ↔ tasks", "tasks", "tasks"),
)


def _ways(
    ledger: Ledger,
    expected: Expected,
    facts: Facts,
    places: Mapping[str, Placement],
    subnets: Mapping[str, Subnet],
    groups: Mapping[str, SecurityGroup],
) -> None:
    ends = {name: side(name, place, subnets) for name, place in places.items()}
    served = {expected.port, expected.health_port}
    ports = {
        "load balancer → tasks": served,
        "functions → tasks": {*served, expected.raft_port},
        "tasks ↔ tasks": {expected.raft_port, expected.raft_peer_port},
    }
    for name, source, target in _WAYS:
        if source not in ends or target not in ends:
            lacking = listed({source, target} - ends.keys())
            ledger.skip(because(f"nobody knows where the {lacking} stand"), name)
            continue
        if not (ends[source].groups and ends[target].groups):
            ledger.skip(because("a security group of theirs is not made yet"), name)
            continue
        shut = closed(ends[source], ends[target], ports[name], groups)
        ledger.that(
            not shut,
            name,
            f"port {'; '.join(shut)}" if shut else f"ports {_numbers(ports[name])}",
            "add the rules to these security groups (`aws ec2 authorize-security-group-ingress`, "
            "`-egress`), with the other side's group as the peer",
        )
    _test_listener(ledger, expected, facts, ends, subnets, groups, places)


def _test_listener(
    ledger: Ledger,
    expected: Expected,
    facts: Facts,
    ends: Mapping[str, Side],
    subnets: Mapping[str, Subnet],
    groups: Mapping[str, SecurityGroup],
    places: Mapping[str, Placement],
) -> None:
    """The name of a load balancer that faces the internet resolves to public addresses inside the
    VPC too, so functions come from the address of the way out."""
    name, balancer = "functions → test listener", facts.balancer.value
    if balancer is None or "functions" not in ends:
        ledger.skip(because("functions or load balancer are not known"), name)
        return
    functions, port = ends["functions"], expected.test_port
    addresses = expected.adopted.outgoing_addresses or [
        address
        for one in places["functions"].subnets
        if one in subnets
        for address in subnets[one].outside
    ]
    rules = [
        rule for one in balancer.placement.groups if one in groups for rule in groups[one].inbound
    ]
    if balancer.scheme == "internal":
        source, opened = listed(functions.groups), lets_through(rules, functions, port)
    elif not addresses:
        why = "the address from which functions reach the internet is not known"
        ledger.skip(because(why), name)
        return
    else:
        source = listed(addresses)
        peer = Side("way out", frozenset(), tuple(f"{one}/32" for one in addresses))
        opened = lets_through(rules, peer, port)
    ledger.that(
        opened,
        name,
        f"port {port} for {source}" if opened else f"port {port} is closed to {source}",
        f"let {source} into the load balancer's security group on port {port}: the hook "
        "AfterAllowTestTraffic sends its requests there",
    )


def _numbers(ports: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(ports)))
