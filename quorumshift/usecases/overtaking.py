"""Asks the deployment engine whether a rollout's votes and locks are still its own."""

from __future__ import annotations

from quorumshift.domain.overtaken import overtaken
from quorumshift.domain.rollout import Progress, Rollout
from quorumshift.ports import Deployments


def another(deployments: Deployments, deployment: str, undone_by: str | None = None) -> str:
    """Id of the rollout under way that is neither this one nor its roll-back; else empty.

    The engine tells of a roll-back at both of its ends (``undone_by`` is this one's), at either
    perhaps later than that it runs.
    """
    active = deployments.active()
    if active is None or active in (deployment, undone_by):
        return ""
    return "" if deployments.look(active).undoes == deployment else active


def look_whose(deployments: Deployments, deployment: str) -> tuple[Rollout, str]:
    """The rollout, and why nothing is to be changed for it any more (``domain.overtaken``)."""
    rollout = deployments.look(deployment)
    if rollout.progress is Progress.RUNNING:  # the engine runs one at a time
        return rollout, ""
    return rollout, overtaken(rollout, another(deployments, deployment, rollout.undone_by))
