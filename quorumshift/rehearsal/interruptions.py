"""Interrupts a deployment through the doors that people and AWS use."""

from __future__ import annotations

from typing import Any

from quorumshift.names import Names
from quorumshift.rehearsal.aws.codedeploy_models import ACTIVE
from quorumshift.rehearsal.execution import machine_arn
from quorumshift.rehearsal.waiting import wait_for
from quorumshift.rehearsal.world import World

HEARD_SECONDS = 20.0
"""Real seconds in which CodeDeploy must have heard an alarm; it looks three times in one."""


class Interruptions:
    """Of the one deployment that is under way."""

    def __init__(self, world: World, names: Names) -> None:
        self._world = world
        self._names = names

    @property
    def _codedeploy(self) -> Any:
        return self._world.client("codedeploy")

    def deployment(self) -> str:
        """The id of the deployment that people started, not of a roll-back."""
        which = {
            "applicationName": self._names.application,
            "deploymentGroupName": self._names.deployment_group,
        }
        ids = self._codedeploy.list_deployments(**which)["deployments"]
        return str(next(e for e in ids if self.look(e)["creator"] != "codeDeployRollback"))

    def look(self, deployment: str) -> dict[str, Any]:
        """As GetDeployment tells it."""
        return dict(self._codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"])

    def ring_alarm(self) -> None:
        """Set the group's first alarm to ALARM, as operators do on a game day, again and again
        (CloudWatch soon judges anew) until the deployment has been interrupted."""
        deployment = self.deployment()
        group = self._codedeploy.get_deployment_group(
            applicationName=self._names.application,
            deploymentGroupName=self._names.deployment_group,
        )["deploymentGroupInfo"]
        alarm = group["alarmConfiguration"]["alarms"][0]["name"]
        self._world.events.say("fault", f"the alarm {alarm} rings", alarm=alarm)

        def interrupted() -> bool:
            if self.look(deployment)["status"] not in ACTIVE:
                return True
            self._world.client("cloudwatch").set_alarm_state(
                AlarmName=alarm, StateValue="ALARM", StateReason="A fault was asked for."
            )
            return False

        wait_for(self._world, interrupted, "CodeDeploy to hear the alarm", HEARD_SECONDS)

    def stop(self) -> None:
        """Press "stop and roll back"."""
        deployment = self.deployment()
        self._world.events.say("fault", f"a person stops {deployment} with its roll-back")
        self._codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)

    def kill_hand_over(self) -> None:
        """Stop the running execution of the hand-over; a function that runs goes on to its end."""
        for execution in self.running(self._names.hand_over):
            self._stop_execution(execution)

    def kill_deploy(self) -> None:
        """Stop the execution of ``deploy``, as its console's button does."""
        for execution in self.running(self._names.deploy):
            self._stop_execution(execution)

    def _stop_execution(self, execution: str) -> None:
        self._world.events.say("fault", f"stopping the execution {execution}")
        self._world.client("stepfunctions").stop_execution(
            executionArn=execution, error="Rehearsed", cause="A fault was asked for."
        )

    def running(self, machine: str) -> list[str]:
        """ARNs of the machine's executions that run."""
        found = self._world.client("stepfunctions").list_executions(
            stateMachineArn=machine_arn(machine), statusFilter="RUNNING"
        )
        return [execution["executionArn"] for execution in found["executions"]]
