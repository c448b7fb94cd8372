"""The interpreter is as strict as Step Functions: what would fail in an account fails here."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from quorumshift.rehearsal.world import World
from tests.rehearsal.conftest import Functions
from tests.rehearsal.machines import Machines, run, task

END = {"Type": "Succeed"}


def _choice(rule: dict[str, Any]) -> dict[str, Any]:
    ask = {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"}
    return {"Ask": ask, "Yes": END, "No": END}


def test_a_choice_on_a_variable_that_is_not_there_fails(world: World, machine: Machines) -> None:
    result = run(world, machine(_choice({"Variable": "$.plan.goal", "StringEquals": "green"})))
    assert (result["status"], result["error"]) == ("FAILED", "States.Runtime")
    assert "Invalid path '$.plan.goal'" in result["cause"]
    assert any("Invalid path '$.plan.goal'" in e.text for e in world.events.all("error"))


def test_a_choice_may_ask_whether_a_variable_is_there(world: World, machine: Machines) -> None:
    result = run(world, machine(_choice({"Variable": "$.plan.goal", "IsPresent": True})))
    assert result["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("states", "says"),
    [
        ({"A": {"Type": "Pass", "Next": "B"}}, "A leads to 'B'"),
        (_choice({"Variable": "$", "IsNull": True}) | {"No": None}, "Ask leads to 'No'"),
        (
            {
                "A": {
                    "Type": "Task",
                    "Resource": "arn:aws:lambda:us-east-1:123456789012:function:a",
                    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Lost"}],
                    "End": True,
                }
            },
            "A leads to 'Lost'",
        ),
    ],
)
def test_a_transition_to_nowhere_is_refused(
    machine: Machines, states: dict[str, Any], says: str
) -> None:
    with pytest.raises(ClientError, match="MISSING_TRANSITION_TARGET") as refused:
        machine({name: state for name, state in states.items() if state})
    assert says in str(refused.value)


@pytest.mark.parametrize("how", ["Catch", "Retry"])
def test_states_all_does_not_match_what_aws_excludes(
    world: World, machine: Machines, functions: Functions, how: str
) -> None:
    name = functions("def echo(event, context): return event", "echo")["echo"]
    rule = {"ErrorEquals": ["States.ALL"]}
    rules = {"Catch": [rule | {"Next": "Caught"}], "Retry": [rule | {"MaxAttempts": 1}]}
    look = task(name, Parameters={"plan.$": "$.plan"}, End=True, **{how: rules[how]})
    result = run(world, machine({"Look": look, "Caught": END}))
    assert (result["status"], result["error"]) == ("FAILED", "States.Runtime")
    assert any("States.ALL does not match it" in e.text for e in world.events.all("error"))


def test_an_operations_model_is_motos_from_its_first_moment(world: World) -> None:
    """Another thread may read the cache between any two of its writes."""
    from moto.core.model import OperationModel, ServiceModel
    from moto.core.utils import get_service_model

    class Watched(dict[Any, Any]):
        def __setitem__(self, key: Any, value: Any) -> None:
            written.append(value)
            super().__setitem__(key, value)

    written: list[Any] = []
    known = get_service_model("lambda")
    model = ServiceModel(known._service_description, "lambda")
    model._instance_cache = Watched()
    assert model.operation_model("GetFunction").http_trait.method == "GET"
    assert {type(one) for one in written} == {OperationModel}
