"""The loopback addresses that one rehearsal owns.

A rehearsal takes a /24 of 127.0.0.0/8 for itself, so that several can run on one machine. What
holds it is a name in Linux's abstract namespace of sockets (unix(7)): like the loopback addresses
it is the network namespace's, so it holds between users, homes and temporary folders alike, and
the kernel gives it back however the process ends.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from quorumshift.rehearsal.preflight import CannotStart

BLOCKS = range(1, 201)
FIRST_TASK = 10
LAST_TASK = 250


class Held(Protocol):
    """Something that is held until it is closed."""

    def close(self) -> None:
        """Give it back."""


@dataclass(frozen=True)
class Block:
    """127.``a``.``b``.0/24. ``lock`` is held as long as the rehearsal lives."""

    prefix: str
    lock: Held

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


def take_block(check: Callable[[Block], None] = lambda block: None) -> Block:
    """Lock the first block that is free and passes ``check``, which raises ``CannotStart`` where
    something else uses addresses of it.

    Raises ``CannotStart``: what was wrong with the first of them, or that all are taken.
    """
    wrong: CannotStart | None = None
    for number in BLOCKS:
        lock = _lock(number)
        if lock is None:
            continue
        block = Block(prefix=f"127.72.{number}", lock=lock)
        try:
            check(block)
        except CannotStart as error:
            lock.close()
            wrong = wrong or error
            continue
        return block
    raise wrong or CannotStart(
        f"all {len(BLOCKS)} address blocks are taken by other rehearsals (`ss -lx` lists them as "
        "@quorumshift-block-…): end some, then try again"
    )


def _lock(number: int) -> socket.socket | None:
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        lock.bind(f"\0quorumshift-block-{number}")
        lock.listen(1)  # only a socket that listens is listed by `ss -lx`
    except OSError as error:
        lock.close()
        if error.errno != errno.EADDRINUSE:
            raise
        return None
    return lock
