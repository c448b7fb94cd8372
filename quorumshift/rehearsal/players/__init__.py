"""The players, each on a WebSocket of its own, from a process of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorumshift.rehearsal.failures import Failure
from quorumshift.rehearsal.final_count import final_count
from quorumshift.rehearsal.players.tally import PlayersResult, PlayersSnapshot, Presence
from quorumshift.rehearsal.reporting import Reporter, ReporterFailed

if TYPE_CHECKING:  # this package is also the child, which needs no AWS client
    from quorumshift.rehearsal.world import World

__all__ = ["Failure", "Players", "PlayersResult", "PlayersSnapshot", "Presence"]

PACE = 50.0
SESSION_SECONDS = (10.0, 40.0)
ANSWER_SECONDS = 10.0
"""A connection on which a command, or the Welcome, takes longer than this is given up."""

_START_SECONDS = 20.0
_BOOT_SECONDS = 10.0


class Players:
    """``count`` of them, on ``url`` + ``/ws`` (``http://host:port``).

    ``pace``: commands a second, of all together. ``session``: between so many and so many real
    seconds after it came a player leaves, and a new one takes its place. ``patience``: so many real
    seconds it waits for an answer.
    """

    def __init__(
        self,
        world: World,
        url: str,
        count: int,
        pace: float = PACE,
        session: tuple[float, float] = SESSION_SECONDS,
        patience: float = ANSWER_SECONDS,
    ) -> None:
        self._url = url
        self._count = count
        arguments = {"url": url, "count": count, "pace": pace, "patience": patience}
        arguments |= {"shortest": session[0], "longest": session[1]}
        self._child = Reporter(
            world,
            "quorumshift.rehearsal.players",
            tuple(word for name, value in arguments.items() for word in (f"--{name}", str(value))),
            PlayersSnapshot,
            PlayersResult,
        )

    def start(self) -> None:
        """Returns once all of them are connected at one time. Raises ``ReporterFailed``."""
        self._child.start()
        seen = self._child.wait_for(
            lambda seen: seen.connected >= self._count or seen.at >= _START_SECONDS,
            "all players to be connected",
            _START_SECONDS + _BOOT_SECONDS,
        )
        if seen.connected < self._count:
            raise ReporterFailed(
                f"{seen.connected} of {self._count} players are connected to {self._url}/ws after "
                f"{seen.at:.0f} s: {seen.last_error or 'nobody answers'}; is the service up, and "
                "does it take WebSockets?"
            )

    def snapshot(self) -> PlayersSnapshot:
        """What was counted so far; at most half a second old. Raises ``ReporterFailed`` when the
        process died."""
        return self._child.wait_for(lambda _seen: True, "a report", _START_SECONDS)

    def finish(self, *, quorum: bool = True) -> PlayersResult:
        """No new commands; wait for the answers that are due, read every acknowledged command
        back, and return the counts.

        Without a ``quorum`` that could answer, what cannot be read is counted as unreadable. With
        one it raises ``ReporterFailed``, as it does when the process died.
        """
        return final_count(self._child, self._url, "commands", "the players'", quorum=quorum)
