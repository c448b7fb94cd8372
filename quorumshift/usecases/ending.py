"""How every execution ends: locks are given back, scaling goes on, and what is left is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from quorumshift.domain.errors import ClusterUnsafe
from quorumshift.domain.marks import build_mark
from quorumshift.domain.rollout import Progress
from quorumshift.domain.undo import left_behind, strangers
from quorumshift.ports import Builds, Deployments, Scaling
from quorumshift.usecases.observer import Observer, Seen, require
from quorumshift.usecases.vote_locks import VoteLocks

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ending:
    """Everything an end may touch; see ``ports``."""

    observer: Observer
    locks: VoteLocks
    deployments: Deployments
    scaling: Scaling
    builds: Builds

    def after_success(self, deployment: str) -> Seen:
        """Raises ``ClusterUnsafe`` unless blue's members are gone and the cluster is healthy."""
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
        self.clean_up()
        return seen

    def after_rollback(self, deployment: str) -> Seen:
        """Raises ``ClusterUnsafe`` or ``ClusterUnsettled`` unless the old cluster is well again."""
        seen = require(
            self.observer.settled(None),
            f"deployment {deployment} was rolled back, but its cluster is not well",
        )
        self.clean_up()
        return seen

    def clean_up(self) -> str:
        """Give back the locks and let the service scale; unless a deployment is under way, whose
        locks and scaling these are. See :meth:`give_back_locks`."""
        if self.deployments.active() is not None:
            return ""
        self.scaling.resume()
        return self._give_back()

    def give_back_locks(self) -> str:
        """Give back the locks, unless a deployment is under way, whose locks these are.

        Locks are kept, and the returned sentence says so, while tasks vote that do not serve: the
        end of such a task could cost the quorum.
        """
        return "" if self.deployments.active() is not None else self._give_back()

    def _give_back(self) -> str:
        votes = strangers(self.observer.look(None))
        if votes:
            return (
                f"{', '.join(votes)} is in the Raft configuration and not of the serving tasks, so "
                "the locks are kept; they expire by themselves"
            )
        self.locks.release_all()
        return ""

    def needs_votes_back(self, deployment: str, was: Progress | None) -> bool:
        """Whether the votes are to be called home. ``was``: how its rollout stood when it was
        found; one that ran may have begun to move them."""
        if was in (Progress.RUNNING, Progress.SUCCEEDED):
            return was is Progress.RUNNING
        return bool(strangers(self.observer.look(deployment)))

    def left_behind(self, deployment: str | None) -> bool:
        """Whether an execution that has failed left its deployment, votes or locks to others.

        Not while another deployment runs: what is there then is that one's.
        """
        if deployment is None:
            return False
        rollout = self.deployments.look(deployment)
        if rollout.progress in (Progress.RUNNING, Progress.SUCCEEDED):
            return rollout.progress is Progress.RUNNING
        if self.deployments.active() not in (None, rollout.undone_by):
            return False
        return left_behind(self.observer.look(deployment))

    def after_failure(self, execution: str, since: str) -> tuple[bool, str]:
        """Leave things safe after an execution could not go on.

        Returns whether a deployment had been started, and a sentence that says how things stand.
        Never raises: what could not be done is part of the sentence.
        """
        said: list[str] = []
        deployment = _try(said, lambda: self.deployments.of_execution(execution, since))
        known = not said
        if deployment is None:
            build = _try(said, lambda: self.builds.stop(build_mark(execution)))
            said += [f"Build {build} still ran and was stopped"] if build else []
        if deployment is not None:
            _try(said, lambda: said.append(self._stop_if_running(deployment)))
        elif known:
            said.append("Nothing was touched")
        kept = _try(said, self.clean_up)
        said += [kept] if kept else []
        return deployment is not None, ". ".join(said)

    def _stop_if_running(self, deployment: str) -> str:
        rollout = self.deployments.look(deployment)
        if rollout.progress is Progress.RUNNING:
            self.deployments.stop(deployment)
            self.scaling.resume()  # nobody comes back to do it
            return (
                f"Deployment {deployment} was still running and is being stopped and rolled back; "
                "nobody follows it: look at it and at the Raft members by hand"
            )
        if rollout.undone_by and self.deployments.active() == rollout.undone_by:
            self.scaling.resume()  # clean_up leaves it to who follows the roll-back: nobody
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
