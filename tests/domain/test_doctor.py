"""What ``quorumshift doctor`` finds: one thing spoilt at a time, and nothing else is blamed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorumshift.adapters.aws.client import Client
from quorumshift.adapters.aws.images import EcrImages
from quorumshift.domain.doctor import Check, Facts, Look, State, diagnose
from quorumshift.domain.doctor.expected import Adopted, Expected
from quorumshift.domain.doctor.facts import Function, Repository, Topic
from quorumshift.domain.doctor.network import ENDPOINTS
from quorumshift.domain.doctor.network_facts import Rule, Subnet
from quorumshift.domain.errors import InvalidRequest
from quorumshift.domain.look import Look as ClusterLook
from tests.adapters.aws_api import Api
from tests.domain.cluster_builder import cluster
from tests.domain.fit_account import (
    ADOPTED,
    BALANCER,
    BLUE,
    CONTAINER,
    DEFINITION,
    DIGEST,
    EXPECTED,
    GREEN,
    GROUP,
    LISTENERS,
    NETWORK,
    OWN,
    SERVICE,
    TARGETS,
    TASK_SET,
    bare,
    fit,
)

Found = dict[str, Check]


def found(facts: Facts, expected: Expected = EXPECTED) -> Found:
    """``group/check`` → check."""
    groups = diagnose(expected, facts)
    return {f"{group.name}/{check.name}": check for group in groups for check in group.checks}


def of(state: State, facts: Facts, expected: Expected = EXPECTED) -> dict[str, Check]:
    return {name: one for name, one in found(facts, expected).items() if one.state is state}


def test_nothing_is_wrong_with_a_fit_account() -> None:
    assert {check.state for check in found(fit()).values()} == {State.OK}


def service(**changed: Any) -> dict[str, Any]:
    return {"service": Look(replace(SERVICE, **changed))}


def task_set(**changed: Any) -> dict[str, Any]:
    return service(sets=(replace(TASK_SET, **changed),))


def container(**changed: Any) -> dict[str, Any]:
    return {"definition": Look(replace(DEFINITION, containers=(replace(CONTAINER, **changed),)))}


def balanced(at: int, **changed: Any) -> dict[str, Any]:
    groups = list(TARGETS)
    groups[at] = replace(groups[at], **changed)
    return {"targets": Look(tuple(groups))}


def listener(at: int, **changed: Any) -> dict[str, Any]:
    all_of_it = list(LISTENERS)
    all_of_it[at] = replace(all_of_it[at], **changed)
    return {"listeners": Look(tuple(all_of_it))}


def ipv6_alone(id: str) -> dict[str, Subnet]:
    known = dict(NETWORK.subnets.there)
    known[id] = replace(known[id], cidr="")
    return known


def group(**changed: Any) -> dict[str, Any]:
    return {"group": Look(replace(GROUP, **changed))}


def guarded(id: str, **changed: Any) -> dict[str, Any]:
    groups = {**NETWORK.groups.there}
    groups[id] = replace(groups[id], **changed)
    return {"network": replace(NETWORK, groups=Look(groups))}


def routed(**changed: Any) -> dict[str, Any]:
    """All private subnets changed."""
    subnets = {
        id: replace(one, **changed) if id.startswith("s-") else one
        for id, one in NETWORK.subnets.there.items()
    }
    return {"network": replace(NETWORK, subnets=Look(subnets))}


def function(name: str, look: Look[Function]) -> dict[str, Any]:
    return {"functions": {**fit().functions, name: look}}


def role(kind: str, **changed: Any) -> dict[str, Any]:
    roles = {**fit().roles}
    roles[kind] = Look(replace(roles[kind].there, **changed))
    return {"roles": roles}


FREE_TASKS = [
    rule for rule in NETWORK.groups.there["sg-task"].inbound if rule.groups != {"sg-task"}
]
FREE_BALANCER = [rule for rule in NETWORK.groups.there["sg-task"].inbound if rule.first != 3001]
SPOILT: Mapping[str, tuple[dict[str, Any], set[str], str]] = {
    # what: (facts, the checks that are NG, a word of what they say)
    "no bootstrap": ({"bootstrap": Look()}, {"account/CDK bootstrap"}, "aws-cdk bootstrap"),
    "an old bootstrap": ({"bootstrap": Look("3")}, {"account/CDK bootstrap"}, "version 3"),
    "no GitHub": ({"github": Look()}, {"account/GitHub's identity provider"}, "open-id"),
    "two zones": (
        routed(zone="zone-1"),
        {"network/zones"},
        "majority",
    ),
    "no way out": (
        routed(way=""),
        {"network/way out of tasks", "network/way out of functions"},
        "NAT",
    ),
    "an internet gateway alone": (
        routed(way="igw-1"),
        {"network/way out of tasks", "network/way out of functions"},
        "public address",
    ),
    "peers are shut out": (
        guarded("sg-task", inbound=tuple(FREE_TASKS)),
        {"network/tasks ↔ tasks"},
        "2379 not into sg-task; 2380 not into sg-task",
    ),
    "the health check is shut out": (
        guarded("sg-task", inbound=tuple(FREE_BALANCER)),
        {"network/load balancer → tasks", "network/functions → tasks"},
        "3001",
    ),
    "nothing leaves the load balancer": (
        guarded("sg-lb", outbound=()),
        {"network/load balancer → tasks"},
        "not out of sg-lb",
    ),
    "the test listener is shut": (
        guarded("sg-lb", inbound=(Rule("tcp", 80, 80, cidrs=("0.0.0.0/0",)),)),
        {"network/functions → test listener"},
        "198.51.100.7",
    ),
    "no service": (
        {"service": Look(), "definition": Look(unknown="because nothing serves")},
        {"service/service"},
        "no active service app",
    ),
    "no cluster": ({"cluster": Look()}, {"service/cluster"}, "[names]"),
    "the rolling controller": (
        service(controller="ECS"),
        {"service/controller"},
        "docs/migration.md",
    ),
    "the rolling controller, which has no task sets": (
        {
            **service(controller="ECS", sets=()),
            "definition": Look(unknown="because nothing serves"),
        },
        {"service/controller"},
        "CODE_DEPLOY",
    ),
    "an even count": (service(desired=2), {"service/desired count"}, "3, 5, 7 or 9"),
    "four tasks": (service(desired=4), {"service/desired count"}, "4 tasks"),
    "not steady": (task_set(steady=False), {"service/steady"}, "STABILIZING"),
    "one is missing": (task_set(running=2), {"service/steady"}, "2 of 3"),
    "no primary": (
        {**service(sets=()), "definition": Look(unknown="because nothing serves")},
        {"service/steady"},
        "no primary task set",
    ),
    "other providers": (
        task_set(providers={"FARGATE_SPOT": 1}),
        {"service/capacity providers"},
        "FARGATE 1",
    ),
    "a provider the cluster lacks": (
        task_set(providers={"mine": 1}),
        {"service/capacity providers"},
        "has no mine",
    ),
    "an old platform": (task_set(platform="1.3.0"), {"service/platform version"}, "1.4.0"),
    "another family": (
        {"definition": Look(replace(DEFINITION, arn="arn:task-definition/other:1"))},
        {"service/task definition"},
        "names.family",
    ),
    "another container": (container(name="web"), {"service/container"}, "it has web"),
    "a port is missing": (
        container(ports=frozenset({8080, 3001, 2379})),
        {"service/ports"},
        "not 2380",
    ),
    "a short stop timeout": (container(stop_timeout=5), {"service/stop timeout"}, "5 s"),
    "a secret in plain sight": (
        container(environment={"PROMOTION": "orchestrated", "DB_PASS": "hunter2"}),
        {"service/secrets"},
        "DB_PASS in plain sight",
    ),
    "a password in a URL": (
        container(environment={"PROMOTION": "orchestrated", "DB": "pg://ada:hunter2@db"}),
        {"service/secrets"},
        "DB in plain sight",
    ),
    "nodes that vote by themselves": (
        container(environment={}),
        {"service/variables"},
        "set PROMOTION to orchestrated",
    ),
    "no load balancer": (
        {"balancer": Look(), "listeners": Look(unknown="because …")},
        {"traffic/load balancer"},
        "none called app",
    ),
    "a network load balancer": (
        {"balancer": Look(replace(BALANCER, kind="network"))},
        {"traffic/load balancer"},
        "Application Load Balancer",
    ),
    "half of the traffic": (
        listener(0, weights={BLUE: 50, GREEN: 50}),
        {"traffic/production listener"},
        "weight 100",
    ),
    "another group": (
        listener(1, weights={"arn:targetgroup/other/9": 100}),
        {"traffic/test listener"},
        "other/9",
    ),
    "a listener that speaks HTTP": (
        listener(0, protocol="HTTP"),
        {"traffic/production listener"},
        "load_balancer.plain_http = true",
    ),
    "a rule beside the default action": (
        listener(0, ruled=frozenset({GREEN, "arn:targetgroup/other/9"})),
        {"traffic/production listener"},
        "a rule of it forwards to app-green",
    ),
    "a subnet of IPv6 alone": (
        {"network": replace(NETWORK, subnets=Look(ipv6_alone("s-2")))},
        {"network/addresses"},
        "IPv6 alone in s-2",
    ),
    "a production listener on the empty group": (
        listener(0, weights={BLUE: 0, GREEN: 100}),
        {"traffic/production listener"},
        "app-green has no healthy target, so requests are answered with 503",
    ),
    "a sticky listener": (listener(0, sticky=True), {"traffic/production listener"}, "sticky"),
    "no test listener": (
        {"listeners": Look(LISTENERS[:1])},
        {"traffic/test listener", "deployment/listeners of the group"},
        "9090",
    ),
    "targets by instance": (balanced(0, kind="instance"), {"traffic/target groups"}, "instance"),
    "another health check": (
        balanced(1, health_path="/"),
        {"traffic/health check of app-green"},
        "/health on 3001",
    ),
    "another health port": (
        balanced(0, health_port="traffic-port"),
        {"traffic/health check of app-blue"},
        "/health on 8080",
    ),
    "a long delay": (
        balanced(0, delay=300),
        {"traffic/deregistration delay of app-blue"},
        "300 s",
    ),
    "an ill target": (
        balanced(0, targets={**TARGETS[0].targets, "10.0.0.4": "unhealthy: Target.Timeout"}),
        {"traffic/healthy targets"},
        "Target.Timeout",
    ),
    "an application for Lambda": (
        {"application": Look("Lambda")},
        {"deployment/application"},
        "Lambda",
    ),
    "a group of another service": (
        group(services=("app-cluster/other",)),
        {"deployment/service of the group"},
        "app-cluster/app",
    ),
    "a group without a test listener": (
        group(test=frozenset()),
        {"deployment/listeners of the group"},
        "AfterAllowTestTraffic",
    ),
    "a group with one target group": (
        group(targets=frozenset({"app-blue"})),
        {"deployment/target groups of the group"},
        "app-green",
    ),
    "no roll-back on alarm": (
        group(rollback=GROUP.rollback - {"DEPLOYMENT_STOP_ON_ALARM"}),
        {"deployment/auto roll-back"},
        "DEPLOYMENT_STOP_ON_ALARM",
    ),
    "no alarms": (group(alarms=()), {"deployment/alarms"}, "none watch"),
    "alarms that are switched off": (
        group(alarms_off=True),
        {"deployment/alarms"},
        "switched off in the deployment group, so that they stop nothing",
    ),
    "an alarm that is gone": ({"alarms": Look({"ill": "OK"})}, {"deployment/alarms"}, "no slow"),
    "an alarm that rings": (
        {"alarms": Look({"slow": "ALARM", "ill": "OK"})},
        {"deployment/alarms"},
        "slow in ALARM",
    ),
    "a hook is gone": (
        function("app-after-install", Look()),
        {"deployment/functions of the hooks"},
        "no app-after-install",
    ),
    "a function that failed": (
        function("app-register-task-definition", Look(Function("Failed", "arn:f", None))),
        {"deployment/functions of the states"},
        "(Failed)",
    ),
    "no state machine": (
        {"machines": {**fit().machines, "app-hand-over": Look()}},
        {"deployment/state machine app-hand-over"},
        "not there",
    ),
    "a role nobody takes": (
        role("execution", trusts=frozenset()),
        {"roles/execution role"},
        "ecs-tasks",
    ),
    "CodeDeploy cannot take its role": (
        role("deployment", trusts=frozenset({"ecs-tasks.amazonaws.com"})),
        {"roles/deployment role"},
        "codedeploy",
    ),
    "the task role is gone": (
        {"roles": {**fit().roles, "task": Look()}},
        {"roles/task role"},
        "not there",
    ),
    "a role may not be passed": (
        {"denied": {**fit().denied, "register": Look(("iam:PassRole on role/t is denied",))}},
        {"roles/roles may be passed"},
        "PassRole",
    ),
    "no repository": ({"repository": Look()}, {"images/repository"}, "create-repository"),
    "mutable tags": (
        {"repository": Look(Repository(False, OWN))},
        {"images/tags"},
        "IMMUTABLE",
    ),
    "the live image is gone": ({"live_image": Look()}, {"images/image that serves"}, "push"),
    "a live image of another repository": (
        container(image=f"ghcr.io/owner/app@{DIGEST}"),
        {"images/image is allowed"},
        '[images] allow = ["ghcr.io/owner/app"]',
    ),
    "a live image of another account": (
        container(image=f"210987654321.dkr.ecr.us-east-1.amazonaws.com/app@{DIGEST}"),
        {"images/image is allowed"},
        '[images] allow = ["210987654321.dkr.ecr.us-east-1.amazonaws.com/app"]',
    ),
    "a live image of Docker Hub": (
        container(image=f"app@{DIGEST}"),
        {"images/image is allowed"},
        '[images] allow = ["docker.io/library/app"]',
    ),
    "a live image by a tag of another repository": (
        container(image="ghcr.io/owner/app:v1"),
        {"images/image is allowed"},
        "names it with its digest",
    ),
    "a live image without a tag": (
        container(image="nginx"),
        {"images/image is allowed"},
        "register and deploy a revision",
    ),
    "another source": (
        {"project": Look("https://github.com/someone/else")},
        {"build/project"},
        "owner/app",
    ),
    "no secret": (
        {"secrets": {"app/token": Look(True), "app/database": Look()}},
        {"secrets/app/database"},
        "create-secret",
    ),
    "a dying secret": (
        {"secrets": {"app/token": Look(False), "app/database": Look(True)}},
        {"secrets/app/token"},
        "restore-secret",
    ),
    "no topic": ({"topic": Look()}, {"notifications/topic"}, "app-deployments"),
    "nobody confirmed": (
        {"topic": Look(Topic(0, 1))},
        {"notifications/subscriptions"},
        "team@example.com",
    ),
    "no schedule": ({"schedule": Look()}, {"schedule/canary"}, "app-canary"),
    "no room for anybody else": (
        {"unreserved": Look(99)},
        {"limits/concurrent executions"},
        "hooks and watchdog have 12",
    ),
    "few vCPUs": ({"quota": {"FARGATE": Look(1.0)}}, {"limits/vCPUs of FARGATE"}, "takes 1.5"),
    "a silent node": (
        {"seen": Look(ClusterLook(cluster(down=["b3"]), stopped=False))},
        {"Raft/every node answers", "Raft/health"},
        "b3",
    ),
    "Observe failed": (
        {"seen": Look(), "failed": "the function app-observe failed: Timeout"},
        {"Raft/look"},
        "Timeout",
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_is_spoilt_is_named_with_its_fix_and_nothing_else_is(what: str) -> None:
    changed, names, word = SPOILT[what]
    checks = found(fit(**changed))
    bad = {name: check for name, check in checks.items() if check.state is State.NG}
    assert bad.keys() == names
    assert any(word in f"{check.seen} {check.fix}" for check in bad.values())
    assert all(check.fix for check in bad.values())
    told = " ".join(f"{check.seen} {check.fix}" for check in checks.values())
    assert "hunter2" not in told


def test_before_the_stack_what_it_makes_is_told_apart_from_what_must_be_there() -> None:
    here = bare()
    assert not of(State.NG, here)
    assert "not provisioned yet" in found(here)["service/service"].seen
    assert "not provisioned yet" in found(here)["deployment/application"].seen
    assert found(here)["images/first image"].state is State.OK
    assert found(here)["secrets/app/database"].state is State.OK
    assert found(here)["secrets/app/token"].state is State.SKIP
    lacking = replace(
        here, first_image=Look(), secrets={"app/token": Look(), "app/database": Look()}
    )
    assert of(State.NG, lacking).keys() == {"images/first image", "secrets/app/database"}


@pytest.mark.parametrize(("unreserved", "state"), [(112, State.OK), (111, State.NG)])
def test_before_the_stack_the_account_must_have_room_for_what_is_reserved(
    unreserved: int, state: State
) -> None:
    check = found(replace(bare(), unreserved=Look(unreserved)))["limits/concurrent executions"]
    assert check.state is state
    assert "will take 12" in check.seen


def test_what_is_adopted_must_be_there_before_the_stack() -> None:
    lacking = {"service/cluster", "network/VPC", "network/subnets"}
    assert of(State.NG, bare(), ADOPTED).keys() == lacking
    there = replace(bare(), cluster=fit().cluster, network=NETWORK)
    assert not of(State.NG, there, ADOPTED)


def test_an_id_that_is_adopted_and_not_there_is_named_beside_what_is() -> None:
    adopted = replace(ADOPTED.adopted, public_subnets=("s-9",), tasks_security_group="sg-9")
    bad = of(State.NG, fit(), replace(ADOPTED, adopted=adopted))
    assert bad.keys() == {"network/subnets", "network/security groups"}
    assert "s-9" in bad["network/subnets"].seen
    assert "sg-9" in bad["network/security groups"].seen


def test_one_resource_of_the_stack_is_enough_to_miss_the_others() -> None:
    half = replace(bare(), application=Look("ECS"))
    assert "deployment/deployment group" in of(State.NG, half)
    assert "service/service" in of(State.NG, half)


@pytest.mark.parametrize(
    ("scheme", "at", "protocol", "adopted", "wrong"),
    [
        ("http", 0, "HTTP", False, False),
        ("http", 1, "HTTPS", False, True),
        ("http", 0, "HTTPS", False, True),
        ("http", 0, "HTTPS", True, False),
        ("http", 1, "HTTPS", True, True),
        ("https", 1, "HTTP", True, True),
        ("https", 0, "HTTP", True, True),
    ],
)
def test_listeners_speak_what_the_configuration_says_or_better(
    scheme: str, at: int, protocol: str, adopted: bool, wrong: bool
) -> None:
    spoken = [replace(one, protocol=scheme.upper()) for one in LISTENERS]
    spoken[at] = replace(spoken[at], protocol=protocol)
    arns = ("arn:listener/80", "arn:listener/9090") if adopted else ("", "")
    listeners = Adopted(production_listener=arns[0], test_listener=arns[1])
    expected = replace(EXPECTED, scheme=scheme, adopted=listeners)
    here = fit(listeners=Look(tuple(spoken)))
    bad = {name for name in of(State.NG, here, expected) if name.endswith(" listener")}
    assert bad == ({f"traffic/{('production', 'test')[at]} listener"} if wrong else set())


def test_a_deployment_under_way_is_no_fault_and_its_weights_are_not() -> None:
    weights = listener(0, weights={BLUE: 60, GREEN: 40})
    shifting = fit(active=Look("d-1"), **weights, **balanced(1, targets={"10.0.0.9": "healthy"}))
    assert not of(State.NG, shifting)
    assert "d-1" in found(shifting)["deployment/under way"].seen
    assert found(shifting)["Raft/hand-over"].state is State.SKIP


def test_while_a_deployment_moves_votes_and_traffic_what_is_passing_is_no_fault() -> None:
    starting = replace(TARGETS[1], targets={"10.0.0.9": "initial: Elb.InitialHealthChecking"})
    silent = Look(
        ClusterLook(
            cluster(green=["g1"], voters=["b1", "b2", "b3", "g1"], down=["g1"]), stopped=False
        )
    )
    moving = fit(active=Look("d-1"), targets=Look((TARGETS[0], starting)), seen=silent)
    assert not of(State.NG, moving)
    just_begun = replace(moving, active=Look(""), seen=Look(replace(silent.there, busy="d-1")))
    assert "raft/every node answers" not in of(State.NG, just_begun)
    assert "d-1" in found(moving)["Raft/every node answers"].seen
    assert "Raft/every node answers" in of(State.NG, fit(seen=silent))


def test_endpoints_stand_in_for_a_way_out() -> None:
    network = replace(routed(way="")["network"], endpoints=Look(ENDPOINTS))
    assert not of(State.NG, fit(network=network))
    network = replace(network, endpoints=Look(ENDPOINTS - {"ecr.dkr"}))
    assert "ecr.dkr" in found(fit(network=network))["network/way out of tasks"].seen


def test_who_nobody_knows_is_asked_nothing() -> None:
    checks = found(Facts(identity=Look(unknown="no AWS credentials were found")))
    assert checks["account/who am I"].state is State.NG
    assert {one.state for name, one in checks.items() if "/all of it" in name} == {State.SKIP}


LOOKS = [one.name for one in fields(Facts) if isinstance(getattr(fit(), one.name), Look)]
MAPS = [one.name for one in fields(Facts) if isinstance(getattr(fit(), one.name), dict)]
DENIED: Look[Any] = Look(unknown="not allowed to look: x:Y is missing")


def changed(names: set[str], to: Look[Any]) -> Facts:
    facts = fit()
    new: dict[str, Any] = {name: to for name in names if name in LOOKS}
    new |= {name: dict.fromkeys(getattr(facts, name), to) for name in names if name in MAPS}
    if "network" in names:
        new["network"] = replace(NETWORK, subnets=to, groups=to, endpoints=to)
    return replace(facts, **new)


some_looks = st.sets(st.sampled_from([*LOOKS, *MAPS, "network"])).map(
    lambda names: names - {"identity"}
)


@settings(max_examples=50, deadline=None)
@given(some_looks)
def test_not_being_allowed_to_look_is_never_ng(names: set[str]) -> None:
    facts = changed(names, DENIED)
    checks = found(facts).values()
    assert not [check for check in checks if check.state is State.NG]
    assert all(check.seen for check in checks)


@settings(max_examples=50, deadline=None)
@given(some_looks, some_looks)
def test_whatever_is_missing_it_is_told_and_never_raises(gone: set[str], denied: set[str]) -> None:
    facts = changed(gone, Look())
    both: dict[str, Any] = {name: DENIED for name in denied if name in LOOKS}
    facts = replace(facts, **both)
    for check in found(facts).values():
        assert check.seen
        assert bool(check.fix) == (check.state is State.NG)


@pytest.mark.parametrize(
    ("image", "allow", "state"),
    [
        (f"ghcr.io/owner/app@{DIGEST}", ("ghcr.io/owner/*",), State.OK),
        (f"ghcr.io/owner/app@{DIGEST}", ("ghcr.io/owner/other",), State.NG),
        ("ghcr.io/owner/app:v1", ("ghcr.io/owner/app",), State.NG),
        (f"{OWN}:v1", (), State.OK),
        (f"123456789012.dkr-ecr.us-east-1.on.aws/app@{DIGEST}", (), State.OK),
    ],
)
def test_what_the_functions_will_refuse_is_told_beforehand(
    image: str, allow: tuple[str, ...], state: State
) -> None:
    """As RegisterTaskDefinition judges it when the current revision is deployed again."""
    allowed = replace(EXPECTED, images_allow=allow)
    check = found(fit(**container(image=image)), allowed)["images/image is allowed"]
    assert check.state is state
    ecr = Api("ecr", describe_images={"imageDetails": [{"imageDigest": DIGEST}]})
    checked = EcrImages(Client(lambda: ecr), OWN, allow).check
    if state is State.OK:
        checked(image)
    else:
        with pytest.raises(InvalidRequest):
            checked(image)


def test_without_an_image_nobody_says_that_it_is_allowed() -> None:
    name = "images/image is allowed"
    unread: dict[str, Any] = {"definition": Look(unknown="because ECS did not answer")}
    unmade: dict[str, Any] = {"repository": Look()}
    for lacking in (unread, unmade, container(name="other")):
        assert found(fit(**lacking))[name].state is State.SKIP
