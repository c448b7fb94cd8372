"""How long a function waits for AWS: less than it may run, so that it can still say why."""

from __future__ import annotations

from dataclasses import dataclass

from botocore.config import Config

_LONGEST_PAUSE = 20.0


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for a connection, and for what one sends next; ``tries``, the first included."""

    connect: float
    read: float
    tries: int

    @property
    def longest(self) -> float:
        """Seconds after which a call has ended in every case in which AWS says nothing.

        Between two tries botocore's standard mode rests for at most 1, 2, 4 … and never more than
        20 seconds (``botocore.retries.standard.ExponentialBackoff``).
        """
        pauses = sum(min(2.0**number, _LONGEST_PAUSE) for number in range(self.tries - 1))
        return self.tries * (self.connect + self.read) + pauses

    def config(self) -> Config:
        """For a client."""
        return Config(
            retries={"mode": "standard", "total_max_attempts": self.tries},
            connect_timeout=self.connect,
            read_timeout=self.read,
        )


PATIENCE = Patience(connect=2, read=8, tries=3)
"""A function's. Its limit is at least 50 s (``infra/function_specs.py``); what one call leaves of
that is for what it does besides, and to tell the workflow, which tries again."""
