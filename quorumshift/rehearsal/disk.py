"""A disk without room is called that, and not what it makes of everything else."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from quorumshift.rehearsal.preflight import CannotStart

NEEDED = 512 << 20
"""Bytes that must be free before anything is started: a rehearsal of nine nodes writes half."""
_FULL = 16 << 20


def check_room(folder: Path) -> None:
    """Raises ``CannotStart`` where ``folder`` has too little room for a rehearsal."""
    free = shutil.disk_usage(folder).free
    if free < NEEDED:
        raise CannotStart(
            f"the disk that holds {folder} has {free >> 20} MiB free, a rehearsal needs "
            f"{NEEDED >> 20}: make room, or set TMPDIR to a folder on another disk"
        )


def no_room(error: BaseException, folder: Path) -> str:
    """Why ``error`` came about, where a full disk is behind it; else empty."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            break
        cause = cause.__cause__ or cause.__context__
    if cause is None and shutil.disk_usage(folder).free >= _FULL:
        return ""
    return f"the disk that holds {folder} is full: make room, then start again"
