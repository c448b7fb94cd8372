"""The looks of ``quorumshift doctor``: what moto holds is read right, and no failure ends them."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import botocore.session
import pytest
from botocore.parsers import ResponseParserError
from moto import mock_aws

from quorumshift.adapters.aws.client import Client
from quorumshift.adapters.aws.doctor import (
    balancing,
    belongings,
    codedeploy,
    ecs,
    functions,
    network,
    questions,
    roles,
)
from quorumshift.adapters.aws.doctor.gathering import gather
from quorumshift.adapters.aws.doctor.looking import look
from quorumshift.adapters.aws.observe_function import ObserveFunction
from quorumshift.domain.doctor import State, diagnose
from quorumshift.domain.doctor.facts import Identity
from quorumshift.domain.doctor.finding import Look
from quorumshift.domain.doctor.network_facts import Placement
from quorumshift.domain.errors import ObservationFailed, Transient
from quorumshift.domain.look import Look as ClusterLook
from tests.adapters.aws_api import Api, refusal
from tests.domain.cluster_builder import cluster
from tests.domain.fit_account import DEFINITION, EXPECTED, GROUP

REGION = "us-east-1"


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        session = botocore.session.get_session()
        yield lambda name: session.create_client(name, region_name=REGION)


def answering(**apis: Api) -> Any:
    """Stands for ``Clients``: one answer a test."""
    return lambda name: Client(lambda: apis[name])


def denied(action: str) -> Exception:
    error: Exception = botocore.exceptions.ClientError(
        {
            "Error": {
                "Code": "AccessDeniedException",
                "Message": f"User: arn:u is not authorized to perform: {action} on resource: *",
            }
        },
        "Operation",
    )
    return error


def fail(error: Exception) -> Any:
    def ask() -> None:
        raise error

    return ask


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (denied("ecs:DescribeServices"), "not allowed to look: ecs:DescribeServices is missing"),
        (refusal("UnauthorizedOperation", "DescribeSubnets"), "DescribeSubnets is missing"),
        (Transient("AWS could not serve x: slow down; try again"), "slow down"),
        (botocore.exceptions.NoCredentialsError(), "credentials"),
        (refusal("Unheard", "GetRole"), "GetRole: Unheard: Unheard was said"),
        (ValueError("Invalid endpoint: nowhere"), "nowhere"),
        (ResponseParserError("Unable to parse response: <html>"), "Unable to parse response"),
    ],
)
def test_a_look_that_fails_says_why(error: Exception, says: str) -> None:
    found = look(fail(error), "Missing")
    assert found.value is None
    assert says in found.unknown


def test_what_is_not_there_is_told_apart_from_what_nobody_may_see() -> None:
    assert look(fail(refusal("Missing")), "Missing").absent
    wrapped = ObservationFailed("the service is not deployed here")
    wrapped.__cause__ = refusal("Missing")
    assert look(fail(wrapped), "Missing").absent
    assert not look(fail(wrapped), "Else").absent


def made_network(ec2: Any) -> tuple[dict[str, str], str]:
    """A VPC with one subnet behind a NAT gateway, one behind an internet gateway and one that leads
    nowhere; their ids, and the NAT gateway's address."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ids = {"vpc": vpc}
    for at, name in enumerate(("nat", "public", "nowhere")):
        made = ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{at}.0/24", AvailabilityZone="us-east-1a"
        )
        ids[name] = made["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")
    nat = ec2.create_nat_gateway(SubnetId=ids["public"], AllocationId=address["AllocationId"])
    for name, way in (
        ("nat", {"NatGatewayId": nat["NatGateway"]["NatGatewayId"]}),
        ("public", {"GatewayId": gateway}),
    ):
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **way)
        ec2.associate_route_table(RouteTableId=table, SubnetId=ids[name])
    return ids, address["PublicIp"]


def test_ways_out_are_read_from_route_tables(clients: Any) -> None:
    ids, address = made_network(clients("ec2"))
    place = Placement((ids["nat"], ids["public"], ids["nowhere"]))
    found = network.network(clients, ids["vpc"], [place], ["subnet-12345678"], [])
    subnets = found.subnets.there
    assert found.vpc.value == ids["vpc"]
    assert set(subnets) == {ids["nat"], ids["public"], ids["nowhere"]}  # the strange id is left out
    assert subnets[ids["nat"]].way.startswith("nat-")
    assert subnets[ids["nat"]].outside == (address,)
    assert subnets[ids["public"]].way.startswith("igw-")
    assert subnets[ids["nowhere"]].way == ""


