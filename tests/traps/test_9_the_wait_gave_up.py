"""Trap 9: the wait gave up after 30 minutes and let the deployment run on; one that was stopped or
failed was never followed by a look at the cluster's health.

The machine that is deployed is walked as a graph, and run with the deployed handlers.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from quorumshift.domain.rollout import EndedBy, Progress
from quorumshift.names import module
from tests.tasks.aws import EXECUTION, MemoryAws
from tests.traps.asl import machine, reachable
from tests.traps.conftest import Deployed, Shipped
from tests.workflows.interpreter import Ended, run

CONTEXT = {
    "Execution": {
        "Id": EXECUTION["id"],
        "Name": EXECUTION["name"],
        "StartTime": EXECUTION["startTime"],
    }
}
ENDS = {"Deployed", "RolledBack", "Failed", "FailedUnheard"}
Meddle = Callable[[str], None]


def execute(definition: dict[str, Any], meddle: Meddle) -> Ended:
    """Run ``deploy`` with the deployed handlers; ``meddle(state)`` is called before each."""

    def call(state: str, payload: dict[str, Any]) -> Any:
        meddle(state)
        return importlib.import_module(module(state)).handler(payload, None)

    return run(definition, {}, call, CONTEXT)


def green_goes(aws: MemoryAws) -> None:
    """CodeDeploy's roll-back has ended green."""
    for address in [address for address in aws.service.tasks if address.startswith("g")]:
        aws.service.kill(address)


def follows(definition: dict[str, Any]) -> set[str]:
    """What is wrong with the ways on which a deployment is followed."""
    wrong = set()
    # A deployment that has succeeded is verified, too; its way is not the one that is looked at.
    quiet = reachable(definition, "WaitForDeployment", {"StopDeployment", "VerifyOutcome"})
    if quiet & ENDS:
        wrong.add("it ends without a stop")
    if "RolledBack" in reachable(definition, without={"VerifyRollback"}):
        wrong.add("a roll-back is not verified")
    if "VerifyRollback" not in reachable(definition, "StopDeployment", {"NotifyFailed"}):
        wrong.add("a stop leads to no verification")
    return wrong


def test_no_way_ends_without_a_stop_and_none_rolls_back_without_a_look() -> None:
    assert follows(machine("deploy")) == set()


def stops_at_the_deadline(definition: dict[str, Any], aws: MemoryAws) -> Ended:
    def meddle(state: str) -> None:
        if state == "StopDeployment":
            green_goes(aws)

    return execute(definition, meddle)


@pytest.fixture
def impatient(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> MemoryAws:
    """A deployment that never ends, followed for ten minutes at most."""
    monkeypatch.setenv("QUORUMSHIFT_DEADLINE_MINUTES", "10")
    return deployed()


def test_a_deadline_that_passes_stops_the_deployment(impatient: MemoryAws) -> None:
    ended = stops_at_the_deadline(machine("deploy"), impatient)
    assert (ended.at, ended.error) == ("RolledBack", "DeadlinePassed")
    assert impatient.service.deeds == ["stop"]
    ways = ended.states
    assert ways[-5:] == [
        "PollRollback",
        "IsItUndone",
        "VerifyRollback",
        "NotifyRolledBack",
        "RolledBack",
    ]
    assert ways.index("StopDeployment") > ways.index("PollDeployment")


@pytest.mark.parametrize("by", [EndedBy.ALARM, EndedBy.CHECK, EndedBy.REQUEST, EndedBy.ENGINE])
def test_whatever_failed_is_followed_by_a_look_at_the_cluster(
    deployed: Deployed, by: EndedBy
) -> None:
    aws = deployed()

    def meddle(state: str) -> None:
        if state == "PollDeployment":
            end = Progress.STOPPED if by is EndedBy.REQUEST else Progress.FAILED
            aws.service.rollout = replace(aws.service.rollout, progress=end, ended_by=by)
        if state == "PollRollback":
            green_goes(aws)

    ended = execute(machine("deploy"), meddle)
    assert ended.at == "RolledBack"
    assert "VerifyRollback" in ended.states


def test_a_cluster_that_is_not_well_after_it_is_told(deployed: Deployed) -> None:
    aws = deployed()

    def meddle(state: str) -> None:
        if state == "PollDeployment":
            aws.service.rollout = replace(aws.service.rollout, progress=Progress.FAILED)
        if state == "PollRollback":
            green_goes(aws)
        if state == "VerifyRollback":
            for node in aws.service.cluster.voters()[1:]:
                node.up = False

    ended = execute(machine("deploy"), meddle)
    assert ended.at == "Failed"
    assert ended.error in ("ClusterUnsafe", "ClusterUnsettled")
    assert "its cluster is not well" in ended.cause


def test_an_execution_that_is_ended_from_outside_is_seen_to(shipped: Shipped) -> None:
    names = shipped.configuration.names
    template = shipped.template
    (rule,) = [
        each
        for each in template.of("AWS::Events::Rule").values()
        if each["Name"] == f"{names.deploy}-watchdog"
    ]
    assert names.deploy in str(rule["EventPattern"]["detail"]["stateMachineArn"])
    assert set(rule["EventPattern"]["detail"]["status"]) == {"ABORTED", "TIMED_OUT", "FAILED"}
    functions = template.of("AWS::Lambda::Function")
    targets = {functions[template.target(each["Arn"])]["FunctionName"] for each in rule["Targets"]}
    assert targets == {names.function("Watchdog")}
    watchdog = functions[template.target(rule["Targets"][0]["Arn"])]
    assert "codedeploy:StopDeployment" in template.granted(template.target(watchdog["Role"]))


def _gives_up(states: dict[str, Any]) -> None:
    states["HowIsItGoing"]["Default"] = "NotifyFailed"


def _does_not_stop_after_a_failed_poll(states: dict[str, Any]) -> None:
    states["PollDeployment"]["Catch"][-1]["Next"] = "NotifyFailed"


def _does_not_look(states: dict[str, Any]) -> None:
    states["IsItUndone"]["Choices"][0]["Next"] = "NotifyRolledBack"


@pytest.mark.parametrize(
    ("open_it", "wrong"),
    [
        (_gives_up, {"it ends without a stop"}),
        (_does_not_stop_after_a_failed_poll, {"it ends without a stop"}),
        (_does_not_look, {"a roll-back is not verified", "a stop leads to no verification"}),
    ],
)
def test_the_trap_is_found_open(open_it: Callable[[dict[str, Any]], None], wrong: set[str]) -> None:
    definition = copy.deepcopy(machine("deploy"))
    open_it(definition["States"])
    assert follows(definition) == wrong


def test_a_wait_that_gives_up_is_found_out(impatient: MemoryAws) -> None:
    definition = machine("deploy")
    _gives_up(definition["States"])
    ended = stops_at_the_deadline(definition, impatient)
    assert ended.at == "Failed"
    assert "VerifyRollback" not in ended.states
