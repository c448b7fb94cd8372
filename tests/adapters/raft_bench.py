"""What the contract suite needs of a cluster, so that one suite holds every kind of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from quorumshift.domain.errors import Transient
from quorumshift.domain.raft import RaftView, Standing
from quorumshift.ports import RaftControl

PAUSES = 300


class RaftBench(Protocol):
    """A cluster of three voters, with the means to hurt it and to let time pass."""

    voters: tuple[str, ...]

    @property
    def control(self) -> RaftControl:
        """The adapter under test."""

    def spare(self, number: int) -> str:
        """The ``number``-th address that is not in the cluster."""

    def boot(self, address: str) -> None:
        """Start the process of a node that was admitted."""

    def crash(self, address: str) -> None:
        """End a node's process at once."""

    def losing_replies(self, address: str) -> str:
        """An address that leads to ``address`` and loses the reply to every change."""

    def write(self, key: str, value: str, via: str) -> bool:
        """Whether the cluster acknowledged this write."""

    def read(self, key: str, via: str) -> str | None:
        """What a linearizable read answers."""

    def pause(self) -> None:
        """Let a tenth of a second pass."""


def until(bench: RaftBench, what: str, done: Callable[[], bool]) -> None:
    """Wait for ``done``, at most thirty seconds of the bench's time."""
    for _ in range(PAUSES):
        if done():
            return
        bench.pause()
    raise AssertionError(f"never came: {what}")


def persist(bench: RaftBench, step: Callable[[], None]) -> None:
    """Repeat a step while the answer is *not yet*, as the hand-over does."""
    last = [Transient("not tried")]

    def works() -> bool:
        try:
            step()
        except Transient as error:
            last[0] = error
            return False
        return True

    try:
        until(bench, "the step", works)
    except AssertionError:
        raise AssertionError(f"still not yet: {last[0]}") from last[0]


def ids(view: RaftView) -> dict[str, str]:
    """Raft ids by address."""
    return {member.address: member.raft_id for member in view.members}


def standings(view: RaftView) -> dict[str, Standing]:
    """Standings by address."""
    return {member.address: member.standing for member in view.members}


def leader(view: RaftView) -> str | None:
    """The address of the leader that all reports name; ``None`` when they do not agree."""
    named = {report.leader for report in view.reports.values()}
    if len(named) != 1:
        return None
    by_id = {member.raft_id: member.address for member in view.members}
    return by_id.get(named.pop() or "")