def test_a_subnet_without_a_table_has_the_main_one(clients: Any) -> None:
    ec2 = clients("ec2")
    ids, _ = made_network(ec2)
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [ids["vpc"]]}])
    (main,) = (
        one["RouteTableId"]
        for one in tables["RouteTables"]
        if any(each.get("Main") for each in one["Associations"])
    )
    peer = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.create_route(RouteTableId=main, DestinationCidrBlock="0.0.0.0/0", GatewayId=peer)
    found = network.network(clients, "", [Placement((ids["nowhere"],))], [], [])
    assert found.subnets.there[ids["nowhere"]].way == peer


def test_security_groups_are_read_with_both_directions(clients: Any) -> None:
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    one, other = (
        ec2.create_security_group(VpcId=vpc, GroupName=name, Description=name)["GroupId"]
        for name in ("one", "other")
    )
    ec2.authorize_security_group_ingress(
        GroupId=one,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 2379,
                "ToPort": 2380,
                "UserIdGroupPairs": [{"GroupId": other}],
            }
        ],
    )
    found = network.network(clients, "", [Placement((), (one,))], [], [other]).groups.there
    (rule,) = found[one].inbound
    assert (rule.first, rule.last) == (2379, 2380)
    assert rule.groups == {other}
    (everything,) = found[other].outbound
    assert (everything.protocol, everything.first) == ("-1", -1)
    assert everything.cidrs == ("0.0.0.0/0",)


def test_nothing_of_a_network_that_is_not_there(clients: Any) -> None:
    found = network.network(
        clients, "vpc-12345678", [Placement(("subnet-12345678",))], [], ["sg-1"]
    )
    assert found.vpc.absent
    assert found.subnets.absent
    assert found.groups.absent


def test_who_may_take_a_role_is_read_from_its_trust(clients: Any) -> None:
    iam = clients("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": ["ecs-tasks.amazonaws.com", "lambda.amazonaws.com"]},
                "Action": "sts:AssumeRole",
            },
            {
                "Effect": "Deny",
                "Principal": {"Service": "codedeploy.amazonaws.com"},
                "Action": "sts:AssumeRole",
            },
        ],
    }
    made = iam.create_role(
        RoleName="tasks", Path="/app/", AssumeRolePolicyDocument=json.dumps(trust)
    )
    found = roles.role(clients, made["Role"]["Arn"]).there
    assert found.trusts == {"ecs-tasks.amazonaws.com", "lambda.amazonaws.com"}
    assert roles.role(clients, "arn:aws:iam::123456789012:role/nobody").absent


def test_a_simulation_names_what_is_denied_on_what() -> None:
    def simulate(ResourceArns: list[str], **_: Any) -> dict[str, Any]:
        results = [
            {
                "EvalResourceName": arn,
                "EvalResourceDecision": "allowed" if arn.endswith("/t") else "implicitDeny",
            }
            for arn in ResourceArns
        ]
        result = {
            "EvalActionName": "iam:PassRole",
            "EvalDecision": "implicitDeny",
            "ResourceSpecificResults": results,
        }
        return {"EvaluationResults": [result]}

    iam = answering(iam=Api("iam", simulate_principal_policy=simulate))
    role = "arn:aws:iam::123456789012:role/{}"
    asked = roles.Question("iam:PassRole", (role.format("t"), role.format("e")))
    found = roles.denied(iam, role.format("codedeploy"), [asked])
    assert found.value == ("iam:PassRole on role/e is denied",)


def test_secrets_are_described_and_never_read(clients: Any) -> None:
    secrets = clients("secretsmanager")
    for name in ("kept", "dying"):
        secrets.create_secret(Name=name, SecretString="hunter2")
    secrets.delete_secret(SecretId="dying")
    assert belongings.secret(clients, "kept").value is True
    assert belongings.secret(clients, "dying").value is False
    assert belongings.secret(clients, "none").absent
    api = Api("secretsmanager", describe_secret={"Name": "kept"})
    belongings.secret(answering(secretsmanager=api), "kept")
    assert [name for name, _ in api.calls] == ["describe_secret"]


def test_images_and_their_repository(clients: Any) -> None:
    ecr = clients("ecr")
    assert belongings.repository(clients, EXPECTED).absent
    assert belongings.image(clients, "app", None, "v1").absent
    ecr.create_repository(repositoryName="app", imageTagMutability="IMMUTABLE")
    assert belongings.repository(clients, EXPECTED).there.immutable
    assert belongings.image(clients, "app", None, "v1").absent
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
    )
    ecr.put_image(repositoryName="app", imageManifest=manifest, imageTag="v1")
    digest = belongings.image(clients, "app", None, "v1").there
    assert belongings.image(clients, "app", "123456789012", digest).value == digest


