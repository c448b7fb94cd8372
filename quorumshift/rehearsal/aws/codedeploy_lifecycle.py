"""The life of one deployment, in a thread of its own: the events, in CodeDeploy's order."""

from __future__ import annotations

from typing import Any

from quorumshift.rehearsal.aws import codedeploy_traffic as traffic
from quorumshift.rehearsal.aws.codedeploy_alarms import Watch
from quorumshift.rehearsal.aws.codedeploy_configs import Step
from quorumshift.rehearsal.aws.codedeploy_errors import EventFailed, Interrupted
from quorumshift.rehearsal.aws.codedeploy_hooks import Hooks
from quorumshift.rehearsal.aws.codedeploy_models import Colour, Deployment
from quorumshift.rehearsal.aws.codedeploy_run import Outcome, Run
from quorumshift.rehearsal.world import World

STEADY_LIMIT = 3600.0
"""AWS's seconds that green has to become steady."""


class Lifecycle(Run):
    """A deployment. ``traffic_steps``: of its configuration."""

    def __init__(
        self,
        world: World,
        deployment: Deployment,
        outcome: Outcome,
        hooks: Hooks,
        traffic_steps: list[Step],
    ) -> None:
        super().__init__(world, deployment, outcome)
        self._hooks = hooks
        self._traffic_steps = traffic_steps
        rules = deployment.auto_rollback
        self._watch = Watch(
            world,
            deployment,
            bool(rules.get("enabled")) and "DEPLOYMENT_STOP_ON_ALARM" in rules.get("events", []),
        )

    def steps(self) -> None:
        """BeforeInstall to the removal of blue."""
        deployment = self.deployment
        self.outcome.started(deployment)
        routes = traffic.routes(self.world, deployment.group.load_balancer_info)
        blue = deployment.blue = self.sets.find_blue(routes)
        try:
            self._watch.start()
            self._hook("BeforeInstall")
            with self.event("Install"):
                green = self._install(routes, blue)
            self._hook("AfterInstall")
            self._test_traffic(routes, blue, green)
            self._await_go_ahead()
            self._hook("BeforeAllowTraffic")
            with self.event("AllowTraffic"):
                self._shift(routes)
            self._hook("AfterAllowTraffic")
            self._await_termination()
        finally:
            self._watch.stop()
        self._replace(blue, green)

    def _install(self, routes: traffic.Routes, blue: Colour) -> Colour:
        deployment = self.deployment
        green = deployment.green = self.sets.make_green(routes, blue)
        if not self.poll(lambda: self.sets.is_steady(green), STEADY_LIMIT):
            raise EventFailed(
                "TIMEOUT",
                "The deployment timed out while waiting for the replacement task set to become"
                f" healthy. This time out period is {STEADY_LIMIT / 60:.0f} minutes.",
            )
        return green

    def _test_traffic(self, routes: traffic.Routes, blue: Colour, green: Colour) -> None:
        if not routes.test:
            self.skip("AllowTestTraffic")
            self.skip("AfterAllowTestTraffic")
            return
        with self.event("AllowTestTraffic"):
            self.send(routes.test, green, blue)
        self._hook("AfterAllowTestTraffic")

    def _await_go_ahead(self) -> None:
        """With STOP_DEPLOYMENT, traffic moves only when ContinueDeployment says so."""
        option = self._blue_green("deploymentReadyOption")
        if option.get("actionOnTimeout") != "STOP_DEPLOYMENT":
            return
        self._ready()
        minutes = float(option.get("waitTimeInMinutes", 0))
        if not self.wait(lambda: "READY_WAIT" in self.deployment.continued, minutes * 60):
            raise Interrupted(
                "TIMEOUT", f"Nobody continued the deployment within {minutes:.0f} minutes.", False
            )
        self.deployment.status = "InProgress"

    def _shift(self, routes: traffic.Routes) -> None:
        for percent, minutes in self._traffic_steps:
            self.shift(percent, routes.production)
            self.wait(lambda: False, minutes * 60)

    def _await_termination(self) -> None:
        """The status is Ready while it waits: ContinueDeployment refuses any other."""
        option = self._blue_green("terminateBlueInstancesOnDeploymentSuccess")
        minutes = float(option.get("terminationWaitTimeInMinutes", 0))
        if minutes and option.get("action") != "KEEP_ALIVE":
            self.deployment.termination_wait = True
            self._ready()
            self.wait(lambda: "TERMINATION_WAIT" in self.deployment.continued, minutes * 60)
            self.deployment.status = "InProgress"

    def _replace(self, blue: Colour, green: Colour) -> None:
        """Green is primary, blue is removed: from here there is no way back. Protected tasks hold
        the end of the deployment until their protection ends."""
        option = self._blue_green("terminateBlueInstancesOnDeploymentSuccess")
        with self.deployment.changed:
            self._go_on()
            self.deployment.final = True
        self.sets.make_primary(green)
        if option.get("action") != "KEEP_ALIVE":
            self.world.events.say(
                "deployment", "blue is being removed", deployment=self.deployment.id
            )
            self.sets.remove(blue.task_set)
            self.poll(lambda: not self.sets.look(blue))
        self.sets.look(green)

    def _hook(self, name: str) -> None:
        function = self.deployment.appspec.hooks.get(name)
        if function is None:
            self.skip(name)
            return
        with self.event(name):
            self._hooks.ask(self.deployment, name, function, self.wait)

    def _ready(self) -> None:
        self.deployment.status = "Ready"
        self.outcome.ready(self.deployment)

    def _blue_green(self, name: str) -> dict[str, Any]:
        configuration = self.deployment.group.blue_green_deployment_configuration or {}
        return dict(configuration.get(name) or {})
