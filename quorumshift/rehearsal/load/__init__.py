"""The load on the service, from a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorumshift.rehearsal.failures import Failure
from quorumshift.rehearsal.final_count import final_count
from quorumshift.rehearsal.load.tally import LoadResult, LoadSnapshot, Second
from quorumshift.rehearsal.reporting import Reporter, ReporterFailed

if TYPE_CHECKING:  # this package is also the child, which needs no AWS client
    from quorumshift.rehearsal.world import World

__all__ = ["Failure", "Load", "LoadResult", "LoadSnapshot", "Second"]

_START_SECONDS = 20.0
_FIRST_ANSWER_SECONDS = 1.0


class Load:
    """A steady rate of requests a second to ``url`` (``http://host:port``); ``writes``: percent
    of them that write, the others read back what was written."""

    def __init__(self, world: World, url: str, rate: int, writes: int = 50) -> None:
        self._url = url
        self._child = Reporter(
            world,
            "quorumshift.rehearsal.load",
            ("--url", url, "--rate", str(rate), "--writes", str(writes)),
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

    def finish(self, *, quorum: bool = True) -> LoadResult:
        """Stop, read every acknowledged write back, and return the counts.

        Without a ``quorum`` that could answer, what cannot be read is counted as unreadable. With
        one it raises ``ReporterFailed``, as it does when the process died.
        """
        return final_count(self._child, self._url, "writes", "the load's", quorum=quorum)
