"""The roll-back: a deployment of its own that undoes another."""

from __future__ import annotations

from quorumshift.rehearsal.aws import codedeploy_traffic as traffic
from quorumshift.rehearsal.aws.codedeploy_errors import EventFailed
from quorumshift.rehearsal.aws.codedeploy_run import Run


class RollBack(Run):
    """Gives all traffic to blue, then removes green.

    AWS's documentation does not say whether hooks run on it; here none does, so that nothing can
    be relied on that AWS may not do. No alarm is watched: there is nothing to go back to.
    """

    def steps(self) -> None:
        """Both listeners, the primary task set, the removal of green."""
        deployment = self.deployment
        blue, green = deployment.blue, deployment.green
        assert blue is not None
        assert green is not None
        self.outcome.started(deployment)
        routes = traffic.routes(self.world, deployment.group.load_balancer_info)
        for name in deployment.events:
            self.skip(name)
        if routes.test:
            with self.event("AllowTestTraffic"):
                self.send(routes.test, blue, green)
        with self.event("AllowTraffic"):
            self.shift(0, routes.production)
        if not self.sets.look(blue):
            raise EventFailed(
                "ECS_UPDATE_ERROR", "The original task set is gone: there is no way back."
            )
        self.sets.make_primary(blue)
        self.world.events.say("deployment", "green is being removed", deployment=deployment.id)
        self.sets.remove(green.task_set)
        self.poll(lambda: not self.sets.look(green))
        self.sets.look(blue)