def test_a_topic_an_identity_provider_and_a_parameter(clients: Any) -> None:
    arn = clients("sns").create_topic(Name="told")["TopicArn"]
    assert belongings.topic(clients, arn).there.confirmed == 0
    clients("sns").subscribe(TopicArn=arn, Protocol="email", Endpoint="ada@example.com")
    assert belongings.topic(clients, arn).there.confirmed == 1
    assert belongings.topic(clients, f"{arn}-not").absent
    assert belongings.github(clients).absent
    clients("iam").create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ThumbprintList=["0" * 40]
    )
    assert belongings.github(clients).value
    assert belongings.bootstrap(clients).absent
    clients("ssm").put_parameter(Name=belongings.BOOTSTRAP, Value="21", Type="String")
    assert belongings.bootstrap(clients).value == "21"


def test_a_subscription_without_an_arn_waits_to_be_confirmed() -> None:
    listed = [
        {"SubscriptionArn": "PendingConfirmation"},
        {"SubscriptionArn": "arn:aws:sns:x:1:t:2"},
    ]
    api = Api(
        "sns",
        get_topic_attributes={"Attributes": {}},
        list_subscriptions_by_topic={"Subscriptions": listed},
    )
    found = belongings.topic(answering(sns=api), "arn:t").there
    assert (found.confirmed, found.pending) == (1, 1)


def test_the_rolling_controller_is_what_ecs_leaves_out() -> None:
    service = {"serviceName": "app", "status": "ACTIVE", "desiredCount": 3, "runningCount": 2}
    api = Api("ecs", describe_services={"services": [service]})
    found = ecs.service(answering(ecs=api), EXPECTED).there
    assert (found.controller, found.running, found.primary) == ("ECS", 2, None)
    gone = Api("ecs", describe_services={"services": [{**service, "status": "INACTIVE"}]})
    assert ecs.service(answering(ecs=gone), EXPECTED).absent


def test_pages_follow_each_other_and_endpoints_are_called_by_their_service() -> None:
    def describe(NextToken: str = "", **_: Any) -> dict[str, Any]:
        name = "ecr.dkr" if NextToken else "ecr.api"
        state = {"ServiceName": f"com.amazonaws.eu-west-1.{name}", "State": "available"}
        deleting = {"ServiceName": "com.amazonaws.eu-west-1.s3", "State": "deleting"}
        more = {} if NextToken else {"NextToken": "2"}
        return {"VpcEndpoints": [state, deleting], **more}

    ec2 = Api("ec2", describe_vpc_endpoints=describe, describe_vpcs={"Vpcs": [{"VpcId": "vpc-1"}]})
    found = network.network(answering(ec2=ec2), "vpc-1", [], [], [])
    assert found.endpoints.there == {"ecr.api", "ecr.dkr"}


def test_what_is_switched_off_in_a_deployment_group_is_told_as_that() -> None:
    off = {
        "autoRollbackConfiguration": {"enabled": False, "events": ["DEPLOYMENT_FAILURE"]},
        "alarmConfiguration": {"enabled": False, "alarms": [{"name": "slow"}]},
    }
    api = Api("codedeploy", get_deployment_group={"deploymentGroupInfo": off})
    found = codedeploy.group(answering(codedeploy=api), EXPECTED).there
    assert (found.rollback, found.alarms, found.alarms_off) == (frozenset(), ("slow",), True)


def test_what_no_function_has_reserved_is_told() -> None:
    limits = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 988}
    api = Api("lambda", get_account_settings={"AccountLimit": limits, "AccountUsage": {}})
    assert functions.unreserved(answering(**{"lambda": api})).value == 988


def test_a_listener_that_forwards_to_one_group_gives_it_all() -> None:
    action = {"Type": "forward", "TargetGroupArn": "arn:g"}
    listener = {
        "ListenerArn": "arn:l",
        "Port": 443,
        "Protocol": "HTTPS",
        "DefaultActions": [action],
    }
    elsewhere = {"Type": "forward", "TargetGroupArn": "arn:other"}
    rules = [
        {"IsDefault": True, "Actions": [action]},
        {"IsDefault": False, "Actions": [elsewhere]},
        {"IsDefault": False, "Actions": [{"Type": "redirect"}]},
    ]
    api = Api(
        "elbv2", describe_listeners={"Listeners": [listener]}, describe_rules={"Rules": rules}
    )
    balancer = Look(types.SimpleNamespace(arn="arn:lb"))
    (found,) = balancing.listeners(answering(elbv2=api), balancer).there  # type: ignore[arg-type] # its ARN is all that is read
    assert (found.weights, found.sticky) == ({"arn:g": 1}, False)
    assert (found.protocol, found.ruled) == ("HTTPS", frozenset({"arn:other"}))


@pytest.mark.parametrize(
    ("state", "trouble"),
    [
        ({}, ""),
        ({"State": "Inactive"}, ""),
        ({"State": "Pending", "StateReason": "creating"}, "Pending creating"),
        ({"State": "Active", "LastUpdateStatus": "Failed"}, "its update failed: no reason given"),
    ],
)
def test_a_function_that_cannot_be_called_says_why(state: dict[str, str], trouble: str) -> None:
    api = Api("lambda", get_function={"Configuration": state})
    clients = answering(**{"lambda": api})
    assert functions.function(clients, "f").there.trouble == trouble


ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
PINNED = "sha256:" + "1" * 64


