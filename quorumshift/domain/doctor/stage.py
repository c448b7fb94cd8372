"""How far the stacks have got: what is not there yet is told apart from what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from quorumshift.domain.doctor.facts import Facts
from quorumshift.domain.doctor.finding import Look

NOT_YET = "not provisioned yet: run cdk deploy (docs/deploying.md)"


@dataclass(frozen=True, slots=True)
class Stage:
    """``service``, ``deployment``: why what these stacks make may be missing; empty once something
    of them is there, because then the rest must be too."""

    service: str
    deployment: str


def stage_of(facts: Facts) -> Stage:
    """Nothing of a stack was found, and all of it was looked for: it has not been deployed."""
    functions, machines = facts.functions.values(), facts.machines.values()
    deployment = _none((facts.application, facts.group, *functions, *machines))
    service = deployment and _none((facts.service, facts.balancer))
    return Stage(NOT_YET if service else "", NOT_YET if deployment else "")


def _none(looks: Iterable[Look[Any]]) -> bool:
    """Who may not look at one thing may still see that another is not there."""
    told = [look for look in looks if not look.unknown]
    return bool(told) and all(look.absent for look in told)
