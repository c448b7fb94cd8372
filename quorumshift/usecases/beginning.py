"""No deployment begins while votes are being moved."""

from __future__ import annotations

from dataclasses import dataclass

from quorumshift.domain.errors import DeploymentActive, Transient
from quorumshift.ports import RECONCILE, Clock, Deployments, HandOvers

WAIT_SECONDS = 15.0
"""Real seconds that one try waits for an execution that puts votes in order between deployments:
such a one takes seconds, and there are more tries."""
PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Beginning:
    """See ``ports``."""

    deployments: Deployments
    hand_overs: HandOvers
    clock: Clock

    def wait_until_votes_rest(self, execution: str, since: str) -> None:
        """Return when ``execution``, which was started after ``since``, may start a deployment; at
        once if it did before.

        Raises ``DeploymentActive`` while an earlier deployment's votes are still being moved, and
        ``Transient`` while votes are put in order between deployments. Whatever begins to move
        votes after this look sees the deployment, and leaves off.
        """
        if not self._moving() or self.deployments.of_execution(execution, since):
            return
        deadline = self.clock.now() + WAIT_SECONDS
        while moving := self._moving():
            if not moving.startswith(RECONCILE):
                raise DeploymentActive(
                    f"the execution {moving} of hand_over still moves the votes of an earlier "
                    "deployment; wait for its end (`quorumshift status`), and start again"
                )
            if self.clock.now() >= deadline:
                raise Transient(
                    f"the execution {moving} of hand_over is putting the votes in order, which "
                    "comes first; when it has ended, start again"
                )
            self.clock.sleep(PAUSE)

    def _moving(self) -> str:
        """The name of an execution that moves votes, an earlier deployment's first; or empty."""
        return min(
            self.hand_overs.running(), key=lambda name: name.startswith(RECONCILE), default=""
        )
