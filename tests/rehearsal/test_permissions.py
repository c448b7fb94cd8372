"""A function may do what its role grants, and nothing else."""

from __future__ import annotations

import json
import uuid

import pytest

from quorumshift.rehearsal.aws.permissions import needed, refusal
from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.world import World
from tests.rehearsal.conftest import Functions, make_role

SOURCE = """
import botocore.exceptions, botocore.session

def ask(event, context):
    session, said = botocore.session.get_session(), []
    for service, operation in event:
        try:
            getattr(session.create_client(service), operation)()
            said.append("")
        except botocore.exceptions.ClientError as error:
            said.append(error.response["Error"]["Code"])
    return said
"""


@pytest.fixture
def lister(world: World, functions: Functions) -> str:
    """A function that may list clusters alone."""
    name = functions(SOURCE, "ask")["ask"]
    world.client("lambda").update_function_configuration(
        FunctionName=name, Role=make_role(world, "ecs:ListClusters")
    )
    return name


def test_what_is_not_granted_is_refused_loudly(aws: EmbeddedAws, world: World, lister: str) -> None:
    event = [("ecs", "list_clusters"), ("ecs", "list_services"), ("sns", "list_topics")]
    answer = world.client("lambda").invoke(FunctionName=lister, Payload=json.dumps(event))
    denied = "AccessDeniedException"
    assert json.loads(answer["Payload"].read()) == ["", denied, denied]
    mine = [(call.action, call.error) for call in aws.calls.all() if call.caller == lister]
    assert mine == [
        ("ecs:ListClusters", ""),
        ("ecs:ListServices", denied),
        ("sns:ListTopics", denied),
    ]
    said = [event.text for event in world.events.all("error") if lister in event.text]
    assert len(said) == 2
    assert said[0].endswith(
        f"/{lister} is not authorized to perform: ecs:ListServices, because of no allow in its "
        "role's policies"
    )


def test_a_denial_is_stronger_than_any_number_of_grants(world: World, lister: str) -> None:
    iam, name = world.client("iam"), make_role(world, "ecs:List*").rpartition("/")[2]
    world.client("lambda").update_function_configuration(
        FunctionName=lister, Role=f"arn:aws:iam::123456789012:role/{name}"
    )
    assert refusal(lister, "ecs:ListClusters") == ""
    deny = {"Effect": "Deny", "Action": "ecs:listclusters", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": deny}
    iam.put_role_policy(RoleName=name, PolicyName="no", PolicyDocument=json.dumps(policy))
    assert "an explicit deny in" in refusal(lister, "ecs:ListClusters")
    assert refusal(lister, "ecs:ListServices") == ""


def test_a_policy_that_is_attached_counts_as_well(world: World, lister: str) -> None:
    iam, role = world.client("iam"), make_role(world, "ecs:ListClusters")
    statement = {"Effect": "Allow", "Action": ["sns:Publish"], "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    made = iam.create_policy(PolicyName=f"p-{lister}", PolicyDocument=json.dumps(policy))
    iam.attach_role_policy(RoleName=role.rpartition("/")[2], PolicyArn=made["Policy"]["Arn"])
    world.client("lambda").update_function_configuration(FunctionName=lister, Role=role)
    assert refusal(lister, "sns:Publish") == ""
    assert refusal(lister, "sns:Subscribe") != ""


def test_a_role_without_policies_grants_nothing(world: World, lister: str) -> None:
    name = f"role-{uuid.uuid4().hex[:8]}"
    world.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    for role in (name, "nobody-s-role"):
        world.client("lambda").update_function_configuration(
            FunctionName=lister, Role=f"arn:aws:iam::123456789012:role/{role}"
        )
        assert "because of no allow" in refusal(lister, "ecs:ListClusters")


def test_who_overrides_alarms_may_change_the_group_as_well() -> None:
    create, change = "codedeploy:CreateDeployment", "codedeploy:UpdateDeploymentGroup"
    override = json.dumps({"overrideAlarmConfiguration": {"enabled": False}}).encode()
    assert needed(create, b"{}") == (create,)
    assert needed(create, override) == (create, change)
    assert needed("codedeploy:ListDeployments", override) == ("codedeploy:ListDeployments",)
