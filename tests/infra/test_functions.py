"""One state, one file, one function, one role, one name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.function_specs import READ_SECRET, SPECS, TELLING_SECONDS, action_of
from infra.grants import WITHOUT_RESOURCE
from infra.imports import closure
from quorumshift.adapters.aws.patience import PATIENCE
from quorumshift.config import load
from quorumshift.names import (
    FUNCTIONS,
    HOOKS,
    KEEP,
    OF_EVENTS,
    PACKAGES,
    WATCHDOG,
    Names,
    module,
    snake,
)
from quorumshift.settings import Settings, evidence_group
from tests.infra.conftest import ETCD
from tests.infra.template import Template, as_list

ROOT = Path(__file__).parents[2]
NAMES = Names("sample")


def functions(template: Template) -> dict[str, dict[str, Any]]:
    """Function name → properties."""
    found = template.of("AWS::Lambda::Function").values()
    return {properties["FunctionName"]: properties for properties in found}


def role(template: Template, state: str) -> str:
    return template.target(functions(template)[NAMES.function(state)]["Role"])


def test_every_state_has_a_function_and_every_function_a_state(template: Template) -> None:
    assert set(functions(template)) == {NAMES.function(state) for state in FUNCTIONS}
    assert len(FUNCTIONS) == 29


def test_every_handler_is_a_file_and_every_file_a_handler() -> None:
    files = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "tasks").rglob("*.py")
        if re.search(r"^(def handler\(|handler = )", file.read_text(encoding="utf-8"), re.M)
    }
    assert files == {f"{module(state).replace('.', '/')}.py" for state in PACKAGES}


@pytest.mark.parametrize("state", FUNCTIONS)
def test_a_function_names_its_handler_and_owns_its_logs(template: Template, state: str) -> None:
    name = NAMES.function(state)
    function = functions(template)[name]
    folder = "tasks.hooks" if state in HOOKS else "tasks"
    assert function["Handler"] == f"{folder}.{snake(state)}.handler"
    assert function["Runtime"] == "python3.12"
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert 10 <= function["Timeout"] <= 900
    group = template.of("AWS::Logs::LogGroup")[
        template.target(function["LoggingConfig"]["LogGroup"])
    ]
    assert group == {"LogGroupName": f"/aws/lambda/{name}", "RetentionInDays": 30}


@pytest.mark.parametrize("name", ["deploy", "hand_over"])
def test_a_function_is_late_before_its_state_is(template: Template, name: str) -> None:
    text = (ROOT / "workflows" / "golden" / f"{name}.asl.json").read_text(encoding="utf-8")
    tasks = {
        state: body for state, body in json.loads(text)["States"].items() if body["Type"] == "Task"
    }
    for state, body in tasks.items():
        assert functions(template)[NAMES.function(state)]["Timeout"] < body["TimeoutSeconds"], state


SAYS_WHY = 10
"""Seconds that a function needs besides a call that got no answer."""


def test_a_call_without_an_answer_ends_before_its_function_does(template: Template) -> None:
    """But for a message on the way, which is given up sooner: nothing rests on it."""
    times = {function["Timeout"] for function in functions(template).values()}
    shortest = min(times - {TELLING_SECONDS})
    assert PATIENCE.longest + SAYS_WHY <= shortest


def test_no_two_functions_share_a_role(template: Template) -> None:
    roles = {template.target(each["Role"]) for each in functions(template).values()}
    assert len(roles) == len(FUNCTIONS)


def test_all_functions_read_the_same_settings(template: Template) -> None:
    environments = {
        json.dumps(each["Environment"]["Variables"], sort_keys=True)
        for each in functions(template).values()
    }
    (environment,) = environments
    variables = {name: template.text(value) for name, value in json.loads(environment).items()}
    settings = Settings.read(variables)
    configuration = load(ETCD)
    assert settings.service == "sample"
    assert settings.cluster == "sample-cluster"
    assert settings.policy == configuration.raft.policy
    assert settings.hand_over == (
        "arn:aws:states:us-east-1:123456789012:stateMachine:sample-hand-over"
    )
    assert settings.topic == "arn:aws:sns:us-east-1:123456789012:sample-deployments"
    assert settings.repository == "123456789012.dkr.ecr.us-east-1.amazonaws.com/sample"
    assert settings.test_url.endswith(":9090")
    assert settings.hook_prefix + "before-install" in functions(template)


def test_every_log_group_ends(template: Template) -> None:
    for name, group in template.of("AWS::Logs::LogGroup").items():
        assert group.get("RetentionInDays"), name


def test_star_is_granted_only_where_aws_knows_no_resource(template: Template) -> None:
    seen = 0
    for name, statement in template.statements():
        for action in as_list(statement["Action"]):
            seen += 1
            assert "*" not in action, f"{name}: {action}"
            if "*" in map(template.text, as_list(statement["Resource"])):
                assert action in WITHOUT_RESOURCE or "Condition" in statement, f"{name}: {action}"
    assert seen > 200


# Granted without a call of its own name, each for a reason given in infra/function_specs.py or
# infra/grants.py.
NOT_CALLED = {
    "codedeploy:GetApplicationRevision",
    "codedeploy:GetDeploymentConfig",
    "codedeploy:RegisterApplicationRevision",
    "codedeploy:UpdateDeploymentGroup",
    "ecs:TagResource",
    "ecs:UpdateService",
    "iam:PassRole",
}


def test_what_the_adapters_call_is_granted_and_nothing_else() -> None:
    granted = {action for spec in SPECS for action in spec.actions} | set(READ_SECRET)
    assert {action_of(each) for each in granted - NOT_CALLED} == called_by_adapters()


def called_by_adapters() -> set[str]:
    """IAM actions of the calls in what the functions carry of quorumshift/adapters, read from the
    source; the other adapters are the commands'."""
    services = {"autoscaling": "application-autoscaling", "elbv2": "elasticloadbalancing"}
    services |= {"stepfunctions": "states"}
    services |= {
        name: name
        for name in (
            *("cloudwatch", "codebuild", "codedeploy", "ecr", "ecs", "logs"),
            *("secretsmanager", "sns"),
        )
    }
    calls = re.compile(rf"\b(?:self\._|(?=cloudwatch\.))({'|'.join(services)})\.([a-z_]+)\b(?!\.)")
    found = set()
    carried = {file for spec in SPECS for file in closure(ROOT, module(spec.state)).files}
    for file in carried:
        if file.parts[:2] != ("quorumshift", "adapters"):
            continue
        for client, operation in calls.findall((ROOT / file).read_text(encoding="utf-8")):
            name = "".join(word.title() for word in operation.split("_"))
            found.add(f"{services[client]}:{name}")
    return found


