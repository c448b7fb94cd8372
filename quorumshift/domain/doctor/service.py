"""The ECS service, and the task definition that serves.

What blue/green deployments demand of a service: Amazon ECS Developer Guide, "CodeDeploy blue/green
deployments for Amazon ECS".
"""

from __future__ import annotations

from collections.abc import Mapping

from quorumshift.domain.doctor.expected import Expected
from quorumshift.domain.doctor.facts import Cluster, Container, Definition, EcsService, Facts
from quorumshift.domain.doctor.finding import Group, Ledger, because, listed
from quorumshift.domain.doctor.stage import Stage
from quorumshift.domain.plain_secrets import looks_secret

_CONTROLLER = "CODE_DEPLOY"
_JSON_KEYS = (1, 4)
"""The first platform version of Fargate that reads one key of a JSON secret (Amazon ECS Developer
Guide, "Pass Secrets Manager secrets through Amazon ECS environment variables")."""
_IN_SERVICE = ("controller", "desired count", "steady", "capacity providers", "platform version")
_IN_DEFINITION = ("container", "ports", "stop timeout", "secrets", "variables")


def service(expected: Expected, facts: Facts, stage: Stage) -> Group:
    """Cluster, service and task definition. What the tasks of an adopted service are is its own
    word: what [service] says of them is for rehearsals."""
    ledger = Ledger("service")
    fix = "correct [names], or deploy the stack again"
    cluster = ledger.found(
        facts.cluster,
        "cluster",
        f"there is no active cluster {expected.cluster}",
        fix,
        "" if expected.adopted.cluster else stage.service,
    )
    if cluster is not None:
        ledger.ok("cluster", f"{expected.cluster} is {cluster.status}")
    name = "service"
    found = ledger.found(
        facts.service,
        name,
        f"there is no active service {expected.service} in {expected.cluster}",
        fix,
        "" if expected.adopted.service else stage.service,
    )
    if found is None:
        ledger.skip(because(f"the service {expected.service} is not known"), *_IN_SERVICE)
    else:
        ledger.ok(name, f"{expected.service} is {found.status}")
        _service(ledger, expected, found, cluster)
    _definition(ledger, expected, facts)
    return ledger.group()


def _service(
    ledger: Ledger, expected: Expected, found: EcsService, cluster: Cluster | None
) -> None:
    ledger.that(
        found.controller == _CONTROLLER,
        "controller",
        found.controller,
        "a controller cannot be changed to CODE_DEPLOY: move to a second service beside this one "
        "(docs/migration.md)",
    )
    _count(ledger, expected, found)
    if found.controller != _CONTROLLER:
        ledger.skip(because("it has no task sets of CodeDeploy's"), *_IN_SERVICE[2:])
        return
    _steady(ledger, found)
    providers = found.primary.providers if found.primary else found.providers
    _providers(ledger, expected, providers, cluster)
    platform = found.primary.platform if found.primary else ""
    ledger.that(
        _reads_keys(platform),
        "platform version",
        platform or "LATEST",
        "take LATEST, or 1.4.0 or newer: an older one cannot read one key of a JSON secret",
    )


def _count(ledger: Ledger, expected: Expected, found: EcsService) -> None:
    count = found.desired
    ledger.that(
        count >= 3 and count % 2 == 1,
        "desired count",
        f"{count} tasks ({expected.desired} in the configuration)",
        "set it to 3, 5, 7 or 9, by `aws ecs update-service --desired-count` or the scaling's "
        "limits: fewer than 3 survive no failure, an even number no more than one fewer",
    )


def _steady(ledger: Ledger, found: EcsService) -> None:
    primary = found.primary
    if primary is None:
        ledger.ng(
            "steady",
            "it has no primary task set",
            "a service under CODE_DEPLOY gets one when it is made; look at its events in the "
            "console",
        )
        return
    ledger.that(
        primary.steady and primary.running >= primary.wanted,
        "steady",
        f"{primary.running} of {primary.wanted} tasks run, "
        f"{'STEADY_STATE' if primary.steady else 'STABILIZING'}",
        "wait, or read why tasks stop: `aws ecs describe-services`, events; "
        "`aws ecs describe-tasks`, stoppedReason",
    )


