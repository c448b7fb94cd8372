"""The folder of one rehearsal: logs, sockets, the tasks' disks.

It is kept after a result, for its logs. What a rehearsal that was killed leaves behind is found by
its lock, which the kernel has given back: the next one removes the tasks' disks in it, which are
large, and keeps the logs.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

from quorumshift.rehearsal.disk import check_room

PREFIX = "quorumshift-rehearsal-"


def new_folder() -> tuple[Path, IO[str]]:
    """A new folder and its lock, which holds as long as the file is open.

    Raises ``CannotStart`` where there is too little room.
    """
    sweep(Path(tempfile.gettempdir()))
    check_room(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = (folder / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


def sweep(base: Path) -> None:
    """Remove the tasks' disks of rehearsals of ours that have ended."""
    for folder in base.glob(f"{PREFIX}*"):
        disks = [path for path in folder.glob("tasks/*") if path.is_dir()]
        if not disks or folder.stat().st_uid != os.getuid():
            continue
        try:
            with (folder / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue  # it runs, or is none of ours
        for disk in disks:
            shutil.rmtree(disk, ignore_errors=True)