@pytest.mark.parametrize(
    ("image", "which"),
    [
        (f"{ECR}/team/app@{PINNED}", PINNED),
        (f"{ECR}/team/app:v2", "v2"),
        (f"{ECR}/team/app:v2@{PINNED}", PINNED),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/team/app:v2", "v2"),
        ("123456789012.dkr-ecr.us-east-1.on.aws/team/app:v2", "v2"),
    ],
)
def test_an_image_is_looked_for_in_its_own_registry(image: str, which: str) -> None:
    identity = Identity("210987654321", "arn:aws:iam::210987654321:user/ada", REGION)
    container = types.SimpleNamespace(name="app", image=image)
    definition: Any = types.SimpleNamespace(containers=(container,))
    found = questions.live_image(identity, definition, "app")
    assert found == ("123456789012", "team/app", which)
    for elsewhere in ("nginx", "nginx:1", ECR.replace("us-east-1", "eu-west-1") + "/team/app:v2"):
        container.image = elsewhere
        assert questions.live_image(identity, definition, "app") is None


def test_the_execution_role_is_asked_for_whole_arns_of_secrets() -> None:
    identity = Identity("123456789012", "arn:aws:iam::123456789012:user/ada", REGION)
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/{}"
    secrets = {"A": arn.format("one-a1B2c3:password::"), "B": arn.format("two"), "C": "parameter"}
    container: Any = types.SimpleNamespace(secrets=secrets)
    definition: Any = types.SimpleNamespace(containers=(container,))
    _, reads = questions.of_execution(identity, EXPECTED, definition)
    assert reads.resources == (arn.format("one-a1B2c3"), arn.format("two-AAAAAA"))


def test_codedeploy_is_asked_for_what_a_deployment_does() -> None:
    identity = Identity("123456789012", "arn:aws-cn:iam::123456789012:user/ada", "cn-north-1")
    asked = questions.of_deployment(identity, EXPECTED, GROUP, DEFINITION)
    by_action = {one.action: one.resources for one in asked}
    assert by_action["iam:PassRole"] == ("arn:t", "arn:e")
    assert by_action["lambda:InvokeFunction"][0] == (
        "arn:aws-cn:lambda:cn-north-1:123456789012:function:app-before-install"
    )


class Watching(ObserveFunction):
    """Sees what a test gives it."""

    def __init__(self, answer: ClusterLook | ObservationFailed) -> None:
        self._answer = answer

    def under_way(self) -> str | None:
        raise ObservationFailed("AWS refused ListDeployments") from denied(
            "codedeploy:ListDeployments"
        )

    def look(self, deployment: str | None) -> ClusterLook:
        if isinstance(self._answer, ClusterLook):
            return self._answer
        raise self._answer


class Refusing:
    """Stands for ``Account``: everything but its own name is denied."""

    region = REGION

    def client(self, service: str, read_seconds: int) -> Any:
        assert read_seconds <= 10
        if service == "sts":
            said = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ada"}
            return Api("sts", get_caller_identity=said)
        return Client(lambda: _Denied(service))


class _Denied:
    def __init__(self, service: str) -> None:
        self._service = service
        self.meta = Api(service).meta

    def __getattr__(self, name: str) -> Any:
        action = f"{self._service}:{''.join(part.title() for part in name.split('_'))}"
        return lambda **_: fail(denied(action))()


def test_who_may_look_at_nothing_is_told_each_action_and_gets_no_ng() -> None:
    account: Any = Refusing()
    facts = gather(account, Watching(ClusterLook(cluster(), stopped=False)), EXPECTED)
    groups = diagnose(EXPECTED, facts)
    checks = [check for group in groups for check in group.checks]
    assert not [check for check in checks if check.state is State.NG]
    told = " ".join(check.seen for check in checks if check.state is State.SKIP)
    for action in ("ecs:DescribeServices", "elbv2:DescribeLoadBalancers", "ssm:GetParameter"):
        assert f"{action} is missing" in told


def test_a_function_that_was_reached_and_failed_is_told_from_one_that_was_not() -> None:
    failed = functions.seen(Watching(ObservationFailed("it failed: Timeout")), "")
    assert failed == (Look(), "it failed: Timeout")
    refused = ObservationFailed("AWS refused Invoke")
    refused.__cause__ = denied("lambda:InvokeFunction")
    found, text = functions.seen(Watching(refused), "")
    assert (found.unknown, text) == ("not allowed to look: lambda:InvokeFunction is missing", "")
