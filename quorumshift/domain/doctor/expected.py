"""What the configuration says that there must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from quorumshift.domain.policy import Dialect, Policy


@dataclass(frozen=True, slots=True)
class Adopted:
    """What is there before the stacks are, as ``[adopt]`` names it; empty: the stacks make it."""

    vpc: str = ""
    private_subnets: tuple[str, ...] = ()
    public_subnets: tuple[str, ...] = ()
    outgoing_addresses: tuple[str, ...] = ()
    tasks_security_group: str = ""
    functions_security_group: str = ""
    cluster: bool = False
    load_balancer: str = ""
    load_balancer_security_group: str = ""
    production_listener: str = ""
    test_listener: str = ""
    blue_target_group: str = ""
    green_target_group: str = ""
    service: bool = False
    task_role: str = ""
    execution_role: str = ""

    @property
    def named(self) -> tuple[str, ...]:
        """The keys that are given."""
        return tuple(one.name for one in fields(self) if getattr(self, one.name))

    @property
    def subnets(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.private_subnets, *self.public_subnets)

    @property
    def groups(self) -> tuple[str, ...]:
        """All security groups that are given."""
        all_three = (
            self.tasks_security_group,
            self.functions_security_group,
            self.load_balancer_security_group,
        )
        return tuple(one for one in all_three if one)


@dataclass(frozen=True, slots=True)
class Expected:
    """Names, ports and times of one service.

    ``balancer``, ``blue``, ``green``: names in Elastic Load Balancing. ``functions``: all of them;
    ``observe``: the one that looks at the cluster; ``registers``: the one that registers task
    definitions. ``machines``: names of the state machines. ``generated``: names of secrets that the
    stack makes; ``given``: names or ARNs of those that are there before it. ``database``: whether
    the functions read the nodes' ids in one. ``environment``: variables that the container must
    have, as the Raft dialect needs them. ``delay``: seconds. ``build``: the repository's URL, empty
    where nothing is built. ``github``: ``owner/repository``, empty where no job may deploy.
    ``canary``: the schedule's name, ``fires`` whether it is meant to. ``email``: who is told, empty
    for nobody. ``cpu``: of a task, in units of 1/1,024 vCPU. ``scheme``: what the listeners speak,
    ``https`` or ``http``. ``reserved``: concurrent executions that hooks and watchdog have to
    themselves. ``images_allow``: repositories besides the service's own, ``[images] allow``.
    """

    file: str
    service: str
    cluster: str
    family: str
    container: str
    port: int
    health_port: int
    health_path: str
    raft_port: int
    raft_peer_port: int
    desired: int
    cpu: int
    stop_timeout: int
    providers: Mapping[str, int]
    balancer: str
    blue: str
    green: str
    production_port: int
    test_port: int
    delay: int
    application: str
    deployment_group: str
    functions: tuple[str, ...]
    hooks: tuple[str, ...]
    observe: str
    registers: str
    machines: tuple[str, ...]
    repository: str
    image_tag: str
    project: str
    build: str
    generated: tuple[str, ...]
    given: tuple[str, ...]
    database: bool
    topic: str
    email: str
    canary: str
    fires: bool
    github: str
    policy: Policy
    dialect: Dialect
    environment: Mapping[str, str] = field(default_factory=dict)
    adopted: Adopted = field(default_factory=Adopted)
    scheme: str = "https"
    reserved: int = 0
    images_allow: tuple[str, ...] = ()
