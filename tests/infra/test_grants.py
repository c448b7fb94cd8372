"""Granted ÷ used is one: a function may do what it was seen to do, and what has a reason.

What was seen stands in testdata/used_actions.json; ``python -m benchmarks.grants`` writes that from
whole rehearsals.
"""

from __future__ import annotations

import json

import pytest

from benchmarks.grants import RECORD, SCENARIOS, read
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


def test_every_scenario_is_recorded_and_names_functions_that_there_are() -> None:
    record = read()
    assert tuple(record) == SCENARIOS
    assert {state for each in record.values() for state in each} <= set(FUNCTIONS)
    assert RECORD.read_text() == json.dumps(record, indent=1) + "\n"


@pytest.mark.parametrize("state", FUNCTIONS)
def test_granted_by_used_is_one(snaketron: Template, state: str) -> None:
    may, did, reasons = granted(snaketron, state), used(state), unused(state)
    assert did <= may, f"{state} was seen to use what it is not granted: {sorted(did - may)}"
    needless = may - did - set(reasons)
    assert not needless, (
        f"{state} is granted what no rehearsal used: {sorted(needless)}; take it away, or say in "
        "infra/unused_grants.py which path needs it"
    )
    assert len(may - set(reasons)) == len(did)


@pytest.mark.parametrize("state", FUNCTIONS)
def test_a_reason_is_given_for_what_is_granted_and_not_used_alone(
    snaketron: Template, state: str
) -> None:
    reasons = set(unused(state))
    assert reasons <= granted(snaketron, state)
    assert not reasons & used(state)
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
    text = "\n".join(files)
    for action in set(OWN.get(state, ())) - NOT_CALLED:
        operation = snake(action.partition(":")[2])
        assert f".{operation}" in text, f"nothing in the package of {state} calls {operation}"