def _providers(
    ledger: Ledger, expected: Expected, has: Mapping[str, int], cluster: Cluster | None
) -> None:
    name, shown = "capacity providers", _shown(has) or "none"
    unknown = set(has) - cluster.providers if cluster else set()
    wanted = {one: weight for one, weight in expected.providers.items() if weight}
    if unknown:
        fix = f"add {listed(unknown)} to the cluster (`aws ecs put-cluster-capacity-providers`)"
        ledger.ng(name, f"{shown}; the cluster has no {listed(unknown)}", fix)
        return
    ledger.that(
        expected.adopted.service or _same(has, wanted),
        name,
        shown,
        f"the configuration says {_shown(wanted)}; each deployment repeats what serves, so correct "
        "service.capacity_providers, or the service by a new one",
    )


def _same(has: Mapping[str, int], wanted: Mapping[str, int]) -> bool:
    """The weight of an only one means nothing."""
    used = {one: weight for one, weight in has.items() if weight}
    return used.keys() == wanted.keys() and (len(wanted) == 1 or used == wanted)


def _shown(providers: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {weight}" for name, weight in sorted(providers.items()))


def _reads_keys(platform: str) -> bool:
    if platform in ("", "LATEST"):
        return True
    parts = platform.split(".")
    return all(part.isdigit() for part in parts) and tuple(map(int, parts[:2])) >= _JSON_KEYS


def _definition(ledger: Ledger, expected: Expected, facts: Facts) -> None:
    name = "task definition"
    if facts.service.value is None:
        ledger.skip(because("the service is not known"), name, *_IN_DEFINITION)
        return
    fix = "deploy an active revision; the one that serves was deregistered or deleted"
    found = ledger.found(facts.definition, name, "the one that serves is not there", fix)
    if found is None:
        ledger.skip(because("the task definition could not be read"), *_IN_DEFINITION)
        return
    ledger.that(
        found.network_mode == "awsvpc" and found.short.partition(":")[0] == expected.family,
        name,
        f"{found.short}, network mode {found.network_mode}",
        f"the next revision copies the family {expected.family} in network mode awsvpc; correct "
        "names.family, or register and deploy a revision of it",
    )
    container = next((one for one in found.containers if one.name == expected.container), None)
    has = listed(one.name for one in found.containers)
    ledger.that(
        container is not None,
        "container",
        expected.container if container else f"it has {has}",
        "correct service.container, or register a revision with a container of that name",
    )
    if container is None:
        ledger.skip(because(f"there is no container {expected.container}"), *_IN_DEFINITION[1:])
    else:
        _container(ledger, expected, found, container)


def _container(ledger: Ledger, expected: Expected, found: Definition, container: Container) -> None:
    needed = {expected.port, expected.health_port, expected.raft_port, expected.raft_peer_port}
    lacking = needed - container.ports
    ledger.that(
        not lacking,
        "ports",
        f"maps {_ports(container.ports)}" + (f", not {_ports(lacking)}" if lacking else ""),
        "correct the ports in [service] and [raft], or register a revision that maps them",
    )
    timeout = 30 if container.stop_timeout is None else container.stop_timeout
    ledger.that(
        timeout >= expected.stop_timeout or expected.adopted.service,
        "stop timeout",
        f"{timeout} s",
        f"the configuration says {expected.stop_timeout} s: register a revision with that "
        "stopTimeout and deploy it, else a node may be killed before it has left",
    )
    plain = [
        name
        for one in found.containers
        for name, value in one.environment.items()
        if looks_secret(name, value)
    ]
    ledger.that(
        not plain,
        "secrets",
        f"{listed(plain)} in plain sight"
        if plain
        else f"none in plain sight, {len(container.secrets)} by reference",
        "anybody who may describe task definitions reads it: put it into Secrets Manager, name it "
        "in [service.secrets], register a revision, and change the value",
    )
    wrong = [
        name for name, value in expected.environment.items() if _differs(container, name, value)
    ]
    ledger.that(
        not wrong,
        "variables",
        f"{listed(wrong)} is not what {expected.dialect.name} needs"
        if wrong
        else "as the Raft dialect needs them",
        "; ".join(f"set {name} to {expected.environment[name]}" for name in wrong)
        + " in a new revision: else green's nodes vote by themselves, and are refused",
    )


def _differs(container: Container, name: str, value: str) -> bool:
    return container.environment.get(name) != value


def _ports(ports: set[int] | frozenset[int]) -> str:
    return ", ".join(map(str, sorted(ports)))
