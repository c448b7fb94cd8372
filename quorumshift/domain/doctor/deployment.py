"""CodeDeploy's application and group, its alarms, the functions and the state machines."""

from __future__ import annotations

from collections.abc import Mapping

from quorumshift.domain.doctor.expected import Expected
from quorumshift.domain.doctor.facts import DeploymentGroup, Facts, Function
from quorumshift.domain.doctor.finding import Group, Ledger, Look, because, listed
from quorumshift.domain.doctor.stage import Stage
from quorumshift.domain.doctor.traffic import listener_on

EVENTS = frozenset({"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"})
AGAIN = "deploy the stack again (cdk deploy)"
_IN_GROUP = ("service of the group", "listeners of the group", "target groups of the group")
_REST = ("auto roll-back", "alarms", "under way")


def deployment(expected: Expected, facts: Facts, stage: Stage) -> Group:
    """The group ``deployment``."""
    ledger = Ledger("deployment")
    name = expected.application
    application = ledger.found(
        facts.application, "application", f"there is none called {name}", AGAIN, stage.deployment
    )
    if application is not None:
        ledger.that(
            application == "ECS",
            "application",
            f"{name}, for {application}",
            "an application's platform cannot be changed: delete it, or give names.application "
            "another name, and deploy the stack again",
        )
    group = ledger.found(
        facts.group,
        "deployment group",
        f"there is no {expected.deployment_group} in {name}",
        AGAIN,
        stage.deployment,
    )
    if group is None:
        ledger.skip(because("the deployment group is not known"), *_IN_GROUP, *_REST)
    else:
        ledger.ok("deployment group", expected.deployment_group)
        _group(ledger, expected, facts, group)
        _alarms(ledger, facts, group)
        _under_way(ledger, facts)
    _functions(ledger, expected, facts, stage)
    _machines(ledger, facts.machines, stage)
    return ledger.group()


def _group(ledger: Ledger, expected: Expected, facts: Facts, group: DeploymentGroup) -> None:
    wanted = f"{expected.cluster}/{expected.service}"
    ledger.that(
        group.services == (wanted,),
        _IN_GROUP[0],
        listed(group.services) or "none",
        f"it must be {wanted}: correct [names], or deploy the stack again",
    )
    if facts.listeners.value is None:
        ledger.skip(because("the listeners are not known"), _IN_GROUP[1])
    else:
        _listeners(ledger, expected, facts, group)
    if facts.targets.value is None:
        ledger.skip(because("the target groups are not known"), _IN_GROUP[2])
    else:
        names = frozenset(one.name for one in facts.targets.value)
        ledger.that(
            group.targets == names,
            _IN_GROUP[2],
            listed(group.targets) or "none",
            f"they must be {listed(names)}: deploy the stack again, or correct [adopt]",
        )
    lacking = EVENTS - group.rollback
    ledger.that(
        not lacking,
        "auto roll-back",
        f"not on {listed(lacking)}" if lacking else "on failure, alarm and request",
        f"{AGAIN}: without it a deployment that fails stays where it is",
    )


def _listeners(ledger: Ledger, expected: Expected, facts: Facts, group: DeploymentGroup) -> None:
    listeners, adopted = facts.listeners.value or (), expected.adopted
    wrong = []
    for word, has, port, arn in (
        ("production", group.production, expected.production_port, adopted.production_listener),
        ("test", group.test, expected.test_port, adopted.test_listener),
    ):
        there = listener_on(listeners, port, arn)
        if not has:
            wrong.append(f"no {word} listener")
        elif there is None or has != {there.arn}:
            wrong.append(f"the {word} listener is not the one on port {port}")
    both = f"production {expected.production_port}, test {expected.test_port}"
    ledger.that(
        not wrong,
        _IN_GROUP[1],
        "; ".join(wrong) or both,
        f"{AGAIN}: without a test listener of its own, AfterAllowTestTraffic cannot run",
    )


def _alarms(ledger: Ledger, facts: Facts, group: DeploymentGroup) -> None:
    if not group.alarms:
        ledger.ng("alarms", "none watch the deployments", AGAIN)
        return
    if group.alarms_off:
        off = "switched off in the deployment group, so that they stop nothing"
        ledger.ng("alarms", f"{off}: {listed(group.alarms)}", AGAIN)
        return
    if facts.alarms.value is None:
        ledger.skip(facts.alarms.unknown or because("they were not looked for"), "alarms")
        return
    states = facts.alarms.value
    missing = set(group.alarms) - states.keys()
    ringing = [name for name in group.alarms if states.get(name) == "ALARM"]
    if missing:
        ledger.ng("alarms", f"there is no {listed(missing)}", AGAIN)
        return
    ledger.that(
        not ringing,
        "alarms",
        f"{listed(ringing)} in ALARM" if ringing else f"{len(group.alarms)}, none in ALARM",
        "wait until it is quiet, or mend what it watches: CodeDeploy would roll back at once",
    )


def _under_way(ledger: Ledger, facts: Facts) -> None:
    """That one runs is nothing wrong."""
    if facts.active.unknown:
        ledger.skip(facts.active.unknown, "under way")
    else:
        running = facts.active.value
        text = f"{running} is: `quorumshift watch` follows it" if running else "no deployment is"
        ledger.ok("under way", text)


def _functions(ledger: Ledger, expected: Expected, facts: Facts, stage: Stage) -> None:
    hooks = {name: look for name, look in facts.functions.items() if name in expected.hooks}
    others = {name: look for name, look in facts.functions.items() if name not in hooks}
    _of_kind(ledger, "functions of the hooks", hooks, stage)
    _of_kind(ledger, "functions of the states", others, stage)


def _of_kind(ledger: Ledger, kind: str, looks: Mapping[str, Look[Function]], stage: Stage) -> None:
    missing = [name for name, look in looks.items() if look.absent]
    unknown = [look.unknown for look in looks.values() if look.unknown]
    troubled = [
        f"{name} ({look.value.trouble})"
        for name, look in looks.items()
        if look.value is not None and look.value.trouble
    ]
    if missing and stage.deployment:
        ledger.skip(stage.deployment, kind)
    elif missing:
        ledger.ng(kind, f"there is no {listed(missing)}", AGAIN)
    elif troubled:
        fix = "wait where it is Pending; else read the reason, mend it, and deploy the stack again"
        ledger.ng(kind, listed(troubled), fix)
    elif unknown:
        ledger.skip(unknown[0], kind)
    else:
        ledger.ok(kind, f"{len(looks)}, all active")


def _machines(ledger: Ledger, looks: Mapping[str, Look[str]], stage: Stage) -> None:
    for name, look in looks.items():
        label = f"state machine {name}"
        status = ledger.found(look, label, "it is not there", AGAIN, stage.deployment)
        if status is not None:
            ledger.that(status == "ACTIVE", label, status, "wait until it is deleted; " + AGAIN)
