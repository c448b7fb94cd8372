"""What the product needs from the outside, as protocols.

Each has one real implementation under ``quorumshift/adapters``. The words are the domain's: a
second deployment engine (ECS's own blue/green) is to fit behind ``Deployments`` unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from quorumshift.domain.policy import Dialect
from quorumshift.domain.raft import RaftView, Task


class Clock(Protocol):
    """Time, passed in."""

    def now(self) -> float:
        """Epoch seconds."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class RaftControl(Protocol):
    """A service's Raft. ``via`` are addresses to ask, the leader's first where it is known.

    Changes are safe to repeat: what is already so is not an error. They raise ``ChangeRefused``
    when Raft says no, and ``Transient`` when nobody could be asked or no reply came.
    """

    dialect: Dialect

    def observe(self, addresses: Sequence[str]) -> RaftView:
        """Ask all addresses at once; never raises for a node that does not answer."""

    def admit(self, address: str, via: Sequence[str]) -> None:
        """Make the node at ``address`` a learner."""

    def promote(self, raft_id: str, via: Sequence[str]) -> None:
        """Make a learner a voter."""

    def transfer(self, raft_id: str, via: Sequence[str]) -> None:
        """Hand leadership to this voter."""

    def remove(self, raft_id: str, via: Sequence[str]) -> None:
        """Take a member out."""


@dataclass(frozen=True, slots=True)
class Roster:
    """The service's tasks at one time; ``desired``: how many each colour shall have."""

    tasks: tuple[Task, ...]
    desired: int


class Discovery(Protocol):
    """Which tasks there are, where, and of which colour."""

    def roster(self, deployment: str | None) -> Roster:
        """All tasks that exist now. ``deployment`` tells which task set is green; ``None``: the
        serving task set is blue and there is no green."""


class TaskProtection(Protocol):
    """ECS task protection: the vote locks."""

    def lock(self, tasks: Sequence[str], minutes: int) -> None:
        """Protect these tasks (ARNs). Raises ``ChangeRefused`` when ECS will not."""

    def release(self, tasks: Sequence[str]) -> None:
        """End the protection. A task that is gone is no error."""


class Notifier(Protocol):
    """Tells people."""

    def publish(self, subject: str, message: str) -> None:
        """Send one message (``subject``: at most 100 characters)."""


class HookAnswers(Protocol):
    """Answers the deployment engine's question at one stage."""

    def answer(self, deployment: str, execution: str, succeeded: bool) -> None:
        """Say yes or no. A question that was answered before is no error."""


class Builds(Protocol):
    """Builds an image from a commit."""

    def start(self, commit: str, mark: str) -> str:
        """Start (or adopt, by ``mark``) a build and return its id."""

    def look(self, build: str) -> dict[str, Any]:
        """``status`` (running, succeeded, failed), ``image`` (with digest), ``phase``, ``log``."""


class TaskDefinitions(Protocol):
    """The service's task definition revisions."""

    def live(self) -> str:
        """ARN of the revision that serves now."""

    def resolve(self, name: str) -> str:
        """ARN for an ARN, ``family:revision``, ``current`` or ``previous``."""

    def with_image(self, image: str) -> tuple[str, bool]:
        """A revision like the live one with ``image``; and whether it had to be registered."""

    def image_digest(self, image: str) -> str:
        """``image`` with its tag resolved to a digest."""