def test_no_managed_policy_is_attached(template: Template) -> None:
    # AWS's managed policies for CodeDeploy and Lambda allow their actions on *.
    for name, properties in template.of("AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in properties, name


def test_only_what_it_names_may_be_passed_to_ecs(template: Template) -> None:
    seen = 0
    for name, statement in template.statements():
        if "iam:PassRole" in as_list(statement["Action"]):
            seen += 1
            assert statement["Condition"] == {
                "StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
            }, name
    assert seen == 2


def test_only_what_ends_a_deployment_may_stop_one(template: Template) -> None:
    may = {
        state
        for state in FUNCTIONS
        if "codedeploy:StopDeployment" in template.granted(role(template, state))
    }
    assert may == {"StopDeployment", "NotifyFailed", WATCHDOG, KEEP}


def test_only_hand_overs_are_started(template: Template) -> None:
    may = {
        state: resources
        for state in FUNCTIONS
        if (resources := template.granted(role(template, state)).get("states:StartExecution"))
    }
    hand_over = ["arn:aws:states:us-east-1:123456789012:stateMachine:sample-hand-over"]
    assert may == dict.fromkeys(("AfterAllowTraffic", "PollRollback", *OF_EVENTS), hand_over)


def test_only_hand_overs_are_resumed(template: Template) -> None:
    may = {
        state: resources
        for state in FUNCTIONS
        if (resources := template.granted(role(template, state)).get("states:RedriveExecution"))
    }
    executions = ["arn:aws:states:us-east-1:123456789012:execution:sample-hand-over:*"]
    assert may == dict.fromkeys(("PollRollback", WATCHDOG, KEEP), executions)


def test_only_what_reaches_nodes_is_in_the_network_and_may_join_it(template: Template) -> None:
    inside = {
        state for state in FUNCTIONS if "VpcConfig" in functions(template)[NAMES.function(state)]
    }
    assert inside == {spec.state for spec in SPECS if spec.reaches_nodes}
    assert inside >= {"VerifyRaft", "Observe", "Act", "BeforeInstall", "AfterAllowTestTraffic"}
    assert not inside & {"ValidateRequest", "CreateDeployment", "NotifySucceeded", "Plan"}
    may_join = {
        state
        for state in FUNCTIONS
        if "ec2:CreateNetworkInterface" in template.granted(role(template, state))
    }
    assert may_join == inside


def test_what_waits_for_the_cluster_has_the_time_that_the_policy_gives(
    template: Template,
) -> None:
    policy = load(ETCD).raft.policy
    waits = policy.settle_deadline_seconds + 2 * policy.stabilisation_seconds
    for spec in SPECS:
        timeout = functions(template)[NAMES.function(spec.state)]["Timeout"]
        assert timeout == spec.timeout_seconds + (waits if spec.settles else 0)


def test_a_hook_that_dies_three_times_is_handed_to_the_watchdog_within_the_hour(
    template: Template,
) -> None:
    configurations = template.of("AWS::Lambda::EventInvokeConfig").values()
    logical_ids = template.of("AWS::Lambda::Function")
    watched = set()
    for each in configurations:
        name = logical_ids[template.target(each["FunctionName"])]["FunctionName"]
        if name in {NAMES.function(state) for state in OF_EVENTS}:
            continue
        watched.add(name)
        assert each["MaximumRetryAttempts"] == 2
        assert 3 * logical_ids[template.target(each["FunctionName"])]["Timeout"] + 180 < 3000
        assert each["MaximumEventAgeInSeconds"] == 3600
        destination = each["DestinationConfig"]["OnFailure"]["Destination"]
        assert logical_ids[template.target(destination)]["FunctionName"] == "sample-watchdog"
    assert watched == {NAMES.function(hook) for hook in HOOKS}
    for hook in HOOKS:
        granted = template.granted(role(template, hook))
        assert granted["lambda:InvokeFunction"] == [
            "arn:aws:lambda:us-east-1:123456789012:function:sample-watchdog"
        ]


def test_hooks_leave_their_evidence_where_the_polls_read_it(template: Template) -> None:
    groups = template.of("AWS::Logs::LogGroup").values()
    assert evidence_group("sample") in {group["LogGroupName"] for group in groups}
    streams = f"arn:aws:logs:us-east-1:123456789012:log-group:{evidence_group('sample')}:*"
    for hook in HOOKS:
        assert streams in template.granted(role(template, hook))["logs:PutLogEvents"]
    assert template.granted(role(template, "PollDeployment"))["logs:GetLogEvents"] == [streams]


def test_code_deploy_may_call_the_hooks_and_nothing_else(template: Template) -> None:
    group = template.one("AWS::CodeDeploy::DeploymentGroup")
    granted = template.granted(template.target(group["ServiceRoleArn"]))
    assert granted["lambda:InvokeFunction"] == [
        f"arn:aws:lambda:us-east-1:123456789012:function:{NAMES.function(hook)}" for hook in HOOKS
    ]


def test_only_the_build_is_privileged(template: Template) -> None:
    project = template.one("AWS::CodeBuild::Project")
    assert project["Environment"]["PrivilegedMode"] is True
    definition = template.one("AWS::ECS::TaskDefinition")
    assert all("Privileged" not in each for each in definition["ContainerDefinitions"])
    assert "exported-variables" in project["Source"]["BuildSpec"]
