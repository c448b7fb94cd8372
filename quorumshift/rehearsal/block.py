"""The loopback addresses that one rehearsal owns.

A rehearsal takes a /24 of 127.0.0.0/8 for itself by locking a file, so that several can run on
one machine; the kernel gives the lock back however the process ends.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

FIRST_TASK = 10
LAST_TASK = 250


@dataclass(frozen=True)
class Block:
    """127.``a``.``b``.0/24. ``lock`` is held as long as the rehearsal lives."""

    prefix: str
    lock: IO[str]

    @property
    def aws(self) -> str:
        """The embedded AWS listens here."""
        return f"{self.prefix}.1"

    @property
    def balancer(self) -> str:
        """The load balancer listens here."""
        return f"{self.prefix}.2"

    @property
    def database(self) -> str:
        """The database listens here, for a service that has one."""
        return f"{self.prefix}.3"

    def task(self, number: int) -> str:
        """The address of the ``number``-th task ever started, from 0; addresses are reused last
        of all, as on AWS."""
        return f"{self.prefix}.{FIRST_TASK + number % (LAST_TASK - FIRST_TASK + 1)}"


def take_block() -> Block:
    """Lock the first free block.

    Raises ``RuntimeError`` when more than two hundred rehearsals are running.
    """
    folder = Path(tempfile.gettempdir()) / f"quorumshift-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for number in range(1, 201):
        lock = (folder / f"block-{number}").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        return Block(prefix=f"127.71.{number}", lock=lock)
    raise RuntimeError(f"all 200 address blocks are taken (locks in {folder})")
