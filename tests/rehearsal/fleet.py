"""Plays the ECS engine for the tests of the data plane: real tasks on addresses of their own."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Coroutine, Iterator
from http import client as http_client
from pathlib import Path
from typing import Any, TypeVar

from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.service.gateway import Gateway, Member, NoAnswer, Refused, Status
from quorumshift.rehearsal.world import World

T = TypeVar("T")


class Fleet:
    """Tasks of the sample service. ``world`` is theirs; :meth:`close` ends everything."""

    module = "quorumshift.rehearsal.service"

    def __init__(self, directory: Path, size: int = 3) -> None:
        self.world = World(block=take_block(), speed=60.0, directory=directory)
        self.instances = directory / "instances.json"
        self.size = size
        self.tasks: dict[str, subprocess.Popen[bytes]] = {}
        self._sequences: dict[str, int] = {}
        self._numbers = itertools.count()

    def close(self) -> None:
        """End all processes and give the addresses back."""
        self.world.processes.close()
        self.world.block.lock.close()

    def start(self, version: str = "1", behaviour: str = "normal", **environment: str) -> str:
        """Start one more task, with more in its environment, and return its address."""
        number = next(self._numbers)
        address = self.world.block.task(number)
        directory = self.world.directory / f"task-{number}"
        directory.mkdir()
        self._sequences[address] = number + 1
        self.tasks[address] = self.world.processes.python(
            self.module,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "QUORUMSHIFT_TASK_ADDRESS": address,
                "QUORUMSHIFT_TASK_DIRECTORY": str(directory),
                "QUORUMSHIFT_INSTANCES": str(self.instances),
                "QUORUMSHIFT_IMAGE_VERSION": version,
                "QUORUMSHIFT_IMAGE_BEHAVIOUR": behaviour,
                "CLUSTER_SIZE": str(self.size),
                **environment,
            },
            log=self.log(address),
        )
        self._write()
        return address

    def log(self, address: str) -> Path:
        """Where the task at ``address`` writes."""
        return self.world.directory / f"{address}.log"

    def etcd(self, address: str) -> int | None:
        """The process id of the task's etcd, when it runs."""
        front = self.tasks[address].pid
        for each in Path("/proc").glob("[0-9]*/stat"):
            try:
                name, _, rest = each.read_text().partition("(")[2].rpartition(")")
            except OSError:
                continue  # it has just ended
            if name == "etcd" and int(rest.split()[1]) == front:
                return int(each.parent.name)
        return None

    def kill(self, address: str) -> None:
        """SIGKILL the task, as a lost host would."""
        self.tasks[address].kill()
        self._gone(address)

    def terminate(self, address: str) -> int:
        """SIGTERM the task and return its exit code."""
        self.tasks[address].send_signal(signal.SIGTERM)
        return self._gone(address)

    def wait(self, address: str, seconds: float = 10.0) -> int:
        """The exit code of a task that ends by itself."""
        code = self.tasks[address].wait(seconds)
        self._gone(address)
        return code

    def _gone(self, address: str) -> int:
        code = self.tasks.pop(address).wait(10)
        self._write()
        return code

    def _write(self) -> None:
        listed = [
            {"address": address, "sequence": self._sequences[address], "task": f"task/{address}"}
            for address in self.tasks
        ]
        draft = self.instances.with_suffix(".draft")
        draft.write_text(json.dumps({"instances": listed}))
        draft.replace(self.instances)


@contextlib.contextmanager
def running(directory: Path, size: int = 3, behaviour: str = "normal") -> Iterator[Fleet]:
    """A fleet whose cluster has been founded."""
    fleet = Fleet(directory, size)
    try:
        addresses = [fleet.start(behaviour=behaviour) for _ in range(size)]
        until(lambda: all(sees_leader(address) for address in addresses))
        yield fleet
    finally:
        fleet.close()


def http(method: str, address: str, path: str, body: str = "") -> tuple[int, dict[str, Any]]:
    """One request to a front: status and JSON; (0, {}) when nobody listens."""
    connection = http_client.HTTPConnection(address, 8080, timeout=10)
    try:
        connection.request(method, path, body.encode() or None)
        response = connection.getresponse()
        answer = json.loads(response.read())
        assert response.headers["X-Version"] == answer["version"]
        assert response.headers["X-Node"] == answer["node"] == address
        return response.status, answer
    except ConnectionRefusedError:
        return 0, {}
    finally:
        connection.close()


def sees_leader(address: str) -> bool:
    """The front at ``address`` can serve, whatever its health check was made to say."""
    return http("GET", address, "/kv/nothing")[0] == 404


def ask(question: Callable[[Gateway], Coroutine[Any, Any, T]]) -> T:
    """Ask etcd something, from a test that is not asynchronous."""

    async def run() -> T:
        gateway = Gateway()
        try:
            return await question(gateway)
        finally:
            await gateway.close()

    return asyncio.run(run())


def until(holds: Callable[[], T | None], seconds: float = 15.0) -> T:
    """The first true answer of ``holds``. Raises ``AssertionError`` when none comes in time."""
    deadline = time.monotonic() + seconds
    while not (answer := holds()):
        assert time.monotonic() < deadline, f"{holds} did not hold within {seconds} s"
        time.sleep(0.05)
    return answer


def status(address: str) -> Status | None:
    """The status of the etcd at ``address``; ``None`` when nobody listens there."""

    async def question(gateway: Gateway) -> Status | None:
        try:
            return await gateway.status(address, 1.0)
        except Refused:
            return None

    return ask(question)


def leader(addresses: list[str]) -> str | None:
    """The address of the member that says that it leads."""
    for address in addresses:
        said = status(address)
        if said is not None and said.leads:
            return address
    return None


def members(address: str) -> dict[str, Member]:
    """The member list, by address."""
    told = ask(lambda gateway: gateway.members(address, 2.0))
    return {member.address: member for member in told.members}


def change(address: str, verb: str, **body: Any) -> Any:
    """A membership change through etcd's gateway, asked again while etcd says "not yet"."""

    async def question(gateway: Gateway) -> Any:
        deadline = time.monotonic() + 15
        while True:
            try:
                path = f"/v3/cluster/member/{verb}"
                return await gateway.call(address, path, json.dumps(body).encode(), 3.0)
            except NoAnswer:
                assert time.monotonic() < deadline, f"etcd refuses to {verb} {body}"
                await asyncio.sleep(0.05)

    return ask(question)
