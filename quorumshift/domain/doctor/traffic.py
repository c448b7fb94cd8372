"""Load balancer, listeners and target groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorumshift.domain.doctor.expected import Expected
from quorumshift.domain.doctor.facts import EcsService, Facts, Listener, TargetGroup
from quorumshift.domain.doctor.finding import Group, Ledger, because, listed
from quorumshift.domain.doctor.stage import Stage

_NOT_ILL = ("healthy", "initial", "draining", "unused")
"""States of a target that is well, has just come, is about to go, or gets nothing to do."""
AGAIN = "deploy the stack again, or correct [adopt]"


def traffic(expected: Expected, facts: Facts, stage: Stage) -> Group:
    """The group ``traffic``."""
    ledger = Ledger("traffic")
    adopted = expected.adopted
    balancer = ledger.found(
        facts.balancer,
        "load balancer",
        f"there is none called {adopted.load_balancer or expected.balancer}",
        AGAIN,
        "" if adopted.load_balancer else stage.service,
    )
    if balancer is not None:
        ledger.that(
            balancer.state == "active" and balancer.kind == "application",
            "load balancer",
            f"{balancer.kind}, {balancer.scheme}, {balancer.state}",
            "wait until it is active; it must be an Application Load Balancer, because behind a "
            "Network Load Balancer CodeDeploy moves all traffic at once",
        )
    groups = ledger.found(
        facts.targets,
        "target groups",
        f"{adopted.blue_target_group or expected.blue} and "
        f"{adopted.green_target_group or expected.green} are not both there",
        AGAIN,
        "" if adopted.blue_target_group else stage.service,
    )
    _listeners(ledger, expected, facts, groups or ())
    if groups is None:
        ledger.skip(because("the target groups are not known"), "health check", "healthy targets")
        return ledger.group()
    _groups(ledger, expected, groups)
    _healthy(ledger, groups, facts.service.value)
    return ledger.group()


def _listeners(
    ledger: Ledger, expected: Expected, facts: Facts, groups: Sequence[TargetGroup]
) -> None:
    names = ("production listener", "test listener")
    if facts.balancer.value is None or facts.listeners.value is None:
        why = facts.listeners.unknown or because("the load balancer is not known")
        ledger.skip(why, *names)
        return
    known = {one.arn: one.name for one in groups}
    for name, port, arn in (
        (names[0], expected.production_port, expected.adopted.production_listener),
        (names[1], expected.test_port, expected.adopted.test_listener),
    ):
        found = listener_on(facts.listeners.value, port, arn)
        if found is None:
            there = ", ".join(str(one.port) for one in facts.listeners.value) or "none"
            ledger.ng(name, f"none on port {port}, but on {there}", AGAIN)
        elif spoken := _misunderstood(expected, name == names[1], found):
            ledger.ng(name, f"{found.protocol} on port {found.port}", spoken)
        else:
            idle = () if name == names[1] else _idle(found, groups, facts.service.value)
            _listener(ledger, name, found, known, bool(facts.active.value), idle)


def _misunderstood(expected: Expected, is_test: bool, found: Listener) -> str:
    """What to do where it speaks another protocol than the configuration says; empty: nothing. An
    adopted production listener may be better than asked for."""
    wanted = expected.scheme.upper()
    if found.protocol == wanted:
        return ""
    if wanted == "HTTPS":
        return (
            f"{AGAIN}; or, if it shall speak HTTP, which everybody on the way can read and change, "
            "say load_balancer.plain_http = true"
        )
    if is_test or not expected.adopted.production_listener:
        return (
            "take load_balancer.plain_http out and give load_balancer.host, or deploy the stack "
            "again: hooks would ask it for green by HTTP"
        )
    return ""


def listener_on(listeners: Sequence[Listener], port: int, arn: str = "") -> Listener | None:
    """The one with this ARN, or without one that on this port."""
    return next((one for one in listeners if (one.arn == arn if arn else one.port == port)), None)


def _idle(
    found: Listener, groups: Sequence[TargetGroup], service: EcsService | None
) -> Sequence[str]:
    """Names of the groups that get requests and have no target to answer them, though tasks run
    and nobody is about to be healthy."""
    if service is None or service.primary is None or not service.primary.running:
        return ()
    return [
        one.name
        for one in groups
        if found.weights.get(one.arn)
        and not any(state.split(":")[0] in ("healthy", "initial") for state in one.targets.values())
    ]


def _listener(
    ledger: Ledger,
    name: str,
    found: Listener,
    known: Mapping[str, str],
    shifting: bool,
    idle: Sequence[str],
) -> None:
    """Between deployments each listener sends everything to one of the two groups; CodeDeploy sets
    weights while it shifts."""
    used = {arn: weight for arn, weight in found.weights.items() if weight}
    strange = used.keys() - known.keys() if known else set()
    shown = ", ".join(
        f"{known.get(arn, arn.rpartition('targetgroup/')[2])} {weight}"
        for arn, weight in sorted(used.items())
    )
    seen = f"port {found.port} → {shown or 'nothing'}"
    back = "set its default action to forward to the target group that serves, weight 100"
    ruled = listed(known[arn] for arn in found.ruled & known.keys())
    if strange:
        ledger.ng(name, seen, f"{back}: CodeDeploy fails at a group that is not of its pair")
    elif ruled:
        ledger.ng(
            name,
            f"{seen}; a rule of it forwards to {ruled}",
            "take the rule away (`aws elbv2 delete-rule`): CodeDeploy moves what the default "
            "action leads, and whom a rule leads is left with a group that becomes empty",
        )
    elif not used or (len(used) > 1 and not shifting):
        ledger.ng(name, seen, f"{back}: no deployment is shifting its traffic")
    elif idle:
        ledger.ng(
            name,
            f"{seen}; {listed(idle)} has no healthy target, so requests are answered with 503",
            f"{back}; where no group has healthy targets, look at healthy targets below",
        )
    elif found.sticky:
        fix = "turn the stickiness of the forward action off (`aws elbv2 modify-listener`)"
        ledger.ng(name, f"{seen}, sticky to the group", f"{fix}: it keeps clients on blue")
    else:
        ledger.ok(name, seen)


def _groups(ledger: Ledger, expected: Expected, groups: Sequence[TargetGroup]) -> None:
    bad = [one for one in groups if one.kind != "ip"]
    ledger.that(
        not bad,
        "target groups",
        "; ".join(f"{one.name} of type {one.kind}, port {one.port}" for one in groups),
        "tasks in awsvpc mode need target groups of type ip, and the type cannot be changed: make "
        "new ones",
    )
    wanted = (expected.health_path, expected.health_port)
    for one in groups:
        port = str(one.port) if one.health_port == "traffic-port" else one.health_port
        ledger.that(
            (one.health_path, port) == (wanted[0], str(wanted[1])),
            f"health check of {one.name}",
            f"{one.health_path} on {port}",
            f"set it to {wanted[0]} on {wanted[1]} (`aws elbv2 modify-target-group "
            "--health-check-path … --health-check-port …`), or correct service.health_path and "
            "service.health_port",
        )
        ledger.that(
            one.delay <= expected.delay or bool(expected.adopted.blue_target_group),
            f"deregistration delay of {one.name}",
            f"{one.delay} s",
            f"the configuration says {expected.delay} s: set "
            "deregistration_delay.timeout_seconds (`aws elbv2 modify-target-group-attributes`); "
            "blue's last users wait so long",
        )


def _healthy(ledger: Ledger, groups: Sequence[TargetGroup], service: EcsService | None) -> None:
    """Only one of the groups serves; the other one is empty between deployments."""
    name = "healthy targets"
    if service is None:
        ledger.skip(because("the service is not known"), name)
        return
    if service.primary is None or service.primary.running < service.desired:
        ledger.skip(because("not all tasks run"), name)
        return
    healthy = max((one.healthy for one in groups), default=0)
    ill = [
        f"{address} of {one.name} is {state}"
        for one in groups
        for address, state in sorted(one.targets.items())
        if state.split(":")[0] not in _NOT_ILL
    ]
    ledger.that(
        healthy >= service.desired and not ill,
        name,
        f"{healthy} of {service.desired}" + (f"; {listed(ill)}" if ill else ""),
        "look at why the health check fails: the path, the port, the security groups above, the "
        "task's log",
    )
