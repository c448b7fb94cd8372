"""An account in which nothing is wrong, as ``quorumshift doctor`` sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from quorumshift.domain.doctor.expected import Adopted, Expected
from quorumshift.domain.doctor.facts import (
    Balancer,
    Cluster,
    Container,
    Definition,
    DeploymentGroup,
    EcsService,
    Facts,
    Function,
    Identity,
    Listener,
    Repository,
    Role,
    Schedule,
    TargetGroup,
    TaskSet,
    Topic,
)
from quorumshift.domain.doctor.finding import Look
from quorumshift.domain.doctor.network_facts import (
    NetworkFacts,
    Placement,
    Rule,
    SecurityGroup,
    Subnet,
)
from quorumshift.domain.look import Look as ClusterLook
from quorumshift.domain.policy import Dialect, Policy
from tests.domain.cluster_builder import cluster

HOOKS = ("app-before-install", "app-after-install")
OWN = "123456789012.dkr.ecr.us-east-1.amazonaws.com/app"
"""URI of the service's repository."""
DIGEST = f"sha256:{'1' * 64}"
EXPECTED = Expected(
    file="quorumshift.toml",
    service="app",
    cluster="app-cluster",
    family="app",
    container="app",
    port=8080,
    health_port=3001,
    health_path="/health",
    raft_port=2379,
    raft_peer_port=2380,
    desired=3,
    cpu=256,
    stop_timeout=30,
    providers={"FARGATE": 1},
    balancer="app",
    blue="app-blue",
    green="app-green",
    production_port=80,
    test_port=9090,
    delay=30,
    application="app",
    deployment_group="app",
    functions=(*HOOKS, "app-observe", "app-register-task-definition"),
    hooks=HOOKS,
    observe="app-observe",
    registers="app-register-task-definition",
    machines=("app-deploy", "app-hand-over"),
    repository="app",
    image_tag="v1",
    project="app-build",
    build="https://github.com/owner/app",
    generated=("app/token",),
    given=("app/database",),
    database=True,
    topic="app-deployments",
    email="team@example.com",
    canary="app-canary",
    fires=True,
    github="owner/app",
    policy=Policy(),
    dialect=Dialect("etcd", 1, True, True),
    environment={"PROMOTION": "orchestrated"},
    reserved=12,
)
ADOPTED = replace(
    EXPECTED, adopted=Adopted(vpc="vpc-1", private_subnets=("s-1", "s-2", "s-3"), cluster=True)
)
BLUE, GREEN = "arn:targetgroup/app-blue/1", "arn:targetgroup/app-green/2"
ZONES = ("s-1", "s-2", "s-3")


def _subnet(id: str, number: int, way: str) -> Subnet:
    outside = ("198.51.100.7",) if way == "nat-1" else ()
    return Subnet(id, "vpc-1", f"zone-{number % 3}", f"10.0.{number}.0/24", way, outside)


def _group(id: str, *inbound: tuple[int, str]) -> SecurityGroup:
    """``inbound``: port, and whose group or address range may send to it."""
    rules = tuple(
        Rule("tcp", port, port, cidrs=(who,))
        if "/" in who
        else Rule("tcp", port, port, groups=frozenset({who}))
        for port, who in inbound
    )
    return SecurityGroup(id, "vpc-1", rules, (Rule("-1", -1, -1, cidrs=("0.0.0.0/0",)),))


