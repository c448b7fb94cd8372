"""Where hand-overs are measured: a rehearsal's world in which both colours of the service live.

A plain CodeDeploy deployment, without hooks and without the state machine ``deploy``, has moved all
traffic to green and waits to end blue. So nobody but the benchmark moves votes or locks.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.traffic import Traffic
from quorumshift.adapters.aws.client import Client
from quorumshift.adapters.aws.task_definitions import EcsTaskDefinitions
from quorumshift.adapters.clock import SystemClock
from quorumshift.adapters.discovery.ecs import EcsService
from quorumshift.adapters.raft.etcd import EtcdRaft
from quorumshift.domain.appspec import app_spec
from quorumshift.domain.raft import ClusterObservation, Colour, Standing
from quorumshift.rehearsal import images
from quorumshift.rehearsal.load import Load
from quorumshift.rehearsal.observer import Observer
from quorumshift.rehearsal.options import Options
from quorumshift.rehearsal.run import Rehearsal
from quorumshift.rehearsal.samples import ETCD
from quorumshift.rehearsal.world import Event
from quorumshift.usecases.observer import Observer as Looker

CONFIGURATION = ETCD.configuration
PATIENCE = "termination_wait_minutes = 2880\ndeadline_minutes = 7200"
"""The longest that CodeDeploy waits before it ends blue: 48 real minutes at speed 60."""
NODES = 3
_EVERY = 0.2
_READY_SECONDS = 90.0


class Stuck(Exception):
    """Something did not happen in time."""


class Stage:
    """``rate``: writes a second, and there is no other load. ``deployment``: its id."""

    def __init__(self, rehearsal: Rehearsal, rate: int) -> None:
        assert rehearsal.load is not None
        assert rehearsal.observer is not None
        self.rate = rate
        self.world = rehearsal.world
        self.observer: Observer = rehearsal.observer
        self.service = rehearsal.configuration.service
        self.raft = rehearsal.configuration.raft
        self.names = rehearsal.configuration.names
        self._ecs = rehearsal.ecs
        client = self.world.client("ecs")
        self._tasks = EcsService(
            client, self.names.cluster, self.names.service, self.service.container
        )
        raft = EtcdRaft(client_port=self.raft.port, peer_port=self.raft.peer_port)
        self._looker = Looker(self._tasks, raft, SystemClock(), self.raft.policy)
        rehearsal.load.finish()
        self.deployment = self._deploy()
        balancer = rehearsal.configuration.load_balancer
        url = f"http://{self.world.block.balancer}:{balancer.listener_port}"
        load = Load(self.world, url, rate, writes=100)
        load.start()
        self.traffic = Traffic(load)

    def _deploy(self) -> str:
        """All traffic to version 2, and no question to anybody; returns when blue waits."""
        reference = images.push(self.world, self.names.repository, images.NEW_TAG, version="2")
        definitions = EcsTaskDefinitions(
            Client(lambda: self.world.client("ecs")),
            self.names.family,
            self.service.container,
            self._tasks.live,
        )
        revision, _ = definitions.with_image(reference)
        content = json.dumps(app_spec(revision, self._tasks.blueprint(self.service.port), {}))
        client = self.world.client("codedeploy")
        deployment = client.create_deployment(
            applicationName=self.names.application,
            deploymentGroupName=self.names.deployment_group,
            deploymentConfigName="CodeDeployDefault.ECSAllAtOnce",
            revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content}},
            autoRollbackConfiguration={"enabled": False},
            overrideAlarmConfiguration={"enabled": False},
        )["deploymentId"]

        def waits() -> bool:
            told = client.get_deployment(deploymentId=deployment)["deploymentInfo"]
            if told["status"] in ("Failed", "Stopped"):
                raise Stuck(f"the deployment is {told['status']}: {told.get('errorInformation')}")
            return bool(told["instanceTerminationWaitTimeStarted"])

        _wait(self.world.stopping.wait, waits, "both colours to live", _READY_SECONDS)
        return str(deployment)

    def look(self) -> ClusterObservation:
        """What the product would see."""
        return self._looker.look(self.deployment)

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self.wait_until(lambda: False, "", seconds, fail=False)

    def wait_until(
        self, holds: Callable[[], bool], what: str, seconds: float, *, fail: bool = True
    ) -> None:
        """Take the load's seconds in meanwhile. Raises :class:`Stuck` unless told not to."""

        def look() -> bool:
            self.traffic.look()
            return holds()

        _wait(self.world.stopping.wait, look, what, seconds, fail=fail)

    def settled(self, colour: Colour) -> bool:
        """Whether the colour's tasks, and only they, vote, and every other one is ready."""
        seen = self.look()
        voters = {node.address for node in seen.voters if node.report}
        tasks = [node for node in seen.nodes if node.task and node.ready]
        return (
            len(tasks) == 2 * NODES
            and voters == {node.address for node in tasks if node.colour is colour}
            and all(node.standing is Standing.OUTSIDE for node in tasks if node.colour != colour)
        )

    def leader(self) -> str | None:
        """The leader's address, as the observer of the rehearsal sees it."""
        return self.observer.snapshot().leader

    def without_quorum(self) -> float:
        """Seconds so far in which too few voters answered the observer."""
        return self.observer.snapshot().quorum_lost_seconds

    @contextlib.contextmanager
    def pace(self, speed: float) -> Iterator[None]:
        """AWS's waiting at another speed for a while; 1 is AWS's own."""
        before, self.world.speed = self.world.speed, speed
        try:
            yield
        finally:
            self.world.speed = before

    def kill(self, address: str) -> None:
        """End the task there as a crash would; ECS replaces it."""
        self._ecs.kill(self._ecs.task_at(address), signal.SIGKILL)


def _wait(
    pause: Callable[[float], bool],
    holds: Callable[[], bool],
    what: str,
    seconds: float,
    *,
    fail: bool = True,
) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            if fail:
                raise Stuck(f"waited {seconds:.0f} s for {what}")
            return
        if pause(_EVERY):
            raise Stuck("the rehearsal ends")


@contextlib.contextmanager
def stage(rate: int, speed: float) -> Iterator[Stage]:
    """Bring everything up, and end it again. ``speed``: AWS's seconds in a real one."""
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / CONFIGURATION.name
        configuration.write_text(patient(CONFIGURATION.read_text()))
        options = Options(
            nodes=NODES, rate=10, speed=speed, fault=None, configuration=configuration
        )
        with Rehearsal(options) as rehearsal:
            rehearsal.world.events.listen(_tell)
            rehearsal.bring_up()
            yield Stage(rehearsal, rate)


def patient(configuration: str) -> str:
    """The same service, which CodeDeploy leaves both colours for as long as it can."""
    wait = r"(?m)^termination_wait_minutes = \d+$"
    changed, count = re.subn(wait, PATIENCE, configuration)
    if count != 1:
        raise ValueError(f"{CONFIGURATION} does not say termination_wait_minutes once")
    return changed


def _tell(event: Event) -> None:
    if event.kind in ("stage", "error"):
        print(f"{event.at:7.1f} s  {event.text}", file=sys.stderr, flush=True)
