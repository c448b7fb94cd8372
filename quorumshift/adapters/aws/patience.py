"""How long a function waits for AWS: less than it may run, so that it can still say why."""

from __future__ import annotations

from dataclasses import dataclass

from botocore.config import Config

_LONGEST_PAUSE = 20.0
_ASKED_FOR = 5.0
"""What an answer may add to a pause (header ``x-amz-retry-after``)."""
_ADDRESSES = 3
"""Of one endpoint, one a zone; who gets no connection tries them all, one after the other."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for a connection, for what one sends next, and for a whole call; ``tries``, the first
    included.

    ``longest`` holds because no try begins that might end later (:meth:`allows`); one that has
    begun ends by the limits for a connection, for its encryption, and for the answer. A thread that
    gives up waiting would hold against slow names and dripping answers too, and leave a change on
    the way that arrives minutes later (decision 0023).
    """

    connect: float
    read: float
    tries: int
    longest: float

    def allows(self, attempts: int, waited: float) -> bool:
        """Whether there is time for one more try, ``waited`` seconds after the first one began."""
        return waited + pause(attempts) + self._one_try <= self.longest

    @property
    def _one_try(self) -> float:
        return (_ADDRESSES + 1) * self.connect + self.read

    def config(self) -> Config:
        """For a client."""
        return Config(
            retries={"mode": "standard", "total_max_attempts": self.tries},
            connect_timeout=self.connect,
            read_timeout=self.read,
        )


def pause(attempts: int) -> float:
    """The longest rest after that many tries: botocore's standard mode takes at most 1, 2, 4 … and
    never more than 20 seconds, and up to five more where the answer asks for it
    (``botocore.retries.standard.ExponentialBackoff``)."""
    return min(2.0 ** (attempts - 1), _LONGEST_PAUSE) + _ASKED_FOR


PATIENCE = Patience(connect=2, read=8, tries=3, longest=40)
"""A function's. Its limit is at least 50 s (``infra/function_specs.py``); what one call leaves of
that is for what it does besides, and to tell the workflow, which tries again."""
