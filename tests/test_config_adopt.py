"""``[adopt]``: what is taken by its id, and what each key is nothing without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from quorumshift.config import load
from quorumshift.config_adopt import Adopt
from quorumshift.domain.errors import InvalidConfiguration

_ELASTIC = "arn:aws:elasticloadbalancing:us-east-1:123456789012"
_BALANCER = "app/shared/0123456789abcdef"
ROLE = "arn:aws:iam::123456789012:role/tasks"
VPC: dict[str, Any] = {
    "vpc": "vpc-0a1b2c3d4e5f60718",
    "private_subnets": ["subnet-0a1b2c3d", "subnet-1a1b2c3d", "subnet-2a1b2c3d"],
}
PUBLIC: dict[str, Any] = {
    "public_subnets": ["subnet-3a1b2c3d", "subnet-4a1b2c3d"],
    "outgoing_addresses": ["203.0.113.7"],
}
BALANCER = {
    "load_balancer": f"{_ELASTIC}:loadbalancer/{_BALANCER}",
    "load_balancer_dns_name": "shared-1234.us-east-1.elb.amazonaws.com",
    "load_balancer_security_group": "sg-0a1b2c3d",
}
GROUPS = {
    "blue_target_group": f"{_ELASTIC}:targetgroup/blue/0123456789abcdef",
    "green_target_group": f"{_ELASTIC}:targetgroup/green/0123456789abcdef",
}
PRODUCTION = {"production_listener": f"{_ELASTIC}:listener/{_BALANCER}/0000000000000001"}
LISTENERS = {**PRODUCTION, "test_listener": f"{_ELASTIC}:listener/{_BALANCER}/0000000000000002"}
SERVICE: dict[str, Any] = {
    "service": True,
    "cluster": True,
    "tasks_security_group": "sg-1a1b2c3d",
    "task_role": ROLE,
    "execution_role": f"{ROLE}-execution",
}
TRAFFIC = {**VPC, **BALANCER, **GROUPS, **LISTENERS}
ALL = {**TRAFFIC, **SERVICE, "functions_security_group": "sg-2a1b2c3d"}


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(keys: dict[str, Any], before: str = "", secrets: str = "") -> Path:
        lines = [f"{name} = {json.dumps(value)}" for name, value in keys.items()]
        path = tmp_path / "quorumshift.toml"
        head = f'[service]\nname = "orders"\n{before}[adopt]\n'
        text = head + "\n".join(lines) + "\n" + secrets
        if "[load_balancer]" not in text:
            text += "\n[load_balancer]\nplain_http = true\n"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refusal(path: Path) -> str:
    with pytest.raises(InvalidConfiguration) as caught:
        load(path)
    return str(caught.value)


def without(keys: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in keys.items() if name not in names}


def test_nothing_given_everything_is_made(write: Any) -> None:
    assert load(write({})).adopt == Adopt()


@pytest.mark.parametrize(
    "keys",
    [
        {"cluster": True},
        {**VPC, **PUBLIC},
        {**VPC, **PUBLIC, "tasks_security_group": "sg-1a1b2c3d"},
        {**VPC, **BALANCER},
        {**VPC, **BALANCER, "outgoing_addresses": ["203.0.113.7"]},
        {**VPC, **BALANCER, **GROUPS},
        {**VPC, **BALANCER, **GROUPS, **PRODUCTION},
        TRAFFIC,
        without(ALL, "task_role", "functions_security_group"),
        ALL,
    ],
)
def test_what_can_stand_together(write: Any, keys: dict[str, Any]) -> None:
    adopt = load(write(keys)).adopt
    for name, value in keys.items():
        assert getattr(adopt, name) == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize(
    ("keys", "at", "says"),
    [
        (without({**VPC, **PUBLIC}, "vpc"), "private_subnets", ["needs adopt.vpc, which is"]),
        (
            without({**VPC, **PUBLIC}, "private_subnets"),
            "",
            ["adopt.private_subnets must name two"],
        ),
        (
            {**VPC, **PUBLIC, "private_subnets": ["subnet-0a1b2c3d"]},
            "private_subnets",
            ["two subnets or more", "zone"],
        ),
        (without({**VPC, **PUBLIC}, "public_subnets"), "", ["adopt.public_subnets must name two"]),
        (
            without({**VPC, **PUBLIC}, "outgoing_addresses"),
            "",
            ["adopt.outgoing_addresses is missing", "NAT"],
        ),
        ({**VPC, **PUBLIC, **BALANCER}, "public_subnets", ["take it out"]),
        (BALANCER, "load_balancer", ["needs adopt.vpc"]),
        (
            {**VPC, "load_balancer": BALANCER["load_balancer"]},
            "load_balancer",
            ["adopt.load_balancer_dns_name and adopt.load_balancer_security_group", "are missing"],
        ),
        (
            {**VPC, **PUBLIC, "load_balancer_security_group": "sg-0a1b2c3d"},
            "load_balancer_security_group",
            ["needs adopt.load_balancer,"],
        ),
        (without(TRAFFIC, "green_target_group"), "blue_target_group", ["green_target_group"]),
        (without(TRAFFIC, *GROUPS), "production_listener", ["needs adopt.blue_target_group"]),
        (without(TRAFFIC, "production_listener"), "test_listener", ["adopt.production_listener"]),
        (
            {**TRAFFIC, "test_listener": TRAFFIC["production_listener"]},
            "test_listener",
            ["must differ from adopt.production_listener"],
        ),
        (
            {**TRAFFIC, "green_target_group": TRAFFIC["blue_target_group"]},
            "green_target_group",
            ["must differ from adopt.blue_target_group"],
        ),
        (
            {**TRAFFIC, "load_balancer": f"{_ELASTIC}:loadbalancer/app/other/0123456789abcdef"},
            "production_listener",
            ["must be a listener of", "app/other"],
        ),
        (without(ALL, "cluster"), "service", ["needs adopt.cluster,"]),
        (without(ALL, "tasks_security_group"), "service", ["needs adopt.tasks_security_group,"]),
        (without(ALL, "execution_role"), "service", ["needs adopt.execution_role,"]),
        (without(ALL, "test_listener"), "service", ["needs adopt.test_listener,"]),
        (without(ALL, "service"), "task_role", ["needs adopt.service,"]),
        ({"vpc": "my-vpc"}, "vpc", ["vpc-… as AWS writes it", '"my-vpc"']),
        ({**VPC, "private_subnets": "subnet-0a1b2c3d"}, "private_subnets", ["a list of strings"]),
        ({**VPC, "private_subnets": [7]}, "private_subnets", ["a list of strings", "7 is none"]),
        ({**VPC, "private_subnets": ["x"]}, "private_subnets", ["subnet-…", '"x" is none']),
        (
            {**VPC, "private_subnets": ["subnet-0a1b2c3d"] * 2},
            "private_subnets",
            ['names "subnet-0a1b2c3d" twice'],
        ),
        ({"outgoing_addresses": ["10.0.0.256"]}, "outgoing_addresses", ["an IPv4 address"]),
        (
            {"load_balancer": f"{_ELASTIC}:loadbalancer/net/shared/0123456789abcdef"},
            "load_balancer",
            ["an Application Load Balancer"],
        ),
        ({"blue_target_group": "blue"}, "blue_target_group", ["the ARN of a target group"]),
        ({"task_role": "tasks"}, "task_role", ["the ARN of a role"]),
    ],
)
def test_what_is_missing_is_named_at_the_key_that_needs_it(
    write: Any, keys: dict[str, Any], at: str, says: list[str]
) -> None:
    path = write(keys)
    message = refusal(path)
    line = 3 + (list(keys).index(at) + 1 if at else 0)
    assert message.startswith(f"{path}:{line}: adopt.{at}")
    for words in says:
        assert words in message


def test_who_made_the_service_scales_it(write: Any) -> None:
    path = write(ALL, before="[scaling]\nenabled = true\n")
    assert refusal(path).startswith(f"{path}:4: scaling.enabled must be false with adopt.service")


def test_a_secret_that_is_there_is_named_with_the_key_of_its_json(write: Any) -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/keys-a1B2c3"
    secrets = f'[adopt.secrets]\nA = "prod/jwt"\nB = "prod/keys#jwt.main"\nC = "{arn}#jwt"\n'
    adopt = load(write({}, secrets=secrets)).adopt
    assert [adopt.secret(variable) for variable in "ABC"] == [
        ("prod/jwt", ""),
        ("prod/keys", "jwt.main"),
        (arn, "jwt"),
    ]


@pytest.mark.parametrize(
    ("before", "value", "says"),
    [
        ("secrets = { KEY = 'api-key' }\n", "prod/key", "is in [service.secrets] too"),
        ("environment = { KEY = '' }\n", "prod/key", "is in [service.environment] too"),
        (
            "[database]\nsecret = 's'\nenvironment = { KEY = 'host' }\n",
            "prod/key",
            "is in [database.environment] too",
        ),
        ("", "my-secret#key", "must be the whole ARN"),
        ("", "prod/key#", "the name or the ARN of a secret"),
        ("", "", "the name or the ARN of a secret"),
    ],
)
def test_a_secret_has_one_source_and_a_name_that_can_be_granted(
    write: Any, before: str, value: str, says: str
) -> None:
    path = write({}, before=before, secrets=f'[adopt.secrets]\nKEY = "{value}"\n')
    message = refusal(path)
    assert "adopt.secrets.KEY" in message
    assert says in message


SECURED = (
    "[load_balancer]\n"
    'certificate = "arn:aws:acm:us-east-1:123456789012:certificate/'
    '5f0c6e52-93f5-4f0e-9d55-3c1c8f0b7a21"\nhost = "play.example.com"\n'
)


def test_listeners_that_are_adopted_are_taken_to_speak_https(write: Any) -> None:
    named = load(write(TRAFFIC, before='[load_balancer]\nhost = "play.example.com"\n'))
    assert named.load_balancer.scheme == "https"
    assert "load_balancer.host is missing" in refusal(
        write(TRAFFIC, before="[load_balancer]\nlistener_port = 443\n")
    )
    assert "both are adopted" in refusal(write(TRAFFIC, before=SECURED))


def test_a_test_listener_that_is_made_needs_a_certificate(write: Any) -> None:
    keys = without(TRAFFIC, "test_listener")
    assert load(write(keys, before=SECURED)).load_balancer.scheme == "https"
    bare = write(keys, before='[load_balancer]\nhost = "play.example.com"\n')
    assert "load_balancer.certificate is missing" in refusal(bare)


def test_port_80_of_anothers_load_balancer_is_its_owners(write: Any) -> None:
    described = write(
        without(TRAFFIC, "test_listener"), before=f"{SECURED}test_listener_port = 80\n"
    )
    assert load(described).load_balancer.test_listener_port == 80
