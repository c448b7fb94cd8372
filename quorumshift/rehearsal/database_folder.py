"""The folder of one rehearsal's PostgreSQL, and the user it runs as.

It is not part of the rehearsal's own folder, into which only the user looks who started it: root's
PostgreSQL runs as ``nobody``. It is found again by its lock, which the kernel has given back after
a rehearsal that was killed.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from quorumshift.domain.errors import QuorumshiftError

PREFIX = "quorumshift-database-"
_NOBODY = "nobody"
_NOBODYS_ID = 65534
_OTHERS = ("/tmp", "/var/tmp", "/dev/shm")


@dataclass(frozen=True, slots=True)
class Owner:
    """The user of the server. ``None``: the one of this process."""

    uid: int | None = None
    gid: int | None = None

    def give(self, path: Path) -> None:
        """Make ``path`` this user's."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


@dataclass(frozen=True, slots=True)
class Folder:
    """``path`` is ours, and others may only pass; ``data`` in it is the server's alone.
    ``installation``: binaries that the server's user may read. ``lock`` is held as long as the
    rehearsal lives."""

    path: Path
    data: Path
    installation: Path
    lock: IO[str]


def owner_of_server() -> Owner:
    """``nobody`` for root, else nobody but ourselves."""
    if os.geteuid() != 0:
        return Owner()
    try:
        entry = pwd.getpwnam(_NOBODY)
    except KeyError:
        return Owner(_NOBODYS_ID, _NOBODYS_ID)
    return Owner(entry.pw_uid, entry.pw_gid)


def new_folder(owner: Owner, installation: Path) -> Folder:
    """A new folder; those of rehearsals of ours that have ended are removed.

    Raises ``QuorumshiftError`` when there is no place for it.
    """
    base = _base(owner)
    with _alone():
        sweep(base)
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        lock = (path / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    data = path / "data"
    data.mkdir(mode=0o700)
    owner.give(data)
    if owner.uid is not None:
        path.chmod(0o711)
        installation = _copied(installation, path)
    return Folder(path, data, installation, lock)


def remove_folder(folder: Folder) -> None:
    """Remove all of it."""
    shutil.rmtree(folder.path, ignore_errors=True)
    folder.lock.close()


def sweep(base: Path) -> None:
    """Remove what rehearsals of ours left that were killed."""
    for folder in base.glob(f"{PREFIX}*"):
        try:
            if folder.lstat().st_uid != os.getuid():
                continue
            with (folder / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            pass  # killed before it made its lock
        except OSError:
            continue  # it runs
        shutil.rmtree(folder, ignore_errors=True)


def _base(owner: Owner) -> Path:
    """Where the server's user may read, write and execute."""
    usual = Path(tempfile.gettempdir())
    if owner.uid is None:
        return usual
    for base in (usual, *map(Path, _OTHERS)):
        if base.is_dir() and _is_open(base.resolve()):
            return base
    raise QuorumshiftError(
        "root's PostgreSQL runs as another user, who may execute files neither in "
        f"{usual} nor in {', '.join(_OTHERS)}; start the rehearsal as an ordinary user"
    )


def _is_open(folder: Path) -> bool:
    passable = all(each.stat().st_mode & 0o001 for each in (folder, *folder.parents))
    return passable and not os.statvfs(folder).f_flag & os.ST_NOEXEC


def _copied(installation: Path, to: Path) -> Path:
    """A copy of what the server needs, laid out as in the wheel: its programs look for the rest
    beside themselves. It takes less time than to tell whether another user may read the wheel,
    which root may have in its home."""
    site, package = installation.parents[1], installation.parent.name
    copy = to / package / installation.name
    (copy / "bin").mkdir(parents=True)
    for program in ("postgres", "initdb"):
        shutil.copy(installation / "bin" / program, copy / "bin")
    (copy / "lib").mkdir()
    for part in ("lib/postgresql", "share/postgresql"):
        shutil.copytree(installation / part, copy / part, ignore=shutil.ignore_patterns("pgxs"))
    libraries = site / f"{package}.libs"
    (to / libraries.name).mkdir()
    for library in libraries.glob("libpq-*"):
        shutil.copy(library, to / libraries.name)
    for folder, folders, files in os.walk(copy.parent):
        for name in (*folders, *files):
            path = Path(folder) / name
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    return copy


@contextmanager
def _alone() -> Iterator[None]:
    """Between a folder and its lock nobody else shall look."""
    ours = Path(tempfile.gettempdir()) / f"quorumshift-{os.getuid()}"
    ours.mkdir(mode=0o700, exist_ok=True)
    with (ours / "database.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
