"""Granted ÷ used is one: a function may do what it was seen to do, and what has a reason.

What was seen stands in testdata/used_actions.json; ``python -m benchmarks.grants`` writes that from
whole rehearsals.
"""

from __future__ import annotations

import pytest

from benchmarks.grants import RECORD, SCENARIOS, read, text
from infra.packaging import needs
from infra.unused_grants import OWN, unused
from quorumshift.names import FUNCTIONS, Names, snake
from quorumshift.rehearsal.aws.calls import Call
from quorumshift.rehearsal.used_actions import used_actions
from tests.infra.template import Template
from tests.infra.test_functions import NOT_CALLED, ROOT, functions

WRITES_ITS_LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
"""Lambda, for every function, in the group that is the function's own."""


def used(state: str) -> set[str]:
    """What the function of ``state`` used, over all recorded rehearsals."""
    return {action for each in read().values() for action in each.get(state, ())}


def granted(template: Template, state: str) -> set[str]:
    """What its role grants, without the writing of its own log."""
    function = functions(template)[NAMES.function(state)]
    found = template.granted(template.target(function["Role"]))
    own = f":log-group:/aws/lambda/{NAMES.function(state)}:*"
    return {
        action
        for action, resources in found.items()
        if action not in WRITES_ITS_LOG or [each for each in resources if not each.endswith(own)]
    }


NAMES = Names("snaketron-prod")
BY_LAMBDA = {"lambda:InvokeFunction", "sqs:SendMessage"}
"""Lambda does it in the function's name, with the record of an event that it gave up."""


def test_every_scenario_is_recorded_and_names_functions_that_there_are() -> None:
    record = read()
    assert tuple(record) == SCENARIOS
    assert {state for each in record.values() for state in each} <= set(FUNCTIONS)
    assert RECORD.read_text(encoding="utf-8") == text(record)


@pytest.mark.parametrize("state", FUNCTIONS)
def test_granted_by_used_is_one(snaketron: Template, state: str) -> None:
    assert problems(granted(snaketron, state), used(state), set(unused(state))) == []


def problems(may: set[str], did: set[str], reasons: set[str]) -> list[str]:
    """What is wrong with a function that may do this, was seen to do that, and has reasons for
    the rest; without problems granted ÷ used, reasons left out, is one."""
    said = {
        "was seen to use what it is not granted; grant it in infra/function_specs.py": did - may,
        "is granted what no rehearsal used; take it away, or say in infra/unused_grants.py which "
        "path needs it": may - did - reasons,
        "has a reason for what it is not granted; take the reason away": reasons - may,
        "has a reason for what it was seen to use; take the reason away": reasons & did,
    }
    return [f"{text}: {sorted(actions)}" for text, actions in said.items() if actions]


@pytest.mark.parametrize(
    ("may", "did", "reasons", "says"),
    [
        ({"a"}, {"a", "b"}, set(), "was seen to use what it is not granted"),
        ({"a", "b"}, {"a"}, set(), "is granted what no rehearsal used"),
        ({"a"}, {"a"}, {"b"}, "has a reason for what it is not granted"),
        ({"a", "b"}, {"a", "b"}, {"b"}, "has a reason for what it was seen to use"),
    ],
)
def test_what_is_wrong_with_a_grant_is_found(
    may: set[str], did: set[str], reasons: set[str], says: str
) -> None:
    (found,) = problems(may, did, reasons)
    assert found.startswith(says)
    assert problems({"a", "b"}, {"a"}, {"b"}) == []


def test_reasons_are_those_of_functions_that_there_are() -> None:
    assert set(OWN) <= set(FUNCTIONS)


def test_calls_are_told_by_function_and_as_iam_names_them() -> None:
    calls = [
        Call(0.0, "states", "StartExecution", "sample-after-allow-traffic", ""),
        Call(0.0, "ecs", "DescribeServices", "sample-observe", "AccessDeniedException"),
        Call(0.0, "ecs", "DescribeServices", "sample-observe", ""),
        Call(0.0, "lambda", "Invoke", "sample-observe", ""),
        Call(0.0, "ecs", "ListTasks", "", ""),
    ]
    found = used_actions(calls, Names("sample"))
    assert found["Observe"] == ["ecs:DescribeServices", "lambda:InvokeFunction"]
    assert found["AfterAllowTraffic"] == ["states:StartExecution"]
    assert set(found) == set(FUNCTIONS)
    assert sum(map(len, found.values())) == 3


@pytest.mark.parametrize("state", FUNCTIONS)
def test_what_is_granted_for_a_rare_path_can_be_called_from_the_functions_package(
    state: str,
) -> None:
    files = [(ROOT / file).read_text(encoding="utf-8") for file in needs(ROOT)[state].files]
    source = "\n".join(files)
    for action in set(OWN.get(state, ())) - NOT_CALLED - BY_LAMBDA:
        operation = snake(action.partition(":")[2])
        assert f".{operation}" in source, f"nothing in the package of {state} calls {operation}"
