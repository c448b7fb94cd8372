"""How every execution ends: locks are given back, scaling goes on, and what is left is said.

Each end looks first how its rollout ended, and undoes what that rollout did and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from quorumshift.domain.errors import ClusterUnsafe
from quorumshift.domain.locks import our_locks
from quorumshift.domain.marks import build_mark
from quorumshift.domain.raft import ClusterObservation
from quorumshift.domain.rollout import Progress
from quorumshift.domain.undo import left_behind, strangers
from quorumshift.ports import Builds, Deployments, Scaling
from quorumshift.usecases.observer import Observer, Seen, require
from quorumshift.usecases.overtaking import another, look_whose
from quorumshift.usecases.vote_locks import VoteLocks

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Verified:
    """The cluster after a rollout. ``another``: the rollout that is under way by now, which the
    cluster is to be judged by; empty: none."""

    seen: Seen
    another: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """Everything an end may touch; see ``ports``."""

    observer: Observer
    locks: VoteLocks
    deployments: Deployments
    scaling: Scaling
    builds: Builds

    def after_success(self, deployment: str) -> Verified:
        """Raises ``ClusterUnsafe`` unless blue's members are gone and the cluster is healthy.

        Once another rollout is under way, nothing is asked of the cluster: which tasks serve, and
        whose members are left, is that one's to say.
        """
        if other := another(self.deployments, deployment):
            return Verified(self.observer.once(None), other)
        seen = require(
            self.observer.healthy(None),
            f"deployment {deployment} has succeeded, but its cluster is not well",
        )
        left = strangers(seen.observation)
        if left:
            raise ClusterUnsafe(
                f"deployment {deployment} has succeeded, but {', '.join(left)} still is a member "
                "of the cluster without a task of the serving task set; remove it from the Raft "
                "configuration"
            )
        self.clean_up(deployment)
        return Verified(seen)

    def after_rollback(self, deployment: str) -> Verified:
        """Raises ``ClusterUnsafe`` or ``ClusterUnsettled`` unless the old cluster is well again;
        not once another rollout is under way."""
        if other := another(self.deployments, deployment):
            return Verified(self.observer.once(None), other)
        seen = require(
            self.observer.settled(None),
            f"deployment {deployment} was rolled back, but its cluster is not well",
        )
        self.clean_up(deployment)
        return Verified(seen)

    def clean_up(self, deployment: str) -> str:
        """Give back the locks and let the service scale as before this rollout; unless any is under
        way, whose locks and scaling these are. See :meth:`give_back_locks`."""
        if self.deployments.active() is not None:
            return ""
        self.scaling.resume(deployment)
        return self.give_back_locks(None)

    def give_back_locks(self, deployment: str | None) -> str:
        """Give back the locks of a rollout that was undone, as soon as its votes are home: its
        roll-back cannot end tasks before. ``None``: between rollouts.

        What runs is never unlocked: not while another rollout is under way, nor this one itself.
        Locks are kept, and the returned sentence says so, while tasks vote that do not serve: the
        end of such a task could cost the quorum.
        """
        seen = self.observer.look(deployment)  # first, so that what follows is as fresh as may be
        if deployment is None:
            return "" if self.deployments.active() is not None else self._give_back(seen)
        rollout, over = look_whose(self.deployments, deployment)
        if over or rollout.progress is Progress.RUNNING:
            return over or f"{deployment} still runs, so the locks are kept"
        return self._give_back(seen)

    def _give_back(self, seen: ClusterObservation) -> str:
        if votes := strangers(seen):
            return (
                f"{', '.join(votes)} is in the Raft configuration and not of the serving tasks, so "
                "the locks are kept; they expire by themselves"
            )
        self.locks.give_back(seen)
        return ""

    def needs_votes_back(self, deployment: str, was: Progress | None) -> bool:
        """Whether the votes are to be called home. ``was``: how its rollout stood when it was
        found; one that ran may have begun to move them. Never for one that has succeeded, whose
        blue is gone, nor for one that another has followed."""
        _, over = look_whose(self.deployments, deployment)
        if over:
            return False
        return was is Progress.RUNNING or bool(strangers(self.observer.look(deployment)))

    def left_behind(self, deployment: str | None) -> bool:
        """Whether an execution that has failed left its deployment, votes, locks or scaling to
        others. Not while another deployment runs: what is there then is that one's."""
        if deployment is None:
            return False
        rollout = self.deployments.look(deployment)
        if rollout.progress is Progress.RUNNING:
            return True
        if another(self.deployments, deployment, rollout.undone_by):
            return False
        if rollout.progress is not Progress.SUCCEEDED:
            return left_behind(self.observer.look(deployment))
        if self.scaling.suspended_for() == deployment:
            return True
        seen = self.observer.look(None)
        return bool(our_locks(seen)) and not strangers(seen)

    def after_failure(self, execution: str, since: str) -> tuple[bool, str]:
        """Leave things safe after an execution could not go on.

        Returns whether a deployment had been started, and a sentence that says how things stand.
        Never raises: what could not be done is part of the sentence. Who started no deployment has
        nothing to undo: what is locked or suspended then is somebody else's.
        """
        said: list[str] = []
        deployment = _try(said, lambda: self.deployments.of_execution(execution, since))
        if deployment is not None:
            _try(said, lambda: said.append(self._stop_if_running(deployment)))
            kept = _try(said, lambda: self.clean_up(deployment))
            return True, ". ".join([*said, *([kept] if kept else [])])
        touched = "Whether a deployment was started is not known" if said else "Nothing was touched"
        build = _try(said, lambda: self.builds.stop(build_mark(execution)))
        said += [f"Build {build} still ran and was stopped"] if build else []
        return False, ". ".join([*said, touched])

    def _stop_if_running(self, deployment: str) -> str:
        rollout = self.deployments.look(deployment)
        if rollout.progress is Progress.RUNNING:
            self.deployments.stop(deployment)
            rollout = self.deployments.look(deployment)  # it may have succeeded a moment before
            if rollout.progress is not Progress.SUCCEEDED:
                self.scaling.resume(deployment)  # nobody comes back to do it
                return (
                    f"Deployment {deployment} was still running and is being stopped and rolled "
                    "back; nobody follows it: look at it and at the Raft members by hand"
                )
        if rollout.progress is Progress.SUCCEEDED:
            return (
                f"Deployment {deployment} has succeeded, so its tasks serve and nothing is undone; "
                "look at the traffic and at the Raft members by hand"
            )
        if rollout.undone_by and self.deployments.active() == rollout.undone_by:
            self.scaling.resume(deployment)  # clean_up leaves it to who follows it: nobody
        undo = f", its roll-back is {rollout.undone_by}" if rollout.undone_by else ""
        return (
            f"Deployment {deployment} has ended ({rollout.progress.value}{undo}); look at the "
            "traffic and at the Raft members by hand"
        )


def _try(said: list[str], deed: Callable[[], T]) -> T | None:
    try:
        return deed()
    except Exception as error:  # noqa: BLE001 # an end must be reached, and say what it could not do
        said.append(f"This could not be done: {type(error).__name__}: {error}")
        return None
