"""The smaller adapters: images, evidence, hand-overs, answers, alarms, messages, routes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import botocore.exceptions
import botocore.session
import pytest
from moto import mock_aws

from quorumshift.adapters.aws.alarms import GroupAlarms
from quorumshift.adapters.aws.client import Client
from quorumshift.adapters.aws.evidence import EvidenceLog
from quorumshift.adapters.aws.hook_answers import CodeDeployAnswers
from quorumshift.adapters.aws.images import EcrImages
from quorumshift.adapters.aws.listener_route import ListenerRoute, ProductionListener
from quorumshift.adapters.aws.notifier import SnsNotifier
from quorumshift.adapters.clock import SystemClock
from quorumshift.domain.errors import InvalidRequest, MissingResource, Transient
from quorumshift.domain.rollout import Alarm, Check
from quorumshift.domain.serving import Led
from tests.adapters.aws_api import Api, refusal

ACCOUNT = "123456789012"
REGISTRY = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        session = botocore.session.get_session()
        yield lambda name: Client(lambda: session.create_client(name, region_name="us-east-1"))


def test_a_client_is_built_on_first_use_and_once() -> None:
    built: list[Api] = []

    def build() -> Api:
        built.append(Api("sns", publish={"MessageId": "1"}))
        return built[-1]

    client = Client(build)
    assert not built
    client.publish(Message="a")
    client.publish(Message="b")
    assert len(built) == 1


@pytest.mark.parametrize(
    "error",
    [
        refusal("ThrottlingException"),
        refusal("Unheard", status=503),
        botocore.exceptions.ReadTimeoutError(endpoint_url="https://sns"),
        botocore.exceptions.EndpointConnectionError(endpoint_url="https://sns"),
    ],
)
def test_what_passes_is_transient(error: Exception) -> None:
    with pytest.raises(Transient, match="publish"):
        Client(lambda: Api("sns", publish=error)).publish(Message="a")


def test_what_does_not_pass_keeps_awss_words() -> None:
    api = Api("sns", publish=refusal("AuthorizationErrorException", status=403))
    with pytest.raises(botocore.exceptions.ClientError, match="AuthorizationErrorException"):
        Client(lambda: api).publish(Message="a")


def manifest(text: str) -> str:
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "x", "size": 1, "digest": "sha256:" + "0" * 64},
            "layers": [],
            "annotations": {"version": text},
        }
    )


def test_a_tag_becomes_a_digest_however_it_is_written(client: Any) -> None:
    ecr = client("ecr")
    ecr.create_repository(repositoryName="sample")
    image = ecr.put_image(
        repositoryName="sample", imageManifest=manifest("2"), imageTag="v2", registryId=ACCOUNT
    )["image"]
    digest = image["imageId"]["imageDigest"]
    images = EcrImages(ecr, f"{REGISTRY}/sample")
    whole = f"{REGISTRY}/sample@{digest}"
    for text in ("v2", digest, "sample:v2", f"{REGISTRY}/sample:v2", whole):
        assert images.resolve(text) == whole


def test_an_image_that_is_not_there_is_an_invalid_request(client: Any) -> None:
    ecr = client("ecr")
    ecr.create_repository(repositoryName="sample")
    images = EcrImages(ecr, f"{REGISTRY}/sample")
    for text in ("v9", "sha256:" + "9" * 64, f"{REGISTRY}/sample:v1"):
        with pytest.raises(InvalidRequest, match="is not in the repository"):
            images.resolve(text)
    with pytest.raises(InvalidRequest, match="names no registry"):
        images.resolve("other:v1")


CHECK = Check("AfterInstall", True, "3 tasks", {"term": 7})


def test_evidence_is_read_back_in_order_and_the_first_answer_counts(client: Any) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName="/quorumshift/sample/evidence")
    log = EvidenceLog(logs, "/quorumshift/sample/evidence", SystemClock())
    assert log.read("d-1") == ()
    log.write("d-1", CHECK)
    log.write("d-1", Check("BeforeAllowTraffic", False, "boom"))
    log.write("d-1", Check("AfterInstall", False, "asked again"))
    log.write("d-2", Check("BeforeInstall", True, "of another deployment"))
    assert log.read("d-1") == (CHECK, Check("BeforeAllowTraffic", False, "boom"))


def test_a_stranger_in_the_evidence_is_passed_over(client: Any) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName="/g")
    log = EvidenceLog(logs, "/g", SystemClock())
    log.write("d-1", CHECK)
    for text in ("hello", "[1]", '{"name": 1}'):
        event = {"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": text}
        logs.put_log_events(logGroupName="/g", logStreamName="d-1", logEvents=[event])
    assert log.read("d-1") == (CHECK,)


def test_too_much_evidence_keeps_its_reason(client: Any) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName="/g")
    log = EvidenceLog(logs, "/g", SystemClock())
    log.write("d-1", Check("AfterInstall", False, "why", {"much": "x" * 300_000}))
    assert log.read("d-1") == (Check("AfterInstall", False, "why"),)


@pytest.mark.parametrize(
    "error",
    [
        None,
        refusal("LifecycleEventAlreadyCompletedException"),
        refusal("InvalidLifecycleEventHookExecutionIdException"),
    ],
)
def test_an_answer_that_is_late_is_no_error(error: Exception | None) -> None:
    answer = error or {"lifecycleEventHookExecutionId": "h"}
    api = Api("codedeploy", put_lifecycle_event_hook_execution_status=answer)
    CodeDeployAnswers(Client(lambda: api)).answer("d-1", "h", False)
    (asked,) = api.asked("put_lifecycle_event_hook_execution_status")
    assert asked["status"] == "Failed"


def test_an_answer_that_cannot_be_given_is_an_error() -> None:
    error = refusal("DeploymentDoesNotExistException")
    api = Api("codedeploy", put_lifecycle_event_hook_execution_status=error)
    with pytest.raises(botocore.exceptions.ClientError):
        CodeDeployAnswers(Client(lambda: api)).answer("d-1", "h", True)


def test_the_alarms_are_those_that_the_group_watches(client: Any) -> None:
    cloudwatch = client("cloudwatch")
    for name in ("slow", "other"):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            MetricName="m",
            Namespace="n",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1.0,
            Statistic="Average",
            ComparisonOperator="GreaterThanThreshold",
        )
    cloudwatch.set_alarm_state(AlarmName="slow", StateValue="ALARM", StateReason="over 1.0")
    info: dict[str, Any]
    info = {"alarmConfiguration": {"enabled": True, "alarms": [{"name": "slow"}]}}
    group = Api("codedeploy", get_deployment_group={"deploymentGroupInfo": info})
    alarms = GroupAlarms(Client(lambda: group), cloudwatch, "sample", "sample")
    assert alarms.look() == (Alarm("slow", True, "over 1.0"),)
    info["alarmConfiguration"]["enabled"] = False
    assert alarms.look() == (Alarm("slow", False, "over 1.0", off=True),)


def test_a_message_is_cut_to_what_sns_takes() -> None:
    api = Api("sns", publish={"MessageId": "1"})
    SnsNotifier(Client(lambda: api), "arn:topic").publish(
        "é\n" + "x" * 200, "\ud800" + "y" * 99_999
    )
    (asked,) = api.asked("publish")
    assert asked["Subject"] == "é " + "x" * 96 + "…"
    assert asked["Message"] == "?" + "y" * 59_999


def route(listeners: list[dict[str, Any]]) -> ListenerRoute:
    health = {
        "arn:two": [("10.0.0.4", "healthy"), ("10.0.0.5", "initial")],
        "arn:one": [("10.0.0.1", "healthy")],
    }
    api = Api(
        "elbv2",
        describe_listeners={"Listeners": listeners},
        describe_target_health=lambda TargetGroupArn: {
            "TargetHealthDescriptions": [
                {"Target": {"Id": address}, "TargetHealth": {"State": state}}
                for address, state in health[TargetGroupArn]
            ]
        },
    )
    return ListenerRoute(Client(lambda: api), "arn:production", "http://lb.example:9090")


def listener(port: int, **weights: int) -> dict[str, Any]:
    groups = [{"TargetGroupArn": f"arn:{name}", "Weight": n} for name, n in weights.items()]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    return {"Port": port, "LoadBalancerArn": "arn:lb", "DefaultActions": [action]}


def test_where_users_are_led_is_read_with_weights_and_healthy_targets() -> None:
    arn = "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/{}/1"
    groups = [
        {"TargetGroupArn": arn.format(name), "Weight": weight}
        for name, weight in (("app-blue", 0), ("app-green", 100))
    ]
    forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    healths = {"app-blue": ["healthy"], "app-green": ["unhealthy", "draining"]}
    api = Api(
        "elbv2",
        describe_listeners={"Listeners": [{"DefaultActions": [forward]}]},
        describe_target_health=lambda TargetGroupArn: {
            "TargetHealthDescriptions": [
                {"Target": {"Id": f"10.0.0.{at}"}, "TargetHealth": {"State": state}}
                for at, state in enumerate(healths[TargetGroupArn.split("/")[1]])
            ]
        },
    )
    ours = ProductionListener(Client(lambda: api), "arn:production")
    assert ours.leads_to() == (Led("app-blue", 0, ("10.0.0.0",)), Led("app-green", 100, ()))
    assert api.asked("describe_listeners") == [{"ListenerArns": ["arn:production"]}]
    api.answers["describe_listeners"] = {"Listeners": []}
    with pytest.raises(MissingResource, match="no production listener arn:production"):
        ours.leads_to()


def test_the_test_route_is_read_from_the_listener() -> None:
    ours = route([listener(8080, one=100), listener(9090, one=0, two=1)])
    assert ours.healthy_targets() == {"10.0.0.4"}
    with pytest.raises(MissingResource, match="no test listener on port 9090"):
        route([listener(8080, one=100)]).healthy_targets()
