"""The state machines in the template, and the rule that guards their executions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from quorumshift.names import DEPLOY_STATES, HAND_OVER_STATES, Names
from tests.infra.template import Template

GOLDEN = Path(__file__).parents[2] / "workflows" / "golden"
NAMES = Names("sample")
MACHINES = {
    "sample-deploy": (DEPLOY_STATES, "deploy.asl.json"),
    "sample-hand-over": (HAND_OVER_STATES, "hand_over.asl.json"),
}


def machine(template: Template, name: str) -> dict[str, Any]:
    found = template.of("AWS::StepFunctions::StateMachine").values()
    (properties,) = [each for each in found if each["StateMachineName"] == name]
    return properties


def function_of(template: Template, value: Any) -> str:
    logical_id = template.target(value)
    return str(template.of("AWS::Lambda::Function")[logical_id]["FunctionName"])


@pytest.mark.parametrize("name", MACHINES)
def test_the_definition_is_the_golden_file(template: Template, name: str) -> None:
    text = (GOLDEN / MACHINES[name][1]).read_text(encoding="utf-8")
    assert json.loads(machine(template, name)["DefinitionString"]) == json.loads(text)


@pytest.mark.parametrize("name", MACHINES)
def test_every_task_is_given_the_function_of_its_own_name(template: Template, name: str) -> None:
    properties = machine(template, name)
    substitutions = {
        state: function_of(template, value)
        for state, value in properties["DefinitionSubstitutions"].items()
    }
    assert substitutions == {state: NAMES.function(state) for state in MACHINES[name][0]}
    states = json.loads(properties["DefinitionString"])["States"]
    resources = {
        state: body["Resource"] for state, body in states.items() if body["Type"] == "Task"
    }
    assert resources == {state: f"${{{state}}}" for state in MACHINES[name][0]}
    assert set(re.findall(r"\$\{(\w+)\}", properties["DefinitionString"])) == set(substitutions)


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_may_call_its_own_functions_alone(template: Template, name: str) -> None:
    properties = machine(template, name)
    granted = template.granted(template.target(properties["RoleArn"]))
    expected = {
        f"<{template.target(value)}.Arn>"
        for value in properties["DefinitionSubstitutions"].values()
    }
    assert set(granted["lambda:InvokeFunction"]) == expected


@pytest.mark.parametrize("name", MACHINES)
def test_executions_are_traced_and_logged_without_their_data(template: Template, name: str) -> None:
    properties = machine(template, name)
    assert properties["StateMachineType"] == "STANDARD"
    assert properties["TracingConfiguration"] == {"Enabled": True}
    assert properties["LoggingConfiguration"]["Level"] == "ALL"
    assert properties["LoggingConfiguration"]["IncludeExecutionData"] is False


@pytest.mark.parametrize("name", MACHINES)
def test_the_watchdog_hears_of_executions_that_did_not_end_well(
    template: Template, name: str
) -> None:
    rules = template.of("AWS::Events::Rule")
    (logical_id,) = [key for key, each in rules.items() if each["Name"] == f"{name}-watchdog"]
    rule = rules[logical_id]
    assert rule["EventPattern"]["source"] == ["aws.states"]
    detail = rule["EventPattern"]["detail"]
    assert set(detail["status"]) == {"ABORTED", "TIMED_OUT", "FAILED"}
    assert [template.text(arn) for arn in detail["stateMachineArn"]] == [
        f"arn:aws:states:us-east-1:123456789012:stateMachine:{name}"
    ]
    (target,) = rule["Targets"]
    assert function_of(template, target["Arn"]) == "sample-watchdog"
    (permission,) = [
        each
        for each in template.of("AWS::Lambda::Permission").values()
        if template.target(each["SourceArn"]) == logical_id
    ]
    assert permission["Principal"] == "events.amazonaws.com"
    assert function_of(template, permission["FunctionName"]) == "sample-watchdog"
