"""Real etcd processes on a loopback block of their own."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from quorumshift.adapters.raft.etcd import EtcdRaft
from quorumshift.adapters.raft.etcd_gateway import NoReply, NotSent, post
from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.processes import Spawner
from tests.adapters.raft_bench import leader, until
from tests.adapters.wire import listening, losing_replies

CLIENT, PEER = 2379, 2380
ROOT = Path(__file__).parents[2]


class EtcdBench:
    """A :class:`~tests.adapters.raft_bench.RaftBench` of real etcds; :meth:`close` ends it.

    Members are named for their addresses. The election timeout is half of etcd's default.
    """

    def __init__(self, directory: Path, size: int = 3, **options: str) -> None:
        """``options``: etcd's own, with ``_`` for ``-``; ``{at}`` is the node's address."""
        self._directory = directory
        self._options = {name.replace("_", "-"): text for name, text in options.items()}
        directory.mkdir(exist_ok=True)
        self._block = take_block()
        self._spawner = Spawner()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._exits = contextlib.ExitStack()
        self._aliases = 0
        self.control = EtcdRaft()
        self.voters = tuple(self._block.task(number) for number in range(size))
        for address in self.voters:
            self.start(address, self.voters, "new")

    def wait_ready(self) -> None:
        """Wait until all voters agree on a leader."""
        until(self, "a leader", lambda: leader(self.control.observe(self.voters)) is not None)

    def start(
        self, address: str, members: tuple[str, ...], state: str, *, deaf: bool = False
    ) -> None:
        """Start one etcd that finds ``members``; ``state``: ``new`` or ``existing``. ``deaf``: it
        dials the others, and listens where nobody looks for it."""
        client, peer = f"http://{address}:{CLIENT}", f"http://{address}:{PEER}"
        options = {
            "name": address,
            "data-dir": str(self._directory / address),
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": f"http://{address}:{PEER + deaf}",
            "initial-advertise-peer-urls": peer,
            "initial-cluster": ",".join(f"{one}=http://{one}:{PEER}" for one in members),
            "initial-cluster-state": state,
            "heartbeat-interval": "50",
            "election-timeout": "500",
            "log-level": "error",
            **{name: text.format(at=address) for name, text in self._options.items()},
        }
        self._processes[address] = self._spawner.python(
            "tests.adapters.etcd_process",
            *(f"--{name}={value}" for name, value in options.items()),
            log=self._directory / f"{address}.log",
            cwd=ROOT,
        )

    def spare(self, number: int) -> str:
        """The ``number``-th address outside."""
        return self._block.task(len(self.voters) + number)

    def boot(self, address: str) -> None:
        """Start the etcd of a node that was admitted."""
        members = self.control.observe(self.addresses()).members
        self.start(address, tuple(member.address for member in members), "existing")

    def crash(self, address: str) -> None:
        """SIGKILL."""
        self._processes[address].kill()
        self._processes[address].wait()

    def freeze(self, address: str) -> None:
        """SIGSTOP: the port still takes connections, and nobody answers."""
        process = self._processes[address]
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)  # all its threads stand still now

    def running(self, address: str) -> bool:
        """Whether the process lives."""
        return self._processes[address].poll() is None

    def addresses(self) -> tuple[str, ...]:
        """All addresses where an etcd was ever started."""
        return tuple(self._processes)

    def losing_replies(self, address: str) -> str:
        """A forwarder to ``address``."""
        self._aliases += 1
        alias = f"{self._block.prefix}.{250 + self._aliases}"
        self._exits.enter_context(listening(alias, losing_replies(address)))
        return alias

    def write(self, key: str, value: str, via: str) -> bool:
        """PUT, acknowledged within a second."""
        body = {"key": _base64(key), "value": _base64(value)}
        return self._call(via, "/v3/kv/put", body) is not None

    def read(self, key: str, via: str) -> str | None:
        """A linearizable range of one key."""
        found = self._call(via, "/v3/kv/range", {"key": _base64(key)}) or {}
        values = found.get("kvs") or [{}]
        value = values[0].get("value")
        return None if value is None else base64.b64decode(value).decode()

    def pause(self) -> None:
        """A tenth of a second."""
        time.sleep(0.1)

    def close(self) -> None:
        """End every process and every forwarder, and give the block back."""
        for process in self._processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        self._spawner.close()
        self._exits.close()
        self._block.lock.close()

    @staticmethod
    def _call(via: str, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        try:
            answer = post(via, CLIENT, path, body, 1.0)
        except (NotSent, NoReply):
            return None
        return dict(answer.body) if answer.ok else None


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