NETWORK = NetworkFacts(
    vpc=Look("vpc-1"),
    subnets=Look(
        {id: _subnet(id, at, "nat-1") for at, id in enumerate(ZONES)}
        | {f"p-{at}": _subnet(f"p-{at}", 10 + at, "igw-1") for at in range(3)}
    ),
    groups=Look(
        {
            "sg-lb": _group("sg-lb", (80, "0.0.0.0/0"), (9090, "198.51.100.7/32")),
            "sg-fn": _group("sg-fn"),
            "sg-task": _group(
                "sg-task",
                *((port, "sg-lb") for port in (8080, 3001)),
                *((port, "sg-fn") for port in (8080, 3001, 2379)),
                *((port, "sg-task") for port in (2379, 2380)),
            ),
        }
    ),
    endpoints=Look(frozenset()),
)
TASK_SET = TaskSet(
    id="ecs-svc/1",
    status="PRIMARY",
    steady=True,
    definition="arn:task-definition/app:7",
    platform="1.4.0",
    running=3,
    wanted=3,
    providers={"FARGATE": 1},
    placement=Placement(ZONES, ("sg-task",)),
)
SERVICE = EcsService("ACTIVE", "CODE_DEPLOY", 3, 3, {"FARGATE": 1}, (TASK_SET,))
CONTAINER = Container(
    name="app",
    image=f"{OWN}@{DIGEST}",
    ports=frozenset({8080, 3001, 2379, 2380}),
    stop_timeout=30,
    environment={"PROMOTION": "orchestrated", "LOG": "info"},
    secrets={"TOKEN": "arn:secret"},
)
DEFINITION = Definition("arn:task-definition/app:7", (CONTAINER,), "awsvpc", "arn:t", "arn:e")
BALANCER = Balancer(
    "arn:lb",
    "active",
    "application",
    "internet-facing",
    "vpc-1",
    Placement(("p-0", "p-1", "p-2"), ("sg-lb",)),
)
LISTENERS = (
    Listener("arn:listener/80", 80, {BLUE: 100, GREEN: 0}, False),
    Listener("arn:listener/9090", 9090, {BLUE: 100, GREEN: 0}, False),
)
WELL = {"10.0.0.4": "healthy", "10.0.1.4": "healthy", "10.0.2.4": "healthy"}
TARGETS = (
    TargetGroup(BLUE, "app-blue", "ip", 8080, "3001", "/health", 30, WELL),
    TargetGroup(GREEN, "app-green", "ip", 8080, "3001", "/health", 30, {}),
)
GROUP = DeploymentGroup(
    platform="ECS",
    role="arn:d",
    services=("app-cluster/app",),
    targets=frozenset({"app-blue", "app-green"}),
    production=frozenset({"arn:listener/80"}),
    test=frozenset({"arn:listener/9090"}),
    rollback=frozenset(
        {"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"}
    ),
    alarms=("slow", "ill"),
)
OBSERVE = Function("", "arn:f", Placement(ZONES, ("sg-fn",)))


def fit(**changed: Any) -> Facts:
    """The account; ``changed`` replaces fields of it."""
    tasks = "ecs-tasks.amazonaws.com"
    functions = {name: Look(Function("", "arn:f", None)) for name in EXPECTED.functions}
    facts = Facts(
        identity=Look(Identity("123456789012", "arn:aws:iam::123456789012:user/ada", "us-east-1")),
        bootstrap=Look("21"),
        github=Look("arn:github"),
        network=NETWORK,
        cluster=Look(Cluster("ACTIVE", frozenset({"FARGATE", "FARGATE_SPOT"}))),
        service=Look(SERVICE),
        definition=Look(DEFINITION),
        balancer=Look(BALANCER),
        listeners=Look(LISTENERS),
        targets=Look(TARGETS),
        application=Look("ECS"),
        group=Look(GROUP),
        alarms=Look({"slow": "OK", "ill": "INSUFFICIENT_DATA"}),
        active=Look(""),
        functions={**functions, "app-observe": Look(OBSERVE)},
        machines={name: Look("ACTIVE") for name in EXPECTED.machines},
        roles={
            "task": Look(Role("t", "arn:t", frozenset({tasks}))),
            "execution": Look(Role("e", "arn:e", frozenset({tasks}))),
            "deployment": Look(Role("d", "arn:d", frozenset({"codedeploy.amazonaws.com"}))),
        },
        denied={"execution": Look(()), "deployment": Look(()), "register": Look(())},
        repository=Look(Repository(True, OWN)),
        first_image=Look(DIGEST),
        live_image=Look(DIGEST),
        project=Look("https://github.com/owner/app.git"),
        secrets={"app/token": Look(True), "app/database": Look(True)},
        topic=Look(Topic(1, 0)),
        schedule=Look(Schedule(True, "cron(0 4 ? * MON-FRI *)", "arn:deploy")),
        quota={"FARGATE": Look(6.0)},
        unreserved=Look(988),
        seen=Look(ClusterLook(cluster(), stopped=False)),
    )
    return replace(facts, **changed)


def bare() -> Facts:
    """Before the stacks: what must be there first is, and nothing else."""
    made = fit()
    return Facts(
        identity=made.identity,
        bootstrap=made.bootstrap,
        github=made.github,
        repository=made.repository,
        first_image=made.first_image,
        functions=dict.fromkeys(EXPECTED.functions, Look()),
        machines=dict.fromkeys(EXPECTED.machines, Look()),
        secrets={"app/token": Look(), "app/database": Look(True)},
        quota=made.quota,
        unreserved=Look(1000),
    )
