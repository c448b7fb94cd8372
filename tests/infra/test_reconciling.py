"""Between deployments the votes follow the tasks: what the function hears of."""

from __future__ import annotations

import sys

import pytest

from quorumshift.rehearsal.synthesis import assembly
from tests.infra.conftest import ETCD
from tests.infra.template import Template
from tests.infra.test_workflows import function_of

DEPLOY = "arn:aws:states:us-east-1:123456789012:stateMachine:sample-deploy"
HAND_OVER = "arn:aws:states:us-east-1:123456789012:stateMachine:sample-hand-over"


def pattern(template: Template, name: str) -> tuple[list[str], dict[str, list[str]]]:
    """Source and detail of a rule that calls the function and nothing else."""
    (rule,) = [each for each in template.of("AWS::Events::Rule").values() if each["Name"] == name]
    (target,) = rule["Targets"]
    assert function_of(template, target["Arn"]) == "sample-reconcile"
    detail = {
        key: [template.text(value) for value in values]
        for key, values in rule["EventPattern"]["detail"].items()
    }
    return rule["EventPattern"]["source"], detail


def test_it_hears_of_tasks_of_this_service_that_came_or_went(template: Template) -> None:
    source, detail = pattern(template, "sample-tasks")
    assert source == ["aws.ecs"]
    assert detail == {
        "clusterArn": ["arn:aws:ecs:us-east-1:123456789012:cluster/sample-cluster"],
        "group": ["service:sample"],
        "lastStatus": ["RUNNING", "STOPPED"],
    }


@pytest.mark.parametrize(
    ("rule", "machine", "ends"),
    [
        ("sample-deploy-ended", DEPLOY, {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}),
        ("sample-hand-over-ended", HAND_OVER, {"SUCCEEDED"}),
    ],
)
def test_it_hears_of_the_end_of_what_left_others_alone(
    template: Template, rule: str, machine: str, ends: set[str]
) -> None:
    source, detail = pattern(template, rule)
    assert source == ["aws.states"]
    assert detail["stateMachineArn"] == [machine]
    assert set(detail["status"]) == ends


def test_where_the_nodes_see_to_it_themselves_nothing_calls_it() -> None:
    folder = assembly(ETCD, {"raft.reconcile": False}, lambda text: print(text, file=sys.stderr))
    (template,) = folder.glob("*-deployment.template.json")
    text = template.read_text()
    assert "sample-deploy-watchdog" in text
    for rule in ("sample-tasks", "sample-deploy-ended", "sample-hand-over-ended"):
        assert rule not in text
