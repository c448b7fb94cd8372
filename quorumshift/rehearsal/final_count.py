"""The last word of a child that counts: after it has read back what it was told is safe."""

from __future__ import annotations

from typing import Protocol, TypeVar

from quorumshift.rehearsal.reporting import Reporter, ReporterFailed

FINISH_SECONDS = 90.0
READ_BACK_SECONDS = 60.0
HOPELESS_SECONDS = 2.0
"""To read back where no quorum answers: long enough to see that nobody does."""


class Counted(Protocol):
    """``acknowledged`` of something were read back; of ``unreadable`` ones nobody could tell."""

    @property
    def acknowledged(self) -> int:
        """How many."""

    @property
    def unreadable(self) -> int:
        """How many of them."""


S = TypeVar("S")
C = TypeVar("C", bound=Counted)


def final_count(child: Reporter[S, C], url: str, what: str, log: str, *, quorum: bool) -> C:
    """The child's result. ``what`` it counts, and whose ``log`` tells more: for a person.

    Without a ``quorum`` that could answer, what cannot be read is counted as unreadable. With one
    it raises ``ReporterFailed``, as it does when the child died.
    """
    seconds = READ_BACK_SECONDS if quorum else HOPELESS_SECONDS
    result = child.finish(FINISH_SECONDS, str(seconds))
    if quorum and result.unreadable:
        raise ReporterFailed(
            f"{result.unreadable} of {result.acknowledged} acknowledged {what} cannot be read "
            f"back from {url} within {seconds:.0f} s; {log} log tells why"
        )
    return result
