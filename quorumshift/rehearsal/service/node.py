"""What a task knows when it starts: its environment, and which other tasks there are."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HTTP_PORT = 8080
CLIENT_PORT = 2379
PEER_PORT = 2380
RELAYED_PEER_PORT = 2390
"""Where etcd listens for its peers when the port that they know is the relay's."""
CLUSTER_SIZE = ("QUORUMSHIFT_CLUSTER_SIZE", "CLUSTER_SIZE")
"""Where the number of founders is looked for: what the rehearsal says, then the service's own."""
BEHAVIOURS = ("normal", "exit", "unhealthy", "slow", "self-join", "relayed", "slow-learner")

LEGACY, EXTENDED = CONTRACTS = ("legacy", "extended")
"""What a node of SnakeTron speaks: the first contract, or what was added to it as well."""


class InvalidNode(Exception):
    """The task's environment cannot be used; the message names the variable and the fix."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A running task of the service. ``sequence`` counts the tasks ever started, from 1."""

    address: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Node:
    """This task. ``directory``: its ephemeral disk. ``instances``: the file that stands for Cloud
    Map. ``cluster_size``: how many members found the cluster."""

    address: str
    directory: Path
    instances: Path
    version: str
    behaviour: str
    cluster_size: int

    @property
    def relayed(self) -> bool:
        """Its peers reach its etcd through a relay."""
        return self.behaviour in ("relayed", "slow-learner")

    @property
    def slow_learner(self) -> bool:
        """What its peers send it arrives so slowly that it never catches up."""
        return self.behaviour == "slow-learner"


def read_node(environment: Mapping[str, str] = os.environ) -> Node:
    """Read the task's environment. Raises :class:`InvalidNode`."""

    def get(name: str) -> str:
        return required(environment, name)

    behaviour = environment.get("QUORUMSHIFT_IMAGE_BEHAVIOUR") or "normal"
    if behaviour not in BEHAVIOURS:
        raise InvalidNode(
            f"QUORUMSHIFT_IMAGE_BEHAVIOUR is {behaviour!r}; allowed: {', '.join(BEHAVIOURS)}"
        )
    return Node(
        address=get("QUORUMSHIFT_TASK_ADDRESS"),
        directory=Path(get("QUORUMSHIFT_TASK_DIRECTORY")),
        instances=Path(get("QUORUMSHIFT_INSTANCES")),
        version=get("QUORUMSHIFT_IMAGE_VERSION"),
        behaviour=behaviour,
        cluster_size=_cluster_size(environment),
    )


def required(environment: Mapping[str, str], name: str) -> str:
    """The value of a variable that must be there. Raises :class:`InvalidNode`."""
    if not environment.get(name):
        raise InvalidNode(f"environment variable {name} is missing: the task cannot start")
    return environment[name]


def _cluster_size(environment: Mapping[str, str]) -> int:
    name = next((each for each in CLUSTER_SIZE if environment.get(each)), CLUSTER_SIZE[-1])
    size = required(environment, name)
    if not size.isdigit() or int(size) < 1:
        raise InvalidNode(f"{name} is {size!r}; set it to the number of founding members")
    return int(size)


def read_instances(path: Path) -> tuple[Instance, ...]:
    """The running tasks, in the order in which they were started; none before the file exists."""
    try:
        listed = json.loads(path.read_bytes())["instances"]
    except FileNotFoundError:
        return ()
    found = [Instance(each["address"], each["sequence"]) for each in listed]
    return tuple(sorted(found, key=lambda each: each.sequence))
