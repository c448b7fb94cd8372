"""What both engines promise, the crash matrix's and the rehearsal's: asked of either in the same
words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import pytest
from botocore.exceptions import ClientError

Ids = dict[str, str]


class Bench(Protocol):
    """One service and its deployments, as their clients see them. ``held``: the hooks whose
    questions wait for :meth:`answer`; others are answered with Succeeded."""

    held: set[str]

    def deploy(self) -> str:
        """Create a deployment. Raises ``ClientError``."""

    def stop(self, deployment: str) -> None:
        """Stop it with its roll-back. Raises ``ClientError``."""

    def info(self, deployment: str) -> dict[str, Any]:
        """GetDeployment's."""

    def question(self, stage: str) -> Ids:
        """What a held hook is asked, once it is."""

    def answer(self, ids: Ids, status: str) -> None:
        """Raises ``ClientError``."""

    def tasks(self, status: str) -> list[str]:
        """ARNs of the tasks of the task sets of this status."""

    def protect(self, tasks: list[str], on: bool) -> list[dict[str, Any]]:
        """The failures of UpdateTaskProtection."""

    def until(self, holds: Callable[[], Any]) -> None:
        """Let time pass until it holds."""


def ended(bench: Bench, deployment: str) -> dict[str, Any]:
    """How it ended."""
    bench.until(lambda: bench.info(deployment)["status"] in ("Succeeded", "Failed", "Stopped"))
    return bench.info(deployment)


def one_deployment_at_a_time_and_a_stop_before_install_rolls_nothing_back(bench: Bench) -> None:
    """Questions that are past, and deployments that have ended, are said to be so."""
    bench.held = {"BeforeInstall"}
    first = bench.deploy()
    asked = bench.question("BeforeInstall")
    assert asked["DeploymentId"] == first
    with pytest.raises(ClientError, match="DeploymentLimitExceeded"):
        bench.deploy()
    bench.stop(first)
    info = ended(bench, first)
    assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "MANUAL_STOP")
    assert "rollbackDeploymentId" not in info.get("rollbackInfo", {})
    with pytest.raises(ClientError, match="LifecycleEventAlreadyCompleted"):
        bench.answer(asked, "Succeeded")
    with pytest.raises(ClientError, match="DeploymentAlreadyCompleted"):
        bench.stop(first)


def protected_tasks_outlive_both_ends_until_they_are_released(bench: Bench) -> None:
    """First those of blue after a success, then those of green after a no."""
    blue = bench.tasks("PRIMARY")
    assert bench.protect(blue, True) == []
    bench.held = set()
    first = bench.deploy()
    bench.until(lambda: bench.tasks("DRAINING"))
    assert bench.info(first)["status"] == "InProgress"
    bench.protect(blue, False)
    assert ended(bench, first)["status"] == "Succeeded"
    assert not set(bench.tasks("PRIMARY")) & set(blue)

    bench.held = {"AfterAllowTraffic"}
    second = bench.deploy()
    asked = bench.question("AfterAllowTraffic")
    green = bench.tasks("ACTIVE")
    others = bench.tasks("PRIMARY")
    assert bench.protect(green, True) == []
    refused = bench.protect([others[0]], True)
    assert [one["reason"] for one in refused] == ["DEPLOYMENT_BLOCKED"]
    bench.answer(asked, "Failed")
    info = ended(bench, second)
    assert (info["status"], info["errorInformation"]["code"]) == (
        "Failed",
        "HOOK_EXECUTION_FAILURE",
    )
    undo = info["rollbackInfo"]["rollbackDeploymentId"]
    bench.until(lambda: bench.tasks("DRAINING"))
    assert bench.info(undo)["rollbackInfo"]["rollbackTriggeringDeploymentId"] == second
    assert bench.info(undo)["status"] == "InProgress"
    assert sorted(bench.tasks("PRIMARY")) == sorted(others)
    with pytest.raises(ClientError, match="DeploymentLimitExceeded"):
        bench.deploy()
    bench.protect(green, False)
    assert ended(bench, undo)["status"] == "Succeeded"
    bench.until(lambda: not bench.tasks("DRAINING"))


PROMISES = (
    one_deployment_at_a_time_and_a_stop_before_install_rolls_nothing_back,
    protected_tasks_outlive_both_ends_until_they_are_released,
)
