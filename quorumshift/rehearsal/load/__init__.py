"""The load on the service, from a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorumshift.rehearsal.load.tally import Failure, LoadResult, LoadSnapshot, Second
from quorumshift.rehearsal.reporting import Reporter, ReporterFailed

if TYPE_CHECKING:  # this package is also the child, which needs no AWS client
    from quorumshift.rehearsal.world import World

__all__ = ["Failure", "Load", "LoadResult", "LoadSnapshot", "Second"]

_START_SECONDS = 20.0
_FIRST_ANSWER_SECONDS = 1.0
_FINISH_SECONDS = 90.0


class Load:
    """A steady rate of requests to ``url`` (``http://host:port``), half of them writes."""

    def __init__(self, world: World, url: str, rate: int) -> None:
        self._url = url
        self._child = Reporter(
            world,
            "quorumshift.rehearsal.load",
            ("--url", url, "--rate", str(rate)),
            LoadSnapshot,
            LoadResult,
        )

    def start(self) -> None:
        """Returns once a request has been answered well. Raises ``ReporterFailed``."""
        self._child.start()
        seen = self._child.wait_for(
            lambda seen: seen.total > seen.failed or seen.at > _FIRST_ANSWER_SECONDS,
            "an answered request",
            _START_SECONDS,
        )
        if seen.total == seen.failed:
            raise ReporterFailed(
                f"no request to {self._url} was answered well within {seen.at:.1f} s: "
                f"{seen.last_error or 'none has ended yet'}; is the service up?"
            )

    def snapshot(self) -> LoadSnapshot:
        """What was counted so far; at most half a second old. Raises ``ReporterFailed`` when the
        process died."""
        return self._child.wait_for(lambda _seen: True, "a report", _START_SECONDS)

    def finish(self) -> LoadResult:
        """Stop, read every acknowledged write back, and return the counts. Raises
        ``ReporterFailed`` when the process died or could not read all writes back."""
        return self._child.finish(_FINISH_SECONDS)
