"""``stop`` in every state: never an execution that keeps a deployment, never a deployment alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from quorumshift.domain.execution import Execution, Place
from quorumshift.domain.rollout import Progress, Rollout
from quorumshift.ports import Started
from quorumshift.usecases.stopping import (
    CREATION_SECONDS,
    IN_FLIGHT_SECONDS,
    Deed,
    Stopped,
    Stopping,
)

ARN = "arn:aws:states:r:1:execution:app-deploy:one"
RUNNING = Execution(ARN, "one", "RUNNING", 1000.7, None, {}, "", "")
FAILED = replace(RUNNING, status="FAILED", stopped=1010.0)


@dataclass
class Account:
    """One execution and its deployment. ``creates_at``: when (seconds) the deployment appears;
    ``moves_to``: where the execution turns out to be once it was stopped; ``leaves_at``: when it
    leaves the creation without a deployment, and runs on; ``cause``: of the stop."""

    execution: Execution = RUNNING
    state: str = "VerifyRaft"
    rollout: Rollout | None = None
    creates_at: float | None = None
    moves_to: str = ""
    fails_at: float | None = None
    leaves_at: float | None = None
    cause: str = ""
    time: float = 0.0
    done: list[str] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        if self.fails_at is not None and self.time >= self.fails_at:
            self.execution, self.state = FAILED, "Failed"
        if self.leaves_at is not None and self.time >= self.leaves_at:
            self.state = "NotifyFailed"

    def describe(self, arn: str) -> Execution:
        return self.execution

    def place(self, arn: str) -> Place:
        created = self.rollout is not None and self.state != "CreateDeployment"
        return Place(self.state, {"deployment": {"id": "d-1"}} if created else {})

    def stop_execution(self, arn: str, cause: str) -> None:
        self.done.append("execution")
        self.cause = cause
        self.execution = replace(self.execution, status="ABORTED")
        self.state = self.moves_to or self.state

    def of_execution(self, execution: str, since: str) -> str | None:
        assert since == "1970-01-01T00:16:40+00:00"
        if self.creates_at is not None and self.time >= self.creates_at:
            self.rollout = Rollout("d-1", Progress.RUNNING)
        return self.rollout.id if self.rollout else None

    def look(self, deployment: str) -> Rollout:
        assert self.rollout is not None
        return self.rollout

    def stop_deployment(self, deployment: str) -> None:
        self.done.append(deployment)


class Workflow:
    def __init__(self, account: Account) -> None:
        self.describe, self.place = account.describe, account.place
        self.stop = account.stop_execution


class Engine:
    def __init__(self, account: Account) -> None:
        self.look, self.of_execution = account.look, account.of_execution
        self.stop = account.stop_deployment

    def start(
        self,
        task_definition: str,
        config: str,
        description: str,
        execution: str,
        since: str,
        *,
        replaces: str = "",
        ignore_alarms: bool = False,
    ) -> Started:
        raise AssertionError("stop starts nothing")

    def active(self) -> str | None:
        raise AssertionError("whose it is matters, not whether there is one")


def stop(account: Account, tell: Callable[[str], None] = lambda _: None) -> Stopped:
    stopping = Stopping(Workflow(account), Engine(account), account, "by hand", tell)
    return stopping.stop(account.execution)


def test_before_a_deployment_exists_the_execution_is_stopped() -> None:
    account = Account()
    assert stop(account) == Stopped(
        Deed.STOPPED_EXECUTION,
        "no deployment existed: the execution one was stopped; nothing was touched",
    )
    assert (account.done, account.cause) == (["execution"], "by hand")


def test_a_running_deployment_is_stopped_and_its_execution_is_not() -> None:
    account = Account(state="WaitForDeployment", rollout=Rollout("d-1", Progress.RUNNING))
    found = stop(account)
    assert found == Stopped(Deed.STOPPED_DEPLOYMENT, found.text, "d-1")
    assert account.done == ["d-1"]


def test_one_whose_execution_has_died_is_stopped_too() -> None:
    account = Account(FAILED, rollout=Rollout("d-1", Progress.RUNNING))
    assert "the watchdog follows it" in stop(account).text
    running = Account(state="WaitForDeployment", rollout=Rollout("d-1", Progress.RUNNING))
    assert "the execution follows it" in stop(running).text
    assert account.done == ["d-1"]


def test_while_one_is_created_it_is_waited_for() -> None:
    account = Account(state="CreateDeployment", creates_at=20)
    told: list[str] = []
    assert stop(account, told.append).deployment == "d-1"
    assert account.done == ["d-1"]
    assert "stopped as soon as it is there" in told[0]


def test_a_stop_that_meets_the_creation_stops_what_is_created() -> None:
    account = Account(moves_to="CreateDeployment", creates_at=20)
    told: list[str] = []
    assert stop(account, told.append).deed is Deed.STOPPED_DEPLOYMENT
    assert account.done == ["execution", "d-1"]
    assert "waited for, and stopped" in told[0]


def test_but_no_longer_than_the_last_try_of_its_function() -> None:
    account = Account(moves_to="CreateDeployment")
    found = stop(account)
    assert (found.deed, found.deployment) == (Deed.STOPPED_EXECUTION, None)
    assert "no deployment of one was created" in found.text
    assert IN_FLIGHT_SECONDS <= account.time < IN_FLIGHT_SECONDS + 1


def test_a_creation_that_the_execution_has_left_is_not_waited_for() -> None:
    account = Account(state="CreateDeployment", leaves_at=2)
    found = stop(account)
    assert found.deed is Deed.NOTHING
    assert "no deployment of one was created" in found.text
    assert account.time < 3


def test_a_stop_that_comes_after_the_creation_stops_what_was_created() -> None:
    account = Account(moves_to="WaitForDeployment")

    def created(arn: str, cause: str) -> None:
        account.creates_at = 0

    account.stop_execution = created  # type: ignore[method-assign] # what happens meanwhile
    assert stop(account).deed is Deed.STOPPED_DEPLOYMENT


def test_a_creation_that_fails_is_not_waited_for() -> None:
    account = Account(state="CreateDeployment", fails_at=2)
    found = stop(account)
    assert (found.deed, found.text) == (Deed.NOTHING, "one has ended and deployed nothing")
    assert account.time < 3
    assert account.done == []


def test_a_creation_that_never_ends_is_given_up() -> None:
    account = Account(state="CreateDeployment")
    assert stop(account).deed is Deed.NOTHING
    assert CREATION_SECONDS <= account.time < CREATION_SECONDS + 1


@pytest.mark.parametrize(
    ("rollout", "says"),
    [
        (Rollout("d-1", Progress.SUCCEEDED), "to go back: quorumshift rollback"),
        (Rollout("d-1", Progress.STOPPED, undone_by="d-2"), "d-2 rolls it back"),
        (Rollout("d-1", Progress.FAILED), "has ended before (failed)"),
    ],
)
def test_what_has_ended_is_left_alone(rollout: Rollout, says: str) -> None:
    account = Account(state="WaitForRollback", rollout=rollout)
    found = stop(account)
    assert (found.deed, found.deployment) == (Deed.NOTHING, "d-1")
    assert says in found.text
    assert account.done == []


def test_an_execution_that_ended_without_one_is_left_alone() -> None:
    account = Account(FAILED, state="Failed")
    assert stop(account).deed is Deed.NOTHING
    assert account.done == []
