"""Finds the deployment of an execution that has ended, also one that is still to come.

Stopping an execution does not stop the function at work: ``CreateDeployment`` goes on to its own
end, and may create a deployment that nobody follows.
"""

from __future__ import annotations

from quorumshift.ports import Clock, Deployments
from quorumshift.usecases.stopping import IN_FLIGHT_SECONDS

PAUSE = 2.0
"""Seconds between two looks."""


def arrived(
    deployments: Deployments, clock: Clock, execution: str, since: str, ended: float
) -> str | None:
    """The deployment that ``execution`` started after ``since``, waiting for it for as long as a
    function may still be at work that was so when the execution ended (epoch seconds)."""
    deadline = min(ended, clock.now()) + IN_FLIGHT_SECONDS
    while (found := deployments.of_execution(execution, since)) is None:
        if clock.now() >= deadline:
            return None
        clock.sleep(PAUSE)
    return found
