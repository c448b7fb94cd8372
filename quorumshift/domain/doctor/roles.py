"""Who may take which role, and what a simulation of its policies refuses."""

from __future__ import annotations

from quorumshift.domain.doctor.expected import Expected
from quorumshift.domain.doctor.facts import Facts
from quorumshift.domain.doctor.finding import Group, Ledger, Look, because, listed
from quorumshift.domain.doctor.stage import Stage

TRUSTED = {
    "task": "ecs-tasks.amazonaws.com",
    "execution": "ecs-tasks.amazonaws.com",
    "deployment": "codedeploy.amazonaws.com",
}
"""Role → the service that must be able to take it."""
MAY = {
    "execution": "execution role may start tasks",
    "deployment": "CodeDeploy may do its work",
    "register": "roles may be passed",
}
"""Simulated role → the check's name."""


def roles(expected: Expected, facts: Facts, stage: Stage) -> Group:
    """The group ``roles``."""
    ledger = Ledger("roles")
    adopted = {"task": expected.adopted.task_role, "execution": expected.adopted.execution_role}
    for kind, service in TRUSTED.items():
        name, not_yet = f"{kind} role", stage.deployment if kind == "deployment" else stage.service
        if kind not in facts.roles:
            ledger.skip(_why(not_yet, adopted.get(kind, ""), kind), name)
            continue
        fix = "correct [adopt], or deploy the stack again"
        role = ledger.found(facts.roles[kind], name, "it is not there", fix)
        if role is not None:
            ledger.that(
                service in role.trusts,
                name,
                f"{role.name}, taken by {listed(role.trusts) or 'nobody'}",
                f"let {service} assume it: `aws iam update-assume-role-policy`",
            )
    for kind, name in MAY.items():
        _simulated(ledger, name, facts.denied.get(kind), stage)
    return ledger.group()


def _why(not_yet: str, adopted: str, kind: str) -> str:
    if not_yet and not adopted:
        return not_yet
    where = "the deployment group" if kind == "deployment" else "the task definition"
    return because(f"{where} names none, or is not known")


def _simulated(
    ledger: Ledger, name: str, denied: Look[tuple[str, ...]] | None, stage: Stage
) -> None:
    if denied is None:
        why = stage.deployment or because("the role, or what it is for, is not known")
        ledger.skip(why, name)
    elif denied.value is None:
        ledger.skip(denied.unknown or because("the role is not there"), name)
    else:
        ledger.that(
            not denied.value,
            name,
            "; ".join(denied.value) or "by its policies, as IAM simulates them",
            "allow it in the role's policy, or deploy the stack again; a permissions boundary or "
            "the organisation may be what denies it",
        )
