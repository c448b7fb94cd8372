"""Is this account fit for a deployment? Plain facts in, a tree of checks out."""

from __future__ import annotations

from quorumshift.domain.doctor.belongings import (
    account,
    build,
    configuration,
    database,
    images,
    limits,
    notifications,
    schedule,
    secrets,
)
from quorumshift.domain.doctor.deployment import deployment
from quorumshift.domain.doctor.expected import Expected
from quorumshift.domain.doctor.facts import Facts
from quorumshift.domain.doctor.finding import Check, Group, Ledger, Look, State, because
from quorumshift.domain.doctor.network import network
from quorumshift.domain.doctor.raft import raft
from quorumshift.domain.doctor.roles import roles
from quorumshift.domain.doctor.service import service
from quorumshift.domain.doctor.stage import stage_of
from quorumshift.domain.doctor.traffic import traffic

__all__ = ["Check", "Expected", "Facts", "Group", "Look", "State", "diagnose"]

_REST = (
    *("network", "service", "traffic", "deployment", "roles", "images", "build", "secrets"),
    *("database", "notifications", "Raft", "schedule", "limits"),
)


def diagnose(expected: Expected, facts: Facts) -> tuple[Group, ...]:
    """All groups of checks, in the order in which things rest on each other. Never raises."""
    first = (configuration(expected), account(expected, facts))
    if facts.identity.value is None:
        return first + tuple(_untold(name) for name in _REST)
    stage = stage_of(facts)
    return (
        *first,
        network(expected, facts, stage),
        service(expected, facts, stage),
        traffic(expected, facts, stage),
        deployment(expected, facts, stage),
        roles(expected, facts, stage),
        images(expected, facts),
        build(expected, facts, stage),
        secrets(expected, facts, stage),
        database(expected, facts),
        notifications(expected, facts, stage),
        raft(expected, facts, stage),
        schedule(expected, facts, stage),
        limits(expected, facts),
    )


def _untold(name: str) -> Group:
    ledger = Ledger(name)
    ledger.skip(because("nobody knows which account to ask"), "all of it")
    return ledger.group()
