"""What people are told, as SNS gets it: every state and event that tells somebody something."""

from __future__ import annotations

import importlib

import pytest

from quorumshift.names import DEPLOY_STATES, module
from tests.tasks.aws import MemoryAws
from tests.tasks.scenarios import EFFECTS

TOLD: dict[str, list[str]] = {
    "it has begun": [
        "Deployment d-1 has begun: sample:12 is to replace sample:11",
        "asked by:    ada",
        "deployment:  d-1",
        "quorumshift stop one",
    ],
    "people hear of it": ["So it is."],
    "it goes back": [
        "somebody stopped the rollout",
        "asked by:    ada",
        "deployment:  d-1",
        "quorumshift watch one",
    ],
    "people hear that it has": ["So it is."],
    "it has failed": ["late", "Deployment d-1 was still running and is being stopped"],
    "it has failed, and its deployment comes after": [
        "Deployment d-1 was still running and is being stopped"
    ],
    "the votes are not": [
        "no step of ours mends it: no quorum",
        "quorumshift plan",
    ],
    "the way back waits": ["Only 2 of 3 tasks of the goal exist", "quorumshift plan"],
    "a task is missing": ["no step of ours mends it: The goal", "Run more tasks"],
    "an execution was stopped": [
        "the execution was stopped from outside",
        "is being stopped and rolled back",
        "deployment:  d-1",
    ],
    "an execution has failed and left its deployment": [
        "The execution failed, as was told",
        "Deployment d-1 was still running and is being stopped and rolled back",
        "quorumshift status",
    ],
    "a hand-over was stopped": ["It goes on where it stood, once", "stop deployment d-1"],
}
"""Scenario → what the message says."""


def test_every_scenario_with_a_message_is_here() -> None:
    telling = {
        name
        for name, (_, _, found) in EFFECTS.items()
        if any(one.startswith("sns.publish") for one in found)
    }
    assert telling == set(TOLD)


def test_every_state_that_notifies_is_in_one() -> None:
    states = {module(name) for name in DEPLOY_STATES if name.startswith("Notify")}
    assert states
    assert states <= {f"tasks.{EFFECTS[name][0]}" for name in TOLD}


@pytest.mark.parametrize("name", TOLD)
def test_people_are_told_what_happened_and_what_to_do(aws: MemoryAws, name: str) -> None:
    task, scenario, found = EFFECTS[name]
    event = scenario(aws)
    aws.messages.clear()
    answer = importlib.import_module(f"tasks.{task}").handler(event, None)
    ((subject, text),) = aws.messages
    assert [one for one in found if one.startswith("sns.publish")] == [f"sns.publish {subject}"]
    for words in TOLD[name]:
        assert words in text
    if "outcome" in event:
        assert text == event["outcome"]["message"]
    else:
        assert text.splitlines()[0] == subject
    if task.startswith("notify_"):
        assert answer["subject"] == subject
