"""What was found in the account, as plain values.

Ids, names and ARNs are AWS's. Nothing here holds a secret; ``environment`` of a container, whose
plain values anybody who may describe task definitions can read, is kept out of every text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quorumshift.domain.doctor.finding import Look
from quorumshift.domain.doctor.network_facts import NetworkFacts, Placement
from quorumshift.domain.look import Look as ClusterLook


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, and where."""

    account: str
    arn: str
    region: str


@dataclass(frozen=True, slots=True)
class TaskSet:
    """``status``: PRIMARY, ACTIVE or DRAINING. ``providers``: provider → weight."""

    id: str
    status: str
    steady: bool
    definition: str
    platform: str
    running: int
    wanted: int
    providers: Mapping[str, int]
    placement: Placement


@dataclass(frozen=True, slots=True)
class EcsService:
    """``controller``: the type of the deployment controller. ``providers``: as of a task set."""

    status: str
    controller: str
    desired: int
    running: int
    providers: Mapping[str, int]
    sets: tuple[TaskSet, ...]

    @property
    def primary(self) -> TaskSet | None:
        """The task set that serves."""
        return next((one for one in self.sets if one.status == "PRIMARY"), None)


@dataclass(frozen=True, slots=True)
class Cluster:
    """``providers``: the capacity providers that it may use."""

    status: str
    providers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Container:
    """``secrets``: variable → where ECS takes its value from. ``stop_timeout``: seconds, ``None``
    where it is Fargate's 30."""

    name: str
    image: str
    ports: frozenset[int]
    stop_timeout: int | None
    environment: Mapping[str, str] = field(repr=False)
    secrets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Definition:
    """One revision of the task definition."""

    arn: str
    containers: tuple[Container, ...]
    network_mode: str
    task_role: str
    execution_role: str

    @property
    def short(self) -> str:
        """``family:revision``."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Balancer:
    """A load balancer. ``scheme``: ``internet-facing`` or ``internal``."""

    arn: str
    state: str
    kind: str
    scheme: str
    vpc: str
    placement: Placement


@dataclass(frozen=True, slots=True)
class Listener:
    """``weights``: ARN of a target group → weight, of the default action. ``sticky``: whether that
    action keeps clients with a group. ``protocol``: ``HTTP`` or ``HTTPS``. ``ruled``: ARNs of the
    target groups that its other rules forward to."""

    arn: str
    port: int
    weights: Mapping[str, int]
    sticky: bool
    protocol: str = "HTTPS"
    ruled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """``health_port``: a port, or ``traffic-port``. ``delay``: seconds. ``targets``: address →
    state of its health, with the reason where it is not well."""

    arn: str
    name: str
    kind: str
    port: int
    health_port: str
    health_path: str
    delay: int
    targets: Mapping[str, str]

    @property
    def healthy(self) -> int:
        """How many targets are."""
        return sum(state == "healthy" for state in self.targets.values())


@dataclass(frozen=True, slots=True)
class DeploymentGroup:
    """CodeDeploy's. ``targets``: names of the target groups; ``production``, ``test``: ARNs of the
    listeners; ``rollback``: events that roll back, empty where it is off; ``alarms``: names, and
    whether they are switched off, so that they stop nothing; ``services``: ``cluster/service``."""

    platform: str
    role: str
    services: tuple[str, ...]
    targets: frozenset[str]
    production: frozenset[str]
    test: frozenset[str]
    rollback: frozenset[str]
    alarms: tuple[str, ...]
    alarms_off: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function. ``trouble``: why it cannot be called, or was not updated; else empty."""

    trouble: str
    role: str
    placement: Placement | None


@dataclass(frozen=True, slots=True)
class Role:
    """``trusts``: services that may take it."""

    name: str
    arn: str
    trusts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Repository:
    """``immutable``: whether a tag, once pushed, stays what it is."""

    immutable: bool
    uri: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the canary runs."""

    enabled: bool
    expression: str
    target: str


@dataclass(frozen=True, slots=True)
class Topic:
    """How many subscriptions there are."""

    confirmed: int
    pending: int


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it. ``roles``: ``task``, ``execution``, ``deployment`` → role. ``denied``: what the
    simulation of a role's policies refuses, a sentence each, by the same keys and ``register``.
    ``secrets``: name or ARN → whether it is there and not about to be deleted. ``alarms``: name →
    state. ``active``: the deployment that runs, empty for none. ``seen``: what the function Observe
    saw; its ``unknown`` where it could not be asked, ``failed`` where it was and failed. ``quota``:
    capacity provider → vCPUs that may run at once. ``unreserved``: the account's concurrent
    executions of functions that no function has reserved. ``bootstrap``: version of the CDK's
    bootstrap stack. ``first_image``, ``live_image``: digests. ``project``: where its source is."""

    identity: Look[Identity] = field(default_factory=Look)
    bootstrap: Look[str] = field(default_factory=Look)
    github: Look[str] = field(default_factory=Look)
    network: NetworkFacts = field(default_factory=NetworkFacts)
    cluster: Look[Cluster] = field(default_factory=Look)
    service: Look[EcsService] = field(default_factory=Look)
    definition: Look[Definition] = field(default_factory=Look)
    balancer: Look[Balancer] = field(default_factory=Look)
    listeners: Look[tuple[Listener, ...]] = field(default_factory=Look)
    targets: Look[tuple[TargetGroup, ...]] = field(default_factory=Look)
    application: Look[str] = field(default_factory=Look)
    group: Look[DeploymentGroup] = field(default_factory=Look)
    alarms: Look[Mapping[str, str]] = field(default_factory=Look)
    active: Look[str] = field(default_factory=Look)
    functions: Mapping[str, Look[Function]] = field(default_factory=dict)
    machines: Mapping[str, Look[str]] = field(default_factory=dict)
    roles: Mapping[str, Look[Role]] = field(default_factory=dict)
    denied: Mapping[str, Look[tuple[str, ...]]] = field(default_factory=dict)
    repository: Look[Repository] = field(default_factory=Look)
    first_image: Look[str] = field(default_factory=Look)
    live_image: Look[str] = field(default_factory=Look)
    project: Look[str] = field(default_factory=Look)
    secrets: Mapping[str, Look[bool]] = field(default_factory=dict)
    topic: Look[Topic] = field(default_factory=Look)
    schedule: Look[Schedule] = field(default_factory=Look)
    quota: Mapping[str, Look[float]] = field(default_factory=dict)
    unreserved: Look[int] = field(default_factory=Look)
    seen: Look[ClusterLook] = field(default_factory=Look)
    failed: str = ""
